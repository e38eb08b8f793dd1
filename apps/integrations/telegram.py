"""Telegram (contract integrations 7, contract urgent 4): the bot, and the proofs of who is on the other side.

initData is what a Mini App sends instead of a password; `read_init_data` believes it only after the HMAC (we hold the
bot's token) or, when only the bot's id is configured, after Telegram's own Ed25519 signature. One never stands in for
the other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils import timezone

from apps.integrations import http
from apps.integrations.ports import StarsPayment, VendorBusy, VendorRefused, VendorUnsure, WebhookState
from apps.integrations.sandbox import vendors

FUTURE_TOLERANCE_S = 60
LARGEST_INIT_DATA = 16_384
LARGEST_TELEGRAM_ID = 2**52
PRE_CHECKOUT_TIMEOUT_S = 4.0
STATE_TIMEOUT_S = 2.0
"""Somebody looks at a screen meanwhile."""
LONGEST_MESSAGE = 4096
WANTED_UPDATES = ("message", "pre_checkout_query")


class InitDataRefused(Exception):
    """The proof is not good.

    `reason` is the text that contract urgent 1.0 puts behind "Invalid Telegram initData: ".
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


MISSING_HASH = "Missing hash in initData"
INVALID_HASH = "Invalid hash - data integrity check failed"
MISSING_USER = "Missing user data in initData"
INVALID_USER = "Invalid user ID in initData"
MISSING_SIGNATURE = "Missing signature in initData"
DUPLICATE_KEY = "Duplicate key in initData"
INVALID_DATE = "Invalid auth_date in initData"
TOO_OLD = "initData has expired"


