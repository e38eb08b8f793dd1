"""The only file of the house that opens connections (design 3.14): one careful HTTP client for every vendor.

What it guarantees: short time-outs, no redirects, no private addresses (checked on the very address that is dialled,
so a DNS answer that changes between check and connect gains nothing), no proxy from the environment, answers of
limited size, repeats only for calls that are safe to repeat, and no token, phone or code in a log line.
"""

from __future__ import annotations

import hmac
import ipaddress
import json as jsonlib
import logging
import os
import random
import re
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
import structlog
from django.conf import settings
from django.utils import timezone

from apps.integrations.ports import VendorBusy, VendorError, VendorRefused, VendorUnsure

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0
LONGEST_READ_TIMEOUT_S = 20.0
LARGEST_ANSWER_BYTES = 2_000_000
ATTEMPTS = 3
FIRST_PAUSE_S = 0.2
REPEATABLE_STATUSES = frozenset({500, 502, 503, 504})

log = logging.getLogger(__name__)
# They would print whole URLs, and Telegram puts the bot's token into the path.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)


class AddressRefused(VendorRefused):
    """The address is private, not https, or otherwise none that we talk to."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to a vendor.

    At most one of `json`, `form`, `body`. `is_idempotent` allows repeats and must be true; then `attempts` are made.
    """

    vendor: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, Any] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, Any] | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    is_idempotent: bool = False
    attempts: int = ATTEMPTS
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S

    def __repr__(self) -> str:
        return f"<Call {self.vendor} {self.method} {redact(urlsplit(self.url).path)}>"


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, or None when it is none."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> dict[str, Any]:
        """The body as a JSON object, or an empty dict."""
        parsed = self.json()
        return parsed if isinstance(parsed, dict) else {}

    @property
    def retry_after(self) -> int | None:
        """Seconds of the Retry-After header, in either of its two forms."""
        raw = self.headers.get("retry-after", "").strip()
        if raw.isascii() and raw.isdigit():
            return int(raw[:6])
        try:
            wait = parsedate_to_datetime(raw) - timezone.now()
        except (ValueError, TypeError):
            return None
        return max(0, round(wait.total_seconds()))


@dataclass(frozen=True)
class Asked:
    """A request as a vendor sees it: what the fakes get. `path` is decoded and without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A fake vendor's answer. `delay_s` comes before it; with `is_lost` nothing comes at all."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_lost: bool = False

    @classmethod
    def json(cls, body: Any, status: int = 200, **headers: str) -> Reply:
        """A JSON answer; underscores in header names stand for dashes."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return cls(status, jsonlib.dumps(body).encode(), {"content-type": "application/json", **named})


Send = Callable[[Call], Answer]


class _NotSent(Exception):
    """No byte of the request reached the vendor."""


class _NoAnswer(Exception):
    """The request left, the answer did not come (or came broken)."""


def send(call: Call) -> Answer:
    """Make the call. Any status is an answer, except a redirect.

    Raises `VendorBusy` (not sent, or a repeatable call that stayed unanswered), `VendorUnsure` (an unrepeatable call
    that may have been done) and `VendorRefused` (address not allowed, redirect).
    """
    return _insist(call, _over_the_wire)


def to_fake(handle: Callable[[Asked], Reply]) -> Send:
    """A `send` that carries the call to a fake vendor in this process; repeats and errors are those of the network."""

    def carry(call: Call) -> Answer:
        request = _build(call)
        asked = Asked(
            method=request.method,
            path=request.url.path,
            query=dict(request.url.params),
            headers=dict(request.headers),
            body=request.read(),
        )
        reply = handle(asked)
        if reply.is_lost or reply.delay_s >= call.read_timeout_s:
            raise _NoAnswer("ReadTimeout")
        return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)

    return lambda call: _insist(call, carry)


