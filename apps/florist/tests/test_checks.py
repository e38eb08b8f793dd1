"""What a production start refuses (contract florist 5)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from apps.florist import checks

STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("value", ["short", "a" * 64])
def test_weak_secrets_are_refused_in_production_only(settings: Any, value: str) -> None:
    settings.FLORIST = dataclasses.replace(settings.FLORIST, secret_key=value, webhook_secret=value)
    settings.EMBEDDED = False
    found = [*checks.refuse_a_weak_signing_key(None), *checks.refuse_a_weak_webhook_secret(None)]
    assert [message.id for message in found] == ["florist.E001", "florist.E002"]
    assert all(value not in str(message) and message.hint for message in found)
    settings.EMBEDDED = True
    assert checks.refuse_a_weak_signing_key(None) == checks.refuse_a_weak_webhook_secret(None) == []


@pytest.mark.parametrize("value", ["", STRONG])
def test_strong_ones_and_none_are_fine(settings: Any, value: str) -> None:
    settings.FLORIST = dataclasses.replace(settings.FLORIST, secret_key=value, webhook_secret=value)
    settings.EMBEDDED = False
    assert checks.refuse_a_weak_signing_key(None) == checks.refuse_a_weak_webhook_secret(None) == []


def test_a_test_code_is_warned_of(settings: Any) -> None:
    settings.FLORIST = dataclasses.replace(settings.FLORIST, test_code="111111")
    settings.EMBEDDED = False
    assert [message.id for message in checks.warn_of_a_test_code(None)] == ["florist.W001"]
    settings.EMBEDDED = True
    assert checks.warn_of_a_test_code(None) == []


def test_secrets_are_not_in_a_repr(settings: Any) -> None:
    settings.FLORIST = dataclasses.replace(
        settings.FLORIST, secret_key=STRONG, webhook_secret=STRONG, test_code="987654"
    )
    assert STRONG not in repr(settings.FLORIST)
    assert "987654" not in repr(settings.FLORIST)
