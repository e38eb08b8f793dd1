"""The durable queue of deeds at iiko: ask, claim, try, put off, give up, resume (contract loyalty 4.3).

Nothing here runs while a guest waits. A guest's jobs run one after another in the order in which they were asked for;
jobs of different guests run side by side in as many workers as there are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from apps.integrations.ports import VendorBusy, VendorError, port
from apps.loyalty import access, errors
from apps.loyalty.actions import iiko_sync
from apps.loyalty.models import Client, IikoJob

log = logging.getLogger(__name__)

Operation, State = IikoJob.Operation, IikoJob.State
OPEN = (State.PENDING, State.RUNNING, State.FAILED, State.PAUSED)
DUE = (State.PENDING, State.FAILED)

CLAIM_SECONDS = 120
"""A worker that dies leaves its job claimable after this long."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 15, 1800
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1, 300
"""After a failure, and after iiko was busy or down."""

RUNNERS = 2
"""Runs at the same time in the whole house: iiko takes few calls in parallel."""

KEPT_DAYS = 30
"""Done jobs are pruned after this long."""

RESTING = "loyalty:iiko:resting"

Deed = Callable[[IikoJob], str]
DEEDS: Mapping[str, Deed] = {
    Operation.SYNC_USER: iiko_sync.sync_user,
    Operation.FLUSH_PROFILE: iiko_sync.flush_profile,
    Operation.MARK_DELETED: iiko_sync.mark_deleted,
}


def ask(
    *, by: Any, client_id: int, operation: str, payload: Mapping[str, Any] | None = None, phone: str = ""
) -> IikoJob:
    """Ask for a deed, in the transaction of what made it necessary. While one is open the wishes become one.

    `phone` is the real number when the client's row no longer has it. Attempts are not given back by asking again:
    a job that keeps failing must come to rest.
    """
    wish = dict(payload or {})
    with transaction.atomic():
        if known := _merge(client_id, operation, wish):
            return known
        number = phone or Client.objects.values_list("phone", flat=True).get(pk=client_id)
        try:
            with transaction.atomic():
                return IikoJob.objects.create(client_id=client_id, operation=operation, payload=wish, phone=number)
        except IntegrityError:  # asked for twice at the same moment: the other row is open
            return _merge(client_id, operation, wish) or _again(client_id, operation, wish, number)


def _again(client_id: int, operation: str, wish: dict[str, Any], phone: str) -> IikoJob:
    """The other row was done between our insert and our look."""
    return IikoJob.objects.create(client_id=client_id, operation=operation, payload=wish, phone=phone)


def _merge(client_id: int, operation: str, wish: dict[str, Any]) -> IikoJob | None:
    job = IikoJob.objects.select_for_update().filter(client_id=client_id, operation=operation, state__in=OPEN).first()
    if job is None:
        return None
    job.payload = {**job.payload, **wish}
    job.asked_count += 1
    job.save(update_fields=["payload", "asked_count"])
    return job


def run_due(*, limit: int = 500, seconds: float = 45, now: datetime | None = None) -> int:
    """Do what is due until nothing is, iiko is busy, or `seconds` are over; returns how many were tried.

    At most `RUNNERS` of these are at work; one more finds no seat and goes. Without an iiko the jobs wait for one.
    """
    seat = _take_seat(seconds) if port("loyalty_system").is_configured() else ""
    if not seat:
        return 0
    try:
        return _run(limit, time.monotonic() + seconds, now)
    finally:
        cache.delete(seat)


def _take_seat(seconds: float) -> str:
    seats = (f"loyalty:iiko:runner:{number}" for number in range(RUNNERS))
    return next((seat for seat in seats if cache.add(seat, 1, timeout=int(seconds) + CLAIM_SECONDS)), "")


def _run(limit: int, until: float, now: datetime | None) -> int:
    _release_stuck(now or timezone.now())
    tried = 0
    while tried < limit and time.monotonic() < until and not cache.get(RESTING):
        job = claim(now=now)
        if job is None:
            break
        tried += 1
        if not attempt(job, now=now):
            break
    return tried


def claim(*, phone: str = "", now: datetime | None = None) -> IikoJob | None:
    """Take the next due job for ourselves, of one guest or of all; None when there is none.

    A job waits for the older open ones of its guest and for the running one; paused ones block nobody.
    """
    moment = now or timezone.now()
    before = Q(pk__lt=OuterRef("pk"), state__in=DUE) | Q(state=State.RUNNING)
    others = IikoJob.objects.filter(before, phone=OuterRef("phone"), state__in=(*DUE, State.RUNNING))
    due = IikoJob.objects.filter(~Exists(others), state__in=DUE)
    # A person who waits for one guest does not sit out the pause after a failure.
    due = due.filter(phone=phone) if phone else due.filter(due_at__lte=moment)
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        found = due.order_by("due_at", "id").first()
        taken = found is not None and IikoJob.objects.filter(pk=found.pk, state__in=DUE).update(
            state=State.RUNNING,
            attempts=F("attempts") + 1,
            claimed_by=uuid4().hex,
            claimed_until=moment + timedelta(seconds=CLAIM_SECONDS),
            last_attempt_at=moment,
        )
    return IikoJob.objects.select_related("client").get(pk=found.pk) if found is not None and taken else None


