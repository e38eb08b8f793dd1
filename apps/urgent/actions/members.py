"""Memberships: joining by Telegram, counters, blocking, and the nightly self-check."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from apps.accounts.models import User
from apps.core import events
from apps.urgent import access
from apps.urgent.events import MemberWasBlocked
from apps.urgent.models import Member
from apps.urgent.queries import members as questions

log = logging.getLogger(__name__)


def join(*, user: User) -> Member:
    """The member row of a person who came through Telegram, made on first sight.

    Ten first requests at once make one row (contract urgent 8.8). Raises `ValueError` without a Telegram id.
    """
    telegram_id = user.telegram_id
    if telegram_id is None:
        raise ValueError("only people with a Telegram id trade here")
    # Read along with the person at sign-in; somebody who was merged may have come by another Telegram id.
    member: Member | None = getattr(user, "urgent_member", None)
    if member is None or member.pk != telegram_id:
        member = Member.objects.filter(pk=telegram_id).first() or _open(telegram_id, user)
    member.user = user
    return member


def _open(telegram_id: int, user: User) -> Member:
    try:
        with transaction.atomic():
            return Member.objects.create(pk=telegram_id, user=user)
    except IntegrityError:  # another request of the same person was quicker
        return Member.objects.get(pk=telegram_id)


def shift(*, ids: Iterable[int], active: int = 0, completed: int = 0) -> None:
    """Move the counters of some members. Locks by ascending id; never below zero (contract urgent 3.3)."""
    _move(_locked(ids), active, completed)


def release(*, ended: Mapping[int, int]) -> None:
    """So many active orders less for each of some members, when many orders end at once. Locks like `shift`."""
    locked = _locked(ended)
    for count in set(ended.values()):
        _move([pk for pk in locked if ended[pk] == count], active=-count)


def _locked(ids: Iterable[int]) -> list[int]:
    """Not the key: rows that point to a member, like a review at its commit, need not wait for his counters.

    Without that, a review holds its executor and waits for its client, while an order's end holds the client and
    waits for the executor.
    """
    rows = Member.objects.filter(pk__in=sorted(set(ids))).order_by("pk").select_for_update(no_key=True)
    return [member.pk for member in rows.only("pk")]


def _move(ids: Sequence[int], active: int, completed: int = 0) -> None:
    Member.objects.filter(pk__in=ids).update(
        active_orders_count=Greatest(F("active_orders_count") + active, 0),
        completed_orders_count=Greatest(F("completed_orders_count") + completed, 0),
        updated_at=timezone.now(),
    )


def block(*, by: Any, member_id: int, reason: str, now: datetime | None = None) -> Member:
    """Staff stop a member from posting and buying; repeating changes nothing. Raises `NotAModerator`, `ReasonNeeded`.

    Reading and what was bought before stay.
    """
    access.ensure_can_block(by)
    access.ensure_reason(reason)
    with transaction.atomic():
        member = Member.objects.select_for_update().get(pk=member_id)
        if member.is_blocked:
            return member
        member.blocked_at, member.block_reason = now or timezone.now(), reason.strip()
        member.save(update_fields=["blocked_at", "block_reason"])
        events.publish(MemberWasBlocked(member_id=member.pk))
    log.info("urgent member blocked", extra={"member_id": member_id, "staff_id": by.pk})
    return member


def unblock(*, by: Any, member_id: int, reason: str) -> Member:
    """Staff let a member trade again. Raises `NotAModerator`, `ReasonNeeded`."""
    access.ensure_can_block(by)
    access.ensure_reason(reason)
    with transaction.atomic():
        member = Member.objects.select_for_update().get(pk=member_id)
        member.blocked_at, member.block_reason = None, ""
        member.save(update_fields=["blocked_at", "block_reason"])
    log.info("urgent member unblocked", extra={"member_id": member_id, "staff_id": by.pk})
    return member


def check_figures(*, repair: bool = True) -> list[questions.Mismatch]:
    """Compare cached counters and means with what they count; report loudly and put right what is off."""
    found = questions.mismatches()
    for wrong in found:
        log.error(
            "urgent member figure is off",
            extra={
                "member_id": wrong.member_id,
                "figure": wrong.figure,
                "stored": wrong.stored,
                "counted": wrong.counted,
            },
        )
        if repair:
            _put_right(wrong)
    return found


def _put_right(wrong: questions.Mismatch) -> None:
    """Recount one member under his lock: the figure may have moved since it was compared."""
    with transaction.atomic():
        Member.objects.select_for_update().filter(pk=wrong.member_id).first()
        for again in questions.mismatches(member_id=wrong.member_id):
            Member.objects.filter(pk=again.member_id).update(**{again.figure: again.counted})
