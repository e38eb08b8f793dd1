"""What somebody had in hand when he left does not stay with him."""

from __future__ import annotations

from apps.accounts.events import PersonErased
from apps.core import events
from apps.florist.actions import leaving
from apps.florist.events import RightsChanged


@events.after(RightsChanged)
def free_the_work(event: RightsChanged) -> None:
    """Of who was dismissed, or has another role."""
    leaving.free_work(employee_id=event.employee_id)


@events.after(PersonErased)
def free_the_work_of_the_erased(event: PersonErased) -> None:
    """His seats are empty now."""
    leaving.free_work_of_person(user_id=event.person_id)
