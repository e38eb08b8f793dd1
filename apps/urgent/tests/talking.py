"""Let facts become messages, and read what arrived."""

from __future__ import annotations

from apps.core.testing import deliver
from apps.integrations.sandbox import recorder
from apps.notifications import actions as notifications


def talk() -> None:
    """Facts → rows → vendors → what vendors said, until nothing is left."""
    deliver()
    notifications.deliver_due()
    deliver()


def said_to(telegram_id: int) -> list[str]:
    """Bot messages to a person, oldest first."""
    return [message["text"] for message in reversed(recorder.messages(channel="bot", to=str(telegram_id)))]
