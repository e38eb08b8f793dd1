"""The base socket: proof, replay, frames, junk, limits, clocks, the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_thread
from django.db import connection, transaction
from django.utils import timezone

from apps.notifications import actions, live, queries, switchboard
from apps.notifications.consumers import Visitor
from apps.notifications.models import Notification
from apps.notifications.tests.cast import PRODUCT, person
from apps.notifications.tests.client import SocketClient
from apps.notifications.tests.sockets import Bazaar, Doorman, Tracker

pytestmark = pytest.mark.django_db(transaction=True)


class Socket(SocketClient):
    """A client of the base; `kind` may be a subclass made for one test."""

    def __init__(self, kind=Bazaar, token=None, **scope):
        headers = [(b"authorization", f"Bearer {token}".encode())] if token is not None else []
        super().__init__(kind.as_asgi(), headers=headers, **scope)


async def opened(user, kind=Bazaar):
    socket = Socket(kind, token=user.pk)
    assert (await socket.connect())[0]
    return socket


async def caught_up(socket):
    """A socket reads nothing before its missed rows are written: the answer says that it is live."""
    await socket.send_text("ping")
    assert await socket.frames(1) == [{"type": "pong"}]


@in_thread
def told(user, *titles):
    return [actions.tell(user=user, product=PRODUCT, kind="note", title=title).pk for title in titles]


@in_thread
def somebody(name="aida"):
    return person(name)


@in_thread
def unsent():
    return list(Notification.objects.unsent().order_by("id").values_list("title", flat=True))


async def settled():
    await asyncio.sleep(0.05)
    await switchboard.here().settled()


# ── who is it ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_proof_by_header():
    user = await somebody()
    socket = await opened(user)
    assert await socket.receive_nothing()
    await socket.disconnect()


async def test_proof_by_subprotocol_is_answered_with_it():
    user = await somebody()
    socket = Socket(subprotocols=["bearer", str(user.pk)])
    assert await socket.connect() == (True, "bearer")
    await socket.disconnect()


async def test_proof_by_first_frame_is_greeted():
    user = await somebody()
    socket = Socket()
    assert (await socket.connect())[0]
    await socket.send_text("not json")
    await socket.send_json({"type": "order", "say": "too early"})
    await socket.send_json({"type": "auth", "init_data": str(user.pk)})
    assert await socket.frames(1) == [{"type": "ready"}]
    await socket.disconnect()


@pytest.mark.parametrize(("token", "code"), [("bad", 4401), ("", 4401), ("barred", 4403)])
async def test_a_bad_first_frame_closes(token, code):
    socket = Socket()
    await socket.connect()
    await socket.send_json({"type": "auth", "token": token})
    assert await socket.closed() == code


@pytest.mark.parametrize("token", [None, 7, ["1"], {"a": 1}])
async def test_a_token_that_is_no_text_is_no_proof(token):
    socket = Socket()
    await socket.connect()
    await socket.send_json({"type": "auth", "token": token})
    assert await socket.closed() == 4401


async def test_a_bad_header_is_accepted_and_closed_with_a_code():
    socket = Socket(token="bad")
    assert (await socket.connect())[0]
    assert await socket.closed() == 4401


async def test_a_product_may_refuse_before_the_upgrade():
    for token in ("bad", "barred", None):
        socket = Socket(Doorman, token=token)
        accepted, _ = await socket.connect()
        assert not accepted
    user = await somebody()
    assert (await Socket(Doorman, token=user.pk).connect())[0]


async def test_silence_instead_of_a_proof_is_closed():
    class Hasty(Bazaar):
        auth_seconds = 0.05

    socket = Socket(Hasty)
    await socket.connect()
    assert await socket.closed() == 4401


async def test_nobody_may_take_over_an_open_socket():
    aida, bek = await somebody(), await somebody("bek")
    socket = await opened(aida)
    await socket.send_json({"type": "auth", "token": str(aida.pk)})
    assert await socket.receive_nothing()
    await socket.send_json({"type": "auth", "token": str(bek.pk)})
    assert await socket.closed() == 4403


async def test_an_expired_visitor_is_closed_at_the_next_beat():
    class Short(Bazaar):
        ping_seconds = 0.05

        def authenticate(self, proof):
            return Visitor(user_id=int(proof.token), expires_at=timezone.now() - timedelta(seconds=1))

    socket = await opened(await somebody(), Short)
    assert await socket.closed() == 4401


async def test_codes_can_be_the_contracts_own():
    class Florist(Bazaar):
        close_codes = {"unauthenticated": 1008}  # noqa: RUF012

    socket = Socket(Florist, token="bad")
    await socket.connect()
    assert await socket.closed() == 1008


# ── what was missed, then live ──────────────────────────────────────────────────────────────────────────────────────


async def test_missed_rows_come_first_oldest_first_then_live_and_never_twice():
    aida = await somebody()
    missed = await told(aida, "one", "two", "three")
    socket = await opened(aida)
    assert [frame["notification_id"] for frame in await socket.frames(3)] == missed
    later = await told(aida, "four")
    assert await socket.frames(1) == [{"notification_id": later[0], "title": "four", "payload": {}}]
    await settled()
    assert await unsent() == []
    await socket.disconnect()
    offline = await told(aida, "five", "six")
    again = await opened(aida)
    assert [frame["notification_id"] for frame in await again.frames(2)] == offline
    assert await again.receive_nothing(timeout=0.3)
    await again.disconnect()


async def test_rows_told_while_catching_up_keep_their_place():
    aida = await somebody()
    await told(aida, *(f"old {n}" for n in range(150)))
    socket = Socket(token=aida.pk)
    connecting = asyncio.create_task(socket.connect(timeout=10))
    fresh = [row for n in range(20) for row in await told(aida, f"new {n}")]
    await connecting
    ids = [frame["notification_id"] for frame in await socket.frames(170)]
    assert ids == sorted(ids)
    assert ids[-20:] == fresh
    assert await socket.receive_nothing(timeout=0.3)
    await settled()
    assert await unsent() == []
    await socket.disconnect()


async def test_ten_reconnects_under_fire_hear_each_row_once():
    aida, heard = await somebody(), []

    async def talk():
        for number in range(60):
            await told(aida, f"n{number}")

    talking = asyncio.create_task(talk())
    while not talking.done() or await unsent():
        socket = await opened(aida)
        await asyncio.sleep(0.03)
        await socket.disconnect()
        heard += [frame["title"] for frame in socket.written()]
    assert heard == [f"n{number}" for number in range(60)]


async def test_two_sockets_of_a_person_both_hear_what_is_live():
    aida = await somebody()
    phone, tablet = await opened(aida), await opened(aida)
    await told(aida, "hello")
    assert [(await socket.frames(1))[0]["title"] for socket in (phone, tablet)] == ["hello", "hello"]
    for socket in (phone, tablet):
        await socket.disconnect()


async def test_others_hear_nothing_of_it():
    aida, dana = await somebody(), await somebody("dana")
    await told(aida, "secret")
    hers = await opened(dana)
    await told(aida, "secret too")
    assert await hers.receive_nothing(timeout=0.3)
    await hers.disconnect()


async def test_a_frame_lost_on_the_way_is_found_by_the_sweep():
    aida = await somebody()
    socket = await opened(aida)
    await caught_up(socket)
    row = await in_thread(Notification.objects.create)(user=aida, product=PRODUCT, kind="note", title="lost")
    assert await socket.receive_nothing(timeout=0.1)
    board = switchboard.here()
    assert await board.sweep(older_than_seconds=0) == 1
    assert [frame["title"] for frame in await socket.frames(1)] == ["lost"]
    await settled()
    assert await board.sweep(older_than_seconds=0) == 0
    await in_thread(live.send_rows)([(live.person(aida.pk, PRODUCT), queries.as_row(row))])  # it was only late
    await in_thread(live.send)("bazaar.everyone", {"n": 1})
    assert await socket.frames(1) == [{"n": 1}]
    await socket.disconnect()


class Stall(Bazaar):
    """Hears what is said at its own place of the bazaar."""

    def hears(self, row):
        return row["title"].startswith("ours")


async def test_a_row_for_another_socket_of_the_person_waits_for_it():
    aida = await somebody()
    await told(aida, "ours missed", "theirs missed")
    stall = await opened(aida, Stall)
    await told(aida, "theirs", "ours")
    assert [frame["title"] for frame in await stall.frames(2)] == ["ours missed", "ours"]
    await switchboard.here().sweep(older_than_seconds=0)
    assert await stall.receive_nothing(timeout=0.1)
    await settled()
    assert await unsent() == ["theirs missed", "theirs"]
    socket = await opened(aida)
    assert [frame["title"] for frame in await socket.frames(2)] == ["theirs missed", "theirs"]
    for one in (stall, socket):
        await one.disconnect()


async def test_rows_that_nobody_here_hears_do_not_hide_a_lost_one(monkeypatch):
    monkeypatch.setattr(queries, "REPLAY_BATCH", 1)
    aida = await somebody()
    await told(aida, *(f"theirs {number}" for number in range(6)), "ours")
    found = await in_thread(queries.overlooked_rows)([(aida.pk, PRODUCT)], older_than_seconds=0)
    assert [row["title"] for row in found] == ["theirs 2", "theirs 3", "theirs 4", "theirs 5", "ours"]


async def test_a_rolled_back_row_is_never_heard():
    aida = await somebody()
    socket = await opened(aida)

    @in_thread
    def fail():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            actions.tell(user=aida, product=PRODUCT, kind="note", title="never")
            live.send("bazaar.everyone", {"never": True})
            raise ZeroDivisionError

    await fail()
    assert await socket.receive_nothing(timeout=0.2)
    await socket.disconnect()


# ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_frames_to_a_group_keep_their_order():
    socket = await opened(await somebody())
    await in_thread(live.send_many)([("bazaar.everyone", {"n": number}) for number in range(50)])
    assert await socket.frames(50) == [{"n": number} for number in range(50)]
    await socket.disconnect()


async def test_regroup_and_hang_up_reach_the_person():
    aida = await somebody()

    class Moving(Bazaar):
        streets = ["old"]  # noqa: RUF012

        def groups(self, visitor):
            return [live.group(PRODUCT, "street", *self.streets)]

    socket = await opened(aida, Moving)
    Moving.streets = ["new"]
    await in_thread(live.regroup)(aida.pk, PRODUCT)
    await asyncio.sleep(0.2)
    await live.send_now(live.group(PRODUCT, "street", "old"), {"n": 1})
    await live.send_now(live.group(PRODUCT, "street", "new"), {"n": 2})
    assert await socket.frames(1) == [{"n": 2}]
    await in_thread(live.hang_up)(aida.pk, PRODUCT)
    assert await socket.closed() == 4403


async def test_only_wanted_frames_are_written():
    class Picky(Bazaar):
        def wants(self, frame):
            return frame["n"] % 2 == 0

    socket = await opened(await somebody(), Picky)
    for number in range(4):
        await live.send_now("bazaar.everyone", {"n": number})
    assert await socket.frames(2) == [{"n": 0}, {"n": 2}]
    await socket.disconnect()


async def test_an_open_socket_has_groups_but_no_person():
    aida = await somebody()
    await told(aida, "private")
    socket = Socket(Tracker)
    assert (await socket.connect())[0]
    await live.send_now("bazaar.everyone", {"n": 1})
    assert await socket.frames(1) == [{"n": 1}]
    await socket.disconnect()


async def test_junk_is_ignored_and_commands_are_heard():
    socket = await opened(await somebody())
    for junk in ("", "{", "[1]", "null", "\x00", '"text"', '{"type": {}}', "9" * 5000):
        await socket.send_text(junk)
    await socket.send_bytes(b"\xff\xfe")
    await socket.send_json({"say": "hello"})
    assert await socket.frames(1) == [{"heard": "hello"}]
    await socket.disconnect()


@pytest.mark.parametrize(
    ("text", "answer"), [("ping", {"type": "pong"}), ('{"type":"ping","id":3}', {"type": "pong", "id": 3})]
)
async def test_ping_is_answered(text, answer):
    socket = await opened(await somebody())
    await socket.send_text(text)
    assert await socket.frames(1) == [answer]
    await socket.send_json({"type": "pong"})
    assert await socket.receive_nothing()
    await socket.disconnect()


async def test_our_own_ping():
    class Beating(Bazaar):
        ping_seconds = 0.05

    socket = await opened(await somebody(), Beating)
    assert await socket.frames(2) == [{"type": "ping"}, {"type": "ping"}]
    await socket.disconnect()


async def test_a_silent_socket_is_closed():
    class Beating(Bazaar):
        ping_seconds = 0.05
        silence_seconds = 0.12

    socket = await opened(await somebody(), Beating)
    assert await socket.closed() == 4408


async def test_a_frame_too_big_closes():
    socket = await opened(await somebody())
    await socket.send_text("x" * (16 * 1024 + 1))
    assert await socket.closed() == 1009


async def test_too_many_frames_close():
    socket = await opened(await somebody())
    for _ in range(122):
        await socket.send_text("{}")
    assert await socket.closed() == 4429


async def test_too_many_sockets_of_one_person():
    class Single(Bazaar):
        most_sockets_per_person = 1

    aida = await somebody()
    first, second = await opened(aida, Single), Socket(Single, token=aida.pk)
    await second.connect()
    assert await second.closed() == 4409
    await first.disconnect()
    third = await opened(aida, Single)
    await third.disconnect()


async def test_a_reader_who_cannot_keep_up_is_closed_and_finds_the_rest_later():
    aida = await somebody()
    gate = asyncio.Event()
    gate.set()

    class Slow(Bazaar):
        most_waiting_frames = 5

        async def greet(self, proof):
            real = self.base_send

            async def reluctant(message):
                if message["type"] == "websocket.send":
                    await gate.wait()
                await real(message)

            self.base_send = reluctant

    socket = await opened(aida, Slow)
    await caught_up(socket)
    gate.clear()
    await told(aida, *(f"n{number}" for number in range(10)))
    assert await socket.closed() == 1013
    gate.set()
    await socket.disconnect()
    again = await opened(aida)
    assert [frame["title"] for frame in await again.frames(10)] == [f"n{number}" for number in range(10)]
    await again.disconnect()


async def test_trouble_in_a_hook_closes_with_1011(caplog):
    class Broken(Bazaar):
        def authenticate(self, proof):
            raise RuntimeError("a bug")

    socket = Socket(Broken, token="1")
    await socket.connect()
    assert await socket.closed() == 1011


async def test_a_socket_leaves_nothing_behind():
    aida = await somebody()
    socket = await opened(aida)
    board = switchboard.here()
    assert board.crowd("bazaar.everyone") == 1
    await socket.disconnect()
    assert board._groups == {}
    assert connection.in_atomic_block is False


async def test_only_sockets_are_served():
    with pytest.raises(ValueError, match="lifespan"):
        await Bazaar.as_asgi()({"type": "lifespan"}, None, None)
