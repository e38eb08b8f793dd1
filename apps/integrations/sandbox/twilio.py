"""A Twilio that takes messages, knows the magic test numbers, and signs its status callbacks."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.playmobile import is_basic
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Notice, Vendor, form, word

PATH = re.compile(r"/2010-04-01/Accounts/(?P<account>\w+)/Messages\.json$")
STATUSES = frozenset({"accepted", "queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled"})
REFUSED_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
REFUSED_RECIPIENTS = {
    "+15005550001": (21211, "The 'To' number is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number is not currently reachable."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
}


class FakeTwilio(Vendor):
    """Twilio for one account, the configured one."""

    name: ClassVar[str] = "twilio"

    def forget(self) -> None:
        self.texts: dict[str, dict[str, Any]] = Bounded()

    def answer(self, asked: Asked) -> Reply:
        conf = settings.INTEGRATIONS
        found = PATH.search(asked.path)
        if not is_basic(asked, conf.twilio_account_sid, conf.twilio_auth_token):
            return _refusal(20003, "Authenticate", 401)
        if not found or found["account"] != conf.twilio_account_sid:
            return _refusal(20404, "The requested resource was not found", 404)
        with self.lock:
            return self._take(form(asked))

    def failure(self, status: int, retry_after: int | None) -> Reply:
        code = 20429 if status == 429 else 20500
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return _refusal(code, "Too Many Requests" if status == 429 else "Internal error", status, **headers)

    def _take(self, fields: Body) -> Reply:
        to, text = str(fields.get("To", "")), str(fields.get("Body", ""))
        sender = str(fields.get("From") or fields.get("MessagingServiceSid") or "")
        if not sender or sender in REFUSED_SENDERS:
            return _refusal(REFUSED_SENDERS.get(sender, 21603), "The 'From' number is not valid.", 400)
        if to in REFUSED_RECIPIENTS:
            return _refusal(*REFUSED_RECIPIENTS[to], 400)
        if not re.fullmatch(r"\+\d{7,15}", to):
            return _refusal(*REFUSED_RECIPIENTS["+15005550001"], 400)
        if not text or len(text) > 1600:
            return _refusal(21617 if text else 21602, "Message body is required, up to 1600 characters.", 400)
        kept = self._keep(to, sender, text, str(fields.get("StatusCallback", "")))
        return Reply.json({name: value for name, value in kept.items() if name != "callback_url"}, 201)

    def _keep(self, to: str, sender: str, text: str, callback_url: str) -> dict[str, Any]:
        sid = "SM" + secrets.token_hex(16)
        self.texts[sid] = {
            "sid": sid,
            "account_sid": settings.INTEGRATIONS.twilio_account_sid,
            "status": "queued",
            "to": to,
            "from": sender,
            "body": text,
            "num_segments": "1",
            "error_code": None,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "date_created": format_datetime(timezone.now()),
            "callback_url": callback_url,
        }
        recorder.record("sms", to, text)
        return self.texts[sid]

    def advance(self, sid: str, status: str, error_code: str = "") -> Notice:
        """A message moves on: the signed status callback, not yet posted."""
        kept = self.texts.get(sid)
        if not kept:
            raise ControlRefused("No such message", 404)
        if status not in STATUSES:
            raise ControlRefused(f"status must be one of {', '.join(sorted(STATUSES))}")
        kept["status"] = status
        fields = {
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": kept["account_sid"],
            "From": kept["from"],
            "To": kept["to"],
            "MessageStatus": status,
            "SmsStatus": status,
            "ApiVersion": "2010-04-01",
            **({"ErrorCode": error_code} if error_code else {}),
        }
        return self._signed(kept["callback_url"] or self.webhook_url(), fields)

    def _signed(self, url: str, fields: dict[str, str]) -> Notice:
        text = url + "".join(name + fields[name] for name in sorted(fields))
        token = "forged" if self._is_forging() else settings.INTEGRATIONS.twilio_auth_token
        signature = base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        return Notice(url, headers, urlencode(fields).encode())

    def controls(self) -> dict[str, Control]:
        return {**super().controls(), "advance": self._control_advance}

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"texts": list(self.texts.values())[-100:]}

    def _control_advance(self, body: Body) -> dict[str, Any]:
        notice = self.advance(word(body, "sid"), word(body, "status", "delivered"), word(body, "error_code", ""))
        return {"ok": True, "delivery": self.deliver(notice)}


def _refusal(code: int, message: str, status: int, **headers: str) -> Reply:
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Reply.json(body, status, **headers)
