"""Who the log says called, which answers carry a content policy, and what the API does not pay for."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from asgiref.sync import async_to_sync
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from apps.core.middleware import (
    Authentication,
    ContentPolicy,
    Csrf,
    Htmx,
    PagesOnly,
    RequestLog,
    Sessions,
    measure,
)


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


def stack(*kinds: type[PagesOnly]) -> Any:
    """Middleware as Django piles it up, each in its wrapper; the answer names what has looked at the request."""
    handler: Any = convert_exception_to_response(lambda request: HttpResponse(" ".join(request.__dict__)))
    for kind in reversed(kinds):
        handler = convert_exception_to_response(kind(handler))
    return handler


def test_a_page_goes_through_every_middleware_of_pages() -> None:
    seen = stack(Sessions, Authentication, Htmx)(RequestFactory().get("/my/status")).content.decode().split()
    assert {"session", "user", "htmx"} <= set(seen)


def test_a_call_of_the_api_passes_neighbours_in_one_step() -> None:
    outermost = stack(Sessions, Authentication, Htmx)
    seen = outermost(RequestFactory().get("/api/orders")).content.decode().split()
    assert not {"session", "user", "htmx"} & set(seen)
    assert not isinstance(outermost.__wrapped__.beside.__wrapped__, PagesOnly)


def test_what_stands_between_pages_is_not_passed() -> None:
    handler = stack(Htmx)
    between = convert_exception_to_response(lambda request: HttpResponse(b"between" + handler(request).content))
    answer = Sessions(between)(RequestFactory().get("/api/orders"))
    assert answer.content.startswith(b"between")


HOOKS = ("process_view", "process_exception", "process_template_response")


@pytest.mark.parametrize("kind", PagesOnly.__subclasses__(), ids=lambda kind: kind.__name__)
def test_no_hook_of_a_page_reaches_the_api(kind: Any) -> None:
    assert [hook for hook in HOOKS if hasattr(kind, hook) and hook not in vars(kind)] == []


def test_the_check_of_forms_is_for_pages() -> None:
    def hears(path: str) -> Any:
        request = RequestFactory(enforce_csrf_checks=True).post(path)
        middleware = Csrf(lambda request: HttpResponse())
        return middleware.process_view(request, lambda request: HttpResponse(), (), {})

    assert hears("/api/orders") is None
    assert hears("/desk/orders").status_code == 403


def test_every_answer_says_how_long_it_is() -> None:
    assert measure(lambda request: HttpResponse(b"12345"))(RequestFactory().get("/")).headers["Content-Length"] == "5"
    flow = measure(lambda request: StreamingHttpResponse([b"1"]))(RequestFactory().get("/"))
    assert "Content-Length" not in flow.headers


def test_so_does_one_under_asgi() -> None:
    async def later(request: Any) -> HttpResponse:
        return HttpResponse(b"12345")

    assert async_to_sync(measure(later))(RequestFactory().get("/")).headers["Content-Length"] == "5"
