"""The start page of the back office: figures and charts, a fixed number of queries, remembered for a minute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core.admin import amount
from apps.core.models import OutboxMessage
from apps.portal.health import doctor
from apps.urgent.models import Complaint, Member, Order
from apps.urgent.queries import analytics

DAYS = 30
CACHE_S = 60
COLOURS = ("var(--color-primary-600)", "#f59e0b", "var(--color-base-400)")
CHART_OPTIONS = {
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": True, "position": "bottom", "labels": {"boxWidth": 10, "usePointStyle": True}}},
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}},
        "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 0}},
    },
}
LINE_OPTIONS = {
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": False}},
    "scales": {"x": {"grid": {"display": False}}, "y": {"beginAtZero": True}},
}


Days = Sequence[tuple[date, analytics.Figures]]


@dataclass(frozen=True)
class Figure:
    """One number of the start page, with a word below it and the list behind it."""

    title: str
    value: str
    note: str = ""
    link: str = ""


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook: add what this person may see. Figures are shared by everybody, words are the reader's."""
    user: Any = request.user
    context["title"] = _("Start page")
    if user.has_perm("urgent.view_order"):
        context["urgent"] = urgent_page(_remembered("urgent", urgent_facts))
    if user.has_perm("core.view_outboxmessage"):
        context["house"] = house_page(_remembered("house", house_facts))
    return context


def _remembered(name: str, facts: Any) -> dict[str, Any]:
    return dict(cache.get_or_set(f"portal:dashboard:{name}", facts, CACHE_S) or {})


# Urgent services ------------------------------------------------------------------------------------------------------


def urgent_facts(now: datetime | None = None) -> dict[str, Any]:
    """Numbers of the last thirty days from the product's own analytics, in eleven queries."""
    chosen = analytics.last_days(DAYS, now=now)
    return {
        "totals": analytics.totals(chosen),
        "days": analytics.by_day(chosen),
        "minutes": analytics.minutes_to_first_take(chosen),
        "places": [(name, figures.orders) for name, figures in analytics.by("city", chosen)][:7],
        "kinds": [(name, figures.orders) for name, figures in analytics.by("category", chosen)],
        "active": Order.objects.filter(status=Order.Status.ACTIVE).count(),
        "members": Member.objects.count(),
        "complaints": Complaint.objects.filter(status=Complaint.Status.OPEN).count(),
    }


def urgent_page(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those numbers in words, bars and lines."""
    total = facts["totals"].orders
    kinds = dict(Order.Category.choices)
    return {
        "figures": _urgent_figures(facts),
        "orders_chart": json.dumps(_orders_chart(facts["days"])),
        "takings_chart": json.dumps(_takings_chart(facts["days"])),
        "chart_options": json.dumps(CHART_OPTIONS),
        "line_options": json.dumps(LINE_OPTIONS),
        "places": _shares(facts["places"], total),
        "kinds": _shares([(str(kinds.get(kind, kind)), count) for kind, count in facts["kinds"]], total),
        "more": _address("admin:urgent_analytics"),
    }


def _urgent_figures(facts: Mapping[str, Any]) -> list[Figure]:
    totals, orders = facts["totals"], _list("urgent_order")
    today = _("30 days, today: {count}").format(count=facts["days"][-1][1].orders)
    return [
        Figure(_("Active orders"), str(facts["active"]), _("now"), f"{orders}?status__exact=active" if orders else ""),
        Figure(_("Orders"), str(totals.orders), today, orders),
        Figure(_("Completed"), _percent(totals.completion_rate), _("of all orders")),
        Figure(_("No answer"), _percent(totals.no_response_rate), _("of taken orders")),
        Figure(
            _("Revenue"),
            amount(Decimal(totals.revenue), "RUB"),
            _("30 days, refunds taken off"),
            _address("admin:urgent_analytics"),
        ),
        Figure(_("Time to first take"), _minutes(facts["minutes"]), _("median of 30 days")),
        Figure(_("Open complaints"), str(facts["complaints"]), _("wait for a moderator"), _list("urgent_complaint")),
        Figure(_("Members"), str(facts["members"]), _("all time"), _list("urgent_member")),
    ]


def _orders_chart(days: Days) -> dict[str, Any]:
    bars = {
        _("completed"): [day.completed for _date, day in days],
        _("no answer"): [day.unanswered for _date, day in days],
        _("others"): [day.orders - day.completed - day.unanswered for _date, day in days],
    }
    sets = [
        {"label": label, "data": counts, "backgroundColor": colour}
        for (label, counts), colour in zip(bars.items(), COLOURS, strict=True)
    ]
    return {"labels": _labels(days), "datasets": sets}


def _takings_chart(days: Days) -> dict[str, Any]:
    takings = [day.revenue for _date, day in days]
    line = {"label": _("Revenue"), "data": takings, "borderColor": COLOURS[0], "tension": 0.3, "pointRadius": 2}
    return {"labels": _labels(days), "datasets": [line]}


# The house ------------------------------------------------------------------------------------------------------------


def house_facts() -> dict[str, Any]:
    """The outbox and the parts of the house, in one query."""
    outbox = OutboxMessage.objects.filter(delivered_at=None)
    counted = outbox.aggregate(
        waiting=Count("pk", filter=Q(dead_at=None)), dead=Count("pk", filter=Q(dead_at__isnull=False))
    )
    return {**counted, "parts": doctor.examine().parts}


def house_page(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Outbox and health in words."""
    outbox = _list("core_outboxmessage")
    sick = [part for part, state in facts["parts"].items() if state != "ok"]
    return {
        "figures": [
            Figure(_("Outbox"), str(facts["waiting"]), _("messages wait"), outbox),
            Figure(
                _("Dead letters"),
                str(facts["dead"]),
                _("could not be delivered"),
                f"{outbox}?state=dead" if outbox else "",
            ),
            Figure(
                _("Health"),
                _("well") if not sick else ", ".join(sick),
                _("database, cache, queue, files"),
                reverse("health"),
            ),
        ]
    }


# Words ----------------------------------------------------------------------------------------------------------------


def _shares(rows: list[tuple[str, int]], total: int) -> list[dict[str, Any]]:
    return [
        {"title": title, "count": count, "share": round(100 * count / total) if total else 0} for title, count in rows
    ]


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:g} %"


def _minutes(length: float | None) -> str:
    return "–" if length is None else _("{count} min").format(count=round(length))


def _labels(days: Days) -> list[str]:
    return [date_format(day, "j M") for day, _figures in days]


def _list(screen: str) -> str:
    return _address(f"admin:{screen}_changelist")


def _address(name: str) -> str:
    """The address of a screen, empty where this house has none of that name."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
