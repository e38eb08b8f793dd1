"""Figures are as new as the last change, unless counting them takes long."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.testing import query_budget
from apps.tickets.models import Member, Ticket
from apps.tickets.queries import kept, tickets

pytestmark = pytest.mark.django_db
Forget = Callable[[], None]


@pytest.fixture(autouse=True)
def _patience(settings: Settings) -> None:
    settings.TICKETS = replace(settings.TICKETS, figures_patience=20, figures_seconds=60)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as found:
        yield found


@pytest.fixture
def forget(django_capture_on_commit_callbacks: Any) -> Forget:
    def changed() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            kept.forget()

    return changed


def counting(clock: Any, seconds: float) -> Callable[[], int]:
    """Counts how often it was asked, and takes its time."""
    asked = itertools.count(1)

    def count() -> int:
        clock.shift(seconds)
        return next(asked)

    return count


def test_what_is_counted_quickly_is_as_new_as_the_last_change(clock: Any, forget: Forget) -> None:
    quick = counting(clock, 0.01)
    assert [kept.kept("quick", quick), kept.kept("quick", quick)] == [b"1", b"1"]
    forget()
    assert kept.kept("quick", quick) == b"2"


def test_what_takes_long_is_shown_for_twenty_times_as_long(clock: Any, forget: Forget) -> None:
    slow = counting(clock, 0.5)
    assert kept.kept("slow", slow) == b"1"
    forget()
    clock.shift(9.9)
    assert kept.kept("slow", slow) == b"1"
    clock.shift(0.2)
    assert kept.kept("slow", slow) == b"2"


def test_without_patience_every_change_shows_at_once(clock: Any, forget: Forget, settings: Settings) -> None:
    settings.TICKETS = replace(settings.TICKETS, figures_patience=0)
    slow = counting(clock, 0.5)
    kept.kept("slow", slow)
    forget()
    assert kept.kept("slow", slow) == b"2"
    assert [kept.total("many", slow), kept.total("many", slow)] == [3, 4]


def test_a_total_is_exact_while_counting_is_quick_and_bounded_in_age_else(clock: Any) -> None:
    quick, slow = counting(clock, 0.01), counting(clock, 0.5)
    assert [kept.total("few", quick), kept.total("few", quick)] == [1, 2]
    assert [kept.total("many", slow), kept.total("many", slow)] == [1, 1]


def test_lists_of_different_staff_do_not_share_a_total(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    lamp: Ticket,
    free_lamp: Ticket,
    selin: Member,
    sinan: Member,
    mehmet: Member,
) -> None:
    """Everything counts as slow here, and is shown for ages."""
    monkeypatch.setattr(kept, "AT_ONCE_SECONDS", -1.0)
    settings.TICKETS = replace(settings.TICKETS, figures_patience=10**9)

    def total(by: Member, scope: tickets.Scope = "all tickets", **wanted: Any) -> int:
        return tickets.page(tickets.Wanted(scope, **wanted), by=by)[1]

    for _ in range(2):
        assert (total(mehmet), total(selin), total(selin, "assigned"), total(sinan, "assigned")) == (2, 2, 1, 0)
        assert (total(mehmet, team_id=selin.team_id), total(mehmet, status="CLOSED")) == (1, 0)
        assert (total(mehmet, category_id=lamp.category_id), total(mehmet, category_id=free_lamp.category_id)) == (1, 1)
        assert total(lamp.reporter, "reported") == 2
    with query_budget(1):
        total(mehmet)
