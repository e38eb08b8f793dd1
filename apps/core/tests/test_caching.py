"""Values in Redis are data: nobody who writes there runs code here."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.core.caching import PlainSerializer
from apps.core.kept import Kept
from apps.core.models import OutboxMessage
from apps.core.money import Money
from apps.core.throttle import Limit

SERIALIZER = PlainSerializer()


class Trap:
    """Calls a function when it is read."""

    def __reduce__(self) -> Any:
        return os.putenv, ("MAHALLA_TRAP", "sprung")


@pytest.mark.parametrize(
    "value",
    [
        *(0, -5, 2.5, True, None, "words", b"bytes", [1, "a"], {"a": (1, 2)}, {1, 2}),
        *(Decimal("1.50"), UUID(int=7), date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC), timedelta(seconds=5)),
        *(Kept(b"[]", '"0"'), (b"[]", '"0"', 1.5), Money(Decimal(5), "UZS"), Limit(5, 60)),
    ],
    ids=str,
)
def test_data_comes_back_as_it_went(value: Any) -> None:
    found = SERIALIZER.loads(SERIALIZER.dumps(value))
    assert (found, type(found)) == (value, type(value)) or value is True and found is True


@pytest.mark.parametrize(
    "value",
    [Trap(), os.getcwd, OutboxMessage(pk=1), OutboxMessage, {"a": [Trap()]}],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_data_is_not_there(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, sprung = pickle.dumps(value), []
    monkeypatch.setattr(os, "putenv", lambda *given: sprung.append(given))
    assert SERIALIZER.loads(stored) is None
    assert sprung == []


@pytest.mark.parametrize("stored", [b"", b"\x80", b"no pickle", b"\x80\x05capps.gone\nThing\n."])
def test_rubbish_is_not_there(stored: bytes) -> None:
    assert SERIALIZER.loads(stored) is None
