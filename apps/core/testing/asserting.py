"""Assertions in the house's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from apps.core.errors import Refused

R = TypeVar("R", bound=Refused)

NOT_COUNTED = ("SAVEPOINT", "RELEASE", "INSERT INTO core_outboxmessage")
"""Savepoints, and the one row that listeners of other apps add: a budget is about the caller's own work."""


def assert_refused(kind: type[R], deed: Callable[[], Any], *, unchanged: Iterable[QuerySet[Any]] = ()) -> R:
    """`deed` must raise exactly `kind`, and the rows of every queryset must be what they were."""
    querysets = list(unchanged)
    before = [_rows(rows) for rows in querysets]
    with pytest.raises(kind) as caught:
        deed()
    assert type(caught.value) is kind
    assert [_rows(rows) for rows in querysets] == before
    return caught.value


def _rows(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    return list(rows.order_by("pk").values())


@contextmanager
def query_budget(most: int) -> Iterator[None]:
    """At most this many queries inside the block; the failure lists them."""
    with CaptureQueriesContext(connection) as seen:
        yield
    statements = [query["sql"] for query in seen if not query["sql"].startswith(NOT_COUNTED)]
    assert len(statements) <= most, "\n".join([f"{len(statements)} queries, budget {most}", *statements])
