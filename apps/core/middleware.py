"""Sessions, messages and CSRF only where pages need them: the API keeps a lean stack (design 3.25)."""

from __future__ import annotations

from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from axes.middleware import AxesMiddleware
from corsheaders.middleware import CorsMiddleware
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.decorators import sync_and_async_middleware
from django_htmx.middleware import HtmxMiddleware
from django_otp.middleware import OTPMiddleware
from django_structlog.middlewares import RequestMiddleware

from apps.core.throttle import client_address

EMPTY = (204, 304)
"""Statuses whose answers have no body."""


def is_page(request: Any) -> bool:
    """True for the addresses that people open in a browser; `PAGE_PREFIXES` names them."""
    return bool(request.path_info == "/" or request.path_info.startswith(settings.PAGE_PREFIXES))


class PagesOnly:
    """Mixin: stand aside unless a page is asked for. Neighbours of this kind are passed in one step.

    A subclass whose base has `process_view` or another hook beside `__call__` has to stand aside there itself.
    """

    beside: Any
    """What comes after this one and its neighbours of the kind."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)  # type: ignore[call-arg]
        below = getattr(get_response, "__wrapped__", None)  # Django wraps each in what turns exceptions into answers
        self.beside = below.beside if isinstance(below, PagesOnly) else get_response

    def __call__(self, request: Any) -> Any:
        return super().__call__(request) if is_page(request) else self.beside(request)  # type: ignore[misc]


class Cors(CorsMiddleware):
    """A listed origin may send any header (contract urgent 1.0); a bare `*` means nothing beside cookies."""

    def add_response_headers(self, request: Any, response: Any) -> Any:
        answer = super().add_response_headers(request, response)
        if "access-control-allow-headers" in answer and (
            asked := request.headers.get("access-control-request-headers")
        ):
            answer.headers["access-control-allow-headers"] = asked
        return answer


class RequestLog(RequestMiddleware):
    """The caller's address as the limits see it: the package believes `X-Forwarded-For` whoever sends it."""

    @classmethod
    def bind_ip(cls, request: Any) -> None:
        """Into every line of this request, under the package's own key."""
        structlog.contextvars.bind_contextvars(ip=client_address(request))


class ContentPolicy(CSPMiddleware):
    """For everything that a browser may show: JSON and empty answers run no scripts and do not pay for a policy."""

    def process_response(self, request: Any, response: Any) -> Any:
        """Pictures, drawings and documents keep theirs."""
        is_shown = response.status_code not in EMPTY and response.headers.get("Content-Type") != "application/json"
        return super().process_response(request, response) if is_shown else response


class Sessions(PagesOnly, SessionMiddleware):
    pass


class Locale(PagesOnly, LocaleMiddleware):
    pass


@sync_and_async_middleware
def measure(get_response: Any) -> Any:
    """Answers of the API get their length too: without it the server sends them in chunks."""
    if iscoroutinefunction(get_response):

        async def awaiting(request: Any) -> Any:
            return _measured(await get_response(request))

        return awaiting

    return lambda request: _measured(get_response(request))


def _measured(response: Any) -> Any:
    if not response.streaming and not response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))
    return response


class Common(PagesOnly, CommonMiddleware):
    pass


class Csrf(PagesOnly, CsrfViewMiddleware):
    def process_view(self, request: Any, *rest: Any) -> Any:
        """The check itself: the API has no cookies of pages to protect."""
        return super().process_view(request, *rest) if is_page(request) else None


class Authentication(PagesOnly, AuthenticationMiddleware):
    pass


class SecondFactor(PagesOnly, OTPMiddleware):
    pass


class Messages(PagesOnly, MessageMiddleware):
    pass


class Framing(PagesOnly, XFrameOptionsMiddleware):
    pass


class Htmx(PagesOnly, HtmxMiddleware):
    pass


class Lockout(PagesOnly, AxesMiddleware):
    pass
