"""Who the log says called, and which answers carry a content policy."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from apps.core.middleware import ContentPolicy, RequestLog


def bound_address(**meta: str) -> Any:
    """What stands under `ip` while the request is answered."""
    seen: list[Any] = []

    def answer(request: Any) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars().get("ip"))
        return HttpResponse()

    RequestLog(answer)(RequestFactory().get("/", **meta))
    return seen[0]


def test_the_log_names_the_caller_behind_our_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ("10.0.0.0/8",)
    assert bound_address(REMOTE_ADDR="10.1.2.3", HTTP_X_FORWARDED_FOR="203.0.113.9") == "203.0.113.9"


def test_a_stranger_cannot_write_another_address_into_the_log(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ("10.0.0.0/8",)
    found = bound_address(REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.1", HTTP_X_REAL_IP="198.51.100.2")
    assert found == "203.0.113.9"


def test_the_address_is_gone_after_the_request() -> None:
    bound_address()
    assert "ip" not in structlog.contextvars.get_contextvars()


def policy_of(status: int = 200, kind: str = "text/html; charset=utf-8") -> str | None:
    """The header of an answer of this kind."""
    middleware = ContentPolicy(lambda request: HttpResponse(status=status, content_type=kind))
    found: str | None = middleware(RequestFactory().get("/")).headers.get("Content-Security-Policy")
    return found


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "image/svg+xml", "application/xml", "application/pdf"])
def test_what_a_browser_shows_has_a_policy(kind: str) -> None:
    assert "script-src 'self'" in str(policy_of(kind=kind))


@pytest.mark.parametrize(
    ("status", "kind"), [(200, "application/json"), (404, "application/json"), (304, "text/html"), (204, "text/html")]
)
def test_json_and_empty_answers_have_none(status: int, kind: str) -> None:
    assert policy_of(status, kind) is None


def test_the_whole_stack_keeps_to_it(db: None) -> None:
    assert "Content-Security-Policy" in Client().get("/docs").headers
    assert "Content-Security-Policy" not in Client().get("/health").headers
