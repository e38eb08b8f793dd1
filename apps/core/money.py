"""Money as a value: an amount with a currency, rounded half up, never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CURRENCIES = {"UZS": 2, "RUB": 2, "USD": 2, "TRY": 2, "KZT": 2, "EUR": 2, "XTR": 0}
"""Currency → digits after the point (ISO 4217; XTR is Telegram's Star)."""


class MixedCurrencies(ValueError):
    """Two currencies met in one sum: a programming error, never shown to people."""


@dataclass(frozen=True, order=False)
class Money:
    """`amount` in `currency`. Raises `ValueError` for an unknown currency or a float."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise ValueError(f"unknown currency {self.currency!r}")
        if isinstance(self.amount, float):
            raise ValueError("money is never a float")
        object.__setattr__(self, "amount", Decimal(self.amount))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        if isinstance(factor, float):
            raise ValueError("money is never multiplied by a float")
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.rounded().amount} {self.currency}"

    def rounded(self) -> Money:
        """Half up to the currency's digits."""
        unit = Decimal(1).scaleb(-CURRENCIES[self.currency])
        return Money(self.amount.quantize(unit, rounding=ROUND_HALF_UP), self.currency)

    def is_exact(self) -> bool:
        """True when no rounding is needed."""
        return self.amount == self.rounded().amount

    def minor_units(self) -> int:
        """Tiyin, kopecks or cents: what Payme and card networks count in."""
        return int(self.rounded().amount.scaleb(CURRENCIES[self.currency]))
