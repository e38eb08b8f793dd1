"""The doors to the outside world: what we ask of vendors, in our words (design 3.14).

`port("sms")` gives the adapter that `settings.PORTS` names. Every adapter raises only the three errors below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Any, Literal, Protocol, overload

from django.conf import settings
from django.utils.module_loading import import_string

from apps.integrations.dishes import MenuSystem
from apps.integrations.guests import LoyaltySystem


class VendorError(Exception):
    """Something went wrong outside. Catch one of the three below; they never hold a token, a phone or a code."""


class VendorBusy(VendorError):
    """Not done, ask again later: no connection, too many requests, a fault of theirs.

    `retry_after` in seconds, if they said.
    """

    def __init__(self, reason: str = "busy", *, retry_after: int | None = None) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


class VendorRefused(VendorError):
    """Not done and never will be. `dead` = the address itself is gone (blocked bot, unregistered device): forget it."""

    def __init__(self, reason: str, *, dead: bool = False) -> None:
        self.reason = reason
        self.dead = dead
        super().__init__(reason)


class VendorUnsure(VendorError):
    """Sent, but no answer came: it may have been done. Ask the vendor before doing it again."""

    def __init__(self, reason: str = "no answer") -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class SmsReceipt:
    """The vendor took the text. `cost` is in the vendor's currency, None when it is not told at once."""

    vendor_id: str
    cost: Decimal | None = None


SMS_PROGRESS = ("", "waiting", "accepted", "failed", "delivered")
"""How far a text has come; nothing is known of the first. Reports arrive in any order and only lead onwards."""


@dataclass(frozen=True)
class SmsReport:
    """What became of a text. `status`: waiting | accepted | delivered | failed; `word` is the vendor's own."""

    vendor_id: str
    status: Literal["waiting", "accepted", "delivered", "failed"]
    word: str
    cost: Decimal | None = None

    @property
    def overtakes(self) -> tuple[str, ...]:
        """What this report replaces: a late ACCEPTED does not undo DELIVRD, and a repeat changes nothing."""
        return SMS_PROGRESS[: SMS_PROGRESS.index(self.status)]


@dataclass(frozen=True)
class CryptoInvoice:
    """A CryptoBot invoice. `status`: active | paid | expired; `mini_app_url` begins with https://t.me/ or is None.

    `payload` is what we gave it: it finds an invoice whose number never reached us.
    """

    invoice_id: int
    status: str
    pay_url: str
    mini_app_url: str | None = None
    payload: str = ""


@dataclass(frozen=True)
class YukassaPayment:
    """A YooKassa payment. `status`: pending | waiting_for_capture | succeeded | canceled.

    `amount` and `refunded` are in `currency`; `pay_url` is empty once there is nothing to confirm; `mark` is ours.
    """

    payment_id: str
    status: str
    amount: Decimal
    currency: str
    refunded: Decimal = Decimal(0)
    pay_url: str = ""
    mark: str = ""


@dataclass(frozen=True)
class StarsPayment:
    """One row of the bot's Stars account: `charge_id` is unique; `stars` < 0 for money that left the bot (refunds)."""

    charge_id: str
    stars: int
    payload: str
    telegram_id: int | None
    at: datetime


@dataclass(frozen=True)
class WebhookState:
    """Telegram's own view of where it sends our bot's updates; the last error stays after updates get through again."""

    url: str
    waiting: int
    """Updates that we have not taken yet."""
    error_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True)
class PushTarget:
    """One device.

    `kind` "fcm" needs `token`; "web" needs `endpoint`, `p256dh`, `auth` of the browser's subscription.
    """

    kind: Literal["fcm", "web"]
    token: str = field(default="", repr=False)
    endpoint: str = field(default="", repr=False)
    p256dh: str = field(default="", repr=False)
    auth: str = field(default="", repr=False)


@dataclass(frozen=True)
class BasketLine:
    """One line of a fiscal receipt. `price` is of one piece; `spic` (IKPU) and `package_code` name the goods."""

    title: str
    count: int
    price: Decimal
    spic: str = ""
    package_code: str = ""
    vat_percent: int | None = None
    inn: str = ""


@dataclass(frozen=True)
class CardOrder:
    """What a gateway is asked to collect. `transaction_id` is our idempotency key: the first call fixes the rest."""

    transaction_id: str
    amount: Decimal
    currency: str
    description: str
    return_url: str = ""
    language: str = "ru"
    is_two_stage: bool = False
    lifetime_minutes: int = 15
    basket: tuple[BasketLine, ...] = ()
    payer_id: str = ""
    payer_phone: str = field(default="", repr=False)
    payer_email: str = field(default="", repr=False)
    asked_at: datetime | None = None


