"""The one place per process where live frames come in and are put through to sockets.

All sockets of a loop share one channel of the channel layer and one reading task. A socket costs no Redis channel, no
queue and no task of its own, which is how 2,000 idle ones fit into 100 MB.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, Protocol, TypeVar

import orjson
from channels.db import DatabaseSyncToAsync
from channels.layers import get_channel_layer
from django.db import connection

from apps.notifications import actions, live, queries

log = logging.getLogger(__name__)

DATABASE_THREADS = 4
"""Threads, hence database connections, for all sockets of a process."""

SWEEP_SECONDS = 20
"""How often connected people's unsent rows are looked for; heals whatever pub/sub lost."""

OVERLOOKED_AFTER_SECONDS = 5
PAUSE_AFTER_TROUBLE_SECONDS = 1
ECHO_TRIES = 20
ECHO_SECONDS = 0.1
"""A new group calls itself so often, at this pace, until Redis lets it hear its own call."""

P = ParamSpec("P")
R = TypeVar("R")


class Socket(Protocol):
    """What the switchboard needs to know of a consumer."""

    @property
    def person(self) -> tuple[int, str] | None:
        """(user id, product), for sockets that want notification rows."""

    def put_through(self, message: dict[str, Any]) -> None:
        """Take a message of the layer; must not wait."""


_pool = ThreadPoolExecutor(max_workers=DATABASE_THREADS, thread_name_prefix="sockets-db")


async def in_database(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run database work in a thread. SQLite gets the one shared thread: its writers would only queue anyway."""
    if connection.vendor == "sqlite":
        return await DatabaseSyncToAsync(work)(*args, **kwargs)
    return await DatabaseSyncToAsync(work, thread_sensitive=False, executor=_pool)(*args, **kwargs)


class Switchboard:
    """Groups of sockets in one event loop, the marks they make, and the search for overlooked rows."""

    def __init__(self) -> None:
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._groups: dict[str, set[Socket]] = {}
        self._echoes: dict[str, asyncio.Event] = {}
        self._joining = asyncio.Lock()
        self._written: set[int] = set()
        self._marking: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # ── groups ────────────────────────────────────────────────────────────────────────────────────────────────────
    async def join(self, socket: Socket, group: str) -> None:
        """Put the socket into the group; returns when whatever is sent there from now on will be heard."""
        async with self._joining:
            if not self._channel:
                await self._open()
            members = self._groups.setdefault(group, set())
            if not members:
                await self._layer.group_add(group, self._channel)
                self._echoes[group] = asyncio.Event()
            members.add(socket)
        if group in self._echoes:
            await self._hear_ourselves(group, self._echoes[group])

    async def _hear_ourselves(self, group: str, heard: asyncio.Event) -> None:
        """The layer does not wait for Redis to confirm a subscription: call into the group until our call comes back.

        Without it a row told between the look at the table and the subscription would wait for the sweep, and the
        rows after it would overtake it.
        """
        for _ in range(ECHO_TRIES):
            await self._layer.group_send(group, {"type": "house.echo", "group": group, "from": self._channel})
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), ECHO_SECONDS)
                return
        log.warning("no echo from the live layer", extra={"group": group})

    async def leave(self, socket: Socket, group: str) -> None:
        """Take the socket out; the last one gives the subscription back."""
        async with self._joining:
            members = self._groups.get(group, set())
            members.discard(socket)
            if not members and self._groups.pop(group, None) is not None:
                self._echoes.pop(group, None)
                await self._give_back(group)

    async def _give_back(self, group: str) -> None:
        try:
            await self._layer.group_discard(group, self._channel)
        except Exception as problem:  # Redis is away: nobody listens here any more, its frames go nowhere
            log.warning("live group not given back", extra={"group": group, "problem": type(problem).__name__})

    async def _open(self) -> None:
        self._channel = await self._layer.new_channel()
        live.at_home(asyncio.get_running_loop())
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep_forever())]

    async def _listen(self) -> None:
        while True:
            try:
                self._put_through(await self._layer.receive(self._channel))
            except Exception as problem:  # the layer is foreign ground; a socket process outlives its hiccups
                log.warning("live layer trouble", extra={"problem": type(problem).__name__})
                await asyncio.sleep(PAUSE_AFTER_TROUBLE_SECONDS)

    def _put_through(self, message: dict[str, Any]) -> None:
        if message["type"] == "house.echo":
            if message["from"] == self._channel and (heard := self._echoes.pop(message["group"], None)):
                heard.set()
            return
        for socket in tuple(self._groups.get(message.get("group", ""), ())):
            socket.put_through(message)

    def sockets_of(self, person: tuple[int, str]) -> list[Socket]:
        """The open sockets of one person in this process, in no order."""
        members = self._groups.get(live.person(*person), ())
        return [socket for socket in members if socket.person == person]

    def crowd(self, group: str) -> int:
        """How many sockets of this process are in the group."""
        return len(self._groups.get(group, ()))

    # ── marks ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def mark(self, row_ids: Iterable[int]) -> None:
        """These rows have been written to a socket. One UPDATE at a time for all: a burst becomes few statements."""
        self._written.update(row_ids)
        if self._written and (self._marking is None or self._marking.done()):
            self._marking = asyncio.create_task(self._mark_written())

    async def _mark_written(self) -> None:
        while self._written:
            batch, self._written = self._written, set()
            try:
                await in_database(actions.mark_sent, row_ids=sorted(batch))
            except Exception as problem:  # the database is away: keep the marks, or the rows would be said twice
                log.warning("marks wait", extra={"count": len(batch), "problem": type(problem).__name__})
                self._written |= batch
                await asyncio.sleep(PAUSE_AFTER_TROUBLE_SECONDS)

    async def settled(self) -> None:
        """Wait until every row written so far is marked, so that a reconnect does not hear it again."""
        while self._marking is not None and not self._marking.done():
            await asyncio.shield(self._marking)

    # ── overlooked rows ───────────────────────────────────────────────────────────────────────────────────────────
    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception as problem:  # the database is away; the next round will do
                log.warning("sweep failed", extra={"problem": type(problem).__name__})

    async def sweep(self, older_than_seconds: float = OVERLOOKED_AFTER_SECONDS) -> int:
        """Put unsent rows of the people connected here through to their sockets; returns how many there were."""
        await self.settled()
        people = {socket.person for members in self._groups.values() for socket in members if socket.person}
        if not people:
            return 0
        rows = await in_database(queries.overlooked_rows, people, older_than_seconds=older_than_seconds)
        for row in rows:
            message = {"type": "house.row", "text": orjson.dumps(row).decode()}
            for socket in self.sockets_of((row["user_id"], row["product"])):
                socket.put_through(message)
        return len(rows)


_boards: dict[asyncio.AbstractEventLoop, Switchboard] = {}


def here() -> Switchboard:
    """The switchboard of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _boards:
        for old in [known for known in _boards if known.is_closed()]:
            del _boards[old]
        _boards[loop] = Switchboard()
    return _boards[loop]
