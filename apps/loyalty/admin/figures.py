"""The restaurant in charts: what `queries.figures` and `queries.stats` say, drawn with what Unfold ships."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import amount
from apps.core.panels import PERIODS_DAYS, chart, day_labels, moment, rows_of
from apps.loyalty.admin.saving import branch_name
from apps.loyalty.conf import CURRENCY
from apps.loyalty.models import CashbackTransaction, Client
from apps.loyalty.queries import figures, stats
from apps.loyalty.queries.figures import Figures, Period

Days = list[tuple[date, Figures]]


class PeriodForm(forms.Form):
    """How long."""

    days = forms.TypedChoiceField(
        label=_("Period, days"),
        coerce=int,
        required=False,
        choices=[(days, str(days)) for days in PERIODS_DAYS],
        widget=UnfoldAdminSelectWidget,
    )

    def chosen(self) -> Period:
        """Anything malformed falls back to the last thirty days."""
        found = self.cleaned_data if self.is_valid() else {}
        return figures.last_days(found.get("days") or 30)


class FiguresView(UnfoldModelAdminViewMixin, TemplateView):
    """One page; the queries are a constant number, whatever the period."""

    title = _("Figures of the restaurant")
    permission_required = ("loyalty.view_cashbacktransaction",)
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = PeriodForm({"days": 30, **self.request.GET.dict()})
        period = form.chosen()
        return super().get_context_data(
            **kwargs, form=form, cards=cards(period), charts=charts(figures.by_day(period)), tables=tables(period)
        )


def cards(period: Period) -> list[tuple[Any, str]]:
    """The headline figures: of the period, then of now."""
    moved, now = figures.totals(period), stats.metrics()
    return [
        (_("Credited"), money(moved.credited)),
        (_("Spent"), money(moved.spent)),
        (_("Visits"), str(moved.visits)),
        (_("New guests"), str(moved.joined)),
        (_("Guests now"), str(now["totalClients"])),
        (_("Cashback in purses now"), money(now["cashbackIssued"])),
        (_("Per guest"), money(now["avgCashbackPerUser"])),
        (_("Waiters"), str(now["activeWaiters"])),
    ]


def charts(days: Days) -> list[dict[str, Any]]:
    """Money, visits and newcomers by day, guests by level."""
    labels, rows = day_labels(day for day, _row in days), [row for _day, row in days]
    spread = stats.spread()
    names = dict(Client.Level.choices)
    return [
        chart(
            _("Cashback per day, UZS"),
            labels,
            (_("spent"), [row.spent for row in rows]),
            (_("credited"), [row.credited for row in rows]),
        ),
        chart(_("Visits per day"), labels, (_("visits"), [row.visits for row in rows]), kind="line"),
        chart(_("New guests per day"), labels, (_("joined"), [row.joined for row in rows])),
        chart(_("Guests by level now"), [names[level] for level in spread], (_("guests"), list(spread.values()))),
    ]


def tables(period: Period) -> list[tuple[Any, dict[str, Any]]]:
    """Restaurants, kinds, guests, waiters, and how we stand with iiko."""
    return [
        (_("By restaurant"), branch_table(period)),
        (_("By kind of movement"), kind_table(period)),
        (_("Guests who were credited most"), guest_table(period)),
        (_("Waiters and their guests, all time"), waiter_table()),
        (_("iiko now"), iiko_table()),
    ]


def branch_table(period: Period) -> dict[str, Any]:
    """What each restaurant moved."""
    rows = (
        (
            branch_name(branch_id) if branch_id else str(_("nobody said which")),
            *(row.visits, money(row.credited), money(row.spent)),
        )
        for branch_id, row in figures.by_branch(period)
    )
    return rows_of((_("restaurant"), _("visits"), _("credited"), _("spent")), rows)


def kind_table(period: Period) -> dict[str, Any]:
    """Why cashback moved."""
    names = dict(CashbackTransaction.Kind.choices)
    rows = ((str(names.get(kind, kind)), count, money(total)) for kind, count, total in figures.by_kind(period))
    return rows_of((_("kind"), _("movements"), _("sum")), rows)


def guest_table(period: Period) -> dict[str, Any]:
    """Who came most."""
    rows = (
        (f"#{row['id']}", row["name"], row["figures"].visits, money(row["figures"].credited))
        for row in figures.busiest_guests(period)
    )
    return rows_of((_("number"), _("name"), _("visits"), _("credited")), rows)


def waiter_table() -> dict[str, Any]:
    """Who brought whom."""
    rows = (
        (row["staff_name"], row["clients_count"], row["transactions"], money(row["total_cashback"]))
        for row in stats.waiters()
    )
    return rows_of((_("waiter"), _("guests"), _("movements"), _("in their purses")), rows)


def iiko_table() -> dict[str, Any]:
    """The queue, what is parked, and the last comparison."""
    now = figures.waiting()
    report = now["report"]
    rows: list[tuple[str, Any]] = [
        (str(_("jobs not done")), now["open"]),
        (str(_("jobs paused")), now["paused"]),
        (str(_("notices parked")), now["parked"]),
        (str(_("last comparison")), moment(report.started_at) if report else "–"),
        (str(_("balances that differed then")), report.differing_count if report else "–"),
    ]
    return rows_of((_("what"), _("how many")), rows)


def money(value: Decimal) -> str:
    """In soum."""
    return amount(value, CURRENCY)
