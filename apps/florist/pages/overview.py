"""The manager's desk: a day's orders by window, what needs a hand, what runs out, whose feast is near."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.florist.models import Employee
from apps.florist.pages import words
from apps.florist.pages.desk import for_staff, show
from apps.florist.queries import boards, seats, stock, windows

NEEDS = {
    "new": _("New"),
    "no-florist": _("Without a florist"),
    "no-courier": _("Without a courier"),
    "clarify": _("Address unclear"),
    "issue": _("Problems"),
    "backorder": _("Flowers missing"),
}
ALERTS = 12
"""Rows of each list of alerts."""
manages = for_staff(("orders", "write"))


class Which(forms.Form):
    """Which day, or which need; nonsense in the address counts as nothing."""

    day = forms.DateField(required=False)
    need = forms.ChoiceField(required=False, choices=[(name, name) for name in NEEDS])

    def chosen(self, today: date) -> tuple[date, str]:
        """The day (today unless said) and the need."""
        self.is_valid()
        day = self.cleaned_data.get("day") or today
        return day if abs((day - today).days) < 3660 else today, self.cleaned_data.get("need") or ""


@require_safe
@manages
def desk(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/: everything a manager looks at first; `?day=` another day, `?need=` one pile."""
    today = windows.today_of(by.shop)
    day, need = Which(request.GET).chosen(today)
    context: dict[str, Any] = {
        **_orders(by, day, need),
        "needs": [(name, NEEDS[name], count) for name, count in boards.needs(by).items()],
        "need": need,
        "need_title": NEEDS.get(need, ""),
        "day": day,
        "today": today,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "people": seats.colleagues(by),
        **_alerts(by, today),
    }
    return show(request, "florist/desk.html", by=by, here="desk", **context)


def _orders(by: Employee, day: date, need: str) -> dict[str, Any]:
    """One pile, or the day by window with what has no time yet."""
    if need:
        return {"pile": words.cards(boards.waiting(by, need)), "slots": [], "undated": []}
    slots = [(window, words.cards(window.orders)) for window in boards.day(by, day)]
    return {"pile": [], "slots": slots, "undated": words.cards(boards.undated(by))}


def _alerts(by: Employee, today: date) -> dict[str, Any]:
    low = [row for row in stock.by_variety(by.shop) if row.is_low]
    return {
        "expiring": stock.expiring(by.shop, today)[:ALERTS],
        "low": low[:ALERTS],
        "feasts": boards.feasts(by, today),
    }
