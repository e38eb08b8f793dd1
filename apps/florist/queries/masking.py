"""What a stranger with a link reads of a phone, an address and a name (contract florist 3.8)."""

from __future__ import annotations

import re

HIDDEN = "***"
LEAST_OF_A_NAME = 3
"""Letters of a word that names a street; shorter ones are "ul", "pr", "d"."""


def phone(e164: str | None) -> str | None:
    """`+77011234534` → `+7 (7**) ***-**-34`; elsewhere the country's first digits and the last two."""
    if not e164:
        return None
    if re.fullmatch(r"\+7\d{10}", e164):
        return f"+7 ({e164[2]}**) ***-**-{e164[-2:]}"
    return f"{e164[:3]}{'*' * max(len(e164) - 5, 3)}{e164[-2:]}"


def address(text: str | None) -> str | None:
    """The street, without house, flat, floor, code and whatever follows them: no digit survives."""
    if not text:
        return None
    shown = []
    for part in text.split(","):
        kept, is_house = _street_of(part)
        shown.append(kept)
        if is_house:
            break
    return ", ".join(part for part in shown if part)


def name(full: str | None) -> str | None:
    """The first name."""
    words = (full or "").split()
    return words[0] if words else None


def _street_of(part: str) -> tuple[str, bool]:
    """The words up to the house, and whether the house was reached: nothing after it is shown."""
    kept: list[str] = []
    has_name = False
    for word in part.split():
        if any(map(str.isdigit, word)):
            kept.append(_without_digits(word))
            if has_name:
                return " ".join(kept), True
        else:
            kept.append(word)
            has_name = has_name or sum(map(str.isalpha, word)) >= LEAST_OF_A_NAME
    is_house = HIDDEN in kept and not has_name
    return " ".join(kept), is_house


def _without_digits(word: str) -> str:
    """`Samal-2` → `Samal-***`."""
    at = next(place for place, letter in enumerate(word) if letter.isdigit())
    return word[:at] + HIDDEN
