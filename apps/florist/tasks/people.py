"""Jobs about pictures and begun registrations; each may run twice and then finds nothing to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.florist.actions import registration, uploads


@shared_task
def sweep_pictures(**_: Any) -> int:
    """Pictures that nothing names; at night."""
    return uploads.sweep_orphans()


@shared_task
def forget_registrations(**_: Any) -> int:
    """Begun registrations that are over, with their phones; at night."""
    return registration.forget_old()
