"""Figures are as new as the last change, unless counting them takes long."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.testing import query_budget, race
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
    clock.shift(1.1)  # bytes hold for a second at least
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


def test_what_is_counted_quickly_again_is_exact_again(clock: Any) -> None:
    assert kept.total("many", counting(clock, 0.5)) == 1
    clock.shift(11)
    quick = counting(clock, 0.01)
    assert [kept.total("many", quick), kept.total("many", quick)] == [1, 2]


@pytest.mark.parametrize("ask", [kept.total, lambda question, make: int(kept.kept(question, make))])
def test_while_one_counts_anew_the_others_get_the_last_figure(clock: Any, forget: Forget, ask: Any) -> None:
    assert ask("many", counting(clock, 0.5)) == 1
    forget()
    clock.shift(11)
    meanwhile: list[int] = []

    def slow() -> int:
        clock.shift(0.5)
        meanwhile.append(ask("many", lambda: pytest.fail("counted twice")))
        return 2

    assert (ask("many", slow), meanwhile) == (2, [1])


def test_who_fails_makes_way_for_the_next(clock: Any) -> None:
    slow = counting(clock, 0.5)
    assert kept.total("many", slow) == 1
    clock.shift(11)
    with pytest.raises(ZeroDivisionError):
        kept.total("many", lambda: int(1 / 0))
    assert kept.total("many", slow) == 2


@pytest.mark.race
def test_of_six_who_ask_at_once_one_counts(settings: Settings) -> None:
    settings.TICKETS = replace(settings.TICKETS, figures_patience=2)
    counted: list[int] = []

    def slow() -> int:
        counted.append(1)
        time.sleep(0.5)
        return len(counted)

    assert kept.total("many", slow) == 1
    time.sleep(1.2)
    assert set(race(6, lambda _: kept.total("many", slow))) == {1, 2}
    assert len(counted) == 2


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