@dataclass(frozen=True)
class CardStanding:
    """What a gateway says about a payment. `state`: open | held | paid | refunded | over | failed | unknown.

    `word` is the gateway's own; `amount` and `refunded` are None when it does not say.
    """

    state: Literal["open", "held", "paid", "refunded", "over", "failed", "unknown"]
    word: str = ""
    vendor_id: str = ""
    pay_url: str = ""
    amount: Decimal | None = None
    refunded: Decimal | None = None
    mini_app_url: str = ""
    """The page inside Telegram; begins with https://t.me/ or is empty."""
    payer_id: str = ""
    """Who paid, as the gateway calls him, when refunds need it."""


@dataclass(frozen=True)
class RefundStanding:
    """What a gateway says about a refund: accepted (`pending`) is not done."""

    state: Literal["pending", "done", "failed"]
    word: str = ""
    vendor_id: str = ""


@dataclass(frozen=True)
class CardNotice:
    """A gateway's notice in our words: a rumour until the gateway has been asked. Nothing in it is proven."""

    transaction_id: str
    vendor_id: str
    word: str
    amount: Decimal | None = None
    refunded: Decimal | None = None
    signature: str = field(default="", repr=False)
    hash_key: str = field(default="", repr=False)
    shown: Mapping[str, Any] = field(default_factory=dict)


class Sms(Protocol):
    """Short texts to phones."""

    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        """Send `text` to an E.164 number. `reference` is our own id, passed on where the vendor has a place for it."""
        ...


class Mail(Protocol):
    """E-mail."""

    def send(self, *, to: str, subject: str, text: str, html: str = "") -> None:
        """Send one letter; `html` is the richer form of `text`."""
        ...


class Bot(Protocol):
    """Our Telegram bot (contract integrations 7)."""

    def send_message(self, *, chat_id: int, text: str, button: tuple[str, str] | None = None) -> int:
        """Plain text of 1..4096 characters, with an optional (label, url) button; answers the message id.

        `VendorRefused(dead=True)` when the person blocked the bot or never opened it.
        """
        ...

    def stars_link(self, *, title: str, description: str, payload: str, stars: int) -> str:
        """A payment link `https://t.me/$…` for that many Telegram Stars.

        `payload` (1..128 bytes) comes back with the money.
        """
        ...

    def answer_pre_checkout(self, *, query_id: str, ok: bool, error: str = "") -> None:
        """Say yes or no to a payment that is about to happen; must arrive within 10 seconds of the question."""
        ...

    def refund_stars(self, *, telegram_id: int, charge_id: str) -> bool:
        """Give the Stars back. True = refunded now, False = it had been refunded before."""
        ...

    def stars_payments(self, *, offset: int = 0, limit: int = 100) -> Sequence[StarsPayment]:
        """The bot's Stars account, oldest first, for reconciliation; `limit` is 1..100."""
        ...

    def set_webhook(self, *, url: str, secret: str) -> None:
        """Ask for updates (messages and pre-checkout queries) at `url`, proved by `secret` in a header."""
        ...

    def webhook_state(self) -> WebhookState:
        """Whether updates get through, by Telegram's account; asked once, with little patience."""
        ...


class Crypto(Protocol):
    """Invoices paid in crypto through CryptoBot (contract integrations 8)."""

    def is_configured(self) -> bool:
        """Whether we hold a token at all."""
        ...

    def create_invoice(
        self, *, amount: Decimal, fiat: str, description: str, payload: str, lifetime_seconds: int
    ) -> CryptoInvoice:
        """An invoice over a fiat amount that lives 1..2678400 seconds."""
        ...

    def invoices(self, ids: list[int]) -> list[CryptoInvoice]:
        """The present state of those invoices; unknown ids are left out."""
        ...

    def recent_invoices(self, *, count: int = 100) -> list[CryptoInvoice]:
        """The newest invoices of our app, newest first, at most 1000: for invoices whose number never reached us."""
        ...

    def is_genuine(self, raw: bytes, signature: str) -> bool:
        """Whether a webhook body (raw bytes) was signed with our token."""
        ...


