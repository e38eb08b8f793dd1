"""Which kind of message goes where, which groups of people exist, and how one message leaves through one channel.

Products register their kinds and segments in `AppConfig.ready`. An unregistered kind (loyalty's managers may invent
them, contract loyalty 1.6 row 63) goes by the usual two: inbox and socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise

from apps.integrations.ports import PushTarget, VendorRefused, port
from apps.notifications.errors import UnknownSegment
from apps.notifications.models import Delivery, Device, Notification

INBOX = "inbox"
SOCKET = "socket"
SMS = "sms"
MAIL = "mail"
BOT = "bot"
PUSH = "push"
CHANNELS = (INBOX, SOCKET, PUSH, BOT, MAIL, SMS)
USUAL = (INBOX, SOCKET)
OUTSIDE = (PUSH, BOT, MAIL, SMS)
"""Channels that need a vendor, hence a Delivery row."""

REPEATABLE = frozenset({PUSH})
"""A push carries its message id, so a device shows a repeated one once; the others ring twice."""


@dataclass(frozen=True)
class Kind:
    """One kind of message. `rings_at_night`: quiet hours do not hold it back (a courier at the door)."""

    name: str
    product: str
    channels: tuple[str, ...]
    label: str | Promise
    rings_at_night: bool = False


@dataclass(frozen=True)
class Segment:
    """A group of people that a broadcast can go to; `people(facts)` is a queryset of User."""

    name: str
    product: str
    label: str | Promise
    people: Callable[[Mapping[str, Any]], QuerySet[Any]] = field(repr=False)


_kinds: dict[tuple[str, str], Kind] = {}
_segments: dict[tuple[str, str], Segment] = {}


def register_kind(
    kind: str, channels: Iterable[str], label: str | Promise, *, product: str, rings_at_night: bool = False
) -> Kind:
    """Say by which channels a product's kind goes by default. Raises `ValueError` for a channel we do not have."""
    wanted = tuple(channels)
    if unknown := set(wanted) - set(CHANNELS):
        raise ValueError(f"{product}.{kind}: unknown channels {sorted(unknown)}")
    _kinds[product, kind] = Kind(kind, product, wanted, label, rings_at_night)
    return _kinds[product, kind]


def kind_of(product: str, kind: str) -> Kind:
    """The registered kind, or a usual one under that name."""
    return _kinds.get((product, kind)) or Kind(kind, product, USUAL, kind)


def kinds(product: str) -> list[Kind]:
    """Everything a product may say, for its settings screen."""
    return [kind for kind in _kinds.values() if kind.product == product]


def products() -> list[str]:
    """Every product that has anything to say."""
    return sorted({product for product, _ in (*_kinds, *_segments)})


def register_segment(
    name: str, label: str | Promise, people: Callable[[Mapping[str, Any]], QuerySet[Any]], *, product: str
) -> Segment:
    """Name a group of people. `people(facts)` answers a queryset of User, read in batches in primary-key order."""
    _segments[product, name] = Segment(name, product, label, people)
    return _segments[product, name]


def segment(product: str, name: str) -> Segment:
    """The registered group. Raises `UnknownSegment`."""
    if (found := _segments.get((product, name))) is None:
        raise UnknownSegment(segment=name)
    return found


def segments(product: str = "") -> list[Segment]:
    """The groups of one product, or of all."""
    return [found for found in _segments.values() if product in ("", found.product)]


@dataclass(frozen=True)
class Reach:
    """Where a person can be reached outside; built once per person, or in bulk for a broadcast."""

    phone: str
    email: str
    telegram_id: int | None
    device_ids: tuple[int, ...]

    def has(self, channel: str) -> bool:
        """Whether that channel has an address at all."""
        return bool({SMS: self.phone, MAIL: self.email, BOT: self.telegram_id, PUSH: self.device_ids}[channel])


_phones: dict[str, Callable[[Iterable[int]], Mapping[int, str]]] = {}


def register_phones(product: str, phones_of: Callable[[Iterable[int]], Mapping[int, str]]) -> None:
    """A product whose members keep a phone of their own says where its text messages go, for many people at once.

    `phones_of` answers by the person's primary key; whoever is missing gets no text.
    """
    _phones[product] = phones_of


def phones_of(users: Iterable[Any], product: str) -> dict[int, str]:
    """The numbers for text messages of this product to these people, or empty texts; one query at most."""
    people = list(users)
    own = _phones.get(product)
    if own is None:
        return {user.pk: user.phone or "" for user in people}
    found = own([user.pk for user in people]) if people else {}
    return {user.pk: found.get(user.pk, "") for user in people}


def reach_of(user: Any, device_ids: Iterable[int], *, phone: str = "") -> Reach:
    """The addresses of a person; a bot that was blocked counts as no address. `phone` is what `phones_of` says."""
    telegram_id = user.telegram_id if user.can_message_bot else None
    # A letter goes only to a proved address: otherwise anybody could have us write to anybody.
    email = user.email if user.email and user.email_verified_at else ""
    return Reach(phone, email, telegram_id, tuple(device_ids))


@dataclass(frozen=True)
class Receipt:
    """What the vendor gave us back."""

    vendor_id: str = ""
    cost: Decimal | None = None


def send(delivery: Delivery) -> Receipt:
    """Hand one message to its vendor. Raises `VendorBusy`, `VendorRefused` or `VendorUnsure`."""
    return _SENDERS[delivery.channel](delivery, delivery.notification)


def _send_sms(delivery: Delivery, message: Notification) -> Receipt:
    phone = _address(phones_of([message.user], message.product)[message.user_id])
    receipt = port("sms").send(to=phone, text=message.body or message.title, reference=f"n{delivery.pk}")
    return Receipt(receipt.vendor_id, receipt.cost)


def _send_mail(delivery: Delivery, message: Notification) -> Receipt:
    text = "\n\n".join(part for part in (message.body or message.title, message.link_url) if part)
    port("mail").send(to=_address(message.user.email), subject=message.title, text=text)
    return Receipt()


def _send_by_bot(delivery: Delivery, message: Notification) -> Receipt:
    person = message.user
    chat = _address(person.telegram_id if person.can_message_bot else None)
    text = f"{message.title}\n\n{message.body}" if message.body else message.title
    button = (message.link_label or message.title, message.link_url) if message.link_url else None
    return Receipt(str(port("bot").send_message(chat_id=chat, text=text[:4096], button=button)))


def _send_push(delivery: Delivery, message: Notification) -> Receipt:
    device = _address(delivery.device)
    payload = {"id": str(message.public_id), "kind": message.kind, "url": message.link_url, **message.payload}
    door = port(_PUSH_PORTS[device.kind])
    door.send(target=target_of(device), title=message.title, body=message.body, payload=payload)
    return Receipt()


def target_of(device: Device) -> PushTarget:
    """A device in the words of the port."""
    if device.kind == Device.Kind.FCM:
        return PushTarget(kind="fcm", token=device.address)
    return PushTarget(kind="web", endpoint=device.address, p256dh=device.p256dh, auth=device.auth)


def _address(found: Any) -> Any:
    """The address was there when we queued; the person may have removed it since."""
    if not found:
        raise VendorRefused("no address any more")
    return found


_PUSH_PORTS: dict[str, Any] = {Device.Kind.FCM: "push", Device.Kind.WEB: "web_push"}
_SENDERS: dict[str, Callable[[Delivery, Notification], Receipt]] = {
    SMS: _send_sms,
    MAIL: _send_mail,
    BOT: _send_by_bot,
    PUSH: _send_push,
}
