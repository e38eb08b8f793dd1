"""The shop's money in charts: what `queries.figures` says, drawn with what Unfold ships."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import amount
from apps.core.panels import PERIODS_DAYS, chart, day_labels, rows_of
from apps.shop.queries import figures
from apps.shop.queries.figures import Figures, Shelf

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

    def chosen(self) -> figures.Period:
        """Anything malformed falls back to the last thirty days."""
        found = self.cleaned_data if self.is_valid() else {}
        return figures.last_days(found.get("days") or 30)


class FinanceView(UnfoldModelAdminViewMixin, TemplateView):
    """One page; the queries are a constant number, whatever the period."""

    title = _("Finance")
    permission_required = ("shop.view_finance",)
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = PeriodForm({"days": 30, **self.request.GET.dict()})
        period = form.chosen()
        days, shelves = figures.by_day(period), figures.by_category(period)
        return super().get_context_data(
            **kwargs,
            form=form,
            cards=cards(figures.totals(period)),
            charts=[*charts(days), shelf_chart(shelves)],
            tables=[
                (_("By category, orders placed in the period"), shelf_table(shelves)),
                (_("By day"), day_table(days)),
            ],
        )


def cards(total: Figures) -> list[tuple[Any, str]]:
    """The headline figures."""
    return [
        (_("Turnover"), money(total.turnover)),
        (_("Paid back"), money(total.refunded)),
        (_("Kept"), money(total.kept)),
        (_("Average order"), money(total.average)),
        (_("Orders placed"), str(total.placed)),
        (_("Paid of those placed"), percent(total.conversion)),
    ]


def charts(days: Days) -> list[dict[str, Any]]:
    """Money, and orders: one bar per day."""
    labels, rows = day_labels(day for day, _row in days), [row for _day, row in days]
    return [
        chart(
            _("Turnover and refunds"),
            labels,
            (_("paid back"), [row.refunded for row in rows]),
            (_("turnover"), [row.turnover for row in rows]),
        ),
        chart(
            _("Orders by the day they were placed"),
            labels,
            (_("paid"), [row.ordered_paid for row in rows]),
            (_("placed"), [row.placed for row in rows]),
        ),
        chart(_("Average order"), labels, (_("average"), [row.average for row in rows]), kind="line"),
        chart(_("Paid of those placed, %"), labels, (_("paid"), [row.conversion for row in rows]), kind="line"),
    ]


def shelf_chart(shelves: list[Shelf]) -> dict[str, Any]:
    """What each category brought, and what of it went back."""
    return chart(
        _("Turnover by category"),
        [_shelf_name(shelf) for shelf in shelves],
        (_("paid back in full"), [shelf.back for shelf in shelves]),
        (_("turnover"), [shelf.total for shelf in shelves]),
    )


def _shelf_name(shelf: Shelf) -> str:
    return shelf.category or str(_("without a category"))


def shelf_table(shelves: list[Shelf]) -> dict[str, Any]:
    """What each category brought."""
    headers = (_("category"), _("orders"), _("paid"), _("share"), _("pieces"), _("turnover"), _("paid back in full"))
    rows = (
        (
            *(_shelf_name(shelf), shelf.placed, shelf.ordered_paid),
            *(percent(shelf.conversion), shelf.pieces, money(shelf.total), money(shelf.back)),
        )
        for shelf in shelves
    )
    return rows_of(headers, rows)


def day_table(days: Days) -> dict[str, Any]:
    """Every day on which something happened, newest first."""
    headers = (_("day"), _("orders"), _("share"), _("payments"), _("turnover"), _("average"), _("paid back"))
    rows = (
        (
            *(date_format(day, "SHORT_DATE_FORMAT"), row.placed, percent(row.conversion), row.payments),
            *(money(row.turnover), money(row.average), money(row.refunded)),
        )
        for day, row in reversed(days)
        if row != Figures()
    )
    return rows_of(headers, rows)


def money(value: Decimal | None) -> str:
    """In the shop's currency."""
    return amount(value, settings.SHOP.currency if value is not None else "")


def percent(share: float | None) -> str:
    """A share, or a dash when there is nothing to share."""
    return "–" if share is None else f"{share:g} %"
