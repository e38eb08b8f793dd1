"""Carrying messages out of the house: claim one, hand it to its vendor, write down what came of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.core import events
from apps.core.states import actor_label
from apps.integrations.ports import SmsReport, VendorBusy, VendorRefused, VendorUnsure
from apps.notifications import channels
from apps.notifications.errors import NotRepeatable
from apps.notifications.events import AddressDied, DeliveriesQueued, MessageDelivered, MessageNotDelivered
from apps.notifications.models import Delivery

log = logging.getLogger(__name__)
State = Delivery.State

CLAIM_SECONDS = 120
"""A worker that dies while sending leaves its row to be looked at after this long."""

PAUSES_SECONDS = (15, 60, 300, 1800, 7200)
"""Before the second, third… attempt; after the last pause one more try is made, then it is given up."""

LONGEST_LIFE_HOURS = 24
"""Nobody wants yesterday's news to ring today."""

OVER = (State.FAILED, State.DEAD, State.UNSURE)


def deliver_due(*, limit: int = 200, now: datetime | None = None) -> int:
    """Send what is due, personal messages before broadcasts; returns how many were tried. Many may run side by side."""
    _release_stuck(now or timezone.now())
    tried = 0
    while tried < limit and (delivery := _claim(now or timezone.now())):
        _carry(delivery, now)
        tried += 1
    return tried


def repeat(*, by: Any, delivery_id: int, reason: str = "") -> Delivery:
    """Staff send a failed, dead or unsure message again. Raises `NotRepeatable` for any other."""
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery_id)
        if delivery.state not in OVER:
            raise NotRepeatable(state=delivery.state)
        delivery.state, delivery.attempts, delivery.due_at = State.QUEUED, 0, timezone.now()
        delivery.save(update_fields=["state", "attempts", "due_at"])
        events.publish(DeliveriesQueued(count=1))
    log.info("delivery repeated", extra={"delivery_id": delivery.pk, "by": actor_label(by), "reason": reason})
    return delivery


def repeat_many(*, by: Any, delivery_ids: Iterable[int], reason: str = "") -> int:
    """Send again those of them that can be; returns how many. The rest are left as they are."""
    repeated = 0
    for number in delivery_ids:
        with suppress(NotRepeatable):
            repeat(by=by, delivery_id=number, reason=reason)
            repeated += 1
    return repeated


def note_report(*, report: SmsReport, now: datetime | None = None) -> bool:
    """The vendor tells what became of a text; late words and repeats change nothing. Returns whether it is ours."""
    ours = Delivery.objects.filter(channel=Delivery.Channel.SMS, vendor_id=report.vendor_id)
    moved = ours.filter(progress__in=report.overtakes).update(progress=report.status, reported_at=now or timezone.now())
    return bool(moved) or ours.exists()


def _claim(now: datetime) -> Delivery | None:
    """Take the next due row for ourselves, one at a time: a crash then leaves one row in doubt, not a batch."""
    with transaction.atomic():
        due = Delivery.objects.filter(state=State.QUEUED, due_at__lte=now).exclude(channel__in=_resting())
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        delivery = due.order_by("priority", "due_at", "id").first()
        if delivery is None:
            return None
        until = now + timedelta(seconds=CLAIM_SECONDS)
        Delivery.objects.filter(pk=delivery.pk).update(
            state=State.SENDING, claimed_until=until, attempts=delivery.attempts + 1
        )
    return Delivery.objects.select_related("notification__user", "device").get(pk=delivery.pk)


def _release_stuck(now: datetime) -> None:
    """Rows whose worker died: a push may be repeated, anything else may have rung already and is left to a person."""
    stuck = Delivery.objects.filter(state=State.SENDING, claimed_until__lt=now)
    stuck.filter(channel__in=channels.REPEATABLE).update(state=State.QUEUED, claimed_until=None)
    for delivery in stuck.exclude(channel__in=channels.REPEATABLE).select_related("notification"):
        _settle(delivery, State.UNSURE, "the worker died while sending")


