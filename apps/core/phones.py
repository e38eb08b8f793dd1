"""Phone numbers: country rules to E.164, and a mask for logs and screens."""

from __future__ import annotations

import phonenumbers
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid


class InvalidPhone(Invalid):
    """Not a phone number of a country we know: 422."""

    code = "invalid_phone"
    detail = "Invalid phone number"
    message = _("This does not look like a phone number")


def normalise(text: str, country: str = "UZ") -> str:
    """E.164 of what a person typed; local numbers are read as `country` (UZ, TR, KZ, RU). Raises `InvalidPhone`."""
    digits = text.strip()
    count = sum(map(str.isdigit, digits))
    is_local_eight = digits.startswith("8") and count == 11 and country in ("KZ", "RU")
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif count > 10 and not is_local_eight and not digits.startswith(("+", "0")):
        digits = "+" + digits
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException as problem:
        raise InvalidPhone() from problem
    if not _is_whole(number) or number.extension:
        raise InvalidPhone()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_whole(number: phonenumbers.PhoneNumber) -> bool:
    """With its area code, else nobody outside the town could call it; +7 has ten digits, services with more aside."""
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return False
    return number.country_code != 7 or len(phonenumbers.national_significant_number(number)) == 10


def country_of(e164: str) -> str:
    """ISO country of a normalised number, or an empty string."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or ""


def mask(phone: str) -> str:
    """`+998901234567` → `+998*****4567`: enough to recognise, too little to call."""
    if len(phone) < 8:
        return "*" * len(phone)
    return phone[:4] + "*" * (len(phone) - 8) + phone[-4:]
