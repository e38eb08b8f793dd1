"""Everything notifications do, under one roof: `from apps.notifications import actions as notifications`."""

from apps.notifications.actions.broadcasts import advance, broadcast, cancel, pause, resume, run_due, start, withdraw
from apps.notifications.actions.deliveries import OVER, deliver_due, repeat, repeat_many
from apps.notifications.actions.merging import erase_person, merge_persons, undo_merge
from apps.notifications.actions.people import (
    clear_quiet_hours,
    forget_device,
    register_device,
    set_quiet_hours,
    set_wishes,
)
from apps.notifications.actions.telling import forget, mark_all_read, mark_read, mark_sent, prune, tell, tell_many
from apps.notifications.errors import (
    BadDevice,
    BadWish,
    IllegalBroadcastStep,
    NotificationNotFound,
    NotRepeatable,
    UnknownSegment,
)

__all__ = [
    "OVER",
    "BadDevice",
    "BadWish",
    "IllegalBroadcastStep",
    "NotRepeatable",
    "NotificationNotFound",
    "UnknownSegment",
    "advance",
    "broadcast",
    "cancel",
    "clear_quiet_hours",
    "deliver_due",
    "erase_person",
    "forget",
    "forget_device",
    "mark_all_read",
    "mark_read",
    "mark_sent",
    "merge_persons",
    "pause",
    "prune",
    "register_device",
    "repeat",
    "repeat_many",
    "resume",
    "run_due",
    "set_quiet_hours",
    "set_wishes",
    "start",
    "tell",
    "tell_many",
    "undo_merge",
    "withdraw",
]
