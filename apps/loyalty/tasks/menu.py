"""Jobs about the menu."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.loyalty.actions import menu


@shared_task
def refresh_menu(**_: Any) -> bool:
    """Make the menu's answer anew before its life ends, every twenty seconds: no guest waits for the sources.

    Menus and stop-lists are fetched when their own lives are over.
    """
    return menu.refresh(ahead=menu.AHEAD_SECONDS)
