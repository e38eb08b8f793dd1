"""What becomes of messages when two persons turn out to be one, when that was wrong, and when a person is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.notifications.models import Device, MergedRow, Notification, QuietHours, Wish


def merge_persons(*, merge_id: int, keep_id: int, gone_id: int) -> None:
    """The kept person gets the other's inbox and devices; what both have (a told key) stays where it is."""
    with transaction.atomic():
        known = Notification.objects.filter(user_id=keep_id).exclude(key="")
        pairs = set(known.values_list("product", "key"))
        rows = Notification.objects.filter(user_id=gone_id).values_list("pk", "product", "key")
        _move(Notification, [pk for pk, product, key in rows if (product, key) not in pairs], keep_id, merge_id)
        _move(Device, list(Device.objects.filter(user_id=gone_id).values_list("pk", flat=True)), keep_id, merge_id)


def _move(model: Any, ids: list[int], keep_id: int, merge_id: int) -> None:
    model.objects.filter(pk__in=ids).update(user_id=keep_id)
    name = model._meta.model_name
    MergedRow.objects.bulk_create([MergedRow(merge_id=merge_id, model=name, row_id=pk) for pk in ids])


def undo_merge(*, merge_id: int, gone_id: int) -> None:
    """Give back what the merge moved, as far as it still exists."""
    with transaction.atomic():
        moved = MergedRow.objects.filter(merge_id=merge_id)
        for model in (Notification, Device):
            ids = moved.filter(model=model._meta.model_name).values_list("row_id", flat=True)
            model._default_manager.filter(pk__in=list(ids)).update(user_id=gone_id)
        moved.delete()


def erase_person(*, user_id: int, product: str = "") -> None:
    """The person asked to be forgotten, by all or by one product: nothing told, no device, no wish remains."""
    about = {"user_id": user_id, **({"product": product} if product else {})}
    with transaction.atomic():
        for model in (Notification, Device, Wish, QuietHours):
            model._default_manager.filter(**about).delete()


def unsay(*, product: str, keys: Iterable[str] = (), ending: str = "") -> int:
    """Take back what was told under these keys, and under those with that ending, whoever got it: it named somebody who

    is to be forgotten. What still waits to go out does not go. Repeating is free; returns how many messages went.
    No index helps here, so it is for deeds that are rare.
    """
    which = Q(key__in=list(keys))
    if ending:
        which |= Q(key__endswith=ending)
    return Notification.objects.filter(which, product=product).delete()[1].get(Notification._meta.label, 0)
