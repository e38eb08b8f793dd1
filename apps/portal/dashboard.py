"""The start page of the back office: figures and charts, a fixed number of queries, remembered for a minute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core.admin import amount
from apps.core.models import OutboxMessage
from apps.florist.models import Order as FlowerOrder
from apps.florist.models import Shop
from apps.florist.queries import figures as flowers
from apps.loyalty.models import Branch
from apps.loyalty.queries import figures as loyalty
from apps.loyalty.queries import stats as restaurant
from apps.portal import alerts
from apps.portal.health import doctor
from apps.shop.models import Customer, Slipper
from apps.shop.models import Order as ShopOrder
from apps.shop.queries import figures as shop
from apps.tickets.models import UNFINISHED, Escalation, Ticket
from apps.tickets.queries import analytics as city
from apps.tickets.queries import boards, maps
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
    context["alerts"] = alerts.unread(user)
    if user.has_perm("shop.view_finance"):
        context["shop"] = shop_page(_remembered("shop", shop_facts))
    if user.has_perm("urgent.view_order"):
        context["urgent"] = urgent_page(_remembered("urgent", urgent_facts))
    if user.has_perm("loyalty.view_cashbacktransaction"):
        context["loyalty"] = loyalty_page(_remembered("loyalty", loyalty_facts))
    if user.has_perm("tickets.view_ticket"):
        context["tickets"] = tickets_page(_remembered("tickets", tickets_facts))
    if user.has_perm("florist.view_order"):
        context["florist"] = florist_page(_remembered("florist", florist_facts))
    if user.has_perm("core.view_outboxmessage"):
        context["house"] = house_page(_remembered("house", house_facts))
    return context


def _remembered(name: str, facts: Any) -> dict[str, Any]:
    return dict(cache.get_or_set(f"portal:dashboard:{name}", facts, CACHE_S) or {})


# The online shop ------------------------------------------------------------------------------------------------------


def shop_facts(now: datetime | None = None) -> dict[str, Any]:
    """Numbers of the last thirty days from the product's own figures, in ten queries."""
    period = shop.last_days(DAYS, now=now)
    return {
        "totals": shop.totals(period),
        "days": shop.by_day(period),
        "shelves": [(row.category, row.pieces) for row in shop.by_category(period)][:7],
        "statuses": shop.by_status(),
        "low": Slipper.objects.alive().filter(low_stock_at__isnull=False).count(),
        "customers": Customer.objects.filter(deleted_at=None).count(),
        "currency": settings.SHOP.currency,
    }


