"""What becomes of files that nobody shows any more."""

from __future__ import annotations

from apps.core import events
from apps.loyalty.actions import files
from apps.loyalty.events import PhotoDropped


@events.after(PhotoDropped)
def throw_the_file_away(event: PhotoDropped) -> None:
    files.forget(name=event.name)
