"""Answers kept as bytes: made once, old after a write, read in one trip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from apps.core.kept import Namespace, sealed

SHELF = Namespace("test:shelf")


@pytest.fixture
def made() -> list[int]:
    """The versions that `make` was told."""
    return []


@pytest.fixture
def make(made: list[int]) -> Callable[[int], tuple[bytes, float]]:
    def deed(version: int) -> tuple[bytes, float]:
        made.append(version)
        return f"[{len(made)}]".encode(), 60

    return deed


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_made_once_and_marked(made: list[int], make: Any) -> None:
    first, second = SHELF.answer("q", make), SHELF.answer("q", make)
    assert (first, len(made)) == (second, 1)
    assert (first.body, first.etag) == (b"[1]", sealed(b"[1]").etag)


def test_questions_and_namespaces_are_apart(made: list[int], make: Any) -> None:
    other = Namespace("test:other")
    bodies = [
        place.answer(question, make).body for place in (SHELF, other) for question in ("q", "Q" * 10_000, "\udc80")
    ]
    assert bodies == [f"[{number}]".encode() for number in range(1, 7)]
    SHELF.outdate()
    assert other.answer("q", make).body == b"[4]"


@pytest.mark.django_db(transaction=True)
def test_a_write_makes_old_after_its_commit_and_not_before(made: list[int], make: Any) -> None:
    SHELF.answer("q", make)
    with transaction.atomic():
        SHELF.forget()
        assert SHELF.answer("q", make).body == b"[1]"
    assert SHELF.answer("q", make).body == b"[2]"
    assert made[1] == made[0] + 1


@pytest.mark.django_db(transaction=True)
def test_a_write_that_is_rolled_back_makes_nothing_old(made: list[int], make: Any) -> None:
    SHELF.answer("q", make)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        SHELF.forget()
        raise ZeroDivisionError
    assert SHELF.answer("q", make).body == b"[1]"


def test_what_was_read_before_a_write_is_not_shown_after_it(make: Any) -> None:
    def slow(version: int) -> tuple[bytes, float]:
        SHELF.outdate()  # somebody writes while the rows are being read
        return b"old", 60

    assert SHELF.answer("q", slow).body == b"old"
    assert SHELF.answer("q", make).body == b"[1]"


def test_bytes_hold_as_long_as_they_say(make: Any) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        SHELF.answer("q", lambda _: (b"short", 5))
        clock.move_to(now + timedelta(seconds=4))
        assert SHELF.answer("q", make).body == b"short"
        clock.move_to(now + timedelta(seconds=6))
        assert SHELF.answer("q", make).body == b"[1]"


def test_a_forgotten_version_does_not_bring_old_bytes_back(make: Any) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        SHELF.answer("q", make)
        cache.delete("test:shelf:version")
        clock.move_to(now + timedelta(seconds=1))
        assert SHELF.answer("q", make).body == b"[2]"


def test_what_make_raises_is_not_kept(make: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        SHELF.answer("q", lambda _: (b"", 1 / 0))
    assert SHELF.answer("q", make).body == b"[1]"


def test_a_count_belongs_to_its_version() -> None:
    counted = iter(range(10))
    found = [SHELF.number(version, "q", lambda: next(counted), 60) for version in (1, 1, 2, 2)]
    assert found == [0, 0, 1, 1]


def test_a_known_answer_is_one_trip(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    SHELF.answer("q", make)
    trips: list[str] = []
    for name in ("get", "get_many", "set", "add", "incr"):
        real = getattr(cache, name)
        monkeypatch.setattr(
            cache, name, lambda *given, name=name, real=real, **more: (trips.append(name), real(*given, **more))[1]
        )
    SHELF.answer("q", make)
    assert trips[0] == "get_many" and trips.count("get_many") == 1
    assert not {"set", "add", "incr"} & set(trips)
