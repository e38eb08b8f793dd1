"""An Eskiz that hands out tokens, takes texts, and reports what became of them."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Notice, Vendor, form, word

PRICE_OF_A_PART = Decimal("115")
STATUS_BY_ID = re.compile(r"/message/sms/status_by_id/(?P<id>[\w-]+)/?$")
# What callbacks say of a part → what status_by_id says of the whole message.
MESSAGE_WORDS = {
    "waiting": "NEW",
    "NEW": "NEW",
    "ENROUTE": "ACCEPTED",
    "ACCEPTED": "ACCEPTED",
    "DELIVRD": "DELIVERED",
    "UNDELIV": "REJECTED",
    "UNDELIVERABLE": "REJECTED",
    "REJECTD": "REJECTED",
    "EXPIRED": "REJECTED",
    "DELETED": "REJECTED",
    "UNKNOWN": "ACCEPTED",
}


@dataclass
class Text:
    """One text as Eskiz keeps it."""

    id: str
    to: str
    text: str
    callback_url: str
    status: str = "waiting"

    @property
    def parts(self) -> int:
        """160 characters of GSM, 70 of anything else."""
        return max(1, -(-len(self.text) // (160 if self.text.isascii() else 70)))


class FakeEskiz(Vendor):
    """Eskiz for one account, the configured one. `templates` = the only texts it lets pass, empty = all."""

    name: ClassVar[str] = "eskiz"

    def forget(self) -> None:
        self.texts: dict[str, Text] = Bounded()
        self.tokens: dict[str, str] = Bounded()
        self.templates: list[str] = []
        self.logins = 0

    # The API

    def answer(self, asked: Asked) -> Reply:
        path = asked.path.rstrip("/")
        with self.lock:
            if path.endswith("/auth/login"):
                return self._log_in(form(asked))
            if path.endswith("/auth/refresh"):
                return self._refresh(_bearer(asked))
            if refusal := self._refuse_token(_bearer(asked)):
                return refusal
            if path.endswith(("/message/sms/send", "/message/sms/send-global")):
                return self._take(form(asked), is_global=path.endswith("-global"))
            if found := STATUS_BY_ID.search(path):
                return self._status(found["id"])
        return Reply.json({"message": "Not found", "status": "error"}, 404)

    def failure(self, status: int, retry_after: int | None) -> Reply:
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return Reply.json({"message": "Server Error", "status": "error"}, status, **headers)

    def _log_in(self, fields: Body) -> Reply:
        conf = settings.INTEGRATIONS
        given = f"{fields.get('email')}\n{fields.get('password')}".encode()
        if not conf.eskiz_email or not hmac.compare_digest(
            given, f"{conf.eskiz_email}\n{conf.eskiz_password}".encode()
        ):
            return Reply.json({"message": "Invalid credentials"}, 401)
        self.logins += 1
        return self._issue()

    def _refresh(self, token: str) -> Reply:
        if self.tokens.get(token) not in ("live", "expired"):
            return Reply.json({"status": "token_invalid"}, 401)
        return self._issue()

    def _issue(self) -> Reply:
        token = secrets.token_urlsafe(32)
        self.tokens[token] = "live"
        return Reply.json({"message": "token_generated", "data": {"token": token}, "token_type": "bearer"})

    def _refuse_token(self, token: str) -> Reply | None:
        state = self.tokens.get(token, "dead")
        if state == "live":
            return None
        if state == "expired":
            return Reply.json({"message": "Expired", "status": "error"}, 401)
        return Reply.json({"status": "token_invalid"}, 401)

    def _take(self, fields: Body, *, is_global: bool) -> Reply:
        to, text = str(fields.get("mobile_phone", "")), str(fields.get("message", ""))
        if not re.fullmatch(r"\d{7,15}" if is_global else r"998\d{9}", to):
            return Reply.json(
                {"message": {"mobile_phone": ["The mobile phone format is invalid."]}, "status": "error"}, 422
            )
        if not text or not fields.get("from") or (is_global and not fields.get("country_code")):
            return Reply.json({"message": "The given data was invalid.", "status": "error"}, 422)
        if self.templates and text not in self.templates:
            return Reply.json({"message": "Text is not moderated", "status": "error"}, 400)
        kept = Text(str(uuid.uuid4()), to, text, str(fields.get("callback_url", "")))
        self.texts[kept.id] = kept
        recorder.record("sms", f"+{to}", text)
        return Reply.json({"id": kept.id, "message": "Waiting for SMS provider", "status": "waiting"})

    def _status(self, text_id: str) -> Reply:
        kept = self.texts.get(text_id)
        if not kept:
            return Reply.json({"message": "Not found", "status": "error"}, 404)
        told = {
            "id": 1,
            "user_sms_id": "",
            "request_id": kept.id,
            "price": f"{PRICE_OF_A_PART}",
            "total_price": f"{PRICE_OF_A_PART * kept.parts}",
            "is_ad": False,
            "nick": settings.INTEGRATIONS.eskiz_from,
            "to": kept.to,
            "message": kept.text,
            "encoding": 1 if kept.text.isascii() else 8,
            "parts_count": kept.parts,
            "status": MESSAGE_WORDS[kept.status],
        }
        return Reply.json({"status": "success", "data": told})

    # What becomes of a text

    def advance(self, text_id: str, status: str) -> Notice:
        """A text moves on: the callback, not yet posted. Eskiz does not sign; the secret sits in our URL."""
        kept = self.texts.get(text_id)
        if not kept:
            raise ControlRefused("No such text", 404)
        if status not in MESSAGE_WORDS:
            raise ControlRefused(f"status must be one of {', '.join(sorted(MESSAGE_WORDS))}")
        kept.status = status
        body = {
            "request_id": kept.id,
            "message_id": str(abs(hash(kept.id)) % 10**9),
            "user_sms_id": "",
            "country": "UZ",
            "phone_number": kept.to,
            "sms_count": str(kept.parts),
            "status": status,
            "status_date": timezone.localtime().strftime("%Y-%m-%d %H:%M:%S"),
        }
        url = kept.callback_url or self.webhook_url()
        return Notice(url, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def expire_tokens(self, *, for_good: bool = False) -> None:
        """Every token given so far stops working; `for_good` also stops its refresh."""
        for token in list(self.tokens):
            self.tokens[token] = "dead" if for_good else "expired"

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "advance": self._control_advance,
            "expire-tokens": self._control_expire_tokens,
            "moderate": self._control_moderate,
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            kept = list(self.texts.values())[-100:]
            return {
                "texts": [{"id": text.id, "to": text.to, "text": text.text, "status": text.status} for text in kept]
            }

    def _control_advance(self, body: Body) -> dict[str, Any]:
        return {"ok": True, "delivery": self.deliver(self.advance(word(body, "id"), word(body, "status", "DELIVRD")))}

    def _control_expire_tokens(self, body: Body) -> dict[str, Any]:
        self.expire_tokens(for_good=body.get("for_good") is True)
        return {"ok": True}

    def _control_moderate(self, body: Body) -> dict[str, Any]:
        given = body.get("templates", [])
        if not isinstance(given, list):
            raise ControlRefused("templates must be a list of texts")
        self.templates = [str(text) for text in given]
        return {"ok": True}


def _bearer(asked: Asked) -> str:
    return asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
