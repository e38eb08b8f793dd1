"""Telling guests: their cashback, what managers write to some of them, where to push (contract loyalty 1.6, 3.10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.core.texts import LANGUAGES
from apps.loyalty import access, errors
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import CashbackTransaction, Client
from apps.notifications import actions as notifications
from apps.notifications.channels import INBOX, PUSH, SOCKET, register_kind, register_segment
from apps.notifications.models import Notification

ACCRUAL, SPENT, WORD = "cashback_accrual", "cashback_spent", "broadcast"
"""Kinds of messages. `WORD` is everything that managers write without a type of their own; clients see no type then."""

OLD_NEWS = timedelta(days=1)
"""A movement that came to us longer than this after it happened is history, nothing to ring for."""

CHANNELS = (INBOX, SOCKET, PUSH)
EVERYONE, OF_WAITER, OF_LEVEL = "clients", "clients_of_waiter", "clients_of_level"


def register() -> None:
    """Say what we tell and which groups of guests there are."""
    register_kind(ACCRUAL, CHANNELS, _("Cashback credited"), product=PRODUCT)
    register_kind(SPENT, CHANNELS, _("Cashback spent"), product=PRODUCT)
    register_kind(WORD, CHANNELS, _("News of the restaurant"), product=PRODUCT)
    register_segment(EVERYONE, _("All guests"), _guests, product=PRODUCT)
    register_segment(OF_WAITER, _("Guests of a waiter"), _guests, product=PRODUCT)
    register_segment(OF_LEVEL, _("Guests of a level"), _guests, product=PRODUCT)


def _guests(facts: Mapping[str, Any]) -> QuerySet[User]:
    """People behind guests who are not shut out; `waiter_id` and `level` narrow the group."""
    narrowed = {name: facts[name] for name in ("waiter_id", "level") if facts.get(name)}
    return User.objects.filter(pk__in=Client.objects.active().filter(**narrowed).values("user_id"))


def tell_of_cashback(*, transaction_id: int) -> Notification | None:
    """One row, socket and push about a movement; telling twice is telling once. None for a guest who has

    left or is shut out, and for `OLD_NEWS`: the history shows it all the same.
    """
    moved = CashbackTransaction.objects.select_related("client__user", "entry").get(pk=transaction_id)
    is_old = moved.created_at - moved.entry.happened_at > OLD_NEWS
    if is_old or not moved.client.is_active or moved.kind == CashbackTransaction.Kind.LEVELLING:
        return None
    is_credit = moved.amount > 0
    kind = ACCRUAL if is_credit else SPENT
    return notifications.tell(
        user=moved.client.user,
        product=PRODUCT,
        kind=kind,
        title=_("Cashback credited") if is_credit else _("Cashback spent"),
        body=_("{amount} UZS were added to your cashback.") if is_credit else _("You paid {amount} UZS with cashback."),
        facts={"amount": shown(abs(moved.amount))},
        payload={"type": kind, "amount": shown(moved.amount)},
        key=f"cashback:{moved.pk}",
    )


def shown_kind(kind: str) -> str | None:
    """The type of a message as clients read it."""
    return None if kind == WORD else kind


def shown(amount: Decimal) -> str:
    """`1500.50`, as clients got sums in messages."""
    return f"{amount:.2f}"


def send(
    *,
    by: Any,
    client_ids: Iterable[int],
    title: str,
    description: str,
    kind: str = "",
    payload: Mapping[str, Any] | None = None,
    language: str = "ru",
) -> int:
    """A manager writes to some guests; unknown ids vanish silently, and guests shut out. Returns how many heard.

    Raises `ManagersOnly`.
    """
    access.ensure_manager(by, "loyalty.add_announcement")
    saying = notifications.Saying(
        product=PRODUCT, kind=kind or WORD, title=title, body=description, payload=payload or {}, channels=CHANNELS
    )
    people = User.objects.filter(pk__in=Client.objects.active().filter(pk__in=set(client_ids)).values("user_id"))
    return len(notifications.tell_many(users=people.order_by("pk"), saying=saying, language=language))


def register_device(*, by: Client, token: str | None, platform: str, language: str | None = None) -> None:
    """Where to push to this guest: one device per platform; without a token only the language is kept.

    Raises `WrongActor`, `notifications.BadDevice`.
    """
    access.ensure_client(by)
    with transaction.atomic():
        if language in LANGUAGES:
            accounts.speak(user=by.user, language=language)
        if token:
            notifications.register_device(
                user=by.user,
                product=PRODUCT,
                kind="fcm",
                token=token,
                platform=platform,
                language=language or "",
                is_only_of_platform=True,
            )


def mark_read(*, by: Client, message_id: int) -> None:
    """The guest opened it; again is free. Raises `AnnouncementNotFound` for other people's messages too."""
    try:
        notifications.mark_read(by=by, notification_id=message_id, product=PRODUCT)
    except notifications.NotificationNotFound as problem:
        raise errors.AnnouncementNotFound() from problem


def forget(*, client_id: int) -> None:
    """A guest has left: the inbox and the devices of this product go. Whoever comes back begins with an empty one."""
    user_id = Client.objects.values_list("user_id", flat=True).get(pk=client_id)
    notifications.erase_person(user_id=user_id, product=PRODUCT)


register()
