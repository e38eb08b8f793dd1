"""Twilio (contract integrations 6): its own library, on our connections."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from apps.integrations import http
from apps.integrations.ports import SmsReceipt, SmsReport, VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors

VENDOR_HOST = "https://api.twilio.com"
TOO_MANY = 20429
# The address itself cannot be texted: not a number, unsubscribed, not a mobile.
DEAD_RECIPIENT = frozenset({21211, 21610, 21614})

Progress = Literal["waiting", "accepted", "delivered", "failed"]
_PROGRESS: dict[str, Progress] = {
    "sent": "accepted",
    "partially_delivered": "accepted",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
"""Twilio's words for a text that has left it; the others (accepted, scheduled, queued, sending) say that it waits."""


class _OurConnections(HttpClient):
    """Lets the library speak through `integrations.http`, to the configured host."""

    def __init__(self, send: http.Send) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=False, timeout=http.READ_TIMEOUT_S)
        self._send = send

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        call = http.Call(
            vendor="twilio",
            method=method.upper(),
            url=uri.replace(VENDOR_HOST, settings.INTEGRATIONS.twilio_base_url, 1),
            headers=headers or {},
            query=params or None,
            form=data or None,
            basic=auth,
            is_idempotent=method.upper() == "GET",
        )
        answer = http.refuse_trouble(self._send(call))
        return Response(answer.status, answer.text, dict(answer.headers))


class Twilio:
    """The `Sms` port over Twilio."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        """Send one text. Twilio has no place for `reference`."""
        conf = settings.INTEGRATIONS
        if not (conf.twilio_account_sid and conf.twilio_auth_token):
            raise VendorRefused("twilio is not configured")
        sender = "messaging_service_sid" if conf.twilio_from_number.startswith("MG") else "from_"
        fields: dict[str, Any] = {"to": to, "body": text, sender: conf.twilio_from_number}
        if conf.twilio_status_callback_url:
            fields["status_callback"] = conf.twilio_status_callback_url
        client = Client(conf.twilio_account_sid, conf.twilio_auth_token, http_client=_OurConnections(self._send))
        try:
            message = client.messages.create(**fields)
        except TwilioRestException as refused:
            raise _refusal(refused) from None
        except (TwilioException, ValueError):
            raise VendorUnsure("twilio: an answer that cannot be read") from None
        return SmsReceipt(vendor_id=str(message.sid), cost=abs(Decimal(message.price)) if message.price else None)


class FakeTwilioSms(Twilio):
    """The same client, talking to the fake Twilio in this process."""

    def __init__(self) -> None:
        self.vendor = vendors.twilio
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def read_callback(fields: Mapping[str, Any]) -> SmsReport | None:
    """What a status callback says, None when it is none of theirs. Prove it first: `is_genuine_callback`."""
    vendor_id, said = fields.get("MessageSid"), fields.get("MessageStatus")
    if not isinstance(vendor_id, str) or not isinstance(said, str) or not vendor_id or "\0" in vendor_id:
        return None
    return SmsReport(vendor_id, _PROGRESS.get(said, "waiting"), said)


def is_genuine_callback(url: str, fields: Mapping[str, Any], signature: str) -> bool:
    """Whether a status callback was signed with our token.

    `url` is the public address that Twilio called, with its query.
    """
    token = settings.INTEGRATIONS.twilio_auth_token
    # The library compares text of equal length only; anything beyond ASCII is not a signature.
    return bool(token) and signature.isascii() and bool(RequestValidator(token).validate(url, fields, signature))


def _refusal(refused: TwilioRestException) -> VendorBusy | VendorRefused:
    if refused.code == TOO_MANY:
        return VendorBusy("twilio: too many requests")
    return VendorRefused(f"twilio: {refused.code}", dead=refused.code in DEAD_RECIPIENT)
