"""Sending frames: names, JSON, and every kind of sender."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal

import pytest
from channels.db import database_sync_to_async as in_thread

from apps.notifications import live
from apps.notifications.tests.cast import PRODUCT, person
from apps.notifications.tests.client import SocketClient
from apps.notifications.tests.sockets import Tracker


def test_group_names_hold_any_words():
    assert live.group("urgent", "city", 7) == "urgent.city.7"
    assert live.group("urgent", "city", "Ташкент") == live.group("urgent", "city", "Ташкент")
    assert live.group("urgent", "city", "Ташкент") != live.group("urgent", "city", "Самарканд")
    assert live.group("urgent", "a.b") != live.group("urgent", "a", "b")
    name = live.group("urgent", "city", "x" * 500)
    assert len(name) < 100
    assert name.isascii()
    assert live.person(7, "urgent") == "urgent.person.7"


@pytest.mark.django_db
def test_a_frame_that_json_cannot_carry_fails_at_once():
    with pytest.raises(TypeError):
        live.send("g", {"price": Decimal("1.50")})


@pytest.mark.django_db
def test_sending_without_any_socket_is_fine():
    live.send("nobody.here", {"n": 1})
    live.hang_up(1, PRODUCT)


@pytest.mark.django_db(transaction=True)
async def test_requests_threads_and_coroutines_all_reach_the_socket():
    await in_thread(person)()
    socket = SocketClient(Tracker.as_asgi())
    await socket.connect()
    await in_thread(live.send)("bazaar.everyone", {"from": "request"})
    assert await socket.frame() == {"from": "request"}
    thread = threading.Thread(target=live.send, args=("bazaar.everyone", {"from": "thread"}))
    thread.start()
    assert await socket.frame() == {"from": "thread"}
    await asyncio.to_thread(thread.join)
    await live.send_now("bazaar.everyone", {"from": "coroutine"})
    assert await socket.frame() == {"from": "coroutine"}
    await socket.disconnect()
