"""Facts of the market. All carry ids and small values; contacts and descriptions never travel in them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class OrderCreated(Event):
    """A client has posted an order."""

    order_id: str
    client_id: int
    category: str
    city: str


@dataclass(frozen=True)
class OrderUpdated(Event):
    """The client has changed the words of an order, or answered its takers."""

    order_id: str
    category: str
    city: str


@dataclass(frozen=True)
class OrderTaken(Event):
    """An executor has bought the contact; `executor_count` includes this one."""

    order_id: str
    client_id: int
    executor_id: int
    executor_count: int


@dataclass(frozen=True)
class OrderResponded(Event):
    """The client has told the takers "I have answered"."""

    order_id: str
    client_id: int


@dataclass(frozen=True)
class OrderFinished(Event):
    """An order has left `active` (or an expired one was deleted). `status` is the new one."""

    order_id: str
    client_id: int
    status: str
    category: str
    city: str
    by_timer: bool


@dataclass(frozen=True)
class TakeRefunded(Event):
    """An executor has his money back: nobody answered, or staff decided so."""

    order_id: str
    executor_id: int
    amount: int
    reason: str


@dataclass(frozen=True)
class MemberWasBlocked(Event):
    """Staff have blocked a member."""

    member_id: int


@dataclass(frozen=True)
class InvoicePaid(Event):
    """Money of a provider has been credited."""

    invoice_id: int
    member_id: int
    amount: int


@dataclass(frozen=True)
class InvoiceRefunded(Event):
    """A top-up goes back, or went, and the balance was debited."""

    invoice_id: int
    member_id: int
    amount: int


@dataclass(frozen=True)
class ReviewLeft(Event):
    """A client has rated an executor."""

    review_id: int
    order_id: str
    executor_id: int
    rating: int


@dataclass(frozen=True)
class ReviewModerated(Event):
    """Staff have hidden or restored a review."""

    review_id: int
    executor_id: int
    status: str


@dataclass(frozen=True)
class ComplaintDecided(Event):
    """Staff have resolved or dismissed a complaint."""

    complaint_id: int
    order_id: str
    executor_id: int
    status: str


@dataclass(frozen=True)
class MemberToTell(Event):
    """One announcement is to be delivered."""

    announcement_id: int


@dataclass(frozen=True)
class BotOpened(Event):
    """Somebody pressed Start in the bot. `start` is the deep link's parameter."""

    telegram_id: int
    language: str
    start: str


@dataclass(frozen=True)
class MailCodeWanted(Event):
    """A member has given an address that is to be proved. The code is made when it is sent, so it is stored nowhere."""

    member_id: int
