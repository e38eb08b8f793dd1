"""Redis goes away and comes back under open sockets: what was told meanwhile is found, the rest comes live again."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_thread

from apps.notifications import actions, switchboard
from apps.notifications.tests.cast import PRODUCT, person
from apps.notifications.tests.client import SocketClient
from apps.notifications.tests.sockets import Bazaar

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


class OwnRedis:
    """A server of this test alone, so that it may be killed."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.start()

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed"
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


@pytest.fixture
def redis(settings: Any) -> Iterator[OwnRedis]:
    server = OwnRedis()
    own = {"hosts": [f"redis://127.0.0.1:{server.port}/0"], "prefix": "restart"}
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": own}
    settings.CHANNEL_LAYERS = {"default": layer}
    yield server
    server.stop()


@in_thread
def told(user: Any, title: str) -> None:
    actions.tell(user=user, product=PRODUCT, kind="note", title=title)


async def opened(user: Any) -> SocketClient:
    client = SocketClient(Bazaar.as_asgi(), headers=[(b"authorization", f"Bearer {user.pk}".encode())])
    assert (await client.connect())[0]
    await client.send_text("ping")
    assert await client.frame() == {"type": "pong"}
    return client


async def test_sockets_outlive_a_restart_of_redis(redis: OwnRedis) -> None:
    aida, bek = await in_thread(person)(), await in_thread(person)("bek")
    hers, his, board = await opened(aida), await opened(bek), switchboard.here()
    await told(aida, "before")
    assert (await hers.frame())["title"] == "before"

    await in_thread(redis.stop)()
    await told(aida, "while it was away")
    await his.disconnect()
    assert board.crowd("bazaar.everyone") == 1  # whoever leaves meanwhile is not kept
    late = SocketClient(Bazaar.as_asgi(), headers=[(b"authorization", f"Bearer {bek.pk}".encode())])
    await late.connect()
    assert await late.closed() == 1011  # whoever comes is told to come again

    await in_thread(redis.start)()
    await board.settled()
    assert await board.sweep(older_than_seconds=0) == 1
    assert (await hers.frame())["title"] == "while it was away"
    async with asyncio.timeout(20):
        again = await opened(bek)
    await told(bek, "after")
    assert (await again.frame(timeout=15))["title"] == "after"
    await told(aida, "after")
    assert (await hers.frame(timeout=15))["title"] == "after"
    for client in (hers, again):
        await client.disconnect()
    assert board._groups == {}
