import pytest

from apps.core.phones import InvalidPhone, country_of, mask, normalise


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("+998 90 123-45-67", "UZ", "+998901234567"),
        ("998901234567", "UZ", "+998901234567"),
        ("90 123 45 67", "UZ", "+998901234567"),
        ("0532 123 45 67", "TR", "+905321234567"),
        ("+7 701 234 56 78", "UZ", "+77012345678"),
        ("8 701 234 56 78", "KZ", "+77012345678"),
        ("00998901234567", "UZ", "+998901234567"),
    ],
)
def test_what_people_type_becomes_e164(typed, country, stored):
    assert normalise(typed, country) == stored


@pytest.mark.parametrize("country", ["UZ", "KZ", "RU"])
@pytest.mark.parametrize("typed", ["1234567", "701234", "+71234567", "+77012345678901", "77012345678901"])
def test_a_number_that_nobody_could_call_from_elsewhere_is_refused(typed, country):
    with pytest.raises(InvalidPhone):
        normalise(typed, country)


@pytest.mark.parametrize("typed", ["", "abc", "12", "+998", "+99890123456789012", "+998901234567 ext 5", "\x00"])
def test_anything_else_is_refused(typed):
    with pytest.raises(InvalidPhone) as caught:
        normalise(typed)
    assert (caught.value.status, caught.value.code) == (422, "invalid_phone")


def test_the_mask_hides_the_middle():
    assert mask("+998901234567") == "+998*****4567"
    assert mask("12345") == "*****"


def test_the_country_of_a_number():
    assert country_of("+998901234567") == "UZ"