def refuse_trouble(answer: Answer) -> Answer:
    """Turn the statuses that mean the same everywhere into errors: 429 and 5xx are `VendorBusy`."""
    if answer.status == 429:
        raise VendorBusy("too many requests", retry_after=answer.retry_after)
    if answer.status >= 500:
        raise VendorBusy(f"status {answer.status}", retry_after=answer.retry_after)
    return answer


def is_same_secret(given: str, expected: str) -> bool:
    """Constant-time comparison that does not fall over input beyond ASCII."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


# Repeats ------------------------------------------------------------------------------------------------------------


def _insist(call: Call, carry: Send) -> Answer:
    """Try once, or up to `call.attempts` times when repeating is safe."""
    attempts = call.attempts if call.is_idempotent else 1
    for attempt in range(1, attempts + 1):
        outcome = _attempt(call, carry)
        if attempt == attempts or not _is_worth_repeating(outcome):
            break
        time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, not a secret
    if isinstance(outcome, VendorError):
        raise outcome
    return outcome


def _attempt(call: Call, carry: Send) -> Answer | VendorError:
    started = time.monotonic()
    try:
        outcome: Answer | VendorError = carry(call)
    except _NotSent as problem:
        outcome = VendorBusy(f"{call.vendor}: {problem}")
    except _NoAnswer as problem:
        reason = f"{call.vendor}: {problem}"
        outcome = VendorBusy(reason) if call.is_idempotent else VendorUnsure(reason)
    except VendorError as problem:
        outcome = problem
    if isinstance(outcome, Answer) and 300 <= outcome.status < 400:
        outcome = VendorRefused(f"{call.vendor}: redirect")
    _note(call, outcome, time.monotonic() - started)
    return outcome


def _is_worth_repeating(outcome: Answer | VendorError) -> bool:
    if isinstance(outcome, Answer):
        return outcome.status in REPEATABLE_STATUSES
    return isinstance(outcome, VendorBusy)


# The wire -----------------------------------------------------------------------------------------------------------


def _build(call: Call) -> httpx.Request:
    headers = {
        "User-Agent": "Mahalla/1",
        "X-Request-Id": _correlation_id(),
        "Accept": "application/json",
        **call.headers,
    }
    try:
        request = httpx.Request(
            call.method,
            call.url,
            params=dict(call.query) if call.query else None,
            headers=headers,
            json=call.json,
            data=call.form,
            content=call.body,
            extensions={"timeout": _timeout(call).as_dict()},
        )
        if call.basic:
            request = next(httpx.BasicAuth(*call.basic).auth_flow(request))
    except (httpx.InvalidURL, ValueError, TypeError):
        raise AddressRefused(f"{call.vendor}: the request cannot be built") from None
    return request


def _timeout(call: Call) -> httpx.Timeout:
    read = min(call.read_timeout_s, LONGEST_READ_TIMEOUT_S)
    connect = min(call.connect_timeout_s, CONNECT_TIMEOUT_S)
    return httpx.Timeout(connect=connect, read=read, write=read, pool=connect)


def _correlation_id() -> str:
    """The id of the request or task we work for, so that a vendor's log can be laid beside ours."""
    known = structlog.contextvars.get_contextvars()
    return str(known.get("request_id") or known.get("task_id") or uuid.uuid4())


def _over_the_wire(call: Call) -> Answer:
    request = _build(call)
    _refuse_url(request.url)
    try:
        response = _client().send(request, stream=True)
        try:
            return Answer(response.status_code, dict(response.headers), _read(response, call))
        finally:
            response.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as problem:
        raise _NotSent(type(problem).__name__) from None
    except httpx.HTTPError as problem:
        raise _NoAnswer(type(problem).__name__) from None


def _read(response: httpx.Response, call: Call) -> bytes:
    """Collect the body, up to a size and up to a moment: a trickle would renew the read time-out with each byte."""
    deadline = time.monotonic() + LONGEST_READ_TIMEOUT_S
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER_BYTES:
            raise _NoAnswer("answer too large")
        if time.monotonic() > deadline:
            raise _NoAnswer("answer too slow")
    return bytes(body)


