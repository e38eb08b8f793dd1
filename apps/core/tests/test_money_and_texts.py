from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import MixedCurrencies, Money
from apps.core.texts import Text, in_languages

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@given(amounts, amounts)
def test_sums_and_differences_are_exact(a, b):
    assert (Money(a, "UZS") + Money(b, "UZS") - Money(b, "UZS")).amount == a


def test_two_currencies_never_meet():
    with pytest.raises(MixedCurrencies):
        Money(Decimal(1), "UZS") + Money(Decimal(1), "RUB")
    with pytest.raises(MixedCurrencies):
        assert Money(Decimal(1), "UZS") < Money(Decimal(1), "RUB")


def test_floats_and_unknown_currencies_are_refused():
    with pytest.raises(ValueError, match="float"):
        Money(1.5, "UZS")
    with pytest.raises(ValueError, match="float"):
        Money(Decimal(1), "UZS") * 0.1
    with pytest.raises(ValueError, match="unknown currency"):
        Money(Decimal(1), "DOGE")


@pytest.mark.parametrize(
    ("given_amount", "rounded"), [("0.005", "0.01"), ("0.015", "0.02"), ("-0.005", "-0.01"), ("1.004", "1.00")]
)
def test_halves_are_rounded_up(given_amount, rounded):
    assert Money(Decimal(given_amount), "RUB").rounded().amount == Decimal(rounded)


def test_stars_have_no_fraction_and_soums_have_tiyin():
    assert Money(Decimal("2.5"), "XTR").rounded().amount == 3
    assert not Money(Decimal("2.5"), "XTR").is_exact()
    assert Money(Decimal("1000.55"), "UZS").minor_units() == 100055


def test_a_missing_language_falls_back_in_the_house_order():
    assert Text(uz="salom", en="hello").pick("ru") == "salom"
    assert Text(uz="salom", en="hello").pick("en") == "hello"
    assert Text().pick("ru") == ""
    assert Text.from_json({"ru": "да", "xx": "?"}).to_json() == {"ru": "да", "uz": "", "tr": "", "en": ""}


def test_facts_are_filled_in_every_language():
    assert in_languages("{count} of {most}", ("en", "ru"), count=1, most=3) == {"en": "1 of 3", "ru": "1 of 3"}
