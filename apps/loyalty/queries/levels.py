"""Levels and percentages as they are shown (contract loyalty 3.5); what is earned, the restaurant's system says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from apps.loyalty.models import Client

Level = Client.Level


@dataclass(frozen=True)
class Step:
    """One level: from how many points, which percentage is shown, and how many UZS earn one point there."""

    level: str
    points_from: int
    percent: float
    divisor: int


LADDER = (
    Step(Level.SILVER, 0, 2.0, 2),
    Step(Level.GOLD, 10_000, 2.5, 3),
    Step(Level.PREMIUM, 40_000, 3.0, 5),
    Step(Level.VIP, 120_000, 3.5, 8),
)
"""Lowest first."""

BY_LEVEL = {step.level: step for step in LADDER}


def points_for(level: str, credited: Decimal) -> Decimal:
    """Whole points that a credit earns at the level held before it."""
    return Decimal(int(credited // BY_LEVEL[level].divisor))


def level_of(points: Decimal) -> str:
    """The highest level reached."""
    return [step.level for step in LADDER if points >= step.points_from][-1]


def shown_level(level: str) -> str:
    """The level that clients see: the first one while levels are switched off."""
    return level if settings.LOYALTY.levels_enabled else LADDER[0].level


def card(*, balance: Decimal, points: Decimal, level: str) -> Mapping[str, Any]:
    """The block `loyalty`: the names of every client of the original at once.

    `current_points` is the balance: the mobile client shows it as money.
    """
    points, level = (points, level) if settings.LOYALTY.levels_enabled else (Decimal(0), LADDER[0].level)
    place = LADDER.index(BY_LEVEL[level])
    here, following = LADDER[place], LADDER[place + 1] if place + 1 < len(LADDER) else None
    return {
        "cashback_balance": balance,
        "level": here.level,
        "points_total": points,
        "cashback_percent": here.percent,
        "is_max_level": following is None,
        **_span(here, following, points),
        "current_points": balance,
        "current_level_min": here.points_from,
        "current_level_max": following.points_from if following else None,
        "next_level_points": following.points_from if following else None,
        "points_to_next": following.points_from - points if following else Decimal(0),
    }


def _span(here: Step, following: Step | None, points: Decimal) -> Mapping[str, Any]:
    return {
        "current_level_points": points - here.points_from,
        "current_level_min_points": here.points_from,
        "current_level_max_points": following.points_from if following else None,
        "next_level": following.level if following else None,
        "next_level_required_points": following.points_from if following else None,
        "points_to_next_level": following.points_from - points if following else Decimal(0),
        "next_level_cashback_percent": following.percent if following else None,
    }
