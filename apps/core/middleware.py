"""Sessions, messages and CSRF only where pages need them: the API keeps a lean stack (design 3.25)."""

from __future__ import annotations

from inspect import iscoroutine
from typing import Any

import structlog
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
    """Mixin: stand aside unless a page is asked for."""

    get_response: Any

    def __call__(self, request: Any) -> Any:
        return super().__call__(request) if is_page(request) else self.get_response(request)  # type: ignore[misc]

    def process_view(self, request: Any, *rest: Any) -> Any:
        if not is_page(request) or not hasattr(super(), "process_view"):
            return None
        return super().process_view(request, *rest)  # type: ignore[misc]


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


class Common(PagesOnly, CommonMiddleware):
    """Answers of the API get their length too: without it the server sends them in chunks."""

    def __call__(self, request: Any) -> Any:
        response = super().__call__(request)
        return _measured_later(response) if iscoroutine(response) else _measured(response)


async def _measured_later(response: Any) -> Any:
    """Under ASGI the stack hands out coroutines."""
    return _measured(await response)


def _measured(response: Any) -> Any:
    if not response.streaming and not response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))
    return response


class Csrf(PagesOnly, CsrfViewMiddleware):
    pass


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