@dataclass(frozen=True)
class TelegramProfile:
    """A proven Telegram user. Texts are cut to Telegram's own limits and hold nothing a database cannot store."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    photo_url: str = ""
    allows_write_to_pm: bool = False
    auth_date: datetime | None = None


# Who opened the Mini App ----------------------------------------------------------------------------------------------


def read_init_data(raw: str, *, now: datetime | None = None) -> TelegramProfile:
    """Prove initData and tell whose it is.

    Raises `InitDataRefused` with the contract's reason (urgent 1.0, 4.1, 4.2).
    """
    fields = _fields(raw)
    if "hash" not in fields:
        raise InitDataRefused(MISSING_HASH)
    if settings.INTEGRATIONS.telegram_bot_token:
        _prove_by_token(fields, settings.INTEGRATIONS.telegram_bot_token)
    else:
        _prove_by_signature(fields)
    signed_at = _fresh(fields, now or timezone.now())
    return _profile(_user(fields), signed_at)


def read_login_widget(fields: Mapping[str, str], *, now: datetime | None = None) -> TelegramProfile:
    """Prove what the login widget of a web page sent. Raises `InitDataRefused`, with the same reasons."""
    given = {str(name): str(value) for name, value in fields.items()}
    if "hash" not in given:
        raise InitDataRefused(MISSING_HASH)
    token = settings.INTEGRATIONS.telegram_bot_token
    if not token or not http.is_same_secret(given["hash"], widget_hash(token, given)):
        raise InitDataRefused(INVALID_HASH)
    signed_at = _fresh(given, now or timezone.now())
    identity = given.get("id", "")
    number = int(identity) if identity.isascii() and identity.isdigit() and len(identity) < 17 else None
    return _profile({**given, "id": number}, signed_at)


def _fields(raw: str) -> dict[str, str]:
    """Decoded pairs; empty values stay (they are part of the proof), a key that comes twice is refused."""
    if len(raw) > LARGEST_INIT_DATA:
        raise InitDataRefused(INVALID_HASH)
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise InitDataRefused(INVALID_HASH) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InitDataRefused(DUPLICATE_KEY)
    return fields


def _prove_by_token(fields: Mapping[str, str], token: str) -> None:
    if not http.is_same_secret(fields["hash"], init_data_hash(token, fields)):
        raise InitDataRefused(INVALID_HASH)


def _prove_by_signature(fields: Mapping[str, str]) -> None:
    conf = settings.INTEGRATIONS
    if not conf.telegram_bot_id:
        raise InitDataRefused(INVALID_HASH)
    if not fields.get("signature"):
        raise InitDataRefused(MISSING_SIGNATURE)
    try:
        signature = base64.b64decode(fields["signature"].rstrip("=") + "==", altchars=b"-_", validate=True)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(conf.telegram_public_key))
        key.verify(signature, _third_party_text(conf.telegram_bot_id, fields))
    except (InvalidSignature, binascii.Error, ValueError):
        raise InitDataRefused(INVALID_HASH) from None


def _fresh(fields: Mapping[str, str], now: datetime) -> datetime:
    """The moment of signing, if it is neither too long ago nor in the future."""
    text = fields.get("auth_date", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise InitDataRefused(INVALID_DATE)
    age = now.timestamp() - int(text)
    if age < -FUTURE_TOLERANCE_S:
        raise InitDataRefused(INVALID_DATE)
    if age > settings.INTEGRATIONS.telegram_init_data_max_age:
        raise InitDataRefused(TOO_OLD)
    return datetime.fromtimestamp(int(text), UTC)


def _user(fields: Mapping[str, str]) -> dict[str, Any]:
    try:
        user = json.loads(fields.get("user", ""))
    except (ValueError, RecursionError):
        raise InitDataRefused(MISSING_USER) from None
    if not isinstance(user, dict):
        raise InitDataRefused(MISSING_USER)
    return user


def _profile(user: Mapping[str, Any], signed_at: datetime) -> TelegramProfile:
    identity = user.get("id")
    if not isinstance(identity, int) or isinstance(identity, bool) or not 0 < identity < LARGEST_TELEGRAM_ID:
        raise InitDataRefused(INVALID_USER)
    photo = _text(user, "photo_url", 512)
    return TelegramProfile(
        id=identity,
        first_name=_text(user, "first_name", 64),
        last_name=_text(user, "last_name", 64),
        username=_text(user, "username", 32),
        language_code=_text(user, "language_code", 10),
        photo_url=photo if photo.startswith("https://") else "",
        allows_write_to_pm=user.get("allows_write_to_pm") is True,
        auth_date=signed_at,
    )


def _text(user: Mapping[str, Any], name: str, longest: int) -> str:
    """A text that PostgreSQL takes: no NUL byte, no lone surrogate (JSON can smuggle both in), not too long."""
    value = user.get(name)
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()[:longest]


# The arithmetic of the proofs -----------------------------------------------------------------------------------------


def init_data_hash(token: str, fields: Mapping[str, str]) -> str:
    """HMAC of everything but `hash`; `signature` is part of it (contract urgent 4.1)."""
    secret = hmac.digest(b"WebAppData", token.encode(), "sha256")
    return hmac.new(secret, _lines(fields, {"hash"}), "sha256").hexdigest()


def widget_hash(token: str, fields: Mapping[str, str]) -> str:
    """HMAC of the login widget, whose secret is the plain SHA-256 of the token."""
    return hmac.new(hashlib.sha256(token.encode()).digest(), _lines(fields, {"hash"}), "sha256").hexdigest()


def sign_init_data(token: str, user: Mapping[str, Any], auth_date: int | datetime, **extra: str) -> str:
    """initData as Telegram would give it to a Mini App of the bot with that token: for tests, sandbox and journeys."""
    fields = _unsigned(user, auth_date, extra)
    return urlencode({**fields, "hash": init_data_hash(token, fields)})


def sign_for_third_party(
    key: Ed25519PrivateKey, bot_id: str, user: Mapping[str, Any], auth_date: int | datetime, **extra: str
) -> str:
    """initData signed with a key of one's own, whose public half goes into TELEGRAM_PUBLIC_KEY.

    The `hash` in it is only decoration.
    """
    fields = _unsigned(user, auth_date, extra)
    signature = base64.urlsafe_b64encode(key.sign(_third_party_text(bot_id, fields))).rstrip(b"=").decode()
    return urlencode({**fields, "signature": signature, "hash": "0" * 64})


def _unsigned(user: Mapping[str, Any], auth_date: int | datetime, extra: Mapping[str, str]) -> dict[str, str]:
    moment = auth_date if isinstance(auth_date, int) else int(auth_date.timestamp())
    return {
        "user": json.dumps(user, ensure_ascii=False, separators=(",", ":")),
        "auth_date": str(moment),
        **extra,
    }


def _third_party_text(bot_id: str, fields: Mapping[str, str]) -> bytes:
    return f"{bot_id}:WebAppData\n".encode() + _lines(fields, {"hash", "signature"})


def _lines(fields: Mapping[str, str], without: set[str]) -> bytes:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in without).encode()


def is_genuine_update(secret_header: str | None) -> bool:
    """Whether an update came from Telegram: header X-Telegram-Bot-Api-Secret-Token.

    Without a configured secret, never.
    """
    expected = settings.INTEGRATIONS.telegram_webhook_secret
    return bool(expected) and http.is_same_secret(secret_header or "", expected)


# The bot --------------------------------------------------------------------------------------------------------------


class TelegramBot:
    """The `Bot` port over the Bot API."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def send_message(self, *, chat_id: int, text: str, button: tuple[str, str] | None = None) -> int:
        asked: dict[str, Any] = {"chat_id": chat_id, "text": text[:LONGEST_MESSAGE]}
        if button:
            label, url = button
            asked["reply_markup"] = {"inline_keyboard": [[{"text": label, "url": url}]]}
        result = self._ask("sendMessage", asked)
        return int(result["message_id"]) if isinstance(result, dict) and "message_id" in result else 0

    def stars_link(self, *, title: str, description: str, payload: str, stars: int) -> str:
        asked = {
            "title": title[:32],
            "description": description[:255],
            "payload": payload,
            "provider_token": "",
            "currency": "XTR",
            "prices": [{"label": title[:32], "amount": stars}],
        }
        # A second link would do no harm: only a payment moves money.
        return str(self._ask("createInvoiceLink", asked, is_idempotent=True))

    def answer_pre_checkout(self, *, query_id: str, ok: bool, error: str = "") -> None:
        asked: dict[str, Any] = {"pre_checkout_query_id": query_id, "ok": ok}
        if not ok:
            asked["error_message"] = error or "Payment is not possible"
        self._ask("answerPreCheckoutQuery", asked, is_idempotent=True, read_timeout_s=PRE_CHECKOUT_TIMEOUT_S)

    def refund_stars(self, *, telegram_id: int, charge_id: str) -> bool:
        try:
            self._ask(
                "refundStarPayment", {"user_id": telegram_id, "telegram_payment_charge_id": charge_id}, money=True
            )
        except VendorRefused as refused:
            if "CHARGE_ALREADY_REFUNDED" in refused.reason:
                return False
            raise
        return True

    def stars_payments(self, *, offset: int = 0, limit: int = 100) -> list[StarsPayment]:
        result = self._ask("getStarTransactions", {"offset": offset, "limit": limit}, is_idempotent=True)
        return [_stars_payment(row) for row in result["transactions"]]

    def set_webhook(self, *, url: str, secret: str) -> None:
        asked = {"url": url, "secret_token": secret, "allowed_updates": list(WANTED_UPDATES)}
        self._ask("setWebhook", asked, is_idempotent=True)

    def webhook_state(self) -> WebhookState:
        told = self._ask("getWebhookInfo", {}, read_timeout_s=STATE_TIMEOUT_S)
        failed_at = told.get("last_error_date")
        return WebhookState(
            url=str(told.get("url", "")),
            waiting=int(told.get("pending_update_count", 0)),
            error_at=datetime.fromtimestamp(int(failed_at), UTC) if failed_at else None,
            error=http.redact(str(told.get("last_error_message", ""))),
        )

    def _ask(
        self,
        method: str,
        asked: Mapping[str, Any],
        *,
        is_idempotent: bool = False,
        money: bool = False,
        read_timeout_s: float = http.READ_TIMEOUT_S,
    ) -> Any:
        """Call one method and unwrap its result.

        `money`: a fault of theirs leaves us unsure instead of free to repeat.
        """
        conf = settings.INTEGRATIONS
        if not conf.telegram_bot_token:
            raise VendorRefused("the bot is not configured")
        answer = self._send(
            http.Call(
                vendor="telegram",
                method="POST",
                url=f"{conf.telegram_api_base}/bot{conf.telegram_bot_token}/{method}",
                json=asked,
                is_idempotent=is_idempotent,
                read_timeout_s=read_timeout_s,
            )
        )
        return _unwrap(answer, money=money)


