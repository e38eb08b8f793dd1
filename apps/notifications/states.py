"""The life of a broadcast (core.states)."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.notifications.errors import IllegalBroadcastStep
from apps.notifications.events import BroadcastFinished, BroadcastStarted
from apps.notifications.models import Broadcast


def _started(broadcast: Any, by: Any, reason: str) -> BroadcastStarted:
    return BroadcastStarted(broadcast_id=broadcast.pk, product=broadcast.product)


def _finished(broadcast: Any, by: Any, reason: str) -> BroadcastFinished:
    return BroadcastFinished(broadcast_id=broadcast.pk, product=broadcast.product)


MACHINE = states.Machine(
    steps={
        ("draft", "running"): states.Step(stamp="started_at", event=_started, who="staff", note="start"),
        ("draft", "cancelled"): states.Step(stamp="finished_at", who="staff", note="cancel"),
        ("running", "paused"): states.Step(who="staff", note="pause: stops after the present batch"),
        ("running", "finished"): states.Step(
            stamp="finished_at", event=_finished, who="system", note="everyone is told"
        ),
        ("running", "cancelled"): states.Step(stamp="finished_at", who="staff", note="cancel"),
        ("paused", "running"): states.Step(event=_started, who="staff", note="resume where it stopped"),
        ("paused", "cancelled"): states.Step(stamp="finished_at", who="staff", note="cancel"),
    },
    refusal=IllegalBroadcastStep,
)

states.register(Broadcast, MACHINE)
