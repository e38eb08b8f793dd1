"""A PlayMobile broker: Basic login, a batch of messages, "Request is received"."""

from __future__ import annotations

import base64
import hmac
from typing import Any, ClassVar

from django.conf import settings

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.vendor import Body, Bounded, Vendor, parameters


class FakePlayMobile(Vendor):
    """PlayMobile for one account, the configured one."""

    name: ClassVar[str] = "playmobile"

    def forget(self) -> None:
        self.texts: dict[str, dict[str, str]] = Bounded()

    def answer(self, asked: Asked) -> Reply:
        if not asked.path.rstrip("/").endswith("/broker-api/send"):
            return Reply.json({"error-code": 404, "error-description": "Not found"}, 404)
        if not is_basic(asked, settings.INTEGRATIONS.playmobile_login, settings.INTEGRATIONS.playmobile_password):
            return Reply.json({"error-code": 102, "error-description": "Account lock"}, 401)
        messages = parameters(asked).get("messages")
        if not isinstance(messages, list) or not messages:
            return Reply.json({"error-code": 101, "error-description": "Syntax error"}, 400)
        for message in messages:
            if problem := _problem(message):
                return Reply.json(problem, 400)
        with self.lock:
            for message in messages:
                self._take(message)
        return Reply(200, b"Request is received", {"content-type": "text/plain"})

    def failure(self, status: int, retry_after: int | None) -> Reply:
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return Reply.json({"error-code": 100, "error-description": "Internal server error"}, status, **headers)

    def _take(self, message: Body) -> None:
        text = message["sms"]["content"]["text"]
        self.texts[message["message-id"]] = {"to": message["recipient"], "text": text}
        recorder.record("sms", f"+{message['recipient']}", text)

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"texts": dict(list(self.texts.items())[-100:])}


def is_basic(asked: Asked, login: str, password: str) -> bool:
    """Whether the request carries that login; nothing is accepted while none is configured."""
    expected = base64.b64encode(f"{login}:{password}".encode())
    given = asked.headers.get("authorization", "").removeprefix("Basic ").encode()
    return bool(login and password) and hmac.compare_digest(given, expected)


def _problem(message: Any) -> dict[str, Any] | None:
    try:
        recipient, message_id = str(message["recipient"]), str(message["message-id"])
        text = str(message["sms"]["content"]["text"])
    except (TypeError, KeyError):
        return {"error-code": 101, "error-description": "Syntax error"}
    if not recipient.isascii() or not recipient.isdigit():
        return {"error-code": 202, "error-description": "Invalid recipient"}
    if not message_id:
        return {"error-code": 205, "error-description": "Empty message-id"}
    return None if text else {"error-code": 401, "error-description": "Empty text"}
