"""The daily report: turnover and refunds in charts, what waits, and what the audit found."""

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
from apps.core.money import CURRENCIES
from apps.core.panels import PERIODS_DAYS, chart, day_labels, rows_of
from apps.payments import queries
from apps.payments.models import Payment
from apps.payments.queries import DayFigures, DayReport


class PeriodForm(forms.Form):
    """How long, and in which currency."""

    days = forms.TypedChoiceField(
        label=_("Period"),
        coerce=int,
        required=False,
        choices=[(days, str(days)) for days in PERIODS_DAYS],
        widget=UnfoldAdminSelectWidget,
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        required=False,
        choices=[(code, code) for code in CURRENCIES],
        widget=UnfoldAdminSelectWidget,
    )

    def chosen(self) -> tuple[int, str]:
        """Anything malformed falls back to the last thirty days in soum."""
        found = self.cleaned_data if self.is_valid() else {}
        return found.get("days") or 30, found.get("currency") or "UZS"


class ReportView(UnfoldModelAdminViewMixin, TemplateView):
    """One page; a constant number of queries, whatever the period."""

    title = _("Daily report")
    permission_required = ("payments.view_payment",)
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = PeriodForm({"days": 30, "currency": "UZS", **self.request.GET.dict()})
        days, currency = form.chosen()
        rows = queries.by_day(days=days, currency=currency)
        report = queries.daily_report()
        return super().get_context_data(
            **kwargs,
            form=form,
            cards=cards(rows, report, currency),
            charts=charts(rows),
            tables=[(_("By day and method"), table(rows)), (_("What does not fit"), fault_table(report))],
        )


def cards(rows: list[DayFigures], report: DayReport, currency: str) -> list[tuple[Any, str]]:
    """The headline figures: of the period, then what waits now."""
    turnover = sum((row.turnover for row in rows), Decimal(0))
    count = sum(row.paid_count for row in rows)
    average = turnover / count if count else None
    return [
        (_("Turnover"), amount(turnover, currency)),
        (_("Paid back"), amount(sum((row.refunded for row in rows), Decimal(0)), currency)),
        (_("Average payment"), amount(average, currency)),
        (_("Waiting for payment"), str(report.open_count)),
        (_("Refunds on their way"), str(report.waiting_refunds)),
        (_("To look at"), str(report.to_look_at + len(report.faults))),
    ]


def charts(rows: list[DayFigures]) -> list[dict[str, Any]]:
    """Turnover by method, and turnover against refunds, one bar per day."""
    days = sorted({row.day for row in rows})
    labels = day_labels(days)
    methods = [(method, label) for method, label in Payment.Method.choices if any(row.method == method for row in rows)]
    by_method = [
        (label, [float(sum(row.turnover for row in rows if row.day == day and row.method == method)) for day in days])
        for method, label in methods
    ]
    came = [float(sum(row.turnover for row in rows if row.day == day)) for day in days]
    went = [float(sum(row.refunded for row in rows if row.day == day)) for day in days]
    return [
        chart(_("Turnover by method"), labels, *by_method),
        chart(_("Turnover and refunds"), labels, (_("paid back"), went), (_("turnover"), came)),
    ]


def table(rows: list[DayFigures]) -> dict[str, Any]:
    """Every day and method, newest first."""
    headers = (_("day"), _("method"), _("payments"), _("turnover"), _("refunds"), _("paid back"))
    names = dict(Payment.Method.choices)
    return rows_of(
        headers,
        (
            (
                date_format(row.day, "SHORT_DATE_FORMAT"),
                str(names[row.method]),
                row.paid_count,
                amount(row.turnover, row.currency),
                row.refund_count,
                amount(row.refunded, row.currency),
            )
            for row in reversed(rows)
        ),
    )


def fault_table(report: DayReport) -> dict[str, Any]:
    """The audit's findings."""
    return rows_of((_("payment"), _("what")), ((f"#{fault.payment_id}", fault.what) for fault in report.faults))
