"""Messages to every guest: said once, carried by a broadcast that can be killed and goes on (contract loyalty 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.loyalty import access, errors
from apps.loyalty.actions import messages
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import Announcement, Client
from apps.notifications import actions as notifications
from apps.notifications.channels import INBOX
from apps.notifications.models import Broadcast

WITHDRAWN_AT_ONCE = 500
"""Rows that a deletion takes away while the manager waits; the rest goes in the background."""

WITHDRAWN_PER_RUN = 20_000
SHOWN_TO_NEWCOMERS = 20
"""Earlier announcements that a new guest finds in the inbox."""


def announce(*, by: Any, title: str, description: str) -> Announcement:
    """Tell every guest. The answer does not wait for the telling. Raises `ManagersOnly`."""
    access.ensure_manager(by, "loyalty.add_announcement")
    with transaction.atomic():
        said = Announcement.objects.create(title=title, description=description)
        said.broadcast = notifications.broadcast(
            by=by,
            product=PRODUCT,
            segment=messages.EVERYONE,
            title=title,
            body=description,
            kind=messages.WORD,
            key=f"announcement:{said.pk}",
        )
        said.save(update_fields=["broadcast"])
    return said


def change(*, by: Any, announcement_id: int, changes: Mapping[str, str]) -> Announcement:
    """Other words: in the list at once, in inboxes for whoever has not been told yet.

    Raises `ManagersOnly`, `NothingToUpdate`, `AnnouncementNotFound`.
    """
    access.ensure_manager(by, "loyalty.change_announcement")
    if not changes:
        raise errors.NothingToUpdate()
    with transaction.atomic():
        said = _lock(announcement_id)
        for name, value in changes.items():
            setattr(said, name, value)
        said.save(update_fields=list(changes))
        if said.broadcast_id:
            notifications.reword(by=by, broadcast_id=said.broadcast_id, title=said.title, body=said.description)
    return said


def delete(*, by: Any, announcement_id: int) -> None:
    """Take it back, out of the inboxes too. Raises `ManagersOnly`, `AnnouncementNotFound`."""
    access.ensure_manager(by, "loyalty.delete_announcement")
    with transaction.atomic():
        said = _lock(announcement_id)
        said.deleted_at = timezone.now()
        said.save(update_fields=["deleted_at"])
        _withdraw(said, WITHDRAWN_AT_ONCE)


def _lock(announcement_id: int) -> Announcement:
    said = Announcement.objects.select_for_update().filter(pk=announcement_id, deleted_at=None).first()
    if said is None:
        raise errors.AnnouncementNotFound()
    return said


def _withdraw(said: Announcement, limit: int) -> int:
    """Some rows out of the inboxes; the link to the broadcast goes with the last of them."""
    if said.broadcast_id is None:
        return 0
    gone = notifications.withdraw(by=None, broadcast_id=said.broadcast_id, limit=limit)
    if gone < limit:
        Announcement.objects.filter(pk=said.pk).update(broadcast=None)
    return gone


def withdraw_due(*, limit: int = WITHDRAWN_PER_RUN) -> int:
    """Go on taking deleted announcements out of inboxes, in commits of a few hundred; returns how many rows went."""
    gone = 0
    while gone < limit:
        said = Announcement.objects.exclude(deleted_at=None).exclude(broadcast=None).order_by("pk").first()
        if said is None:
            break
        with transaction.atomic():
            gone += _withdraw(said, WITHDRAWN_AT_ONCE)
    return gone


def welcome(*, client_id: int) -> int:
    """Put the newest announcements into a new guest's inbox, silently; again adds nothing. Returns how many came.

    One that staff cancelled is told to nobody more.
    """
    client = Client.objects.living().select_related("user").filter(pk=client_id).first()
    if client is None:
        return 0
    told = Announcement.objects.filter(deleted_at=None).exclude(broadcast=None)
    told = told.exclude(broadcast__status=Broadcast.Status.CANCELLED).order_by("-pk")
    return sum(_show(client, said) for said in reversed(told[:SHOWN_TO_NEWCOMERS]))


def _show(client: Client, said: Announcement) -> int:
    """Under the broadcast's own key, so that one still running does not say it again."""
    saying = notifications.Saying(
        product=PRODUCT,
        kind=messages.WORD,
        title=said.title,
        body=said.description,
        key=f"broadcast:{said.broadcast_id}",
        channels=(INBOX,),
        broadcast_id=said.broadcast_id,
    )
    return len(notifications.tell_many(users=[client.user], saying=saying))
