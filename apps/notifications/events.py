"""Facts that notifications announce. Products filter on `product`."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core import events


@dataclass(frozen=True)
class DeliveriesQueued(events.Event):
    """Messages wait to go out; wakes the worker."""

    count: int


@dataclass(frozen=True)
class MessageDelivered(events.Event):
    """A vendor took the message (HTTP 200 from Telegram, a receipt from the SMS house…)."""

    notification_id: int
    user_id: int
    product: str
    kind: str
    key: str
    channel: str


@dataclass(frozen=True)
class MessageNotDelivered(events.Event):
    """It will not be tried again. `state`: failed, dead or unsure."""

    notification_id: int
    user_id: int
    product: str
    kind: str
    key: str
    channel: str
    state: str


@dataclass(frozen=True)
class AddressDied(events.Event):
    """The person blocked our bot, or a device is gone: the address has been forgotten."""

    user_id: int
    product: str
    channel: str


@dataclass(frozen=True)
class BroadcastStarted(events.Event):
    """Started or resumed."""

    broadcast_id: int
    product: str


@dataclass(frozen=True)
class BroadcastFinished(events.Event):
    """Everyone in the segment has been told."""

    broadcast_id: int
    product: str
