"""What every fake vendor can do: answer, misbehave on request, log requests, send notices and send them again."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email import message_from_bytes
from threading import RLock
from typing import Any, ClassVar

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from apps.integrations import http
from apps.integrations.http import Asked, Reply
from apps.integrations.ports import VendorError

KEPT_REQUESTS = 500
KEPT_THINGS = 5000
LONGEST_DELAY_S = 30.0

Body = Mapping[str, Any]
Control = Callable[[Body], dict[str, Any]]


class ControlRefused(Exception):
    """A control call that makes no sense: `status` 400 or 404 and a sentence."""

    def __init__(self, detail: str, status: int = 400) -> None:
        self.detail = detail
        self.status = status
        super().__init__(detail)


@dataclass(frozen=True)
class Notice:
    """A webhook call that is ready to be posted: the vendor's headers and exact bytes."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Trouble:
    """How the next `left` requests go wrong."""

    left: int
    status: int = 0
    retry_after: int | None = None
    delay_s: float = 0.0
    is_lost: bool = False


class Bounded(dict):
    """A dict that forgets its oldest entries beyond KEPT_THINGS: a sandbox may run for weeks."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > KEPT_THINGS:
            del self[next(iter(self))]


class Vendor:
    """Base of the fakes. Subclasses implement `answer`, `failure` and `forget`, and add their own `controls`."""

    name: ClassVar[str] = ""

    def __init__(self) -> None:
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Back to the first day."""
        with self.lock:
            self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
            self.last_notice: Notice | None = None
            self._trouble = Trouble(left=0)
            self._bad_signatures = 0
            self.forget()

    def forget(self) -> None:
        """Drop the vendor's own state."""

    def answer(self, asked: Asked) -> Reply:
        """Do what was asked, as the real vendor would."""
        raise NotImplementedError

    def failure(self, status: int, retry_after: int | None) -> Reply:
        """An error in the vendor's own words."""
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return Reply.json({"message": "failure"}, status, **headers)

    def handle(self, asked: Asked) -> Reply:
        """Answer one request, with the trouble that was ordered.

        A lost or late answer belongs to a deed that was done.
        """
        trouble = self._next_trouble()
        reply = self.failure(trouble.status, trouble.retry_after) if trouble.status else self.answer(asked)
        reply = replace(reply, delay_s=trouble.delay_s, is_lost=trouble.is_lost)
        with self.lock:
            self.requests.append(self._logged(asked, reply))
        return reply

    def _next_trouble(self) -> Trouble:
        with self.lock:
            trouble = self._trouble
            if trouble.left <= 0:
                return Trouble(left=0)
            self._trouble = replace(trouble, left=trouble.left - 1)
            return trouble

    def _logged(self, asked: Asked, reply: Reply) -> dict[str, Any]:
        return {
            "at": timezone.now().isoformat(),
            "method": asked.method,
            "path": asked.path,
            "query": dict(asked.query),
            "headers": {
                name: asked.headers[name] for name in ("content-type", "x-request-id") if name in asked.headers
            },
            "body": asked.body[:4000].decode("utf-8", "replace"),
            "status": reply.status,
        }

    # Trouble on request

    def fail_next(self, count: int = 1, status: int = 500, retry_after: int | None = None) -> None:
        """The next `count` requests are refused with that status and nothing is done."""
        self._trouble = Trouble(left=count, status=status, retry_after=retry_after)

    def delay_next(self, seconds: float, count: int = 1) -> None:
        """The next `count` requests are done, but answered so many seconds late."""
        self._trouble = Trouble(left=count, delay_s=min(seconds, LONGEST_DELAY_S))

    def lose_next(self, count: int = 1) -> None:
        """The next `count` requests are done, but their answers never arrive."""
        self._trouble = Trouble(left=count, is_lost=True)

    def break_signatures(self, count: int = 1) -> None:
        """The next `count` notices carry a wrong signature."""
        self._bad_signatures = count

    def _is_forging(self) -> bool:
        with self.lock:
            if self._bad_signatures <= 0:
                return False
            self._bad_signatures -= 1
            return True

    # Notices

    def webhook_url(self) -> str:
        """Where this vendor's notices go: `settings.SANDBOX_WEBHOOKS[name]`, empty when nobody listens."""
        return str(settings.SANDBOX_WEBHOOKS.get(self.name, ""))

    def deliver(self, notice: Notice) -> dict[str, Any]:
        """Post a notice and tell how it was received: {url, status, body}; status 0 means it did not get through."""
        with self.lock:
            self.last_notice = notice
        if not notice.url:
            return {"url": "", "status": 0, "body": "no webhook address is configured"}
        call = http.Call(
            vendor=f"sandbox-{self.name}",
            method="POST",
            url=notice.url,
            headers=notice.headers,
            body=notice.body,
            read_timeout_s=http.LONGEST_READ_TIMEOUT_S,
        )
        try:
            answer = http.send(call)
        except VendorError as problem:
            return {"url": notice.url, "status": 0, "body": str(problem)}
        return {"url": notice.url, "status": answer.status, "body": answer.text[:2000]}

    # Control calls: /__sandbox/<vendor>/control/<verb>

    def controls(self) -> dict[str, Control]:
        """Verbs and what they do; each takes the JSON body and answers a JSON object."""
        return {
            "fail": self._control_fail,
            "delay": self._control_delay,
            "lose": self._control_lose,
            "break-signature": self._control_break_signature,
            "resend": self._control_resend,
            "log": lambda body: {"requests": list(self.requests)},
            "state": lambda body: self.state(),
            "clear": self._control_clear,
        }

    def state(self) -> dict[str, Any]:
        """What the vendor knows, for a look from outside."""
        return {}

    def control(self, verb: str, body: Body) -> dict[str, Any]:
        """Run one control call. Raises `ControlRefused`."""
        known = self.controls()
        if verb not in known:
            raise ControlRefused(f"No control {verb!r}; there are: {', '.join(sorted(known))}", 404)
        return known[verb](body)

    def _control_fail(self, body: Body) -> dict[str, Any]:
        status = whole(body, "status", 500)
        if not 400 <= status <= 599:
            raise ControlRefused("status must be 400..599")
        wait = whole(body, "retry_after", 0) if "retry_after" in body else None
        self.fail_next(whole(body, "count", 1), status, wait)
        return {"ok": True}

    def _control_delay(self, body: Body) -> dict[str, Any]:
        self.delay_next(float(whole(body, "seconds", 1)), whole(body, "count", 1))
        return {"ok": True}

    def _control_lose(self, body: Body) -> dict[str, Any]:
        self.lose_next(whole(body, "count", 1))
        return {"ok": True}

    def _control_break_signature(self, body: Body) -> dict[str, Any]:
        self.break_signatures(whole(body, "count", 1))
        return {"ok": True}

    def _control_resend(self, body: Body) -> dict[str, Any]:
        if not self.last_notice:
            raise ControlRefused("Nothing has been sent yet", 404)
        return {"ok": True, "delivery": self.deliver(self.last_notice)}

    def _control_clear(self, body: Body) -> dict[str, Any]:
        self.clear()
        return {"ok": True}


