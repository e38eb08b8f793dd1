"""The market in charts: what the analytics queries say, drawn with what Unfold ships."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.panels import PERIODS_DAYS, chart, day_labels, rows_of
from apps.urgent.models import Order
from apps.urgent.queries import analytics
from apps.urgent.queries.analytics import Figures

NOTHING = "–"


class SliceForm(forms.Form):
    """Which orders to look at."""

    days = forms.TypedChoiceField(label=_("Period"), coerce=int, required=False, widget=UnfoldAdminSelectWidget)
    city = forms.ChoiceField(label=_("City"), required=False, widget=UnfoldAdminSelectWidget)
    category = forms.ChoiceField(label=_("Category"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].choices = [(days, _("%(days)d days") % {"days": days}) for days in PERIODS_DAYS]  # type: ignore[attr-defined]
        cities = [(name, name) for name in analytics.cities_with_orders()]
        self.fields["city"].choices = [("", _("All cities")), *cities]  # type: ignore[attr-defined]
        self.fields["category"].choices = [("", _("All categories")), *Order.Category.choices]  # type: ignore[attr-defined]

    def chosen(self) -> analytics.Slice:
        """The slice; anything malformed falls back to the last thirty days of everything."""
        found = self.cleaned_data if self.is_valid() else {}
        city, category = found.get("city") or "", found.get("category") or ""
        return analytics.last_days(found.get("days") or 30, city=city, category=category)


class AnalyticsView(UnfoldModelAdminViewMixin, TemplateView):
    """One page; the queries are a constant number, whatever the period."""

    title = _("Analytics")
    permission_required = ("urgent.view_order",)
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = SliceForm({"days": 30, **self.request.GET.dict()})
        chosen = form.chosen()
        days = analytics.by_day(chosen)
        return super().get_context_data(
            **kwargs,
            form=form,
            cards=cards(analytics.totals(chosen), analytics.minutes_to_first_take(chosen)),
            charts=charts(days),
            tables=[
                (_("By city"), table(_("City"), analytics.by("city", chosen))),
                (_("By category"), table(_("Category"), analytics.by("category", chosen))),
            ],
        )


def cards(figures: Figures, minutes: float | None) -> list[tuple[Any, str]]:
    """The headline figures."""
    return [
        (_("Orders"), str(figures.orders)),
        (_("Completion rate"), shown(figures.completion_rate, " %")),
        (_("Median time to first take"), shown(minutes, f" {_('min')}")),
        (_("No-response rate"), shown(figures.no_response_rate, " %")),
        (_("Revenue"), f"{figures.revenue} ₽"),
        (_("Refunds"), f"{figures.refunds} ₽"),
    ]


def shown(value: float | None, unit: str) -> str:
    """A figure, or a dash when there is nothing to say."""
    return NOTHING if value is None else f"{value:g}{unit}"


def charts(days: list[tuple[Any, Figures]]) -> list[dict[str, Any]]:
    """Title, kind and data of each chart, one point per day."""
    labels = day_labels(day for day, _figures in days)
    figures = [row for _day, row in days]
    return [
        chart(
            _("Orders per day"),
            labels,
            (_("completed"), [row.completed for row in figures]),
            (_("taken"), [row.taken for row in figures]),
            (_("posted"), [row.orders for row in figures]),
        ),
        chart(_("Completion rate, %"), labels, (_("completed"), [row.completion_rate for row in figures]), kind="line"),
        chart(
            _("No-response rate, %"), labels, (_("no response"), [row.no_response_rate for row in figures]), kind="line"
        ),
        chart(
            _("Revenue, ₽"),
            labels,
            (_("debits less refunds"), [row.revenue for row in figures]),
            (_("refunds"), [row.refunds for row in figures]),
        ),
    ]


def table(name: Any, rows: list[tuple[str, Figures]]) -> dict[str, Any]:
    """Figures by city or category for Unfold's table component."""
    headers = [name, _("orders"), _("completed"), _("completion"), _("no response"), _("revenue, ₽")]
    return rows_of(
        headers,
        (
            (
                title,
                row.orders,
                row.completed,
                shown(row.completion_rate, " %"),
                shown(row.no_response_rate, " %"),
                row.revenue,
            )
            for title, row in rows
        ),
    )
