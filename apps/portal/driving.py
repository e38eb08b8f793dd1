"""Drives a running server as its clients would and says what was expected: the hands of `manage.py journey`."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError

from apps.integrations import http, websocket
from apps.integrations.ports import VendorError
from apps.integrations.websocket import Socket

Say = Callable[[str], None]


class Mismatch(Exception):
    """The server did something else than expected. The text says what."""


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Client:
    """HTTP and WebSocket against one product of a running server; vendors are played by the sandbox.

    `base` and `sandbox` are addresses without a slash at the end, `product` is the product's base (`urgent`).
    """

    def __init__(self, *, base: str, sandbox: str, product: str, say: Say) -> None:
        self.base = base.rstrip("/")
        self.sandbox = sandbox.rstrip("/")
        self.product = product
        self.say = say
        self.steps_count = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One line of the journey; raises `Mismatch` with the line when anything inside differs or breaks."""
        started = time.monotonic()
        try:
            yield
        except (Mismatch, VendorError, DatabaseError) as problem:
            self.say(f"✗ {title}")
            raise Mismatch(f"{title}: {problem}") from problem
        self.steps_count += 1
        self.say(f"✓ {title}  ({(time.monotonic() - started) * 1000:.0f} ms)")

    def call(
        self, method: str, path: str, *, to: str = "", token: str = "", body: Any = None, expect: int = 200
    ) -> Any:
        """Call the product and return the body; the status must be `expect`. `to` replaces the product's address."""
        reply = self.ask(method, path, to=to, token=token, body=body)
        if reply.status != expect:
            raise Mismatch(f"{method} {path} answered {reply.status} instead of {expect}: {_short(reply.body)}")
        return reply.body

    def ask(self, method: str, path: str, *, to: str = "", token: str = "", body: Any = None) -> Reply:
        """Call the product and return whatever comes. Raises `VendorError` when nothing does."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        url = f"{to or f'{self.base}/{self.product}'}{path}"
        answer = http.send(http.Call(vendor="journey", method=method, url=url, headers=headers, json=body))
        parsed = answer.json()
        return Reply(answer.status, answer.headers, answer.text if parsed is None and answer.body else parsed)

    def send_picture(
        self, path: str, picture: bytes, *, field: str = "file", token: str = "", expect: int = 201, **fields: str
    ) -> Any:
        """Post a PNG in `field`, with further fields, as a phone's camera form does; the status must be `expect`."""
        edge = secrets.token_hex(16)
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="photo.png"\r\n'
        words = "".join(parts) + head + "Content-Type: image/png\r\n\r\n"
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}", "Authorization": f"Bearer {token}"}
        body = words.encode() + picture + f"\r\n--{edge}--\r\n".encode()
        url = f"{self.base}/{self.product}{path}"
        answer = http.send(http.Call(vendor="journey", method="POST", url=url, headers=headers, body=body))
        if answer.status != expect:
            raise Mismatch(f"POST {path} answered {answer.status} instead of {expect}: {_short(answer.text)}")
        return answer.json()

    def pay(self, url: str, **form: str) -> None:
        """Press a button on a vendor's page, as a person would. Raises `Mismatch` unless the page answers 200."""
        page = url if self.sandbox == _origin(url) else self.sandbox + urlsplit(url).path
        answer = http.send(http.Call(vendor="journey", method="POST", url=page, form=form, read_timeout_s=20))
        if answer.status != 200:
            raise Mismatch(f"the vendor's page answered {answer.status}")

    def vendor(self, method: str, path: str, body: Any = None) -> Any:
        """Call the sandbox: messages, control calls."""
        return self.call(method, f"/__sandbox{path}", to=self.sandbox, body=body)

    def socket(self, path: str) -> Socket:
        """Open a WebSocket under the product's base."""
        return websocket.connect(f"{self.base.replace('http', 'ws', 1)}/{self.product}{path}")

    def same(self, what: str, found: Any, wanted: Any) -> None:
        """Raise `Mismatch` unless both are equal."""
        if found != wanted:
            raise Mismatch(f"{what} is {_short(found)} instead of {_short(wanted)}")

    def sure(self, what: str, holds: bool) -> None:
        """Raise `Mismatch` unless it holds."""
        if not holds:
            raise Mismatch(f"not so: {what}")

    def until(self, what: str, question: Callable[[], Any], seconds: float = 30, pause: float = 0.25) -> Any:
        """Ask again and again until the answer is true; raise `Mismatch` when the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := question():
                return found
            time.sleep(pause)
        raise Mismatch(f"{what} did not happen within {seconds:.0f} s")

    def heard(self, socket: Socket, kind: str, seconds: float = 15, **facts: Any) -> dict[str, Any]:
        """Wait for a frame of this type with these facts; raise `Mismatch` when none comes."""
        wanted = {"type": kind, **facts}
        frame = socket.wait_for(lambda seen: all(seen.get(name) == value for name, value in wanted.items()), seconds)
        if frame is None:
            kinds = [str(seen.get("type")) for seen in socket.frames]
            raise Mismatch(f"no frame {_short(wanted)} within {seconds:.0f} s; heard {kinds}")
        return frame


def let_out(*addresses: str) -> None:
    """The operator named these addresses on the command line: our client may talk to them though they are private."""
    hosts = [
        f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        for parts in map(urlsplit, addresses)
    ]
    conf = settings.INTEGRATIONS
    settings.INTEGRATIONS = replace(conf, http_allowed_private=(*conf.http_allowed_private, *hosts))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}…"
