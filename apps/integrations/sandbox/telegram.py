"""A Telegram that knows our bot: messages, blocked people, Stars payments with their two updates, the webhook."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Condition
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.vendor import (
    KEPT_THINGS,
    Body,
    Bounded,
    Control,
    ControlRefused,
    Notice,
    Vendor,
    parameters,
    whole,
    word,
)

PATH = re.compile(r"/bot(?P<token>[^/]+)/(?:test/)?(?P<method>\w+)/?$")
PRE_CHECKOUT_SECONDS = 10.0
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}$")
DEMO_PERSON = {"id": 279058397, "is_bot": False, "first_name": "Malika", "language_code": "uz"}


class BadRequest(Exception):
    """Telegram's `ok: false`."""

    def __init__(self, description: str, code: int = 400, **parameters: int) -> None:
        self.description = description
        self.code = code
        self.parameters = parameters
        super().__init__(description)


@dataclass(frozen=True)
class StarsInvoice:
    """What a link of createInvoiceLink asks for."""

    slug: str
    title: str
    description: str
    payload: str
    stars: int


@dataclass
class Checkout:
    """A pre-checkout question and, later, the bot's word about it (None = not answered yet)."""

    query_id: str
    invoice: StarsInvoice
    person: Mapping[str, Any]
    is_allowed: bool | None = None
    error: str = ""
    charge_id: str = ""


