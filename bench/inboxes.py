"""Live delivery: 2,000 guests with the app open, messages to single ones and an announcement to all of them.

A message's time begins before its row is written and ends when the guest's client has the frame.
`python -m bench.inboxes FIRST SOCKETS SINGLE` is the process that writes, like a web worker and the teller.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from typing import Any

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

from apps.loyalty.actions import announcements, doors, messages
from apps.loyalty.models import Client
from apps.notifications import actions as notifications
from apps.notifications.models import Notification
from bench import sockets
from bench.stage import ROOT, Stage

SOCKETS = 2_000
SINGLE, PER_SECOND = 2_000, 200
"""Messages to one guest each, and how many a second."""
TITLE = "To everybody"
PATIENCE_SECONDS = 60

Heard = list[tuple[str, str, int, int]]
"""Title, whose token, when it was written, when it was there; nanoseconds of the machine's clock."""


class Guest(sockets.Client):
    """A mobile client."""

    def __init__(self, token: str, port: int, seen: Heard) -> None:
        super().__init__(0, port, [])
        self.token, self.frames = token, seen

    def asks_for(self) -> str:
        return f"GET /loyalty/api/v1/notifications/ws HTTP/1.1\r\nAuthorization: Bearer {self.token}"

    def heard(self, body: bytes, now: int) -> None:
        frame = json.loads(body)
        self.frames.append((frame["title"], self.token, frame["payload"].get("at", 0), now))


def run(at: Stage, first: int) -> None:
    """`first` is the lowest id of guests whom nobody else uses; the announcement is told to all living guests."""
    at.title(f"Live delivery: {SOCKETS} guests with an open socket, {SINGLE} messages at {PER_SECOND}/s, one to all")
    Client.objects.living().exclude(pk__range=(first, first + SOCKETS - 1)).update(
        is_deleted=True, iiko_customer_id=None, iiko_wallet_id=None
    )
    Notification.objects.update(goes_live=False)  # the announcement before this one is not replayed
    people = Client.objects.select_related("user").filter(pk__range=(first, first + SOCKETS - 1))
    tokens = [doors.open_session(client).access for client in people]
    at.house.start("live")
    at.house.wait_for("live", f"http://127.0.0.1:{at.house.ports['live']}/health")
    opened, seen = asyncio.run(_listen(at, tokens, first))
    at.house.kill("live")
    _report(at, opened, seen)


async def _listen(at: Stage, tokens: list[str], first: int) -> tuple[float, Heard]:
    seen: Heard = []
    port, began = at.house.ports["live"], time.monotonic()
    guests = [await _connect(token, port, seen) for token in tokens]
    await asyncio.gather(*(guest.is_open for guest in guests))
    opened = time.monotonic() - began
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.inboxes", str(first), str(SOCKETS), str(SINGLE)),
        cwd=ROOT, env=at.house.environment("worker"), stdout=subprocess.PIPE,
    )  # fmt: skip
    told_at = int((await writer.communicate())[0] or 0)
    until = time.monotonic() + PATIENCE_SECONDS
    while len(seen) < SINGLE + SOCKETS and time.monotonic() < until:
        await asyncio.sleep(0.1)
    for guest in guests:
        guest.transport.abort()
    return opened, [(title, token, sent or told_at, there) for title, token, sent, there in seen]


async def _connect(token: str, port: int, seen: Heard) -> Guest:
    _, guest = await asyncio.get_running_loop().create_connection(lambda: Guest(token, port, seen), "127.0.0.1", port)
    await guest.is_open
    return guest


def _report(at: Stage, opened: float, seen: Heard) -> None:
    single = sorted((there - sent) / 1e6 for title, _, sent, there in seen if title != TITLE)
    to_all = sorted((there - sent) / 1e6 for title, _, sent, there in seen if title == TITLE)
    if (len(single), len(to_all), len({(title, token) for title, token, _, _ in seen})) != (
        *(SINGLE, SOCKETS, SINGLE + SOCKETS),
    ):
        raise SystemExit(f"{len(single)} messages of {SINGLE}, {len(to_all)} of {SOCKETS}: {at.house.tail('live')}")
    at.say("sockets opened (s)", f"{opened:.1f}")
    at.say("one guest, from before the row to the frame (p50, p99 ms)", f"{_at(single, 50):.1f}, {_at(single, 99):.1f}")
    at.say("all guests, from the announcement (p50, p99 ms)", f"{_at(to_all, 50):.0f}, {_at(to_all, 99):.0f}")
    at.say("messages lost, messages twice", "0, 0")


def _at(waits: list[float], share: int) -> float:
    return waits[min(len(waits) - 1, len(waits) * share // 100)]


def publish(first: int, sockets_count: int, single: int) -> None:
    """Write to single guests at the agreed pace, then to all; print when that announcement was made."""
    people = {client.pk: client.user for client in Client.objects.living().select_related("user")}
    numbers = [random.randrange(first, first + sockets_count) for _ in range(single)]  # noqa: S311
    began = time.monotonic()
    for number, pk in enumerate(numbers):
        if (pause := began + number / PER_SECOND - time.monotonic()) > 0:
            time.sleep(pause)
        _write(people[pk], number)
    told_at = time.monotonic_ns()
    announcements.announce(by=None, title=TITLE, description="The kitchen rests")
    notifications.run_due()
    print(told_at, flush=True)


def _write(user: Any, number: int) -> None:
    notifications.tell(
        user=user,
        product="loyalty",
        kind=messages.WORD,
        title=f"n{number}",
        body="d",
        payload={"at": time.monotonic_ns()},
    )


if __name__ == "__main__":
    publish(*map(int, sys.argv[1:4]))
