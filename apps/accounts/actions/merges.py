"""Two rows, one human: bring them together, and take them apart again when it was a mistake."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts import access, errors
from apps.accounts.actions import log, people
from apps.accounts.events import MergeUndone, PersonsMerged
from apps.accounts.models import IDENTIFIERS, AuthLog, Merge, User
from apps.core import events
from apps.core.access import ensure

PROOFS = {"phone": "phone_verified_at", "email": "email_verified_at", "telegram_id": "can_message_bot"}
"""What moves with an identifier."""


def merge(*, by: User | None, keep: User, gone: User, reason: str) -> Merge:
    """`gone` becomes a doorway to `keep`: identifiers that `keep` lacks move over, the others still lead to `keep`.

    Products re-point their own rows when they hear `PersonsMerged`. Raises `CannotMerge`, `MayNotManage`,
    `NotYourself`.
    """
    with transaction.atomic():
        keep, gone = _lock_both(keep, gone)
        for person in (keep, gone):
            ensure(person.is_active, errors.CannotMerge)
            access.ensure_can_manage(by, person, "merge")
        snapshot = _take(gone, keep)
        row = Merge.objects.create(keep=keep, gone=gone, snapshot=snapshot, reason=reason[:500], by=by)
        _close(gone, keep)
        keep.save()
        log.write(AuthLog.Event.MERGED, user=keep, by=by, reason=reason, facts={"merge_id": row.pk})
        events.publish(PersonsMerged(merge_id=row.pk, keep_id=keep.pk, gone_id=gone.pk))
    return row


def _lock_both(first: User, second: User) -> tuple[User, User]:
    """Locked in id order. Raises `CannotMerge` when one is missing, erased or merged, or both are the same."""
    rows = User.objects.select_for_update(of=("self",)).filter(
        pk__in=(first.pk, second.pk), erased_at=None, merged_into=None
    )
    found = {row.pk: row for row in rows.order_by("pk")}
    ensure(len(found) == 2, errors.CannotMerge)
    return found[first.pk], found[second.pk]


def _take(gone: User, keep: User) -> dict[str, Any]:
    """Move what `keep` lacks, on the objects; returns what moved and what `gone` was."""
    moved: dict[str, Any] = {}
    for name in IDENTIFIERS:
        if getattr(gone, name) and not getattr(keep, name):
            moved[name] = getattr(gone, name)
            setattr(keep, name, moved[name])
            setattr(gone, name, None)
            if proof := PROOFS.get(name):
                setattr(keep, proof, getattr(gone, proof))
    had_password = gone.has_usable_password() and not keep.has_usable_password()
    if had_password:
        keep.password = gone.password
    return {"moved": moved, "password_moved": had_password}


def _close(gone: User, keep: User) -> None:
    """Written before `keep` takes its identifiers: the unique columns must be free by then."""
    gone.merged_into, gone.is_active = keep, False
    people.revoke_tokens(gone, why="merged", now=timezone.now())
    gone.save()


def undo_merge(*, by: User | None, merge: Merge, reason: str) -> User:
    """They were two people after all: what moved goes back, as far as `keep` still has it.

    Returns the one who came back.

    Raises `CannotUndoMerge` when it was undone before, one of them was merged further or erased, or somebody else
    has by now
    taken what would have to go back; `MayNotManage`, `NotYourself`.
    """
    with transaction.atomic():
        row = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
        ensure(row.undone_at is None, errors.CannotUndoMerge)
        pair = User.objects.select_for_update(of=("self",)).filter(pk__in=(row.keep_id, row.gone_id)).order_by("pk")
        people_by_id = {person.pk: person for person in pair}
        keep, gone = people_by_id[row.keep_id], people_by_id[row.gone_id]
        ensure(gone.merged_into_id == keep.pk and keep.merged_into_id is None, errors.CannotUndoMerge)
        ensure(not keep.erased_at and not gone.erased_at, errors.CannotUndoMerge)
        access.ensure_can_manage(by, keep, "merge")
        _give_back(row.snapshot, keep, gone)
        _reopen(keep, gone)
        row.undone_at, row.undone_by, row.undo_reason = timezone.now(), by, reason[:500]
        row.save(update_fields=["undone_at", "undone_by", "undo_reason"])
        log.write(AuthLog.Event.MERGE_UNDONE, user=keep, by=by, reason=reason, facts={"merge_id": row.pk})
        events.publish(MergeUndone(merge_id=row.pk, keep_id=keep.pk, gone_id=gone.pk))
    return gone


def _give_back(snapshot: dict[str, Any], keep: User, gone: User) -> None:
    for name, value in snapshot["moved"].items():
        if getattr(keep, name) == value:
            setattr(keep, name, None)
            if proof := PROOFS.get(name):
                setattr(gone, proof, getattr(keep, proof))
                setattr(keep, proof, False if name == "telegram_id" else None)
        ensure(
            not User.objects.filter(**{name: value}).exclude(pk__in=(keep.pk, gone.pk)).exists(), errors.CannotUndoMerge
        )
        setattr(gone, name, value)
    if snapshot["password_moved"] and keep.password == gone.password:
        keep.set_unusable_password()


def _reopen(keep: User, gone: User) -> None:
    """`keep` first, so that the unique columns are free for `gone`.

    Tokens of both are dead, for they may mix the two.
    """
    people.revoke_tokens(keep, why="merge undone", now=timezone.now())
    keep.save()
    gone.merged_into, gone.is_active = None, True
    gone.save()
