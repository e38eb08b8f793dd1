"""What the back office draws beside its lists: small tables, histories, charts; used by every product's `admin`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core import states

COLOURS = ("var(--color-primary-600)", "var(--color-primary-300)", "var(--color-base-400)", "var(--color-base-300)")
PERIODS_DAYS = (7, 30, 90, 365)
"""What pages of figures offer."""


def rows_of(headers: Iterable[Any], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """A table as Unfold's component reads it."""
    return {"headers": [str(header) for header in headers], "rows": [list(row) for row in rows]}


def table(headers: Iterable[Any], rows: Iterable[Sequence[Any]]) -> SafeString:
    """A table in Unfold's looks; every cell is escaped."""
    return SafeString(render_to_string("admin/_table.html", {"table": rows_of(headers, rows)}))


def moment(at: datetime | None) -> str:
    """A time as staff read it, or a dash."""
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "–"


def history(obj: models.Model) -> SafeString:
    """The steps of one row: when, what, who, why."""
    steps = states.history(obj)
    rows = [(moment(step.at), f"{step.from_status} → {step.to_status}", step.by, step.reason) for step in steps]
    return table((_("when"), _("step"), _("who"), _("why")), rows)


def day_labels(days: Iterable[date]) -> list[str]:
    """Days below a chart."""
    return [date_format(day, "d.m") for day in days]


def chart(
    title: Any, labels: list[str], *series: tuple[Any, Sequence[int | float | Decimal | None]], kind: str = "bar"
) -> dict[str, Any]:
    """Chart.js data as Unfold's component reads it; bars lie over each other, so the smallest series goes first."""
    datasets = [
        {"label": str(name), "data": points, "backgroundColor": colour, "borderColor": colour}
        for (name, points), colour in zip(series, COLOURS, strict=False)
    ]
    legend = [(row["label"], row["backgroundColor"]) for row in datasets]
    data = orjson.dumps({"labels": labels, "datasets": datasets}, default=float).decode()
    return {"title": title, "kind": kind, "data": data, "legend": legend}