class CardGateway(Protocol):
    """Money from cards and wallets: OCTO, Payme, Click (contract integrations 1 to 3).

    Every method raises `VendorBusy`, `VendorRefused` and, when money may have moved, `VendorUnsure`.
    """

    two_stages: bool
    """Whether money can be held first and captured later."""

    refunds_in_parts: bool
    """Whether less than the whole can go back."""

    largest_refund: Decimal | None
    """The most that one call gives back; None = no limit."""

    def is_configured(self) -> bool:
        """Whether we hold the keys at all."""
        ...

    def start(self, order: CardOrder) -> CardStanding:
        """Ask to collect. Repeating with the same `transaction_id` never charges twice."""
        ...

    def ask(self, *, transaction_id: str, vendor_id: str = "", on: datetime | None = None) -> CardStanding:
        """How the payment stands; `on` is the day it was made. `unknown` when there is nothing to ask, or no such."""
        ...

    def capture(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        """Take held money, all or a part; the rest goes back to the card."""
        ...

    def cancel(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        """Let held money go."""
        ...

    def refund(self, *, vendor_id: str, refund_id: str, amount: Decimal, payer_id: str = "") -> RefundStanding:
        """Give money back; `payer_id` for gateways that want to know to whom. Repeating with the same `refund_id` gives
        it back once and answers how it stands.
        """
        ...

    def read_notice(self, raw: bytes, content_type: str) -> CardNotice:
        """A webhook body in our words. Raises `ValueError` when it is none."""
        ...

    def is_genuine(self, notice: CardNotice) -> bool:
        """Whether the signature proves the sender; always False without a key."""
        ...

    def trusts_notices(self) -> bool:
        """False: signatures are not looked at, a notice only makes us ask."""
        ...


class Payme(CardGateway, Protocol):
    """Payme calls us by JSON-RPC and proves itself by Basic auth (contract integrations 2)."""

    account_field: str
    """The field of `account` that carries our transaction id."""

    def key_of(self, authorization: str) -> str:
        """The key in an Authorization header; empty when there is none or the login is not Payme's."""
        ...

    def is_key(self, given: str) -> bool:
        """Whether this is the key of our settings, compared in constant time."""
        ...

    def is_key_digest(self, given: str, digest: str) -> bool:
        """Whether the SHA-256 of this key is `digest` (a key that Payme changed by itself), in constant time."""
        ...


class Click(CardGateway, Protocol):
    """Click calls us with a form and proves itself by an md5 over the raw texts (contract integrations 3)."""

    def is_signed(self, fields: Mapping[str, str]) -> bool:
        """Whether `sign_string` fits the other fields as they were received."""
        ...

    def is_ours(self, service_id: str) -> bool:
        """Whether this is the service we were given."""
        ...


class Yukassa(Protocol):
    """Payments by card through YooKassa (contract urgent 10). Its notices are unsigned: only `payment` is its word."""

    def is_configured(self) -> bool:
        """Whether we hold a shop id and its key."""
        ...

    def create_payment(
        self, *, amount: Decimal, currency: str, description: str, mark: str, return_url: str
    ) -> YukassaPayment:
        """A payment that is captured at once.

        The same `mark` (1..64 characters) with the same other arguments gives the same payment, for a day: after
        `VendorUnsure` simply ask again.
        """
        ...

    def payment(self, payment_id: str) -> YukassaPayment | None:
        """The present state of a payment; None when the shop has no such payment."""
        ...


class Push(Protocol):
    """Notifications on devices (contract integrations 9)."""

    def send(self, *, target: PushTarget, title: str, body: str, payload: Mapping[str, Any] | None = None) -> None:
        """Send to one device. `VendorRefused(dead=True)`: the device is gone, delete it."""
        ...


_built: dict[tuple[str, str], Any] = {}
_lock = Lock()


@overload
def port(name: Literal["sms"]) -> Sms: ...
@overload
def port(name: Literal["mail"]) -> Mail: ...
@overload
def port(name: Literal["bot"]) -> Bot: ...
@overload
def port(name: Literal["crypto"]) -> Crypto: ...
@overload
def port(name: Literal["octo"]) -> CardGateway: ...
@overload
def port(name: Literal["payme"]) -> Payme: ...
@overload
def port(name: Literal["click"]) -> Click: ...
@overload
def port(name: Literal["yukassa"]) -> Yukassa: ...
@overload
def port(name: Literal["push", "web_push"]) -> Push: ...
@overload
def port(name: Literal["loyalty_system"]) -> LoyaltySystem: ...
@overload
def port(name: Literal["menu"]) -> MenuSystem: ...
@overload
def port(name: str) -> Any: ...
def port(name: str) -> Any:
    """The adapter behind a door, built once per process and dotted path. Raises `KeyError` for a door nobody opened."""
    path = settings.PORTS[name]
    with _lock:
        if (name, path) not in _built:
            _built[name, path] = import_string(path)()
        return _built[name, path]


def reset() -> None:
    """Forget every adapter, so that the next test meets new ones."""
    with _lock:
        _built.clear()
