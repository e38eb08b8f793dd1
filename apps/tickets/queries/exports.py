"""Figures as CSV for a spreadsheet: UTF-8 with a mark at the beginning, as Excel wants it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any, Literal

import orjson

from apps.tickets.queries import analytics, sla

Figure = Literal["teams", "categories", "neighborhoods", "feedback-trends", "sla"]

ALL = 10_000
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be calculated by a spreadsheet: names come from people."""


def as_csv(figure: Figure, *, days: int) -> bytes:
    """One figure of the analytics as a table; the columns are the fields of its JSON."""
    items = _READERS[figure](days)
    rows = [flat for item in items for flat in _FLATTEN.get(figure, _as_it_is)(item)]
    out = io.StringIO()
    writer = csv.writer(out)
    if rows:
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA_BEGINS) else text


def _items(raw: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(raw)["items"]
    return found


_READERS: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "teams": lambda days: _items(analytics.teams(days=days)),
    "categories": lambda days: _items(analytics.categories(days=days)),
    "neighborhoods": lambda days: _items(analytics.neighborhoods(days=days, limit=ALL)),
    "feedback-trends": lambda days: _items(analytics.feedback_trends(days=days)),
    "sla": lambda days: _items(sla.figures(days=days)),
}


def _as_it_is(item: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return [item]


def _by_category(item: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return [{"district": item["district"], **part} for part in item["category_breakdown"]]


def _marks(item: dict[str, Any]) -> Iterable[dict[str, Any]]:
    marks = item.pop("rating_distribution")
    return [{**item, **{f"rated_{mark}": count for mark, count in marks.items()}}]


_FLATTEN: dict[str, Callable[[dict[str, Any]], Iterable[dict[str, Any]]]] = {
    "neighborhoods": _by_category,
    "feedback-trends": _marks,
}
