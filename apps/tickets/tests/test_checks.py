"""What a production start refuses (contract tickets 5, D22)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from apps.tickets import checks

GOOD_KEY = "of-a-test-only_7FDPhDSyy6dKHzXleTufKFrdA4oFmM9"


@pytest.mark.parametrize(
    ("key", "is_embedded", "is_refused"),
    [
        ("", False, False),
        ("short", False, True),
        ("a" * 64, False, True),
        ("short", True, False),
        (GOOD_KEY, False, False),
    ],
)
def test_a_weak_signing_key_is_refused(settings: Settings, key: str, is_embedded: bool, is_refused: bool) -> None:
    settings.EMBEDDED = is_embedded
    settings.TICKETS = replace(settings.TICKETS, jwt_secret_key=key)
    found = [message.id for message in checks.refuse_a_weak_signing_key(None)]
    assert found == (["tickets.E001"] if is_refused else [])
