"""At the door: picked up, delivered with proof, not at home, cash (contract florist 4).

A phone without a network keeps what its courier did and sends it later, perhaps in another order: what is over already
changes nothing, and a delivery brings the steps before it along.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.core import events, states
from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.actions import courier_day, lifecycle, payments, photos, runs, shelf, uploads
from apps.florist.events import StopDelivered, StopFailed
from apps.florist.models import DeliveryAttempt, Order, OrderPhoto, Stop, StoredFile

Status = Stop.Status
Reason, Next = DeliveryAttempt.Reason, DeliveryAttempt.Next

ISSUES: dict[str, str] = {
    Reason.NOT_HOME: Order.Issue.RECIPIENT_UNAVAILABLE,
    Reason.NO_ANSWER: Order.Issue.RECIPIENT_UNAVAILABLE,
    Reason.WRONG_ADDRESS: Order.Issue.WRONG_ADDRESS,
    Reason.REFUSED: Order.Issue.DELIVERY_REFUSED,
    Reason.OTHER: Order.Issue.OTHER,
}
"""What the manager reads about an order that could not be delivered."""


@dataclass(frozen=True)
class Proof:
    """How a courier shows that flowers arrived: a picture or a name, and where he stood."""

    receiver_name: str = ""
    left_with: str = ""
    photo: Any = None
    latitude: float | None = None
    longitude: float | None = None


def pick_up(*, by: Any, stop_id: int, key: str = "", happened_at: datetime | None = None) -> Stop:
    """The courier has it: the order is on its way. Later than that, only an earlier time is taken over.

    Raises `StopNotFound`, `IllegalStopStep`, `IllegalTransition` for an order that is not assembled.
    """
    seen = runs.visible_stop(by, stop_id)

    def deed() -> None:
        stop = runs.hold_stop(by, stop_id)
        at = _bounded(stop, happened_at)
        if stop.status in (Status.PICKED_UP, Status.DELIVERED, Status.FAILED):
            _keep_earlier(stop, at)
        else:
            _picked_up(stop, by, at)

    runs.once(by=by, key=key, what=f"pick_up:{seen.pk}", deed=deed)
    return runs.visible_stop(by, stop_id)


def deliver(*, by: Any, stop_id: int, proof: Proof, key: str = "", happened_at: datetime | None = None) -> Stop:
    """Handed over, with proof; the order is delivered. A repeat changes nothing.

    Raises `StopNotFound`, `IllegalStopStep`, `ProofMissing`, `IllegalTransition`, and what `uploads.store` raises.
    """
    seen = runs.visible_stop(by, stop_id)
    ensure(bool(proof.photo or proof.receiver_name.strip() or proof.left_with.strip()), errors.ProofMissing)

    def deed() -> None:
        stored = _stored(by, seen, proof.photo)
        stop = runs.hold_stop(by, stop_id)
        if stop.status != Status.DELIVERED:
            _delivered(stop, by, proof, stored, _bounded(stop, happened_at))

    runs.once(by=by, key=key, what=f"deliver:{seen.pk}", deed=deed)
    return runs.visible_stop(by, stop_id)


def fail(
    *,
    by: Any,
    stop_id: int,
    reason: str,
    next_step: str,
    note: str = "",
    photo: Any = None,
    key: str = "",
    happened_at: datetime | None = None,
) -> Stop:
    """A door stayed shut. `retry` keeps the stop open; `return` and `call` end it, and the order has a problem.

    Raises `StopNotFound`, `IllegalStopStep`, `KeyReused` for another `next_step`, and what `uploads.store` raises.
    """
    seen = runs.visible_stop(by, stop_id)

    def deed() -> None:
        stored = _stored(by, seen, photo)
        stop = runs.hold_stop(by, stop_id)
        if next_step != Next.RETRY:
            stop = _failed(stop, by, reason, note)
        attempt = DeliveryAttempt(stop=stop, reason=reason, next_step=next_step, note=note, photo=stored)
        attempt.by_id, attempt.created_at = _employee_id(by), _bounded(stop, happened_at)
        attempt.save(force_insert=True)
        events.publish(
            StopFailed(
                stop_id=stop.pk,
                order_id=stop.order_id,
                shop_id=stop.run.shop_id,
                reason=reason,
                next_step=next_step,
            )
        )

    runs.once(by=by, key=key, what=f"fail:{seen.pk}:{next_step}", deed=deed)
    return runs.visible_stop(by, stop_id)


def receive_cash(*, by: Any, stop_id: int, amount: Decimal, key: str = "") -> Stop:
    """The courier has this much cash for the order; it is the order's money and the courier's to hand over.

    Raises `StopNotFound`, `IllegalStopStep` for a stop that was taken off, `DayAccepted`, `KeyReused` for another
    amount, and what `payments.take_cash` raises.
    """
    seen = runs.visible_stop(by, stop_id)

    def deed() -> None:
        if amount <= 0:
            raise Invalid.field("amount", "Value error, above 0", given=str(amount))
        stop = runs.hold_stop(by, stop_id)
        ensure(
            stop.status != Status.REMOVED,
            errors.IllegalStopStep,
            from_status=stop.status,
            to_status=stop.status,
        )
        courier_day.ensure_not_accepted(stop.run)
        payments.take_cash(by=by, order_id=stop.order_id, amount=amount, key=f"stop:{stop.pk}:{key}" if key else "")
        Stop.objects.filter(pk=stop.pk).update(cash_received=F("cash_received") + amount, updated_at=timezone.now())
        courier_day.recount(stop.run)

    runs.once(by=by, key=key, what=f"cash:{seen.pk}:{amount:.2f}", deed=deed)
    return runs.visible_stop(by, stop_id)


def take_cash(*, by: Any, order_id: int, amount: Decimal, key: str = "") -> None:
    """Cash for an order: what a courier takes is his stop's, so that his day knows of it; all else is the desk's.

    Raises `CashWithoutStop`, what `payments.take_cash` raises, and for couriers what `receive_cash` does.
    """
    who = access.employee_of(by)
    if who is None or who.role != who.Role.COURIER:
        payments.take_cash(by=by, order_id=order_id, amount=amount, key=key)
        return
    access.ensure_may(by, "orders", "own")
    ensure(Order.objects.visible_to(by).filter(pk=order_id).exists(), errors.OrderNotFound)
    stop = Stop.objects.visible_to(by).filter(order_id=order_id).exclude(status=Status.REMOVED).order_by("-pk").first()
    if stop is None:
        raise errors.CashWithoutStop()
    # Keys of this path are an order's own, and may be longer than those of a phone.
    receive_cash(by=by, stop_id=stop.pk, amount=amount, key=shelf.short(f"{order_id}:{key}") if key else "")


def forget_the_place(*, order_id: int) -> None:
    """The order goes to another address: the map of its open stop would lead to the old one. The caller holds it."""
    stop = Stop.objects.open().filter(order_id=order_id).select_related("run").first()
    if stop is not None:
        Stop.objects.filter(pk=stop.pk).update(latitude=None, longitude=None, updated_at=timezone.now())
        runs.tell(stop.run)


def leave_if_picked_up_by_the_buyer(*, order_id: int) -> None:
    """The buyer comes for it himself: it leaves the run on which it waits. The caller holds the order.

    Raises `IllegalStopStep` while a courier carries it.
    """
    rows = Stop.objects.open().filter(order_id=order_id, order__delivery_method=Order.Method.SELF_PICKUP)
    if (stop := rows.select_related("run", "order").first()) is not None:
        _leave(stop, "the buyer picks it up")


def leave_other_runs(*, order_id: int) -> None:
    """Somebody else brings the order now: it leaves the run on which it waits. The caller holds the order.

    Raises `IllegalStopStep` while another courier carries it: his run is handed over instead.
    """
    rows = Stop.objects.open().filter(order_id=order_id).select_related("run", "order")
    stop = rows.exclude(run__courier_id=F("order__courier_id")).first()
    if stop is not None:
        _leave(stop, "another courier")


def _leave(stop: Stop, reason: str) -> None:
    run = stop.run
    steps = {"from_status": stop.status, "to_status": Status.REMOVED}
    ensure(stop.status == Status.WAITING, errors.IllegalStopStep, **steps)
    states.step(stop, Status.REMOVED, by=None, reason=reason)
    runs.finish_if_done(run.pk, by=None)
    runs.tell(run)


def close_for_order(*, order_id: int, status: str) -> None:
    """The order was delivered or cancelled by somebody else: its open stop ends too. The caller holds the order."""
    stop = Stop.objects.open().filter(order_id=order_id).select_related("run").first()
    if stop is None:
        return
    if status == Order.Status.CANCELLED:
        states.step(stop, Status.REMOVED, by=None, reason="the order was cancelled")
    else:
        if stop.status == Status.WAITING:
            states.step(stop, Status.PICKED_UP, by=None, reason="the order was delivered")
        states.step(stop, Status.DELIVERED, by=None, reason="the order was delivered")
    runs.finish_if_done(stop.run_id, by=None)
    runs.tell(stop.run)


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _picked_up(stop: Stop, by: Any, at: datetime) -> Stop:
    run = stop.run
    runs.start_if_waiting(stop.run_id, by=by)
    stop = states.step(stop, Status.PICKED_UP, by=by)
    stop.run, stop.picked_up_at = run, at
    stop.save(update_fields=["picked_up_at"])
    lifecycle.dispatched(order_id=stop.order_id, by=by)
    return stop


def _delivered(stop: Stop, by: Any, proof: Proof, stored: StoredFile | None, at: datetime) -> None:
    if stop.status == Status.WAITING:
        stop = _picked_up(stop, by, at)
    run = stop.run
    stop = states.step(stop, Status.DELIVERED, by=by)
    stop.delivered_at, stop.proof = at, stored
    stop.receiver_name, stop.left_with = proof.receiver_name.strip(), proof.left_with.strip()
    stop.proof_latitude, stop.proof_longitude = proof.latitude, proof.longitude
    stop.save()
    if stored is not None:
        photos.add(by=None, order_id=stop.order_id, file=stored, photo_type=OrderPhoto.Type.DELIVERY_PROOF)
    lifecycle.dispatched(order_id=stop.order_id, by=by)
    lifecycle.delivered(order_id=stop.order_id, by=by)
    runs.finish_if_done(stop.run_id, by=by)
    events.publish(StopDelivered(stop_id=stop.pk, order_id=stop.order_id, shop_id=run.shop_id))


def _failed(stop: Stop, by: Any, reason: str, note: str) -> Stop:
    run = stop.run
    stop = states.step(stop, Status.FAILED, by=by, reason=reason)
    stop.run = run
    if Order.objects.get(pk=stop.order_id).status != Order.Status.ISSUE:
        words = f"{reason}: {note}" if note else reason
        lifecycle.report_issue(by=by, order_id=stop.order_id, issue_type=ISSUES[reason], comment=words)
    runs.finish_if_done(stop.run_id, by=by)
    return stop


def _keep_earlier(stop: Stop, at: datetime) -> None:
    """The pick-up arrived after the delivery that it came before."""
    if stop.picked_up_at is not None and at < stop.picked_up_at:
        stop.picked_up_at = at
        stop.save(update_fields=["picked_up_at"])


def _bounded(stop: Stop, at: datetime | None) -> datetime:
    """When it happened by the phone's clock, which is not believed before the stop or after now."""
    now = timezone.now()
    return now if at is None else max(min(at, now), stop.created_at)


def _stored(by: Any, stop: Stop, photo: Any) -> StoredFile | None:
    """The picture, kept before anything is locked; a stored one stays as it is."""
    if photo is None or isinstance(photo, StoredFile):
        return photo
    return uploads.store(by=by, shop=stop.run.shop, file=photo, is_public=False)


def _employee_id(by: Any) -> int | None:
    who = access.employee_of(by)
    return who.pk if who is not None else None