def _carry(delivery: Delivery, now: datetime | None) -> None:
    """One attempt. Called outside any transaction: a vendor may take seconds."""
    try:
        receipt = channels.send(delivery)
    except VendorBusy as busy:
        _put_back(delivery, busy.reason, busy.retry_after, now)
    except VendorRefused as refused:
        _settle(delivery, State.DEAD if refused.dead else State.FAILED, refused.reason)
        if refused.dead:
            _forget_address(delivery)
    except VendorUnsure as unsure:
        _doubt(delivery, unsure.reason, now)
    except Exception as problem:  # an adapter is foreign ground; whatever it raises must not stop the others
        log.exception("delivery failed", extra={"delivery_id": delivery.pk, "channel": delivery.channel})
        _doubt(delivery, type(problem).__name__, now)
    else:
        _settle(delivery, State.SENT, "", vendor_id=receipt.vendor_id[:120], cost=receipt.cost, sent_at=timezone.now())


def _doubt(delivery: Delivery, reason: str, now: datetime | None) -> None:
    """It may have gone out. Where a second one would ring twice, leave it to a person."""
    if delivery.channel in channels.REPEATABLE:
        _put_back(delivery, reason, None, now)
    else:
        _settle(delivery, State.UNSURE, reason)


def _put_back(delivery: Delivery, reason: str, retry_after: int | None, now: datetime | None) -> None:
    """Try again later. A vendor who names the time speaks for the whole channel, and the try does not count."""
    moment = now or timezone.now()
    is_stale = moment - delivery.notification.created_at > timedelta(hours=LONGEST_LIFE_HOURS)
    if is_stale or (retry_after is None and delivery.attempts > len(PAUSES_SECONDS)):
        _settle(delivery, State.FAILED, reason)
        return
    if retry_after is not None:
        _rest(delivery.channel, retry_after)
    pause = retry_after if retry_after is not None else PAUSES_SECONDS[delivery.attempts - 1]
    counted = delivery.attempts - (retry_after is not None)
    _write(
        delivery,
        state=State.QUEUED,
        due_at=moment + timedelta(seconds=pause),
        attempts=counted,
        last_error=reason[:200],
    )


def _settle(delivery: Delivery, state: str, reason: str, **facts: Any) -> None:
    """The end of this delivery, and the news of it, in one commit."""
    message = delivery.notification
    news: dict[str, Any] = {
        "notification_id": message.pk,
        "user_id": message.user_id,
        "product": message.product,
        "kind": message.kind,
        "key": message.key,
        "channel": delivery.channel,
    }
    with transaction.atomic():
        if not _write(delivery, state=state, last_error=reason[:200], **facts):
            return
        if state == State.SENT:
            events.publish(MessageDelivered(**news))
        else:
            events.publish(MessageNotDelivered(**news, state=str(state)))


def _write(delivery: Delivery, **values: Any) -> int:
    """Write only while the claim is ours: another worker may have settled it meanwhile."""
    ours = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
    return ours.update(claimed_until=None, **values)


def _forget_address(delivery: Delivery) -> None:
    """The bot is blocked or the device is gone: do not knock there again (contract urgent 4.3)."""
    message = delivery.notification
    with transaction.atomic():
        if delivery.channel == channels.PUSH and delivery.device:
            delivery.device.delete()
        elif delivery.channel == channels.BOT and message.user.telegram_id:
            accounts.can_be_messaged(telegram_id=message.user.telegram_id, can=False)
        events.publish(AddressDied(user_id=message.user_id, product=message.product, channel=delivery.channel))


def _rest(channel: str, seconds: int) -> None:
    cache.set(f"notifications:resting:{channel}", 1, timeout=max(1, seconds))


def _resting() -> list[str]:
    """Channels whose vendor asked us to wait."""
    keys = {f"notifications:resting:{name}": name for name in channels.OUTSIDE}
    return [keys[key] for key in cache.get_many(keys)]
