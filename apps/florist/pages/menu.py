"""The bar at the bottom of each page: at most five words, by what the employee may do."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.florist.access import may
from apps.florist.models import Employee


@dataclass(frozen=True)
class Item:
    """A page: its name in the urlconf, what people call it, and a sign beside the word."""

    name: str
    title: str | Promise
    sign: str

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse(f"florist-pages:{self.name}")


DESK = Item("desk", _("Desk"), "☀")
ORDERS = Item("orders", _("Orders"), "☰")
NEW = Item("new-order", _("New order"), "+")
RUNS = Item("runs", _("Runs"), "⇄")
BUYERS = Item("buyers", _("Buyers"), "☺")
CASH = Item("cash", _("Cash"), "₸")
TODAY = Item("today", _("Today"), "❀")
CHECK = Item("check", _("Check"), "✓")
STOCK = Item("stock", _("Stock"), "▤")
CALCULATOR = Item("calculator", _("Prices"), "±")
RUN = Item("run", _("My run"), "➤")
DAY = Item("day", _("My day"), "∑")
MORE = Item("more", _("More"), "⋯")


def bar(by: Employee) -> list[Item]:
    """What his thumb reaches."""
    if by.role == Employee.Role.COURIER:
        return [RUN, DAY, MORE]
    if may(by, "orders"):
        return [DESK, ORDERS, NEW, RUNS, MORE]
    return [item for item, is_open in _florist(by) if is_open] + [MORE]


def everything(by: Employee) -> list[Item]:
    """All that is open to him, for the page "More"."""
    runs = [RUNS, CASH] if may(by, "orders") else []
    office = [DESK, ORDERS, NEW, *runs] if may(by, "orders") else []
    courier = [RUN, DAY] if by.role == Employee.Role.COURIER else []
    buyers = [BUYERS] if may(by, "customers") else []
    return office + buyers + [item for item, is_open in _florist(by) if is_open] + courier


def _florist(by: Employee) -> list[tuple[Item, bool]]:
    makes, sells = may(by, "production", "own"), may(by, "warehouse", "read")
    return [(TODAY, makes), (CHECK, makes), (STOCK, sells), (CALCULATOR, sells)]


def home(by: Employee) -> str:
    """Where he lands after the sign-in."""
    return bar(by)[0].url