def attempt(job: IikoJob, *, deed: Deed | None = None, now: datetime | None = None) -> bool:
    """One try of a claimed job, outside any transaction. False when iiko is busy and others may wait too.

    `deed` stands in for the operation's own: a manager who looks on wants to see what it did.
    """
    try:
        outcome = (deed or DEEDS[job.operation])(job)
    except VendorBusy as busy:
        _put_off(job, busy, now)
        return False
    except VendorError as problem:
        _fail(job, str(problem), now)
    except Exception as problem:  # our own mistake in one guest's job must not stop the others
        log.exception("iiko job failed", extra={"job_id": job.pk, "operation": job.operation})
        _fail(job, type(problem).__name__, now)
    else:
        _finish(job, outcome, now)
    return True


def _put_off(job: IikoJob, busy: VendorBusy, now: datetime | None) -> None:
    """Later, without using an attempt. iiko naming a time speaks for all guests."""
    if busy.retry_after:
        cache.set(RESTING, 1, timeout=min(busy.retry_after, LONGEST_DELAY_SECONDS))
    pause = busy.retry_after or min(FIRST_DELAY_SECONDS * 2 ** min(job.delays, 20), LONGEST_DELAY_SECONDS)
    _write(
        job,
        state=State.FAILED if job.attempts > 1 else State.PENDING,
        due_at=(now or timezone.now()) + timedelta(seconds=pause),
        attempts=job.attempts - 1,
        delays=min(job.delays + 1, 30_000),
        outcome=busy.reason[:200],
    )


def _fail(job: IikoJob, reason: str, now: datetime | None) -> None:
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (job.attempts - 1), LONGEST_PAUSE_SECONDS)
    is_over = job.attempts >= job.most_attempts
    if is_over:
        log.warning("iiko job paused", extra={"job_id": job.pk, "operation": job.operation})
    due_at = (now or timezone.now()) + timedelta(seconds=pause)
    _write(job, state=State.PAUSED if is_over else State.FAILED, due_at=due_at, outcome=reason[:200])


def _finish(job: IikoJob, outcome: str, now: datetime | None) -> None:
    """Done, unless it was asked for again while it ran: then once more, with what is new."""
    moment = now or timezone.now()
    with transaction.atomic():
        fresh = IikoJob.objects.select_for_update().get(pk=job.pk)
        if fresh.asked_count == job.asked_count:
            _write(job, state=State.SUCCESS, completed_at=moment, outcome=outcome[:200])
            return
        news = {name: value for name, value in fresh.payload.items() if job.payload.get(name, ...) != value}
        _write(job, state=State.PENDING, due_at=moment, attempts=0, payload=news, outcome=outcome[:200])


def _write(job: IikoJob, **values: Any) -> int:
    """Write only while the claim is ours: a job that outlived it may be in other hands."""
    ours = IikoJob.objects.filter(pk=job.pk, state=State.RUNNING, claimed_by=job.claimed_by)
    return ours.update(claimed_until=None, claimed_by="", **values)


def _release_stuck(now: datetime) -> None:
    """Jobs whose worker died go back; the lost try counts, or a job that kills its worker would never rest."""
    stuck = IikoJob.objects.filter(state=State.RUNNING, claimed_until__lt=now)
    freed: dict[str, Any] = {"claimed_until": None, "claimed_by": "", "outcome": "its worker died", "due_at": now}
    stuck.filter(attempts__lt=F("most_attempts")).update(state=State.FAILED, **freed)
    stuck.filter(attempts__gte=F("most_attempts")).update(state=State.PAUSED, **freed)


def resume(*, by: Any, job_id: int) -> IikoJob:
    """Staff let a paused job try again, with fresh attempts. Raises `ManagersOnly`, `JobNotPaused`."""
    access.ensure_manager(by, "loyalty.change_iikojob")
    fresh = {"state": State.PENDING, "attempts": 0, "delays": 0, "due_at": timezone.now()}
    if not IikoJob.objects.filter(pk=job_id, state=State.PAUSED).update(**fresh):
        raise errors.JobNotPaused()
    return IikoJob.objects.get(pk=job_id)


def hasten(*, by: Any, job_id: int) -> IikoJob:
    """Staff let a waiting job try at once instead of at its hour. Raises `ManagersOnly`, `JobNotWaiting`."""
    access.ensure_manager(by, "loyalty.change_iikojob")
    if not IikoJob.objects.filter(pk=job_id, state__in=DUE).update(due_at=timezone.now()):
        raise errors.JobNotWaiting()
    return IikoJob.objects.get(pk=job_id)


def pause(*, by: Any, job_id: int) -> IikoJob:
    """Staff put a waiting job aside until they resume it; one that runs is not stopped.

    Raises `ManagersOnly`, `JobNotWaiting`.
    """
    access.ensure_manager(by, "loyalty.change_iikojob")
    if not IikoJob.objects.filter(pk=job_id, state__in=DUE).update(state=State.PAUSED):
        raise errors.JobNotWaiting()
    return IikoJob.objects.get(pk=job_id)


def prune(*, days: int = KEPT_DAYS, now: datetime | None = None) -> int:
    """Forget jobs done more than `days` ago; paused ones stay until a person looks at them."""
    until = (now or timezone.now()) - timedelta(days=days)
    return IikoJob.objects.filter(state=State.SUCCESS, completed_at__lt=until).delete()[0]
