"""`/api/v1/notifications/ws`: who is let in, what was missed, what comes live (contract loyalty 3.10, 1.6 row 64)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from apps.core.testing import deliver
from apps.loyalty.actions import clients, doors
from apps.loyalty.live import websocket_urlpatterns
from apps.loyalty.models import Client
from apps.loyalty.tests import cast
from apps.notifications import actions as notifications
from apps.notifications import switchboard
from apps.notifications.models import Notification

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/notifications/ws"
APPLICATION = URLRouter(websocket_urlpatterns)
PATIENCE_SECONDS = 5


class Ear:
    """A guest's end of the socket."""

    def __init__(self, token: str = "", *, path: str = PATH, way: str = "header", query: str = "") -> None:
        headers = [(b"authorization", f"Bearer {token}".encode())] if token and way == "header" else []
        offered = ["bearer", token] if way == "subprotocol" else []
        scope = {"type": "websocket", "path": path, "headers": headers, "subprotocols": offered}
        self.socket = ApplicationCommunicator(APPLICATION, {**scope, "query_string": query.encode()})

    async def open(self) -> dict[str, Any]:
        await self.socket.send_input({"type": "websocket.connect"})
        answer: dict[str, Any] = await self.socket.receive_output(PATIENCE_SECONDS)
        return answer

    async def say(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        message = await self.socket.receive_output(PATIENCE_SECONDS)
        assert message["type"] == "websocket.send", message
        frame: dict[str, Any] = orjson.loads(message["text"])
        return frame

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE_SECONDS)


@sync_to_async
def token(member: Any) -> str:
    return doors.open_session(member).access


@sync_to_async
def tell(client: Client, title: str, kind: str = "broadcast", **more: Any) -> Notification:
    return notifications.tell(user=client.user, product="loyalty", kind=kind, title=title, body="d", **more)


@sync_to_async
def unsent() -> list[str]:
    return list(
        Notification.objects.filter(sent_at=None, goes_live=True).order_by("pk").values_list("title", flat=True)
    )


@pytest.mark.asyncio
class TestDoor:
    @pytest.mark.parametrize("path", [PATH, f"{PATH}/", f"/loyalty{PATH}"])
    async def test_a_guest_with_a_header(self, gulnora, path):
        ear = Ear(await token(gulnora), path=path)
        assert (await ear.open())["type"] == "websocket.accept"
        await ear.leave()

    async def test_a_browser_with_a_subprotocol(self, gulnora):
        ear = Ear(await token(gulnora), way="subprotocol")
        answer = await ear.open()
        assert (answer["type"], answer["subprotocol"]) == ("websocket.accept", "bearer")
        await ear.leave()

    async def test_a_browser_with_a_first_frame(self, gulnora):
        ear = Ear(query="auth=frame")
        assert (await ear.open())["type"] == "websocket.accept"
        await ear.say(orjson.dumps({"type": "auth", "token": await token(gulnora)}).decode())
        assert await ear.hear() == {"type": "ready"}
        await tell(gulnora, "hello")
        assert (await ear.hear())["title"] == "hello"
        await ear.leave()

    @pytest.mark.parametrize(
        "shown", ["", "rubbish", "demo", "staff", "deleted", "refresh", "logged out", "switched off"]
    )
    async def test_everybody_else_is_refused_before_the_upgrade(self, gulnora, vali, shown):
        ear = Ear(await self._proof(shown, gulnora, vali))
        assert (await ear.open())["type"] == "websocket.close"

    @sync_to_async
    def _proof(self, shown: str, gulnora: Client, vali: Any) -> str:
        if shown == "demo":
            return doors.open_demo().access
        if shown == "staff":
            return doors.open_session(vali).access
        pair = doors.open_session(gulnora)
        if shown == "deleted":
            clients.delete(by=gulnora)
        if shown == "switched off":
            clients.switch(by=None, client_id=gulnora.pk, is_active=False)
            pair = doors.open_session(gulnora)  # slipped through while the door was being shut
        if shown == "logged out":
            cast.doors.accounts.log_out_everywhere(user=gulnora.user)
        return {"": "", "rubbish": "rubbish", "refresh": pair.refresh}.get(shown, pair.access)


@pytest.mark.asyncio
class TestHearing:
    async def test_the_missed_oldest_first_then_live_each_once(self, gulnora):
        missed = [await tell(gulnora, f"n{number}") for number in range(3)]
        ear = Ear(await token(gulnora))
        await ear.open()
        assert [(await ear.hear())["notification_id"] for _ in missed] == [row.pk for row in missed]
        row = await tell(gulnora, "live", kind="gift", payload={"a": 1}, language="uz")
        assert await ear.hear() == {
            "notification_id": row.pk,
            "title": "live",
            "description": "d",
            "payload": {"a": 1},
            "language": "uz",
            "type": "gift",
        }
        await switchboard.here().settled()
        assert await unsent() == []
        await ear.leave()
        again = Ear(await token(gulnora))
        await again.open()
        assert await again.socket.receive_nothing(timeout=0.3)
        await again.leave()

    async def test_a_null_payload_is_an_empty_object_and_no_type_is_null(self, gulnora):
        await tell(gulnora, "plain")
        ear = Ear(await token(gulnora))
        await ear.open()
        frame = await ear.hear()
        assert (frame["payload"], frame["type"]) == ({}, None)
        await ear.leave()

    async def test_cashback_arrives(self, gulnora):
        ear = Ear(await token(gulnora))
        await ear.open()
        await sync_to_async(cast.iiko)(gulnora, "1500.50")
        await sync_to_async(deliver)()
        frame = await ear.hear()
        assert (frame["type"], frame["payload"]) == (
            "cashback_accrual",
            {"type": "cashback_accrual", "amount": "1500.50"},
        )
        await ear.leave()

    async def test_a_broadcast_arrives(self, gulnora, malika):
        ear = Ear(await token(gulnora))
        await ear.open()
        caller = await sync_to_async(cast.Caller)(malika)
        await sync_to_async(caller.post)("notifications", {"title": "Holiday", "description": "d"})
        await sync_to_async(notifications.run_due)()
        assert (await ear.hear())["title"] == "Holiday"
        await ear.leave()

    async def test_with_nobody_there_it_stays_unsent(self, gulnora):
        await tell(gulnora, "waiting")
        assert await unsent() == ["waiting"]

    async def test_frames_of_the_client_are_read_and_ignored(self, gulnora):
        ear = Ear(await token(gulnora))
        await ear.open()
        for text in ("hello", "{", '{"type": "subscribe"}', "[]"):
            await ear.say(text)
        await tell(gulnora, "still here")
        assert (await ear.hear())["title"] == "still here"
        await ear.leave()

    async def test_strangers_hear_nothing(self, gulnora, jasur):
        ear = Ear(await token(jasur))
        await ear.open()
        await tell(gulnora, "private")
        assert await ear.socket.receive_nothing(timeout=0.3)
        await ear.leave()

    async def test_leaving_ends_the_socket(self, gulnora):
        ear = Ear(await token(gulnora))
        await ear.open()
        await sync_to_async(clients.delete)(by=gulnora)
        assert (await ear.socket.receive_output(PATIENCE_SECONDS))["type"] == "websocket.close"

    async def test_being_shut_out_ends_the_socket(self, gulnora):
        ear = Ear(await token(gulnora))
        await ear.open()
        await sync_to_async(clients.switch)(by=None, client_id=gulnora.pk, is_active=False)
        assert (await ear.socket.receive_output(PATIENCE_SECONDS))["type"] == "websocket.close"
