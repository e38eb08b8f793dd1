"""`/ws/orders/` (contract urgent 10, roadmap)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.utils import timezone

from apps.core.testing import deliver
from apps.urgent.actions import orders, takes
from apps.urgent.live import websocket_urlpatterns
from apps.urgent.models import City, Member
from apps.urgent.tests import cast

pytestmark = pytest.mark.django_db(transaction=True)

APPLICATION = URLRouter(websocket_urlpatterns)
OMSK = "Омск"
PATIENCE_SECONDS = 5


class Ear:
    """A client's end of the socket."""

    def __init__(self, path: str = "/ws/orders/") -> None:
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [], "subprotocols": []}
        self.socket = ApplicationCommunicator(APPLICATION, scope)

    async def open(self) -> None:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(PATIENCE_SECONDS))["type"] == "websocket.accept"

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE_SECONDS)

    async def say(self, frame: dict[str, Any]) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": orjson.dumps(frame).decode()})

    async def hear(self) -> dict[str, Any]:
        """The next frame that is neither a ping nor an inbox row."""
        while True:
            frame: dict[str, Any] = orjson.loads((await self.socket.receive_output(PATIENCE_SECONDS))["text"])
            if frame["type"] not in ("ping", "notification"):
                return frame

    async def hears_nothing(self) -> bool:
        """No frame comes for a while; inbox rows do not count."""
        while not await self.socket.receive_nothing(timeout=0.3):
            frame = orjson.loads((await self.socket.receive_output(PATIENCE_SECONDS))["text"])
            if frame["type"] not in ("ping", "notification"):
                return False
        return True


@asynccontextmanager
async def listening(who: Member, *, path: str = "/ws/orders/", **topics: list[str]) -> AsyncIterator[Ear]:
    ear = Ear(path)
    await ear.open()
    token = await sync_to_async(cast.init_data)(who.pk)
    await ear.say({"type": "auth", "init_data": token})
    assert (await ear.hear())["type"] == "ready"
    if topics:
        await ear.say({"type": "subscribe", **topics})
        assert (await ear.hear()) == {"type": "subscribed", "cities": [], "categories": [], **topics}
    try:
        yield ear
    finally:
        await ear.leave()


@sync_to_async
def people() -> tuple[Member, Member]:
    City.objects.get_or_create(name=OMSK)
    aziz, bek = cast.member(cast.AZIZ, "Азиз"), cast.member(cast.BEK, "Бек", roubles=100)
    deliver()
    return aziz, bek


async def do(deed: Any, *args: Any, **facts: Any) -> Any:
    """Run a deed in a thread, then let the outbox move."""
    result = await sync_to_async(deed)(*args, **facts)
    await sync_to_async(deliver)()
    return result


async def test_a_new_order_reaches_those_who_listen_to_its_town_or_category() -> None:
    aziz, bek = await people()
    async with (
        listening(bek, cities=[], categories=[]) as everything,
        listening(bek, cities=[OMSK], categories=[]) as town,
        listening(bek, cities=[], categories=["Сантехника"]) as trade,
        listening(bek, cities=[OMSK], categories=["Сантехника"], path="/urgent/ws/orders") as both,
        listening(bek, cities=["Москва"], categories=[]) as elsewhere,
    ):
        order = await do(cast.place, aziz, city=OMSK, contact="@secret")
        for ear in (everything, town, trade, both):
            frame = await ear.hear()
            assert (frame["type"], frame["order"]["id"], frame["order"]["contact"]) == ("order.created", order.pk, None)
            assert frame["order"]["created_at"].endswith("Z")
            assert await ear.hears_nothing()
        assert await elsewhere.hears_nothing()


async def test_the_contact_and_the_balance_go_to_the_payer_alone() -> None:
    aziz, bek = await people()
    order = await do(cast.place, aziz, contact="@secret")
    async with listening(bek, cities=[]) as payer, listening(aziz, cities=[]) as public:
        await do(takes.take, by=bek, order_id=order.pk)
        frames = [await payer.hear() for _ in range(3)]
        assert {frame["type"]: frame for frame in frames} == {
            "order.taken": {"type": "order.taken", "order_id": order.pk, "executor_count": 1},
            "order.contact": {"type": "order.contact", "order_id": order.pk, "contact": "@secret"},
            "balance": {"type": "balance", "balance": 98},
        }
        assert await public.hear() == {"type": "order.taken", "order_id": order.pk, "executor_count": 1}
        assert await public.hears_nothing()


async def test_changes_answers_and_ends_are_shown() -> None:
    aziz, bek = await people()
    first = await do(cast.place, aziz)
    second = await do(cast.place, aziz)
    await do(takes.take, by=bek, order_id=second.pk)
    async with listening(bek, categories=["Сантехника"]) as ear:
        await do(orders.edit, by=aziz, order_id=first.pk, description="Совсем другое длинное описание")
        frame = await ear.hear()
        assert (frame["type"], frame["order"]["description"]) == ("order.updated", "Совсем другое длинное описание")
        await do(orders.respond, by=aziz, order_id=second.pk)
        frame = await ear.hear()
        assert (frame["type"], frame["order"]["customer_responded_at"] is None) == ("order.updated", False)
        await do(orders.complete, by=aziz, order_id=second.pk)
        assert await ear.hear() == {"type": "order.closed", "order_id": second.pk, "status": "completed"}
        await do(orders.delete, by=aziz, order_id=first.pk)
        assert await ear.hear() == {"type": "order.closed", "order_id": first.pk, "status": "deleted"}


async def test_a_new_choice_replaces_the_old_one() -> None:
    aziz, bek = await people()
    async with listening(bek, cities=[OMSK]) as ear:
        await ear.say({"type": "subscribe", "cities": ["Москва"]})
        assert (await ear.hear())["cities"] == ["Москва"]
        await do(cast.place, aziz, city=OMSK)
        assert await ear.hears_nothing()
        await ear.say({"type": "subscribe", "categories": ["Гадание"]})
        assert await ear.hear() == {"type": "error", "code": "bad_subscription"}
        order = await do(cast.place, aziz, city="Москва")
        assert (await ear.hear())["order"]["id"] == order.pk


@pytest.mark.parametrize("age_hours", [None, 2])
async def test_without_a_good_proof_the_socket_closes(age_hours: int | None) -> None:
    await people()
    past = timezone.now() - timedelta(hours=age_hours or 0)
    token = await sync_to_async(cast.init_data)(cast.AZIZ, auth_date=past) if age_hours else "junk"
    ear = Ear()
    await ear.open()
    await ear.say({"type": "auth", "init_data": token})
    closed = await ear.socket.receive_output(PATIENCE_SECONDS)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


async def test_nothing_is_heard_before_the_proof() -> None:
    aziz, _ = await people()
    ear = Ear()
    await ear.open()
    await ear.say({"type": "subscribe", "cities": []})
    await do(cast.place, aziz)
    assert await ear.hears_nothing()
    await ear.leave()
    await asyncio.sleep(0)
