"""Eskiz, the SMS vendor of Uzbekistan (contract integrations 5).

A token lives 30 days and is shared by all processes through the cache; one of them at a time fetches a new one.
There is no idempotency key, so a text whose answer is lost stays "unsure" and is never sent twice by us.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from django.conf import settings
from django.core.cache import cache

from apps.core import phones
from apps.integrations import http
from apps.integrations.ports import SmsReceipt, SmsReport, VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors

TOKEN_LIFE_S = 29 * 24 * 3600
LOCK_LIFE_S = 30
LOCK_PATIENCE_S = 10.0
LOCK_PAUSE_S = 0.05

Progress = Literal["waiting", "accepted", "delivered", "failed"]
_PROGRESS: dict[str, Progress] = {
    "WAITING": "waiting",
    "NEW": "waiting",
    "STORED": "waiting",
    "ENROUTE": "accepted",
    "ACCEPTED": "accepted",
    "PARTDELIVERED": "accepted",
    "DELIVRD": "delivered",
    "DELIVERED": "delivered",
    "UNDELIV": "failed",
    "UNDELIVERABLE": "failed",
    "EXPIRED": "failed",
    "REJECTD": "failed",
    "REJECTED": "failed",
    "DELETED": "failed",
}


class Eskiz:
    """The `Sms` port over Eskiz."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        """Send one text. Eskiz has no place for `reference`; texts outside Uzbekistan go by its global call."""
        answer = self._authorised("POST", *_message(to, text))
        message_id = answer.fields().get("id")
        if answer.status != 200:
            raise _refusal(answer)
        if not isinstance(message_id, str) or not message_id:
            raise VendorUnsure("eskiz: an answer without an id")
        return SmsReceipt(vendor_id=message_id)

    def status(self, vendor_id: str) -> SmsReport:
        """Ask what became of a text."""
        answer = self._authorised("GET", f"/message/sms/status_by_id/{vendor_id}", None)
        told = answer.fields().get("data")
        if answer.status != 200 or not isinstance(told, dict):
            raise _refusal(answer)
        return _report(vendor_id, str(told.get("status", "")), told.get("total_price"))

    def _authorised(self, method: str, path: str, form: Mapping[str, str] | None) -> http.Answer:
        """Call with the shared token; one that Eskiz no longer knows is renewed once. A 401 means nothing was done."""
        token = _known_token() or self._renew("")
        answer = self._call(method, path, form, token)
        if answer.status == 401 or answer.fields().get("status") == "token_invalid":
            answer = self._call(method, path, form, self._renew(token))
        if answer.status >= 500:
            # One client saw 500 for a stale token: forget ours, so that the repeat begins with a fresh one.
            cache.delete(_key("token"))
        return http.refuse_trouble(answer)

    def _call(self, method: str, path: str, form: Mapping[str, str] | None, token: str) -> http.Answer:
        call = http.Call(
            vendor="eskiz",
            method=method,
            url=settings.INTEGRATIONS.eskiz_base_url + path,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            form=form,
            is_idempotent=method != "POST" or path == "/auth/login",
        )
        return self._send(call)

    # The token: one flight at a time

    def _renew(self, stale: str) -> str:
        """A token other than `stale`: somebody else's new one, or our own.

        Raises `VendorBusy` when the queue is too long.
        """
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while time.monotonic() < deadline:
            known = _known_token()
            if known and known != stale:
                return known
            if cache.add(_key("lock"), 1, LOCK_LIFE_S):
                try:
                    return self._fetch(stale)
                finally:
                    cache.delete(_key("lock"))
            time.sleep(LOCK_PAUSE_S)
        raise VendorBusy("eskiz: somebody else is logging in")

    def _fetch(self, stale: str) -> str:
        known = _known_token()
        if known and known != stale:
            return known
        token = (stale and self._token_from(self._call("PATCH", "/auth/refresh", None, stale))) or self._log_in()
        cache.set(_key("token"), token, TOKEN_LIFE_S)
        return token

    def _log_in(self) -> str:
        conf = settings.INTEGRATIONS
        form = {"email": conf.eskiz_email, "password": conf.eskiz_password}
        answer = http.refuse_trouble(self._call("POST", "/auth/login", form, ""))
        if token := self._token_from(answer):
            return token
        raise VendorRefused("eskiz: the login is refused")

    def _token_from(self, answer: http.Answer) -> str:
        told = answer.fields().get("data")
        token = told.get("token") if answer.status == 200 and isinstance(told, dict) else None
        return token if isinstance(token, str) else ""


class FakeEskizSms(Eskiz):
    """The same client, talking to the fake Eskiz in this process."""

    def __init__(self) -> None:
        self.vendor = vendors.eskiz
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def read_callback(body: Mapping[str, Any]) -> SmsReport | None:
    """What a delivery callback says (JSON or form), None when it is none of theirs.

    It is unsigned: see `is_genuine_callback`.
    """
    vendor_id, word = body.get("request_id"), body.get("status")
    if not isinstance(vendor_id, str) or not isinstance(word, str) or not vendor_id or "\0" in vendor_id:
        return None
    return _report(vendor_id, word, None)


def is_genuine_callback(secret: str) -> bool:
    """Whether the last segment of the callback URL is our secret. Without a configured secret, never."""
    expected = settings.INTEGRATIONS.eskiz_callback_secret
    return bool(expected) and http.is_same_secret(secret, expected)


def _message(to: str, text: str) -> tuple[str, dict[str, str]]:
    conf = settings.INTEGRATIONS
    form = {"mobile_phone": to.removeprefix("+"), "message": text, "from": conf.eskiz_from}
    if conf.eskiz_callback_url and conf.eskiz_callback_secret:
        form["callback_url"] = f"{conf.eskiz_callback_url}/{conf.eskiz_callback_secret}"
    if to.startswith("+998"):
        return "/message/sms/send", form
    return "/message/sms/send-global", {
        **form,
        "country_code": phones.country_of(to),
        "unicode": "0" if text.isascii() else "1",
    }


def _refusal(answer: http.Answer) -> VendorRefused:
    return VendorRefused(f"eskiz: {http.redact(str(answer.fields().get('message') or f'status {answer.status}'))}")


def _report(vendor_id: str, word: str, cost: Any) -> SmsReport:
    return SmsReport(vendor_id, _PROGRESS.get(word.upper(), "waiting"), word, _money(cost))


def _money(text: Any) -> Decimal | None:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _key(kind: str) -> str:
    """Cache keys belong to one account at one address, so a changed login does not meet an old token."""
    conf = settings.INTEGRATIONS
    account = hashlib.sha256(f"{conf.eskiz_base_url}\n{conf.eskiz_email}".encode()).hexdigest()[:16]
    return f"integrations:eskiz:{kind}:{account}"


def _known_token() -> str:
    return str(cache.get(_key("token")) or "")
