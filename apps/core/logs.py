"""Structured logs with a request id; secrets, phones and codes are blotted out before anything is written."""

from __future__ import annotations

import re
from typing import Any

import sentry_sdk
import structlog

BLOT = "[redacted]"
SECRET_KEYS = re.compile(
    r"pass|secret|token|authorization|cookie|code$|otp|phone|contact|init_data|signature|api_key", re.I
)
SECRET_VALUES = (
    re.compile(r"\+?\d{9,15}(?!\d)"),
    re.compile(r"\b\d{6,12}:[A-Za-z0-9_-]{20,}"),
    re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?i)bearer\s+\S+"),
    re.compile(r"(?i)(?:hash|signature|token|code)=[^&\s]+"),
    re.compile(r"/sms/eskiz/[^\s/?\"']+"),
)
"""Phones, bot tokens, JSON web tokens, bearer headers, signed query strings, addresses that end with a secret."""
SHORTEST_PHONE = 10**10
"""A bare number of eleven digits or more may be a phone; our own ids are far below."""


def redact(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """structlog processor: blot out by key name and by the look of the value, however deep it lies."""
    # Keys with an underscore carry structlog's own luggage and are dropped before rendering.
    return {key: value if key.startswith("_") else _cleaned(key, value) for key, value in event.items()}


def _cleaned(key: Any, value: Any) -> Any:
    # The request log calls the HTTP status `code`; a one-time code is never a number between 100 and 599 there.
    is_status = str(key) in ("code", "status_code") and isinstance(value, int) and 100 <= value <= 599
    return BLOT if SECRET_KEYS.search(str(key)) and not is_status else _clean(value)


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return BLOT if abs(value) >= SHORTEST_PHONE else value
    if isinstance(value, dict):
        return {key: _cleaned(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_clean(inner) for inner in value]
    text = value if isinstance(value, str) else repr(value)
    for pattern in SECRET_VALUES:
        text = pattern.sub(BLOT, text)
    return text


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    redact,
]


def configure(*, level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING for `style` json (production) or console (a laptop); sets up structlog with the same chain."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "house": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "house"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["out"], "level": "WARNING", "propagate": False},
            "httpx": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # Refusals are everyday; the request log already has their status.
            "django.request": {"level": "ERROR"},
        },
    }


def start_sentry(dsn: str, version: str) -> None:
    """Errors go to Sentry only when a DSN is set; no bodies, no personal data."""
    if dsn:
        sentry_sdk.init(dsn=dsn, release=version, send_default_pii=False, max_request_body_size="never")
