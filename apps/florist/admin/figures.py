"""The flower shops in charts, one of them or all: what `queries.figures` says."""

from __future__ import annotations

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
    """One page; the queries are a constant number, whatever the period."""

    title = _("Flower shops in figures")
    permission_required = (OFFICE,)
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = PeriodForm({"days": figures.USUAL_DAYS, **self.request.GET.dict()})
        period = form.chosen()
        return super().get_context_data(
            **kwargs, form=form, cards=cards(period), charts=charts(period), tables=tables(period)
        )


def cards(period: Period) -> list[tuple[Any, str]]:
    """The headline figures."""
    total, wasted, punctual = figures.totals(period), figures.waste(period), figures.punctuality(period)
    return [
        (_("Turnover"), money(period, total.turnover)),
        (_("Orders"), str(total.orders)),
        (_("Sold"), str(total.sold)),
        (_("Average order"), money(period, total.average)),
        (_("To be paid back"), money(period, total.refund_due)),
        (_("Waste"), money(period, wasted["cost"])),
        (_("Delivered on time"), "–" if punctual.percent is None else f"{punctual.percent:g} %"),
    ]


def charts(period: Period) -> list[dict[str, Any]]:
    """Money, and orders: one bar per day."""
    days = figures.by_day(period)
    labels = day_labels(row["date"] for row in days)
    return [
        chart(_("Turnover by the day of the order"), labels, (_("turnover"), [row["turnover"] for row in days])),
        chart(
            _("Orders by the day they were taken"),
            labels,
            (_("sold"), [row["sold"] for row in days]),
            (_("taken"), [row["orders"] for row in days]),
        ),
    ]


def tables(period: Period) -> list[tuple[Any, dict[str, Any]]]:
    """By status, by goods, by day."""
    statuses = [(Order.Status(name).label, count) for name, count in figures.by_status(period).items() if count]
    goods = [(row["name"], row["quantity"], money(period, row["revenue"])) for row in figures.top_products(period)]
    days = [
        (date_format(row["date"], "SHORT_DATE_FORMAT"), row["orders"], row["sold"], money(period, row["turnover"]))
        for row in reversed(figures.by_day(period))
        if row["orders"]
    ]
    return [
        (_("By status"), rows_of((_("status"), _("orders")), statuses)),
        (_("Goods that brought most"), rows_of((_("product"), _("pieces"), _("turnover")), goods)),
        (_("By day"), rows_of((_("day"), _("orders"), _("sold"), _("turnover")), days)),
    ]


def money(period: Period, value: Any) -> str:
    """In the shop's currency; of all shops together without one, because they may differ."""
    return amount(value, period.shop.currency if period.shop else "")
