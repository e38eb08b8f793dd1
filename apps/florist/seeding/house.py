"""A sample shop while it is being planted, and the rows that wait to be written."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models

from apps.florist.models import (
    Batch,
    Customer,
    DeliveryZone,
    Employee,
    Product,
    ProductComponent,
    Shop,
)
from apps.florist.seeding import samples


@dataclass
class Chest:
    """Rows that wait to be written together, in the order in which their tables lean on each other."""

    rows: dict[type[models.Model], list[Any]] = field(default_factory=dict)

    def put(self, *rows: Any) -> None:
        """Keep rows of any tables."""
        for row in rows:
            self.rows.setdefault(type(row), []).append(row)

    def empty(self, *kinds: type[models.Model]) -> None:
        """Write those tables, in this order."""
        for kind in kinds:
            kind._default_manager.bulk_create(self.rows.pop(kind, []), batch_size=samples.BATCH)


@dataclass
class House:
    """One shop with its people and shelves, and one source of chance for all of them."""

    shop: Shop
    people: dict[str, list[Employee]]
    zones: list[DeliveryZone]
    products: list[Product]
    recipes: dict[int, list[ProductComponent]]
    customers: list[Customer]
    homes: dict[int, str]
    dice: random.Random
    today: date
    zone: ZoneInfo
    lots: list[Batch] = field(default_factory=list)
    chest: Chest = field(default_factory=Chest)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A moment of the shop's own clock."""
        return datetime.combine(day, time(hour, minute), self.zone)

    def one(self, role: str) -> Employee:
        """Somebody of this role."""
        return self.dice.choice(self.people[role])
