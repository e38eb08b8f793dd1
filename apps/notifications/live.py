"""Frames to sockets: group names, and sending after commit from anywhere (design 3.16).

Sending is safe from requests, tasks, plain threads and coroutines. A frame may be lost (pub/sub delivers at most once):
whatever matters is a Notification row first, and a connected socket asks for unsent rows by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import threading
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

import orjson
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)

WAIT_SECONDS = 2
"""How long a thread waits for Redis to take its frames; after that the row alone has to do."""

Message = tuple[str, dict[str, Any]]
_PLAIN = re.compile(r"[a-z0-9_-]{1,32}")


def group(product: str, *words: object) -> str:
    """A group's name: `urgent.city.3f1c…`. Words that are not plain ASCII are hashed, so any text may be a word."""
    return ".".join([product, *(_plain(str(word)) for word in words)])


def _plain(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else hashlib.sha256(word.encode()).hexdigest()[:24]


def person(user_id: int, product: str) -> str:
    """The group of one person's sockets in one product."""
    return f"{product}.person.{user_id}"


def send(group: str, frame: dict[str, Any]) -> None:
    """Send one JSON frame to everyone in the group, once the transaction has committed.

    Raises `TypeError` at once for a frame that JSON cannot carry (Decimal and datetime are for the caller to format).
    """
    _after_commit([(group, {"type": "house.frame", "text": orjson.dumps(frame).decode()})])


def send_many(frames: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Like `send` for many (group, frame) pairs, in one go and in that order."""
    _after_commit([(name, {"type": "house.frame", "text": orjson.dumps(frame).decode()}) for name, frame in frames])


def send_rows(rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Send notification rows (as `queries.as_row` makes them); each consumer gives them its product's shape."""
    _after_commit([(name, {"type": "house.row", "text": orjson.dumps(row).decode()}) for name, row in rows])


def hang_up(user_id: int, product: str, *, code: int = 4403) -> None:
    """Close every socket of a person in a product (blocked, logged out everywhere), after commit."""
    _after_commit([(person(user_id, product), {"type": "house.close", "code": code})])


def regroup(user_id: int, product: str) -> None:
    """Make a person's sockets ask again which groups they belong to, after commit."""
    _after_commit([(person(user_id, product), {"type": "house.regroup"})])


async def send_now(group: str, frame: dict[str, Any]) -> None:
    """For coroutines outside any transaction: send at once and wait until the layer has it."""
    await _post([(group, {"type": "house.frame", "text": orjson.dumps(frame).decode()})])


def _after_commit(messages: list[Message]) -> None:
    if messages:
        transaction.on_commit(partial(_hand_over, messages), robust=True)


def _hand_over(messages: list[Message]) -> None:
    """Run `_post` where the channel layer lives."""
    if (loop := _running_loop()) is not None:
        _keep(loop.create_task(_post(messages)))
    elif isinstance(get_channel_layer(), InMemoryChannelLayer):
        _hand_to_home(messages)
    else:
        _hand_to_post_office(messages)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _post(messages: list[Message]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        for name, message in messages:
            await layer.group_send(name, {**message, "group": name})
    except Exception as problem:  # Redis may be away; the rows are there and sockets ask for them
        log.warning("live frames were lost", extra={"count": len(messages), "problem": type(problem).__name__})


_tasks: set[asyncio.Task[None]] = set()


def _keep(task: asyncio.Task[None]) -> None:
    """The loop holds tasks weakly; ours must not vanish half-way."""
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


# ── the memory layer: its queues belong to the loop in which the sockets live ────────────────────────────────────────
_home: asyncio.AbstractEventLoop | None = None


def at_home(loop: asyncio.AbstractEventLoop) -> None:
    """The switchboard tells us where the sockets of this process live."""
    global _home
    _home = loop


def _hand_to_home(messages: list[Message]) -> None:
    if _home is None or _home.is_closed():
        return  # no socket has ever been open in this process, so nobody can be listening
    _home.call_soon_threadsafe(_start_at_home, messages)


def _start_at_home(messages: list[Message]) -> None:
    _keep(asyncio.get_running_loop().create_task(_post(messages)))


# ── Redis: one loop in a thread of its own per process, so that a connection is kept and order is preserved ──────────
_office: asyncio.AbstractEventLoop | None = None
_office_lock = threading.Lock()


def _hand_to_post_office(messages: list[Message]) -> None:
    parcel: Coroutine[Any, Any, None] = _post(messages)
    try:
        asyncio.run_coroutine_threadsafe(parcel, _post_office()).result(timeout=WAIT_SECONDS)
    except TimeoutError:
        log.warning("live frames are late", extra={"count": len(messages)})


def _post_office() -> asyncio.AbstractEventLoop:
    global _office
    with _office_lock:
        if _office is None:
            _office = asyncio.new_event_loop()
            threading.Thread(target=_office.run_forever, name="live-post-office", daemon=True).start()
        return _office


def _after_fork() -> None:
    """A forked worker (Celery) has neither our thread nor its sockets: begin anew."""
    global _office, _office_lock, _home
    _office, _office_lock, _home = None, threading.Lock(), None


os.register_at_fork(after_in_child=_after_fork)