def shop_page(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those numbers in words, bars and lines."""
    shelves = [(name or _("without a category"), pieces) for name, pieces in facts["shelves"]]
    days = [day for day, _row in facts["days"]]
    rows = [row for _day, row in facts["days"]]
    paid = {_("paid"): [row.ordered_paid for row in rows], _("others"): [row.placed - row.ordered_paid for row in rows]}
    turnover = {_("Turnover"): [float(row.turnover) for row in rows]}
    states = [(str(label), facts["statuses"].get(value, 0)) for value, label in ShopOrder.Status.choices]
    return {
        "figures": _shop_figures(facts),
        "charts": [
            _bars(_("Orders per day"), days, paid),
            _line(_("Turnover per day, {currency}").format(currency=facts["currency"]), days, turnover),
        ],
        "shares": [
            (_("Pieces by category"), _shares(shelves, sum(pieces for _name, pieces in shelves))),
            (_("By status"), _shares(states, sum(count for _name, count in states))),
        ],
        "more": _address("admin:shop_finance"),
    }


def _shop_figures(facts: Mapping[str, Any]) -> list[Figure]:
    total, orders, currency = facts["totals"], _list("shop_order"), facts["currency"]
    today = _("30 days, today: {count}").format(count=facts["days"][-1][1].placed)
    waiting = facts["statuses"].get("confirmed", 0)
    finance = _address("admin:shop_finance")
    return [
        Figure(_("To prepare"), str(waiting), _("paid orders"), _filtered(orders, "status__exact=confirmed")),
        Figure(_("Orders"), str(total.placed), today, orders),
        Figure(_("Paid"), _percent(total.conversion), _("of orders of 30 days")),
        Figure(_("Turnover"), amount(total.turnover, currency), _("30 days"), finance),
        Figure(_("Paid back"), amount(total.refunded, currency), _("30 days"), finance),
        Figure(_("Average order"), amount(total.average, currency if total.payments else ""), _("30 days"), finance),
        Figure(_("Running low"), str(facts["low"]), _("products"), _filtered(_list("shop_slipper"), "stock=low")),
        Figure(_("Customers"), str(facts["customers"]), _("all time"), _list("shop_customer")),
    ]


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
    days = [day for day, _row in facts["days"]]
    rows = [row for _day, row in facts["days"]]
    ends = {
        _("completed"): [row.completed for row in rows],
        _("no answer"): [row.unanswered for row in rows],
        _("others"): [row.orders - row.completed - row.unanswered for row in rows],
    }
    return {
        "figures": _urgent_figures(facts),
        "charts": [
            _bars(_("Orders per day"), days, ends),
            _line(_("Revenue per day, RUB"), days, {_("Revenue"): [row.revenue for row in rows]}),
        ],
        "shares": [
            (_("By city"), _shares(facts["places"], total)),
            (
                _("By category"),
                _shares([(str(kinds.get(kind, kind)), count) for kind, count in facts["kinds"]], total),
            ),
        ],
        "more": _address("admin:urgent_analytics"),
    }


def _urgent_figures(facts: Mapping[str, Any]) -> list[Figure]:
    totals, orders = facts["totals"], _list("urgent_order")
    today = _("30 days, today: {count}").format(count=facts["days"][-1][1].orders)
    return [
        Figure(_("Active orders"), str(facts["active"]), _("now"), _filtered(orders, "status__exact=active")),
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


# Restaurant cashback --------------------------------------------------------------------------------------------------


def loyalty_facts(now: datetime | None = None) -> dict[str, Any]:
    """Numbers of the last thirty days and of now from the product's own figures, in ten queries."""
    period, branches = loyalty.last_days(DAYS, now=now), dict(Branch.choices)
    return {
        "totals": loyalty.totals(period),
        "days": loyalty.by_day(period),
        "branches": [
            (branches.get(branch or 0, "–"), row.visits) for branch, row in loyalty.by_branch(period) if row.visits
        ],
        "levels": list(restaurant.spread().items()),
        "now": restaurant.totals(),
        "waiting": {name: count for name, count in loyalty.waiting().items() if name != "report"},
    }


def loyalty_page(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those numbers in words, bars and lines."""
    days = [day for day, _row in facts["days"]]
    rows = [row for _day, row in facts["days"]]
    visits = sum(count for _name, count in facts["branches"])
    return {
        "figures": _loyalty_figures(facts),
        "charts": [
            _bars(_("Visits per day"), days, {_("visits"): [row.visits for row in rows]}),
            _line(_("Credited per day, UZS"), days, {_("Credited"): [float(row.credited) for row in rows]}),
        ],
        "shares": [
            (_("Visits by restaurant"), _shares(facts["branches"], visits)),
            (_("Guests by level"), _shares(facts["levels"], facts["now"]["clients"])),
        ],
        "more": _address("admin:loyalty_figures"),
    }


def _loyalty_figures(facts: Mapping[str, Any]) -> list[Figure]:
    total, now, waiting = facts["totals"], facts["now"], facts["waiting"]
    figures, guests = _address("admin:loyalty_figures"), _list("loyalty_client")
    today = _("30 days, today: {count}").format(count=facts["days"][-1][1].visits)
    return [
        Figure(_("Guests"), str(now["clients"]), _("now"), guests),
        Figure(_("New guests"), str(total.joined), _("30 days"), guests),
        Figure(_("Visits"), str(total.visits), today, _list("loyalty_cashbacktransaction")),
        Figure(_("Credited"), amount(total.credited, "UZS"), _("30 days"), figures),
        Figure(_("Spent"), amount(total.spent, "UZS"), _("30 days"), figures),
        Figure(_("In purses"), amount(now["held"], "UZS"), _("now"), figures),
        Figure(
            _("iiko jobs paused"),
            str(waiting["paused"]),
            _("wait for a person"),
            _filtered(_list("loyalty_iikojob"), "state__exact=paused"),
        ),
        Figure(
            _("iiko notices parked"),
            str(waiting["parked"]),
            _("guest unknown"),
            _filtered(_list("loyalty_iikonotice"), "state__exact=parked"),
        ),
    ]


# Neighbourhood issues -------------------------------------------------------------------------------------------------


def tickets_facts(now: datetime | None = None) -> dict[str, Any]:
    """Numbers of the last thirty days from the product's own figures, in six queries."""
    since = (now or timezone.now()) - timedelta(days=DAYS)
    kinds = json.loads(city.categories(days=DAYS))["items"]
    unfinished = Ticket.objects.living().filter(status__in=UNFINISHED)
    return {
        "totals": json.loads(city.dashboard(days=DAYS)),
        "kinds": [(row["category_name"], row["total_tickets"]) for row in kinds][:7],
        "places": [(row["name"], row["count"]) for row in maps.hottest_districts(maps.Wanted(since), limit=7)],
        "late": boards.late(unfinished).count(),
        "waiting": Escalation.objects.filter(status=Escalation.Status.PENDING, ticket__deleted_at=None).count(),
    }


def tickets_page(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those numbers in words and lines."""
    total = facts["totals"]["total_tickets"]
    return {
        "figures": _tickets_figures(facts),
        "charts": [],
        "shares": [
            (_("By category"), _shares(facts["kinds"], total)),
            (_("By district"), _shares(facts["places"], total)),
        ],
        "more": _address("admin:tickets_figures"),
    }


def _tickets_figures(facts: Mapping[str, Any]) -> list[Figure]:
    totals, tickets = facts["totals"], _list("tickets_ticket")
    late = f"{tickets}?promise=late" if tickets else ""
    month = _("30 days")
    return [
        Figure(_("Tickets"), str(totals["total_tickets"]), month, tickets),
        Figure(_("Still open"), str(totals["open_tickets"]), month, tickets),
        Figure(_("Late"), str(facts["late"]), _("now"), late),
        Figure(_("Escalations"), str(facts["waiting"]), _("wait for a manager"), _list("tickets_escalation")),
    ]


# Flower shops ---------------------------------------------------------------------------------------------------------


def florist_facts(now: datetime | None = None) -> dict[str, Any]:
    """Numbers of the last thirty days over all shops from the product's own figures, in seven queries.

    Orders by day, sums and waste are of the shops that count in tenge.
    """
    period = flowers.last_days(None, DAYS, now=now)
    in_tenge = replace(period, currency="KZT")
    return {
        "totals": flowers.totals(in_tenge),
        "days": flowers.by_day(in_tenge),
        "statuses": flowers.by_status(period),
        "punctual": flowers.punctuality(period).percent,
        "waste": flowers.waste(in_tenge),
        "shops": Shop.objects.filter(is_active=True).count(),
        "issues": FlowerOrder.objects.filter(status=FlowerOrder.Status.ISSUE).count(),
    }


def florist_page(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those numbers in words, bars and lines."""
    days = [row["date"] for row in facts["days"]]
    sold = [row["sold"] for row in facts["days"]]
    others = [row["orders"] - row["sold"] for row in facts["days"]]
    states = [(str(label), facts["statuses"].get(value, 0)) for value, label in FlowerOrder.Status.choices]
    turnover = {_("Turnover"): [float(row["turnover"]) for row in facts["days"]]}
    return {
        "figures": _florist_figures(facts),
        "charts": [
            _bars(_("Orders per day"), days, {_("sold"): sold, _("others"): others}),
            _line(_("Turnover per day, {currency}").format(currency="KZT"), days, turnover),
        ],
        "shares": [(_("By status"), _shares(states, sum(count for _name, count in states)))],
        "more": _address("admin:florist_figures"),
    }


def _florist_figures(facts: Mapping[str, Any]) -> list[Figure]:
    total, orders, figures = facts["totals"], _list("florist_order"), _address("admin:florist_figures")
    today = _("30 days, today: {count}").format(count=facts["days"][-1]["orders"])
    return [
        Figure(_("Shops"), str(facts["shops"]), _("open"), _list("florist_shop")),
        Figure(_("Orders"), str(total.orders), today, orders),
        Figure(_("Problems"), str(facts["issues"]), _("now"), _filtered(orders, "status__exact=issue")),
        Figure(_("Turnover"), amount(total.turnover, "KZT"), _("30 days"), figures),
        Figure(_("Average order"), amount(total.average, "KZT"), _("30 days"), figures),
        Figure(_("To be paid back"), amount(total.refund_due, "KZT"), _("30 days"), orders),
        Figure(_("In time"), _percent(facts["punctual"]), _("of what was delivered"), figures),
        Figure(_("Waste"), amount(facts["waste"]["cost"], "KZT"), _("30 days"), _list("florist_movement")),
    ]


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
                _filtered(outbox, "state=dead"),
            ),
            Figure(
                _("Health"),
                _("well") if not sick else ", ".join(sick),
                _("database, cache, queue, files"),
                reverse("health"),
            ),
        ]
    }


