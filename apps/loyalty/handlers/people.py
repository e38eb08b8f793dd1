"""What becomes of a guest when accounts learns something about the person; and the first manager of a new house."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from apps.accounts.events import MergeUndone, PersonErased, PersonsMerged
from apps.core import events
from apps.loyalty.actions import clients, staff


@events.on(PersonsMerged)
def bring_the_guest_along(event: PersonsMerged) -> None:
    clients.follow(keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(MergeUndone)
def take_the_guest_back(event: MergeUndone) -> None:
    clients.part(keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(PersonErased)
def forget_the_person(event: PersonErased) -> None:
    clients.forget(user_id=event.person_id)


@receiver(post_migrate, dispatch_uid="loyalty.first_manager")
def hire_the_first_manager(sender: Any, **_: Any) -> None:
    """After every migration; a manager who is there, or was renamed, is left alone (contract loyalty 7.3)."""
    if sender is apps.get_app_config("loyalty"):
        staff.ensure_first_manager()
