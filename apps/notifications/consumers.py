"""The base of every product's socket: who is it, what do they hear, what was missed, and how it ends (design 3.16)."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import orjson
from channels.consumer import AsyncConsumer
from django.utils import timezone

from apps.core.errors import NotAllowed, Refused, Unauthenticated
from apps.notifications import live, queries, switchboard
from apps.notifications.switchboard import in_database

log = logging.getLogger(__name__)

UNAUTHENTICATED = "unauthenticated"
FORBIDDEN = "forbidden"
TOO_BIG = "too_big"
TOO_FAST = "too_fast"
TOO_SLOW = "too_slow"
TOO_MANY = "too_many"
TROUBLE = "trouble"
SILENT = "silent"

CLOSE_CODES: dict[str, int] = {
    UNAUTHENTICATED: 4401,
    FORBIDDEN: 4403,
    SILENT: 4408,
    TOO_MANY: 4409,
    TOO_FAST: 4429,
    TOO_BIG: 1009,
    TROUBLE: 1011,
    TOO_SLOW: 1013,
}
"""Why a socket is closed, and with which code; products replace single ones (florist answers 1008)."""

REMEMBERED_ROWS = 1000
"""How many row ids a socket remembers, so that a row told by two ways is written once."""


@dataclass(frozen=True)
class Proof:
    """What the client shows. `way`: header | subprotocol | query | frame | open; `frame` is the whole first frame."""

    way: str
    token: str = field(default="", repr=False)
    frame: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Visitor:
    """Who it turned out to be. `user_id` 0 is nobody in particular (a public tracking page): no rows, only groups.

    After `expires_at` the socket is closed as unauthenticated; a new auth frame of the same person extends it.
    """

    user_id: int
    member: Any = None
    expires_at: datetime | None = None


class Closed(Exception):
    """Our side has hung up."""


class HouseConsumer(AsyncConsumer):
    """Base of product sockets. A product gives `product`, `authenticate` and, where needed, the other hooks.

    Hooks may be plain functions (run in a database thread) or coroutines. Frames out are JSON texts, in order. A socket
    that cannot keep up is closed with 1013 and finds what it missed on reconnecting; junk from clients is ignored.
    """

    product: ClassVar[str] = ""
    proofs: ClassVar[tuple[str, ...]] = ("header", "subprotocol", "frame")
    """Accepted ways, in this order; add "query" (`?token=`) or "open" (no proof) where a contract says so."""
    refuses_handshake: ClassVar[bool] = False
    """True: a bad proof is HTTP 403 before the upgrade (contract loyalty 3.10); False: accept, then close 4401."""
    replays: ClassVar[bool] = True
    """Whether this socket hears the person's notification rows, the missed ones first."""
    auth_seconds: ClassVar[float] = 10
    """How long a socket may stay open before its first frame proves who it is."""
    ping_seconds: ClassVar[float] = 30
    """Period of our own ping frames; 0 for clients that would choke on them (the server's protocol pings remain)."""
    ping_frame: ClassVar[Mapping[str, Any]] = {"type": "ping"}
    silence_seconds: ClassVar[float] = 0
    """Close a socket that has said nothing for so long; 0 = never, for clients that do not answer pings."""
    largest_frame_bytes: ClassVar[int] = 16 * 1024
    frames_per_minute: ClassVar[int] = 120
    most_waiting_frames: ClassVar[int] = 500
    """Frames a slow reader may have pending before the socket is closed."""
    most_sockets_per_person: ClassVar[int] = 20
    """Per process; the next one closes with 4409."""
    close_codes: ClassVar[Mapping[str, int]] = {}

    # ── hooks ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def authenticate(self, proof: Proof) -> Visitor | Awaitable[Visitor]:
        """Say who shows this proof. Raises `Unauthenticated` (→ 4401) or any other Refused (→ 4403)."""
        raise Unauthenticated()

    def groups(self, visitor: Visitor) -> list[str] | Awaitable[list[str]]:
        """Further groups this visitor may hear, by the same `access` rules as HTTP."""
        return []

    def frame_of(self, row: dict[str, Any]) -> dict[str, Any]:
        """A notification row (see `queries.LIVE_FIELDS`) as the product's clients expect it."""
        names = ("id", "kind", "title", "body", "payload", "created_at")
        return {"type": "notification", **{name: row[name] for name in names}}

    def hears(self, row: dict[str, Any]) -> bool:
        """Whether a notification row is for this socket; one that is not stays unsent for another of this person's."""
        return True

    def wants(self, frame: dict[str, Any]) -> bool:
        """Whether this socket asked for such frames (florist's subscribe filter); parsed only where overridden."""
        return True

    async def greet(self, proof: Proof) -> None:
        """Say hello once the visitor is known; by default only a first-frame proof is answered."""
        if proof.way == "frame":
            self.send_json({"type": "ready"})

    async def received(self, frame: dict[str, Any]) -> None:
        """A frame from the client that is neither proof nor ping; ignored unless the product listens."""

    # ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def __init__(self) -> None:
        self.visitor: Visitor | None = None
        self.scope: Any = {}
        self._board: switchboard.Switchboard
        self._joined: set[str] = set()
        self._waiting: deque[tuple[str, int]] = deque()
        self._known: OrderedDict[int, None] = OrderedDict()
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._held: list[dict[str, Any]] | None = None  # what came live while the missed rows are being written
        self._is_accepted = False
        self._is_closed = False
        self._heard_at = time.monotonic()
        self._allowance = float(self.frames_per_minute)

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """The ASGI application: one call per socket. Raises `ValueError` for anything else, lifespan included."""
        if scope["type"] != "websocket":
            raise ValueError(f"no {scope['type']} here")
        self.scope, self.base_send, self._board = scope, send, switchboard.here()
        try:
            while not self._is_closed:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                await self._handle(message)
        except (Closed, OSError):
            pass  # we hung up, or they did while we were writing: both are ordinary ends
        finally:
            await self._depart()

    async def _handle(self, message: dict[str, Any]) -> None:
        try:
            if message["type"] == "websocket.connect":
                await self._connect()
            else:
                await self._hear(message)
        except (Closed, OSError):
            raise
        except Exception:
            log.exception("socket trouble", extra={"product": self.product})
            await self.close(TROUBLE)

    async def _depart(self) -> None:
        self._is_closed = True
        if self._timer:
            self._timer.cancel()
        for task in (self._writer, *self._chores):
            if task and task is not asyncio.current_task():
                task.cancel()
        for group in tuple(self._joined):
            await self._board.leave(self, group)

    # ── who is it ─────────────────────────────────────────────────────────────────────────────────────────────────
    async def _connect(self) -> None:
        proof = self._shown_proof()
        if proof:
            await self._admit(proof)
        elif "frame" in self.proofs:
            await self._accept()
            self._arm(self.auth_seconds, UNAUTHENTICATED)
        else:
            await self.close(UNAUTHENTICATED)

    def _shown_proof(self) -> Proof | None:
        readers = {"header": self._by_header, "subprotocol": self._by_subprotocol, "query": self._by_query}
        for way in self.proofs:
            if way == "open":
                return Proof("open")
            if way in readers and (token := readers[way]()):
                return Proof(way, token)
        return None

    def _by_header(self) -> str:
        headers = dict(self.scope.get("headers", ()))
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def _by_subprotocol(self) -> str:
        """Browsers cannot set headers: `new WebSocket(url, ["bearer", token])`."""
        offered = self.scope.get("subprotocols") or []
        return offered[1] if len(offered) == 2 and offered[0] == "bearer" else ""

    def _by_query(self) -> str:
        pairs = (pair.partition("=") for pair in self.scope.get("query_string", b"").decode("latin-1").split("&"))
        return next((value for name, _, value in pairs if name == "token"), "")

    async def _admit(self, proof: Proof) -> None:
        try:
            visitor: Visitor = await self._ask(self.authenticate, proof)
        except Unauthenticated:
            await self.close(UNAUTHENTICATED)
        except Refused:
            await self.close(FORBIDDEN)
        else:
            await self._welcome(visitor, proof)

    async def _welcome(self, visitor: Visitor, proof: Proof) -> None:
        crowd = self._board.crowd(live.person(visitor.user_id, self.product))
        if visitor.user_id and crowd >= self.most_sockets_per_person:
            await self.close(TOO_MANY)
        self._held, self.visitor = [], visitor
        await self._join_groups(visitor)
        await self._accept(subprotocol="bearer" if proof.way == "subprotocol" else None)
        await self.greet(proof)
        await self._write_waiting()
        if self.person:
            await self._catch_up(*self.person)
        held, self._held = self._held, None
        for message in held:
            self.put_through(message)
        self._wake_writer()
        self._heard_at = time.monotonic()  # silence counts from here: nobody was listening to them meanwhile
        self._arm_heartbeat()

    async def _extend(self, frame: dict[str, Any]) -> None:
        """A later auth frame: the same person may bring a fresher token; nobody else may take over the socket."""
        before, proof = self.visitor, self._proof_in(frame)
        visitor: Visitor = await self._ask(self.authenticate, proof)
        if before is None or visitor.user_id != before.user_id:
            raise NotAllowed()
        self.visitor = visitor

    async def _ask(self, hook: Callable[..., Any], *args: Any) -> Any:
        if inspect.iscoroutinefunction(hook):
            return await hook(*args)
        return await in_database(hook, *args)

    @property
    def person(self) -> tuple[int, str] | None:
        """(user id, product) when this socket hears notification rows."""
        if self.visitor is None or not self.visitor.user_id or not self.replays:
            return None
        return self.visitor.user_id, self.product

    # ── groups ────────────────────────────────────────────────────────────────────────────────────────────────────
    async def regroup(self) -> None:
        """Ask `groups` again and join or leave accordingly; for products whose clients choose what they hear."""
        if self.visitor is not None:
            await self._join_groups(self.visitor)

    async def _join_groups(self, visitor: Visitor) -> None:
        wanted = set(await self._ask(self.groups, visitor))
        if visitor.user_id:
            wanted.add(live.person(visitor.user_id, self.product))
        for group in sorted(wanted - self._joined):
            await self.join(group)
        for group in sorted(self._joined - wanted):
            await self.leave(group)

    async def join(self, group: str) -> None:
        """Hear one more group."""
        self._joined.add(group)
        await self._board.join(self, group)

    async def leave(self, group: str) -> None:
        """Hear it no more."""
        self._joined.discard(group)
        await self._board.leave(self, group)

    # ── out ───────────────────────────────────────────────────────────────────────────────────────────────────────
    def put_through(self, message: dict[str, Any]) -> None:
        """A message of the channel layer; never waits (see `switchboard.Socket`)."""
        if self._is_closed or self.visitor is None:
            return
        if message["type"] == "house.close":
            self._later(self.close(int(message["code"])))
        elif message["type"] == "house.regroup":
            self._later(self.regroup())
        elif self._held is not None:
            self._hold(message)
        elif message["type"] == "house.row":
            self._put_row(message["text"])
        elif message["type"] == "house.frame":
            self._put_frame(message["text"])

    def _hold(self, message: dict[str, Any]) -> None:
        if self._held is not None and len(self._held) < self.most_waiting_frames:
            self._held.append(message)
        else:
            self._later(self.close(TOO_SLOW))

    def _put_frame(self, text: str) -> None:
        if type(self).wants is HouseConsumer.wants or self.wants(orjson.loads(text)):
            self._queue(text)

    def _put_row(self, text: str) -> None:
        if self.person is None:
            return
        row = orjson.loads(text)
        if row["id"] not in self._known and self.hears(row):
            self._remember(row["id"])
            self._queue(orjson.dumps(self.frame_of(row)).decode(), row["id"])

    def send_json(self, frame: Mapping[str, Any]) -> None:
        """Queue a frame for this socket alone."""
        self._queue(orjson.dumps(frame).decode())

    def _queue(self, text: str, row_id: int = 0) -> None:
        if self._is_closed:
            return
        if len(self._waiting) >= self.most_waiting_frames:
            self._waiting.clear()
            self._later(self.close(TOO_SLOW))
            return
        self._waiting.append((text, row_id))
        self._wake_writer()

    def _wake_writer(self) -> None:
        if self._waiting and self._held is None and (self._writer is None or self._writer.done()):
            self._writer = asyncio.create_task(self._write_waiting())

    async def _write_waiting(self) -> None:
        """Write what waits, in order; the task ends when nothing does, so an idle socket has none."""
        try:
            while self._waiting and not self._is_closed:
                text, row_id = self._waiting.popleft()
                await self.base_send({"type": "websocket.send", "text": text})
                if row_id:
                    self._board.mark([row_id])
        except (OSError, RuntimeError):
            self._is_closed = True  # they are gone: unmarked rows are told when they come back

    def _remember(self, row_id: int) -> None:
        self._known[row_id] = None
        if len(self._known) > REMEMBERED_ROWS:
            self._known.popitem(last=False)

    async def _catch_up(self, user_id: int, product: str) -> None:
        """Write what was missed, oldest first.

        The socket is in its group already and Redis has confirmed it, so a row is either in the table by the time we
        look or comes live after it. What came live meanwhile is held and follows, without the rows found here.
        """
        await self._board.settled()
        last_id = 0
        while rows := await in_database(queries.unsent_rows, user_id, product, after_id=last_id):
            await self._write_missed(rows)
            last_id = rows[-1]["id"]

    async def _write_missed(self, rows: list[dict[str, Any]]) -> None:
        for row in filter(self.hears, rows):
            if self._is_closed:
                raise Closed
            shaped = self.frame_of(orjson.loads(orjson.dumps(row)))
            await self.base_send({"type": "websocket.send", "text": orjson.dumps(shaped).decode()})
            self._remember(row["id"])
            self._board.mark([row["id"]])

    # ── in ────────────────────────────────────────────────────────────────────────────────────────────────────────
    async def _hear(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        if len(text if text is not None else message.get("bytes") or b"") > self.largest_frame_bytes:
            await self.close(TOO_BIG)
        self._spend_allowance()
        if self._allowance < 0:
            await self.close(TOO_FAST)
        frame = _read(text)
        if frame is None:
            return
        if self.visitor is None or frame.get("type") == "auth":
            await self._hear_proof(frame)
        elif frame.get("type") == "ping":
            self.send_json({**frame, "type": "pong"})
        elif frame.get("type") != "pong":
            await self.received(frame)

    def _spend_allowance(self) -> None:
        """A bucket of one minute's frames that refills evenly."""
        now = time.monotonic()
        refill = (now - self._heard_at) * self.frames_per_minute / 60
        self._allowance = min(float(self.frames_per_minute), self._allowance + refill) - 1
        self._heard_at = now

    async def _hear_proof(self, frame: dict[str, Any]) -> None:
        if frame.get("type") != "auth" or "frame" not in self.proofs:
            return
        if self.visitor is None:
            await self._admit(self._proof_in(frame))
            return
        try:
            await self._extend(frame)
        except Unauthenticated:
            await self.close(UNAUTHENTICATED)
        except Refused:
            await self.close(FORBIDDEN)

    def _proof_in(self, frame: dict[str, Any]) -> Proof:
        token = frame.get("token") or frame.get("init_data") or frame.get("initData") or ""
        return Proof("frame", token if isinstance(token, str) else "", frame)

    # ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _arm(self, seconds: float, reason: str) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring, reason)

    def _ring(self, reason: str) -> None:
        if self.visitor is None and not self._is_closed:
            self._later(self.close(reason))

    def _arm_heartbeat(self) -> None:
        if self._timer:
            self._timer.cancel()
        # A little chance spreads the beats of sockets that all came back after a restart.
        pause = (self.ping_seconds or 30) * random.uniform(0.8, 1.2)
        self._timer = asyncio.get_running_loop().call_later(pause, self._beat)

    def _beat(self) -> None:
        if self._is_closed or self.visitor is None:
            return
        if self.visitor.expires_at and timezone.now() >= self.visitor.expires_at:
            self._later(self.close(UNAUTHENTICATED))
        elif self.silence_seconds and time.monotonic() - self._heard_at > self.silence_seconds:
            self._later(self.close(SILENT))
        else:
            if self.ping_seconds:
                self.send_json(self.ping_frame)
            self._arm_heartbeat()

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────
    async def _accept(self, subprotocol: str | None = None) -> None:
        if not self._is_accepted:
            self._is_accepted = True
            await self.base_send({"type": "websocket.accept", "subprotocol": subprotocol})

    async def close(self, why: str | int) -> None:
        """Hang up for a reason of `CLOSE_CODES` or with a code; always raises `Closed`."""
        if not self._is_closed:
            if not self.refuses_handshake:
                await self._accept()  # a refused handshake would hide the code from browsers
            self._is_closed = True
            code = why if isinstance(why, int) else {**CLOSE_CODES, **self.close_codes}[why]
            if self._writer:
                self._writer.cancel()
            await self.base_send({"type": "websocket.close", "code": code})
        raise Closed

    def _later(self, chore: Any) -> None:
        """Run a coroutine beside the reading loop; its `Closed` ends nothing else."""
        task = asyncio.ensure_future(_quietly(chore))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


async def _quietly(chore: Awaitable[Any]) -> None:
    with suppress(Closed, OSError, RuntimeError):  # the socket is over either way
        await chore


def _read(text: str | None) -> dict[str, Any] | None:
    """A JSON object, or nothing: clients may send what they like."""
    if text is None:
        return None
    if text == "ping":
        return {"type": "ping"}
    try:
        frame = orjson.loads(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None
