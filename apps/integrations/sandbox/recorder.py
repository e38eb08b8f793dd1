"""What would have been sent: the newest messages of all channels, in memory."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Literal

from django.utils import timezone

Channel = Literal["sms", "mail", "bot", "push"]
CHANNELS: tuple[Channel, ...] = ("sms", "mail", "bot", "push")
KEPT_MESSAGES = 2000
KEPT_CHARACTERS = 10_000

_messages: deque[dict[str, str]] = deque(maxlen=KEPT_MESSAGES)
_lock = Lock()


def record(channel: Channel, to: str | int, text: str) -> None:
    """Remember one message; the oldest ones fall out."""
    entry = {
        "channel": channel,
        "to": str(to),
        "text": text[:KEPT_CHARACTERS],
        "at": timezone.now().isoformat(),
    }
    with _lock:
        _messages.appendleft(entry)


def messages(*, channel: str = "", to: str = "") -> list[dict[str, str]]:
    """Messages newest first, all or of one channel and one address. Phones are compared by their digits."""
    with _lock:
        kept = list(_messages)
    return [
        entry
        for entry in kept
        if (not channel or entry["channel"] == channel) and (not to or _address(entry["to"]) == _address(to))
    ]


def clear() -> None:
    """Forget everything."""
    with _lock:
        _messages.clear()


def _address(text: str) -> str:
    """`+998 90…` arrives from a query string as ` 998 90…`: a plus there means a space."""
    bare = text.strip().lower()
    digits = bare.replace(" ", "").removeprefix("+")
    return digits if digits.isdigit() else bare
