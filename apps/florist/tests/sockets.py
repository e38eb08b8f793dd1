"""A client's end of the shops' sockets, in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from apps.accounts import tokens
from apps.florist.conf import PRODUCT
from apps.florist.live import websocket_urlpatterns
from apps.florist.models import Employee

APPLICATION = URLRouter(websocket_urlpatterns)
PATIENCE_SECONDS = 5


def token_of(employee: Employee) -> str:
    """A good access token."""
    return tokens.issue(employee.user, PRODUCT, employee.pk).access


class Ear:
    """One socket; `headers` as a browser or a program sends them."""

    def __init__(self, path: str, query: str = "", headers: Any = (), client: str = "10.0.0.1") -> None:
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": list(headers)}
        self.socket = ApplicationCommunicator(APPLICATION, {**scope, "subprotocols": [], "client": (client, 1)})

    async def open(self) -> dict[str, Any]:
        """The first frame, or the message that closed it."""
        await self.socket.send_input({"type": "websocket.connect"})
        first = await self.socket.receive_output(PATIENCE_SECONDS)
        return await self.hear() if first["type"] == "websocket.accept" else first

    async def hear(self) -> dict[str, Any]:
        """The next frame."""
        message = await self.socket.receive_output(PATIENCE_SECONDS)
        frame: dict[str, Any] = orjson.loads(message["text"]) if "text" in message else message
        return frame

    async def say(self, frame: dict[str, Any]) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": orjson.dumps(frame).decode()})

    async def heard(self) -> list[dict[str, Any]]:
        """Everything that has come by now: a ping is answered behind whatever was sent before it."""
        await asyncio.sleep(0.05)
        await self.say({"type": "ping", "mark": 1})
        found: list[dict[str, Any]] = []
        while (frame := await self.hear()).get("mark") != 1:
            found.append(frame)
        return found

    async def kinds(self) -> list[str]:
        return [frame["type"] for frame in await self.heard()]

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE_SECONDS)