_clients: dict[int, httpx.Client] = {}
_clients_lock = Lock()


def _client() -> httpx.Client:
    """One pool of connections and of resolver threads per process: neither survives a fork in working order."""
    pid = os.getpid()
    with _clients_lock:
        if pid not in _clients:
            _clients.clear()
            _clients[pid] = httpx.Client(transport=_GuardedTransport(), follow_redirects=False, trust_env=False)
        return _clients[pid]


class _GuardedTransport(httpx.HTTPTransport):
    """httpx over connections that were dialled by `_GuardedNetwork`."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        # httpx has no argument for the network backend; the pool is the same as its own otherwise.
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_GuardedNetwork(),
        )


class _GuardedNetwork(httpcore.SyncBackend):
    """Resolves a name once, looks at the addresses, and dials exactly what it looked at."""

    def __init__(self) -> None:
        # getaddrinfo has no time-out of its own, and a silent resolver must not hold a web thread for half a minute.
        self._resolver = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolver")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._resolve(host, port, timeout)
        if not is_allowed_private(host, port):
            for address in addresses:
                _refuse_private(address)
        problem: Exception = httpcore.ConnectError("no address")
        for address in addresses[:2]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                problem = refused
        raise problem

    def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            found = self._resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(timeout)
        except FutureTimeout:
            raise httpcore.ConnectTimeout("name lookup") from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("name lookup") from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise AddressRefused("unix socket")


# Addresses ----------------------------------------------------------------------------------------------------------

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _refuse_url(url: httpx.URL) -> None:
    if url.userinfo:
        raise AddressRefused("credentials in the address")
    if url.scheme != "https" and not (url.scheme == "http" and is_allowed_private(url.host, url.port or 80)):
        raise AddressRefused("only https")


def _refuse_private(address: str) -> None:
    if not is_public(address):
        raise AddressRefused("private address")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet; an IPv4 address wrapped into IPv6 is judged as itself."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def is_allowed_private(host: str, port: int) -> bool:
    """Whether the operator named this host, or it is the sandbox (or the server that the sandbox sends webhooks to)."""
    conf = settings.INTEGRATIONS
    allowed = set(conf.http_allowed_private)
    if settings.SANDBOX_ENABLED:
        own = (conf.sandbox_url, *settings.SANDBOX_WEBHOOKS.values())
        allowed |= {_host_and_port(url) for url in own if url}
    return host in allowed or f"{host}:{port}" in allowed


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


# Logs ---------------------------------------------------------------------------------------------------------------

_REDACTIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"bot\d+(?::|%3A)[^/\s]+", re.I), "bot***"),
    (re.compile(r"\b\d{3,}:[\w-]{6,}"), "***"),
    (re.compile(r"\b(bearer|basic|vapid) +\S+", re.I), r"\1 ***"),
    (re.compile(r"(?<![\w-])(?=[\w-]*\d)[\w-]{20,}"), "***"),
    (re.compile(r"\+?\d[\d ()-]{7,}\d"), "***"),
    (re.compile(r"(?<!\d)\d{4,}(?!\d)"), "***"),
)


def redact(text: str) -> str:
    """The text without bot tokens, authorization values, long opaque words, phone numbers and one-time codes."""
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


def _note(call: Call, outcome: Answer | VendorError, seconds: float) -> None:
    """One line per try: who, what, how it went, how long. Never a query, a header or a body."""
    parts = urlsplit(call.url)
    verdict = outcome.status if isinstance(outcome, Answer) else type(outcome).__name__
    log.info(
        "vendor call %s %s %s%s %s %d ms",
        call.vendor,
        call.method,
        parts.hostname,
        redact(parts.path),
        verdict,
        seconds * 1000,
    )
