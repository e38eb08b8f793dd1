"""Families of flowers: markup, shelf life, the words by which a variety is recognised (contract florist 1.5, 3.12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.florist import access, errors
from apps.florist.models import FlowerCategory, Shop

DEFAULTS = (
    ("Розы", 100, "роза,розы,rose,avalanche,naomi,freedom", 7),
    ("Хризантемы", 80, "хризантема,хризантемы,chrysanthemum", 14),
    ("Тюльпаны", 120, "тюльпан,тюльпаны,tulip", 5),
    ("Альстромерии", 90, "альстромерия,альстромерии,alstroemeria", 14),
    ("Экзотика", 150, "протея,антуриум,стрелиция,орхидея,protea,anthurium,orchid", 10),
    ("Зелень", 70, "эвкалипт,рускус,зелень,папоротник,eucalyptus,ruscus", 14),
)
"""Name, markup in per cent, keywords, days of life: what a shop starts with (contract 2)."""


def ensure(shop: Shop) -> list[FlowerCategory]:
    """The shop's categories in the order in which they are tried; the usual six for a shop without any."""
    found = list(FlowerCategory.objects.filter(shop=shop).order_by("pk"))
    if found:
        return found
    usual = [
        FlowerCategory(shop=shop, name=name, markup_percentage=markup, keywords=words, shelf_life_days=days)
        for name, markup, words, days in DEFAULTS
    ]
    FlowerCategory.objects.bulk_create(usual, ignore_conflicts=True)
    return list(FlowerCategory.objects.filter(shop=shop).order_by("pk"))


def recognise(variety: str, among: Iterable[FlowerCategory]) -> FlowerCategory | None:
    """The first category with a keyword inside the name of the flower."""
    name = variety.lower()
    for category in among:
        words = (word.strip().lower() for word in (category.keywords or "").split(","))
        if any(word and word in name for word in words):
            return category
    return None


def markup_of(category: FlowerCategory | None) -> Decimal:
    """Per cent on top of the cost; 100 where nothing is known."""
    return category.markup_percentage if category else Decimal(100)


def create(*, by: Any, shop: Shop, values: Mapping[str, Any]) -> FlowerCategory:
    """A new family. Raises `NotEnoughPermissions`, `CategoryNameTaken`."""
    access.ensure_may(by, "warehouse")
    ensure(shop)
    try:
        with transaction.atomic():
            return FlowerCategory.objects.create(shop=shop, **values)
    except IntegrityError as problem:
        raise errors.CategoryNameTaken() from problem


def change(*, by: Any, category_id: int, values: Mapping[str, Any]) -> FlowerCategory:
    """Other words or figures; batches keep their prices. Raises `NotEnoughPermissions`, `CategoryNotFound`,

    `CategoryNameTaken`.
    """
    access.ensure_may(by, "warehouse")
    try:
        with transaction.atomic():
            category = FlowerCategory.objects.visible_to(by).lock(errors.CategoryNotFound, pk=category_id)
            for name, value in values.items():
                setattr(category, name, value)
            category.updated_at = timezone.now()
            category.save()
            return category
    except IntegrityError as problem:
        raise errors.CategoryNameTaken() from problem