# Charts ---------------------------------------------------------------------------------------------------------------


def _bars(title: str, days: Sequence[date], series: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Bars on top of each other, one per day."""
    sets = [
        {"label": label, "data": counts, "backgroundColor": colour}
        for (label, counts), colour in zip(series.items(), COLOURS, strict=False)
    ]
    return _drawn(title, "bar", days, sets, CHART_OPTIONS)


def _line(title: str, days: Sequence[date], series: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """A line over the days."""
    sets = [
        {"label": label, "data": sums, "borderColor": COLOURS[0], "tension": 0.3, "pointRadius": 2}
        for label, sums in series.items()
    ]
    return _drawn(title, "line", days, sets, LINE_OPTIONS)


def _drawn(title: str, kind: str, days: Sequence[date], sets: list[Any], options: Any) -> dict[str, Any]:
    labels = [date_format(day, "j M") for day in days]
    data = json.dumps({"labels": labels, "datasets": sets})
    return {"title": title, "kind": kind, "data": data, "options": json.dumps(options)}


# Words ----------------------------------------------------------------------------------------------------------------


def _shares(rows: list[tuple[str, int]], total: int) -> list[dict[str, Any]]:
    return [
        {"title": title, "count": count, "share": round(100 * count / total) if total else 0} for title, count in rows
    ]


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:g} %"


def _minutes(length: float | None) -> str:
    return "–" if length is None else _("{count} min").format(count=round(length))


def _list(screen: str) -> str:
    return _address(f"admin:{screen}_changelist")


def _filtered(address: str, where: str) -> str:
    return f"{address}?{where}" if address else ""


def _address(name: str) -> str:
    """The address of a screen, empty where this house has none of that name."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
