"""Guests come, change, leave and come again (contract loyalty 1.2, 3.7, 3.8)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.models import User
from apps.core import events
from apps.ledger import actions as ledger
from apps.ledger.models import LARGEST, Account
from apps.loyalty import access, errors
from apps.loyalty.conf import CURRENCY, PRODUCT
from apps.loyalty.events import (
    ClientDeleted,
    ClientRegistered,
    ClientSeen,
    ClientSwitchedOff,
    PhotoDropped,
    ProfileChanged,
)
from apps.loyalty.models import Client, DeletedPhone, Staff

LOWEST = -LARGEST
"""Floor of a purse: the restaurant's system may take it below zero (contract loyalty 3.6)."""

NUMBER_TRIES = 10
"""Random numbers tried for a guest who leaves."""

SEEN_SECONDS = 300
"""A guest who looks at the account is told to the restaurant's system at most once in this time (contract loyalty
3.12)."""

PROFILE = ("name", "surname", "middle_name", "date_of_birth", "email", "gender")
"""What a guest may rewrite and the restaurant's system is told of."""


def register(
    *,
    phone: str,
    name: str | None = None,
    date_of_birth: date | None = None,
    waiter: Staff | None = None,
    caller: Caller = NOWHERE,
    now: datetime | None = None,
) -> Client:
    """An account with an empty purse for a proven phone. Runs in the caller's transaction.

    Raises `IntegrityError` when a living account has the phone.
    """
    now = now or timezone.now()
    with transaction.atomic():
        client = Client.objects.create(
            user=_person(phone, name, caller, now),
            phone=phone,
            name=name or None,
            date_of_birth=date_of_birth,
            waiter=waiter,
            created_at=now,
            updated_at=now,
        )
        open_purse(client)
        events.publish(ClientRegistered(client_id=client.pk))
    return client


def _person(phone: str, name: str | None, caller: Caller, now: datetime) -> User:
    """Who has this phone, made when nobody has; the phone is proven in either case."""
    found = people.person(phone=phone)
    if found is None:
        return accounts.register(phone=phone, first_name=name or "", phone_verified_at=now, caller=caller)
    if found.phone == phone and found.phone_verified_at is None:
        return accounts.set_identifier(user=found, phone=phone, phone_verified_at=now)
    return found


def open_purse(client: Client) -> None:
    """Give the account its own purse. Repeating is free."""
    client.purse = ledger.open_account(holder=client.user, book=client.book, currency=CURRENCY, floor=LOWEST)
    client.save(update_fields=["purse"])


def bind(*, client: Client, waiter: Staff | None) -> Client:
    """The first waiter whose code a guest brings stays theirs; later codes change nothing (contract loyalty 3.7)."""
    if waiter is not None and client.waiter_id is None:
        client.waiter, client.updated_at = waiter, timezone.now()
        client.save(update_fields=["waiter", "updated_at"])
    return client


def note_seen(*, by: Client) -> None:
    """The guest looked at the account: the restaurant's system is asked once in a while, and nobody waits for it."""
    if by.iiko_customer_id and cache.add(f"loyalty:seen:{by.pk}", 1, timeout=SEEN_SECONDS):
        with transaction.atomic():
            events.publish(ClientSeen(client_id=by.pk))


def update_me(*, by: Client, changes: Mapping[str, Any], drops_photo: bool = False) -> Client:
    """A guest rewrites the profile; what is the same already changes nothing. Raises `AccountGone`, `EmailTaken`.

    `changes` holds names of `PROFILE`; empty texts clear.
    """
    wanted = {name: value or None for name, value in changes.items() if name in PROFILE}
    with transaction.atomic():
        client = Client.objects.living().lock(errors.AccountGone, pk=by.pk)
        changed = [name for name, value in wanted.items() if getattr(client, name) != value]
        _write(client, {name: wanted[name] for name in changed})
        if drops_photo:
            drop_photo(client)
        if changed:
            events.publish(ProfileChanged(client_id=client.pk, fields=changed))
    return client


def _write(client: Client, values: Mapping[str, Any]) -> None:
    if not values:
        return
    for name, value in values.items():
        setattr(client, name, value)
    client.updated_at = timezone.now()
    try:
        with transaction.atomic():
            client.save(update_fields=[*values, "updated_at"])
    except IntegrityError as problem:  # the e-mail is the only unique column that people may set
        raise errors.EmailTaken() from problem


def drop_photo(client: Client) -> None:
    """Show no photo any more; who keeps the files is told. Runs in the caller's transaction, the row locked."""
    if not client.photo_name:
        return
    name, client.photo_name, client.updated_at = client.photo_name, "", timezone.now()
    client.save(update_fields=["photo_name", "updated_at"])
    events.publish(PhotoDropped(client_id=client.pk, name=name))


