"""The members' socket: the inbox as it fills (contract tickets 9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.conf import settings
from django.utils import timezone

from apps.core.testing import deliver
from apps.tickets.actions import members, sessions
from apps.tickets.live import websocket_urlpatterns
from apps.tickets.models import Category, Member
from apps.tickets.tests import cast

pytestmark = pytest.mark.django_db(transaction=True)


APPLICATION = URLRouter(websocket_urlpatterns)
PATIENCE_SECONDS = 5


class Ear:
    """A client's end of the socket."""

    def __init__(self, path: str = "/ws/tickets/") -> None:
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [], "subprotocols": []}
        self.socket = ApplicationCommunicator(APPLICATION, scope)

    async def open(self, token: str) -> None:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(PATIENCE_SECONDS))["type"] == "websocket.accept"
        frame = orjson.dumps({"type": "auth", "token": token}).decode()
        await self.socket.send_input({"type": "websocket.receive", "text": frame})

    async def hear(self) -> dict[str, Any]:
        message = await self.socket.receive_output(PATIENCE_SECONDS)
        frame: dict[str, Any] = orjson.loads(message["text"]) if "text" in message else message
        return frame

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("path", ["/ws/tickets/", "/ws/tickets", "/tickets/ws/tickets/"])
async def test_what_a_member_is_told_comes_at_once(can: Member, lighting: Category, path: str) -> None:
    pair = await sync_to_async(sessions.open_session)(can)
    ear = Ear(path)
    await ear.open(pair.access)
    assert await ear.hear() == {"type": "ready"}

    def report() -> str:
        ticket = cast.report(can, lighting)
        deliver()
        return str(ticket.pk)

    ticket_id = await sync_to_async(report)()
    frame = await ear.hear()
    expected = {"type": "notification", "ticket_id": ticket_id, "notification_type": "TICKET_CREATED"}
    assert {name: frame[name] for name in expected} == expected
    assert set(frame) == {*expected, "id", "title", "message", "created_at"}
    await ear.leave()


async def test_what_was_missed_comes_first(can: Member, lighting: Category) -> None:
    def report() -> str:
        cast.report(can, lighting)
        deliver()
        return sessions.open_session(can).access

    ear = Ear()
    await ear.open(await sync_to_async(report)())
    assert [(await ear.hear())["type"] for _ in range(2)] == ["ready", "notification"]
    await ear.leave()


def bare(member: Member, **claims: Any) -> str:
    payload = {"sub": str(member.pk), "type": "access", "exp": timezone.now() + timedelta(minutes=5), **claims}
    return jwt.encode(payload, settings.SIMPLE_JWT["SIGNING_KEY"])


async def test_a_bare_token_is_taken_here_too(can: Member) -> None:
    ear = Ear()
    await ear.open(bare(can))
    assert await ear.hear() == {"type": "ready"}
    await ear.leave()


async def test_bad_tokens_and_shut_out_members_are_hung_up_on(can: Member) -> None:
    await sync_to_async(members.set_active)(by=None, member_id=can.pk, is_active=False)
    for token in ("nonsense", bare(can), bare(can, type="refresh")):
        ear = Ear()
        await ear.open(token)
        closed = await ear.hear()
        assert (closed["type"], closed["code"]) == ("websocket.close", 4401)
