"""Reading a supplier's list: one flower a line, names with spaces, prices with a comma (contract florist 3.12)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

LINE = re.compile(
    r"(?P<name>\S.*?)\s+"
    r"(?P<height>\d{1,4})\s*(?:см|cm)?\s+"
    r"(?P<price>\d{1,9}(?:[.,]\d{1,2})?)"
    r"\s*(?:[xх×*]\s*|\s)"
    r"(?P<quantity>\d{1,6})\s*(?:шт\.?|pcs\.?)?",
    re.IGNORECASE,
)
"""Name, height, price, stems; between the last two a space or an x, Latin or Cyrillic."""
LONGEST_LINE = 300
HEIGHTS = range(10, 201)
"""Centimetres that a stem may have."""


@dataclass(frozen=True)
class Row:
    """One flower as written."""

    flower_name: str
    height_cm: int
    purchase_price: Decimal
    quantity: int


def read(text: str) -> Iterator[Row | str]:
    """Every line that is not empty: what it says, or why not, with its number."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line := " ".join(line.split()):
            found = _row(line)
            yield found if isinstance(found, Row) else _("Line {number}: {why}").format(number=number, why=found)


def _row(line: str) -> Row | str:
    match = LINE.fullmatch(line) if len(line) <= LONGEST_LINE else None
    if match is None:
        return _("name, height, price and quantity are expected")
    row = Row(
        flower_name=match["name"][:100],
        height_cm=int(match["height"]),
        purchase_price=Decimal(match["price"].replace(",", ".")),
        quantity=int(match["quantity"]),
    )
    if row.height_cm not in HEIGHTS:
        return _("height must be between {least} and {most} cm").format(least=HEIGHTS[0], most=HEIGHTS[-1])
    if row.purchase_price <= 0 or row.quantity <= 0:
        return _("price and quantity must be above zero")
    return row
