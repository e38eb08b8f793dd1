"""The flower shops in charts, one of them or all: what `queries.figures` says.

Sums of several currencies stand beside each other and are never added.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import amount
from apps.core.panels import PERIODS_DAYS, chart, day_labels, rows_of
from apps.florist.access import OFFICE
from apps.florist.models import Order, Shop
from apps.florist.queries import figures
from apps.florist.queries.figures import Period

Parts = dict[str, Period]
"""The period once for each currency."""


class PeriodForm(forms.Form):
    """How long, and which shop."""

    days = forms.TypedChoiceField(
        label=_("Period, days"),
        coerce=int,
        required=False,
        choices=[(days, str(days)) for days in PERIODS_DAYS],
        widget=UnfoldAdminSelectWidget,
    )
    shop = forms.ModelChoiceField(
        label=_("Shop"),
        queryset=Shop.objects.order_by("name"),
        required=False,
        empty_label=_("all"),
        widget=UnfoldAdminSelectWidget,
    )

    def chosen(self) -> Period:
        """Anything malformed falls back to the last thirty days of all shops."""
        found = self.cleaned_data if self.is_valid() else {}
        return figures.last_days(found.get("shop"), found.get("days") or figures.USUAL_DAYS)


class FiguresView(UnfoldModelAdminViewMixin, TemplateView):
    """One page; the queries are a constant number for each currency, whatever the period."""

    title = _("Flower shops in figures")
    permission_required = (OFFICE,)
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = PeriodForm({"days": figures.USUAL_DAYS, **self.request.GET.dict()})
        period = form.chosen()
        parts = dict(figures.per_currency(period))
        shown = {"cards": cards(period, parts), "charts": charts(period, parts), "tables": tables(period, parts)}
        return super().get_context_data(**kwargs, form=form, **shown)


def cards(period: Period, parts: Parts) -> list[tuple[Any, str]]:
    """The headline figures."""
    total, punctual = figures.totals(period), figures.punctuality(period)
    money = {currency: figures.totals(part) for currency, part in parts.items()}
    wasted = {currency: figures.waste(part)["cost"] for currency, part in parts.items()}
    return [
        (_("Turnover"), _each({currency: one.turnover for currency, one in money.items()})),
        (_("Orders"), str(total.orders)),
        (_("Sold"), str(total.sold)),
        (_("Average order"), _each({currency: one.average for currency, one in money.items()})),
        (_("To be paid back"), _each({currency: one.refund_due for currency, one in money.items()})),
        (_("Waste"), _each(wasted)),
        (_("Delivered on time"), "–" if punctual.percent is None else f"{punctual.percent:g} %"),
    ]


def _each(sums: dict[str, Decimal]) -> str:
    """A sum for every currency that has one, the others left out; a dash where there is no shop."""
    wanted = {currency: value for currency, value in sums.items() if value} or sums
    return " · ".join(amount(value, currency) for currency, value in wanted.items()) or "–"


def charts(period: Period, parts: Parts) -> list[dict[str, Any]]:
    """Money, a chart for each currency, and orders: one bar per day."""
    days = figures.by_day(period)
    labels = day_labels(row["date"] for row in days)
    money = {currency: [row["turnover"] for row in figures.by_day(part)] for currency, part in parts.items()}
    title = _("Turnover by the day of the order")
    return [
        *(
            chart(f"{title}, {currency}", labels, (_("turnover"), points))
            for currency, points in money.items()
            if any(points) or len(money) == 1
        ),
        chart(
            _("Orders by the day they were taken"),
            labels,
            (_("sold"), [row["sold"] for row in days]),
            (_("taken"), [row["orders"] for row in days]),
        ),
    ]


def tables(period: Period, parts: Parts) -> list[tuple[Any, dict[str, Any]]]:
    """By status, by goods, by day; the last two a currency after the other."""
    statuses = [(Order.Status(name).label, count) for name, count in figures.by_status(period).items() if count]
    goods = [
        (row["name"], row["quantity"], amount(row["revenue"], currency))
        for currency, part in parts.items()
        for row in figures.top_products(part)
    ]
    days = [row for currency, part in parts.items() for row in _days(currency, part)]
    return [
        (_("By status"), rows_of((_("status"), _("orders")), statuses)),
        (_("Goods that brought most"), rows_of((_("product"), _("pieces"), _("turnover")), goods)),
        (_("By day"), rows_of((_("day"), _("orders"), _("sold"), _("turnover")), days)),
    ]


def _days(currency: str, part: Period) -> list[tuple[str, int, int, str]]:
    """Days with orders, the last first."""
    return [
        (date_format(row["date"], "SHORT_DATE_FORMAT"), row["orders"], row["sold"], amount(row["turnover"], currency))
        for row in reversed(figures.by_day(part))
        if row["orders"]
    ]
