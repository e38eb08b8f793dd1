"""What notifications do when something happened."""

from __future__ import annotations

from apps.accounts.events import MergeUndone, PersonBlocked, PersonErased, PersonsMerged
from apps.core import events
from apps.core.tasks import enqueue
from apps.notifications import actions, channels, live, tasks
from apps.notifications.events import BroadcastStarted, DeliveriesQueued


@events.on(DeliveriesQueued)
def wake_the_carrier(event: DeliveriesQueued) -> None:
    """The rows are due by themselves (swept by beat); this only spares them the wait."""
    enqueue(tasks.deliver_due)


@events.on(BroadcastStarted)
def begin_to_tell(event: BroadcastStarted) -> None:
    """The same: a sweep would begin it within half a minute."""
    enqueue(tasks.run_broadcasts, broadcast_id=event.broadcast_id)


@events.on(PersonBlocked)
def hang_up_on_the_blocked(event: PersonBlocked) -> None:
    """Open sockets must not outlive the right to open them."""
    for product in channels.products():
        live.hang_up(event.person_id, product)


@events.on(PersonErased)
def forget_the_erased(event: PersonErased) -> None:
    actions.erase_person(user_id=event.person_id)
    for product in channels.products():
        live.hang_up(event.person_id, product)


@events.on(PersonsMerged)
def move_the_inbox(event: PersonsMerged) -> None:
    actions.merge_persons(merge_id=event.merge_id, keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(MergeUndone)
def move_the_inbox_back(event: MergeUndone) -> None:
    actions.undo_merge(merge_id=event.merge_id, gone_id=event.gone_id)