def _unwrap(answer: http.Answer, *, money: bool) -> Any:
    body = answer.fields()
    if answer.status == 200 and body.get("ok") is True:
        return body.get("result")
    if answer.status == 200 or (answer.status >= 500 and money):
        raise VendorUnsure(f"telegram: status {answer.status}")
    if answer.status >= 500:
        raise VendorBusy(f"telegram: status {answer.status}", retry_after=answer.retry_after)
    raise _refusal(answer.status, body)


def _refusal(status: int, body: Mapping[str, Any]) -> VendorBusy | VendorRefused:
    description = str(body.get("description") or f"status {status}")
    if status == 429:
        parameters = body.get("parameters")
        wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
        return VendorBusy("telegram: too many requests", retry_after=wait if isinstance(wait, int) else None)
    # 403: blocked by the user, or the account is gone; "chat not found": the person never opened the bot.
    is_dead = status == 403 or "chat not found" in description
    return VendorRefused(f"telegram: {http.redact(description)}", dead=is_dead)


def _stars_payment(row: Mapping[str, Any]) -> StarsPayment:
    """A row with `source` came from a person, one with `receiver` went to a person."""
    partner = row.get("source") or row.get("receiver") or {}
    amount = int(row["amount"])
    return StarsPayment(
        charge_id=str(row["id"]),
        stars=amount if row.get("source") else -amount,
        payload=str(partner.get("invoice_payload", "")),
        telegram_id=(partner.get("user") or {}).get("id"),
        at=datetime.fromtimestamp(int(row["date"]), UTC),
    )


class FakeBot(TelegramBot):
    """The same client, talking to the fake Telegram in this process.

    `.vendor` is the one that `/__sandbox/telegram` serves.
    """

    def __init__(self) -> None:
        self.vendor = vendors.telegram
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Messages so far, oldest first: {chat_id, text, button}."""
        return list(self.vendor.messages)