def update(*, by: Any, client_id: int, changes: Mapping[str, Any], drops_photo: bool = False) -> Client:
    """A manager changes a guest: `name`, `date_of_birth`, `waiter_id`, `giftget`.

    Raises `ManagersOnly`, `ClientNotFound`, `WaiterNotFound`.
    """
    access.ensure_manager(by, "loyalty.change_client")
    with transaction.atomic():
        client = Client.objects.living().lock(errors.ClientNotFound, pk=client_id)
        _ensure_waiter(changes.get("waiter_id"))
        changed = [name for name, value in changes.items() if getattr(client, name) != value]
        _write(client, {name: changes[name] for name in changed})
        if drops_photo:
            drop_photo(client)
        if told := [name for name in changed if name in PROFILE]:
            events.publish(ProfileChanged(client_id=client.pk, fields=told))
    return client


def _ensure_waiter(waiter_id: int | None) -> None:
    if waiter_id is not None and not Staff.objects.waiters().filter(pk=waiter_id).exists():
        raise errors.WaiterNotFound()


def switch(*, by: Any, client_id: int, is_active: bool, now: datetime | None = None) -> Client:
    """A manager shuts a guest out, or lets them in again with a new code: old tokens stay dead. Repeating is free.

    Raises `ManagersOnly`, `ClientNotFound`.
    """
    access.ensure_manager(by, "loyalty.change_client")
    with transaction.atomic():
        client = Client.objects.living().select_related("user").lock(errors.ClientNotFound, pk=client_id)
        if client.is_active != is_active:
            now = now or timezone.now()
            _write(client, {"switched_off_at": None if is_active else now})
            if not is_active:
                accounts.end_membership(user=client.user, audience=PRODUCT, subject=client.pk, now=now)
                events.publish(ClientSwitchedOff(client_id=client.pk))
    return client


def delete(*, by: Client, now: datetime | None = None) -> None:
    """A guest leaves: the phone, the e-mail and the ids in iiko are free, old tokens are dead, the history stays.

    Raises `AccountGone`, `NumberNotFound`.
    """
    with transaction.atomic():
        client = Client.objects.living().select_related("user").lock(errors.AccountGone, pk=by.pk)
        _leave(client, now or timezone.now())


def _leave(client: Client, now: datetime) -> None:
    gone = DeletedPhone.objects.create(
        real_phone=client.phone, client=client, iiko_customer_id=client.iiko_customer_id, deleted_at=now
    )
    client.cards.all().delete()
    drop_photo(client)
    client.phone = _number_of_nobody()
    client.email = client.iiko_customer_id = client.iiko_wallet_id = None
    client.is_deleted, client.deleted_at, client.updated_at = True, now, now
    client.save()
    accounts.end_membership(user=client.user, audience=PRODUCT, subject=client.pk, now=now)
    events.publish(ClientDeleted(client_id=client.pk, deleted_phone_id=gone.pk))


def _number_of_nobody() -> str:
    """`+999` and nine digits: no country has this prefix."""
    for _ in range(NUMBER_TRIES):
        number = f"+999{secrets.randbelow(10**9):09d}"
        taken = Client.objects.filter(phone=number).exists()
        if not taken and not DeletedPhone.objects.filter(real_phone=number).exists():
            return number
    raise errors.NumberNotFound()


def forget(*, user_id: int) -> None:
    """The person asked the house to be forgotten: living accounts end, names go from the rows that stay."""
    with transaction.atomic():
        for client in Client.objects.filter(user_id=user_id).select_for_update(of=("self",)).order_by("pk"):
            if not client.is_deleted:
                _leave(client, timezone.now())
        Client.objects.filter(user_id=user_id).update(
            name=None, surname=None, middle_name=None, gender=None, date_of_birth=None
        )


def follow(*, keep_id: int, gone_id: int) -> None:
    """`gone` is `keep` from now on. The ledger has moved the money; the accounts follow, each with its own purse."""
    for client in Client.objects.filter(user_id=gone_id).select_for_update(of=("self",)).order_by("pk"):
        client.user_id = keep_id
        client.save(update_fields=["user"])
        open_purse(client)


def part(*, keep_id: int, gone_id: int) -> None:
    """They were two people after all: accounts whose purse once was `gone`'s go back to it."""
    books = Account.objects.filter(holder_id=gone_id, book__startswith="loyalty:").values_list("book", flat=True)
    ids = [int(book.partition(":")[2]) for book in books]
    for client in Client.objects.filter(user_id=keep_id, pk__in=ids).select_for_update(of=("self",)).order_by("pk"):
        client.user_id = gone_id
        client.save(update_fields=["user"])
        open_purse(client)
