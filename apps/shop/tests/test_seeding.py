import pytest

from apps.shop.models import PriceChange, Slipper, SlipperImage
from apps.shop.seeding import SHELVES, seed

pytestmark = pytest.mark.django_db


def test_the_sample_catalogue_is_planted_once():
    products = sum(len(rows) for rows in SHELVES.values())
    assert seed() == f"{products} products on {len(SHELVES)} shelves"
    assert seed() == "catalogue already there"
    assert (Slipper.objects.count(), SlipperImage.objects.count()) == (products, products)
    assert PriceChange.objects.count() == products + 1
    assert Slipper.objects.filter(quantity=0).exists()
