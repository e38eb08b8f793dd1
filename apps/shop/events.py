"""Facts that the shop announces."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class StockRanLow(Event):
    """A product has fallen to the figure at which staff want to know."""

    slipper_id: int
    quantity: int


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────
