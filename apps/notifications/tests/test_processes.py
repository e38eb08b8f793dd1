"""Real processes on PostgreSQL and Redis: what one process says, the sockets of another hear."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from channels.db import database_sync_to_async as in_thread
from django.conf import settings
from django.db import connection
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from apps.notifications import actions, live
from apps.notifications.models import Notification
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[3]


class LiveProcess:
    """One uvicorn with the tests' consumer, on the test's own database and Redis."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        flags = ["--lifespan", "off", "--log-level", "warning", "--app-dir", str(ROOT), "--port", str(self.port)]
        command = [sys.executable, "-m", "uvicorn", "apps.notifications.tests.serve:application", *flags]
        self.process = subprocess.Popen(command, cwd=ROOT, env=_environment())

    def wait(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            assert self.process.poll() is None, "the live process died"
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the live process does not answer")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(timeout=20)

    @asynccontextmanager
    async def socket(self, user: Any) -> Any:
        address, headers = f"ws://127.0.0.1:{self.port}/ws", {"Authorization": f"Bearer {user.pk}"}
        async with connect(address, additional_headers=headers, proxy=None) as opened:
            yield opened


def _environment() -> dict[str, str]:
    """The child lives by the settings of this very run, hence on its Redis index and pub/sub prefix: with the plain
    settings it would listen under another prefix and hear nothing. Only the database is the one that pytest made.
    """
    known = settings.DATABASES["default"]
    place = f"{known['HOST']}:{known['PORT'] or 5432}"
    who = f"{known['USER']}:{known['PASSWORD']}@" if known["USER"] else ""
    url = f"postgres://{who}{place}/{connection.settings_dict['NAME']}"
    own = {"TEST_DATABASE_URL": url, "TEST_DATA_DIR": str(settings.DATA_DIR), "LOG_LEVEL": "WARNING"}
    return {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "config.settings_test"}


@contextmanager
def started(count: int) -> Iterator[list[LiveProcess]]:
    """So many processes, all answering; whatever still runs in the end is stopped."""
    with ExitStack() as stack:
        some = [LiveProcess() for _ in range(count)]
        for one in some:
            stack.callback(lambda one=one: one.process.poll() is None and one.stop())
        for one in some:
            one.wait()
        yield some


@pytest.fixture(scope="module")
def processes(django_db_setup: None) -> Iterator[list[LiveProcess]]:
    """Two processes for all tests here: they keep nothing between sockets."""
    with started(2) as some:
        yield some


@in_thread
def told(user: Any, *titles: str) -> list[int]:
    return [actions.tell(user=user, product=PRODUCT, kind="note", title=title).pk for title in titles]


@in_thread
def unsent() -> int:
    return Notification.objects.unsent().count()


async def titles(opened: Any, count: int) -> list[str]:
    async with asyncio.timeout(10):
        return [orjson.loads(await opened.recv())["title"] for _ in range(count)]


async def silent(opened: Any, seconds: float = 0.4) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await opened.recv()
    except TimeoutError:
        return True
    return False


async def all_marked() -> None:
    async with asyncio.timeout(5):
        while await unsent():
            await asyncio.sleep(0.02)


async def test_two_processes_reach_each_others_sockets(processes):
    one, two = processes
    aida, bek = await in_thread(person)(), await in_thread(person)("bek")
    async with one.socket(aida) as hers, two.socket(aida) as her_tablet, two.socket(bek) as his:
        await told(aida, "to aida")
        assert [await titles(opened, 1) for opened in (hers, her_tablet)] == [["to aida"], ["to aida"]]
        await told(bek, "to bek")
        assert await titles(his, 1) == ["to bek"]
        await in_thread(live.send)("bazaar.everyone", {"title": "to all"})
        assert [await titles(opened, 1) for opened in (hers, her_tablet, his)] == [["to all"]] * 3
        assert await silent(his)
        await in_thread(live.hang_up)(bek.pk, PRODUCT)
        with pytest.raises(ConnectionClosed) as closed:
            await his.recv()
        assert closed.value.rcvd.code == 4403


async def test_what_was_missed_comes_first_then_live_across_a_change_of_process(processes):
    one, two = processes
    aida = await in_thread(person)()
    await told(aida, "a", "b", "c")
    async with one.socket(aida) as opened:
        assert await titles(opened, 3) == ["a", "b", "c"]
        await told(aida, "d")
        assert await titles(opened, 1) == ["d"]
        await all_marked()
    await told(aida, "e", "f")
    async with two.socket(aida) as opened:
        assert await titles(opened, 2) == ["e", "f"]
        await told(aida, "g")
        assert await titles(opened, 1) == ["g"]
        assert await silent(opened)
    await all_marked()
    async with one.socket(aida) as opened:
        assert await silent(opened)


async def test_rows_told_while_connecting_come_once_and_in_order(processes):
    aida = await in_thread(person)()
    await told(aida, *(f"old {number}" for number in range(300)))
    expected = [f"old {number}" for number in range(300)] + [f"new {number}" for number in range(100)]

    async def talk() -> None:
        for number in range(100):
            await told(aida, f"new {number}")

    talking = asyncio.create_task(talk())
    async with processes[0].socket(aida) as opened:
        assert await titles(opened, 400) == expected
        assert await silent(opened)
    await talking
    await all_marked()


async def test_a_killed_process_loses_nothing(processes):
    aida = await in_thread(person)()
    with started(1) as (mortal,):
        async with mortal.socket(aida) as opened:
            await told(aida, "heard")
            assert await titles(opened, 1) == ["heard"]
            await all_marked()
            mortal.stop(signal.SIGKILL)
            await told(aida, "while it was dead")
    async with processes[0].socket(aida) as opened:
        assert await titles(opened, 1) == ["while it was dead"]
        assert await silent(opened)