class FakeTelegram(Vendor):
    """The Bot API for one bot, the configured one."""

    name: ClassVar[str] = "telegram"

    def __init__(self) -> None:
        self._answered = Condition()
        super().__init__()

    def forget(self) -> None:
        self.messages: deque[dict[str, Any]] = deque(maxlen=KEPT_THINGS)
        self.invoices: dict[str, StarsInvoice] = Bounded()
        self.checkouts: dict[str, Checkout] = Bounded()
        self.transactions: deque[dict[str, Any]] = deque(maxlen=KEPT_THINGS)
        self.blocked: set[int] = set()
        self.strangers: set[int] = set()
        self._tell_nothing("", "")
        self._update_id = secrets.randbelow(10**8) + 1
        self._message_id = 0

    # The Bot API

    def answer(self, asked: Asked) -> Reply:
        found = PATH.search(asked.path)
        token = settings.INTEGRATIONS.telegram_bot_token
        if not found or not token or not hmac.compare_digest(found["token"].encode(), token.encode()):
            return self._error(BadRequest("Unauthorized", 401))
        method = self._methods().get(found["method"].lower())
        if not method:
            return self._error(BadRequest("Not Found", 404))
        try:
            with self.lock:
                return Reply.json({"ok": True, "result": method(parameters(asked))})
        except BadRequest as refused:
            return self._error(refused)

    def failure(self, status: int, retry_after: int | None) -> Reply:
        words = {429: "Too Many Requests", 403: "Forbidden: bot was blocked by the user"}.get(
            status, "Internal Server Error"
        )
        if retry_after is None:
            return self._error(BadRequest(words, status))
        return self._error(BadRequest(f"{words}: retry after {retry_after}", status, retry_after=retry_after))

    def _error(self, refused: BadRequest) -> Reply:
        body: dict[str, Any] = {"ok": False, "error_code": refused.code, "description": refused.description}
        if refused.parameters:
            body["parameters"] = refused.parameters
        return Reply.json(body, refused.code)

    def _methods(self) -> dict[str, Any]:
        return {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "createinvoicelink": self._create_invoice_link,
            "answerprecheckoutquery": self._answer_pre_checkout,
            "refundstarpayment": self._refund_star_payment,
            "getstartransactions": self._get_star_transactions,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
        }

    def _get_me(self, asked: Body) -> dict[str, Any]:
        conf = settings.INTEGRATIONS
        identity = conf.telegram_bot_token.partition(":")[0]
        return {
            "id": int(identity) if identity.isdigit() else 0,
            "is_bot": True,
            "first_name": "Mahalla",
            "username": conf.telegram_bot_username,
        }

    def _send_message(self, asked: Body) -> dict[str, Any]:
        chat, text = _number(asked, "chat_id"), str(asked.get("text") or "")
        if not text.strip():
            raise BadRequest("Bad Request: message text is empty")
        if len(text) > 4096:
            raise BadRequest("Bad Request: message is too long")
        if chat in self.strangers:
            raise BadRequest("Bad Request: chat not found")
        if chat in self.blocked:
            raise BadRequest("Forbidden: bot was blocked by the user", 403)
        self._message_id += 1
        self.messages.append({"chat_id": chat, "text": text, "button": _button(asked)})
        recorder.record("bot", chat, text)
        return {
            "message_id": self._message_id,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"},
            "text": text,
        }

    def _create_invoice_link(self, asked: Body) -> str:
        prices = _nested(asked, "prices")
        if asked.get("currency") != "XTR" or asked.get("provider_token"):
            raise BadRequest("Bad Request: PAYMENT_PROVIDER_INVALID")
        if not isinstance(prices, list) or len(prices) != 1 or not isinstance(prices[0], dict):
            raise BadRequest("Bad Request: STARS_INVOICE_INVALID")
        title, description, payload = (str(asked.get(name) or "") for name in ("title", "description", "payload"))
        if not 1 <= len(title) <= 32 or not 1 <= len(description) <= 255 or not 1 <= len(payload.encode()) <= 128:
            raise BadRequest("Bad Request: INVOICE_PARAMETERS_INVALID")
        stars = _number(prices[0], "amount")
        if not 1 <= stars <= 100_000:
            raise BadRequest("Bad Request: STARS_INVOICE_INVALID")
        slug = secrets.token_urlsafe(12)
        self.invoices[slug] = StarsInvoice(slug, title, description, payload, stars)
        return f"https://t.me/${slug}"

    def _answer_pre_checkout(self, asked: Body) -> bool:
        checkout = self.checkouts.get(str(asked.get("pre_checkout_query_id")))
        if not checkout or checkout.is_allowed is not None:
            raise BadRequest("Bad Request: query is too old and response timeout expired or query ID is invalid")
        checkout.error = str(asked.get("error_message") or "")
        with self._answered:
            checkout.is_allowed = asked.get("ok") in (True, "true", "True", "1")
            self._answered.notify_all()
        return True

    def _refund_star_payment(self, asked: Body) -> bool:
        charge, person = str(asked.get("telegram_payment_charge_id")), _number(asked, "user_id")
        paid = [row for row in self.transactions if row["id"] == charge and "source" in row]
        if not paid or paid[0]["source"]["user"]["id"] != person:
            raise BadRequest("Bad Request: CHARGE_NOT_FOUND")
        if any(row["id"] == charge and "receiver" in row for row in self.transactions):
            raise BadRequest("Bad Request: CHARGE_ALREADY_REFUNDED")
        row = paid[0]
        self.transactions.append({**_without(row, "source"), "receiver": row["source"], "date": int(time.time())})
        return True

    def _get_star_transactions(self, asked: Body) -> dict[str, Any]:
        start = _number(asked, "offset", 0)
        limit = _number(asked, "limit", 100)
        if not 1 <= limit <= 100 or start < 0:
            raise BadRequest("Bad Request: LIMIT_INVALID")
        return {"transactions": list(self.transactions)[start : start + limit]}

    def _set_webhook(self, asked: Body) -> bool:
        url, secret = str(asked.get("url") or ""), str(asked.get("secret_token") or "")
        parts = urlsplit(url)
        if url and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
            raise BadRequest("Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not SECRET_TOKEN.fullmatch(secret):
            raise BadRequest("Bad Request: secret token contains unallowed characters")
        self._tell_nothing(url, secret)
        return True

    def _delete_webhook(self, asked: Body) -> bool:
        self._tell_nothing("", "")
        return True

    def _tell_nothing(self, url: str, secret: str) -> None:
        """Another address begins with nothing waiting and no error."""
        self.webhook: dict[str, Any] = {"url": url, "secret_token": secret}
        self._failure: dict[str, Any] = {}
        self._waiting = 0

    def _get_webhook_info(self, asked: Body) -> dict[str, Any]:
        told = {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": self._waiting}
        return {**told, **self._failure}

    # Updates to our webhook

    def webhook_url(self) -> str:
        """What setWebhook said, else the configured default."""
        return self.webhook["url"] or super().webhook_url()

    def deliver(self, notice: Notice) -> dict[str, Any]:
        """As every vendor; what nobody took waits until something is taken, and the last error is kept."""
        told = super().deliver(notice)
        with self.lock:
            self._waiting = 0 if told["status"] == 200 else self._waiting + 1
            if self._waiting:
                words = f"Wrong response from the webhook: {told['status'] or 'no connection'}"
                self._failure = {"last_error_date": int(time.time()), "last_error_message": words}
        return told

    def update(self, **content: Any) -> Notice:
        """An update ready to be posted, with the secret header."""
        with self.lock:
            self._update_id += 1
            body = {"update_id": self._update_id, **content}
        agreed = self.webhook["secret_token"] or settings.INTEGRATIONS.telegram_webhook_secret
        secret = "forged" if self._is_forging() else agreed
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
        return Notice(self.webhook_url(), headers, json.dumps(body, ensure_ascii=False).encode())

    def text_from(self, person: Body, text: str) -> Notice:
        """The update of a person who writes to the bot."""
        return self.update(message={**self._message(person), "text": text})

    def pre_checkout(self, link: str, person: Body) -> tuple[str, Notice]:
        """A person presses "pay" on a Stars link: the query's id and the update that asks our bot.

        Raises ControlRefused.
        """
        invoice = self.invoices.get(link.rpartition("$")[2])
        if not invoice:
            raise ControlRefused("No such Stars link", 404)
        query_id = str(secrets.randbelow(10**18))
        self.checkouts[query_id] = Checkout(query_id, invoice, person)
        question = {
            "id": query_id,
            "from": dict(person),
            "currency": "XTR",
            "total_amount": invoice.stars,
            "invoice_payload": invoice.payload,
        }
        return query_id, self.update(pre_checkout_query=question)

    def successful_payment(self, query_id: str) -> Notice:
        """The Stars have moved: the update with the money. Raises ControlRefused unless the bot said yes."""
        checkout = self.checkouts.get(query_id)
        if not checkout or not checkout.is_allowed:
            raise ControlRefused("The bot has not agreed to this payment")
        with self.lock:
            if not checkout.charge_id:
                checkout.charge_id = f"stx{secrets.token_hex(16)}"
                self.transactions.append(_transaction(checkout))
        payment = {
            "currency": "XTR",
            "total_amount": checkout.invoice.stars,
            "invoice_payload": checkout.invoice.payload,
            "telegram_payment_charge_id": checkout.charge_id,
            "provider_payment_charge_id": checkout.query_id,
        }
        return self.update(message={**self._message(checkout.person), "successful_payment": payment})

    def wait_for_word(self, query_id: str, seconds: float = PRE_CHECKOUT_SECONDS) -> Checkout:
        """The checkout once the bot has spoken, or unanswered after the ten seconds Telegram gives."""
        checkout = self.checkouts[query_id]
        with self._answered:
            self._answered.wait_for(lambda: checkout.is_allowed is not None, seconds)
        return checkout

    def pay(self, link: str, person: Body) -> dict[str, Any]:
        """The whole payment: question, answer, money; tells how each delivery went."""
        query_id, question = self.pre_checkout(link, person)
        asked = self.deliver(question)
        checkout = self.wait_for_word(query_id, PRE_CHECKOUT_SECONDS if asked["status"] == 200 else 0.0)
        told: dict[str, Any] = {"ok": bool(checkout.is_allowed), "error": checkout.error, "pre_checkout": asked}
        if checkout.is_allowed:
            told["successful_payment"] = self.deliver(self.successful_payment(query_id))
            told["charge_id"] = checkout.charge_id
        return told

    def _message(self, person: Body) -> dict[str, Any]:
        self._message_id += 1
        chat = {"id": person["id"], "type": "private", "first_name": person.get("first_name", "")}
        return {"message_id": self._message_id, "date": int(time.time()), "from": dict(person), "chat": chat}

    # Control calls

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "pay": lambda body: self.pay(word(body, "link"), _person(body)),
            "say": lambda body: {
                "ok": True,
                "delivery": self.deliver(self.text_from(_person(body), word(body, "text"))),
            },
            "block": lambda body: self._mark(self.blocked.add, body),
            "unblock": lambda body: self._mark(self.blocked.discard, body),
            "stranger": lambda body: self._mark(self.strangers.add, body),
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "messages": list(self.messages)[-100:],
                "links": [f"https://t.me/${slug}" for slug in self.invoices],
                "transactions": list(self.transactions)[-100:],
                "blocked": sorted(self.blocked),
                "webhook": self.webhook["url"],
            }

    def _mark(self, change: Any, body: Body) -> dict[str, Any]:
        change(whole(body, "chat_id"))
        return {"ok": True}


def _transaction(checkout: Checkout) -> dict[str, Any]:
    return {
        "id": checkout.charge_id,
        "amount": checkout.invoice.stars,
        "date": int(time.time()),
        "source": {
            "type": "user",
            "transaction_type": "invoice_payment",
            "user": dict(checkout.person),
            "invoice_payload": checkout.invoice.payload,
        },
    }


def _person(body: Body) -> dict[str, Any]:
    given = body.get("user", {})
    if not isinstance(given, dict) or not isinstance(given.get("id", 1), int):
        raise ControlRefused("user must be an object with a whole number as id")
    return {**DEMO_PERSON, **given}


def _number(asked: Body, name: str, default: int | None = None) -> int:
    value = asked.get(name, default)
    try:
        return int(value)  # type: ignore[arg-type]  # whatever is not a number lands below
    except (TypeError, ValueError, OverflowError):
        raise BadRequest(f"Bad Request: {name} is invalid") from None


def _nested(asked: Body, name: str) -> Any:
    """A nested value: JSON already, or JSON text inside a form."""
    value = asked.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise BadRequest(f"Bad Request: can't parse {name} JSON object") from None


def _button(asked: Body) -> tuple[str, str] | None:
    markup = _nested(asked, "reply_markup")
    try:
        first = markup["inline_keyboard"][0][0]
        return first["text"], first["url"]
    except (TypeError, KeyError, IndexError):
        return None


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
