"""What becomes of a membership when accounts learns something about its person; in the same transaction."""

from __future__ import annotations

from apps.accounts.events import MergeUndone, PersonErased, PersonsMerged
from apps.core import events
from apps.urgent.actions import people


@events.on(PersonsMerged)
def bring_the_membership_along(event: PersonsMerged) -> None:
    people.follow(keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(MergeUndone)
def take_the_membership_back(event: MergeUndone) -> None:
    people.part(keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(PersonErased)
def forget_the_person(event: PersonErased) -> None:
    people.forget(user_id=event.person_id)
