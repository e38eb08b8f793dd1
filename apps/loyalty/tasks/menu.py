"""Jobs about the menu."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.loyalty.actions import menu


@shared_task
def refresh_menu(**_: Any) -> bool:
    """Fetch menus and stop-lists before anybody asks for them; every twenty seconds, what is fresh is left alone."""
    return menu.refresh()
