"""A restaurant's menu in our words: what the port `menu` gives (contract loyalty 3.13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class Dish:
    """A dish of one source. `prices`: store id → whole sums; `slug` and `item_id` tell the same dish elsewhere."""

    item_id: str
    name: str
    slug: str
    prices: Mapping[int, int]
    images: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes it the same dish in two sources."""
        return self.item_id or self.slug


@dataclass(frozen=True)
class MenuSection:
    """A shelf of the menu with its dishes, in the source's order."""

    section_id: str
    name: str
    slug: str
    dishes: tuple[Dish, ...]

    @property
    def key(self) -> str:
        """What makes it the same shelf in two sources."""
        return self.slug or self.section_id


class MenuSystem(Protocol):
    """Menus and stop-lists of the restaurant's branches. Raises `VendorBusy` and `VendorRefused`."""

    def sources(self) -> Sequence[str]:
        """The configured sources, the main one first; none twice."""
        ...

    def menu(self, source: str) -> Sequence[MenuSection]:
        """What a source offers: nothing hidden, nothing without a price."""
        ...

    def stop_list(self, source: str, store_id: int) -> Mapping[str, Decimal]:
        """What is left of a store's limited dishes: item id → number; 0 or less is sold out."""
        ...