def whole(body: Body, name: str, default: int | None = None) -> int:
    """A whole number 0..10^15 of a control body. Raises `ControlRefused`."""
    value = body.get(name, default)
    if isinstance(value, str) and value.isascii() and value.lstrip("-").isdigit():
        value = int(value[:20])
    if not isinstance(value, int) or isinstance(value, bool) or not -(10**15) <= value <= 10**15:
        raise ControlRefused(f"{name} must be a whole number")
    return value


def word(body: Body, name: str, default: str | None = None) -> str:
    """A text of a control body. Raises `ControlRefused`."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise ControlRefused(f"{name} must be a text")
    return value


def parameters(asked: Asked) -> dict[str, Any]:
    """Parameters wherever they are: query, urlencoded form (nested values as JSON text), JSON body. {} for rubbish."""
    found: dict[str, Any] = dict(asked.query)
    kind = asked.headers.get("content-type", "")
    if "json" in kind:
        try:
            body = json.loads(asked.body or b"{}")
        except (ValueError, RecursionError):
            body = {}
        return {**found, **body} if isinstance(body, dict) else found
    return {**found, **form(asked)}


def form(asked: Asked) -> dict[str, str]:
    """Fields of an urlencoded or multipart body."""
    kind = asked.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return _multipart(asked.body, kind)
    return {str(name): str(value) for name, value in QueryDict(asked.body).items()}


def _multipart(body: bytes, kind: str) -> dict[str, str]:
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = message.get_payload() if message.is_multipart() else []
    return {
        str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True) or b"").decode(
            "utf-8", "replace"
        )
        for part in parts
        if not isinstance(part, str)
    }
