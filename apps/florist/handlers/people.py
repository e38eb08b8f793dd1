"""A membership follows its person when accounts learns something about him (design 3.8)."""

from __future__ import annotations

from apps.accounts.events import MergeUndone, PersonErased, PersonsMerged
from apps.core import events
from apps.florist.actions import people


@events.on(PersonsMerged)
def bring_the_jobs_along(event: PersonsMerged) -> None:
    """They may work in several shops."""
    people.follow(merge_id=event.merge_id, keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(MergeUndone)
def take_the_jobs_back(event: MergeUndone) -> None:
    """What came along by that merge."""
    people.part(merge_id=event.merge_id, gone_id=event.gone_id)


@events.on(PersonErased)
def forget_the_person(event: PersonErased) -> None:
    """His work stays, his name does not."""
    people.forget(user_id=event.person_id)
