"""A WebSocket client for consumers in this process (channels' own one wants daphne installed)."""

from __future__ import annotations

from typing import Any

import orjson
from asgiref.testing import ApplicationCommunicator


class SocketClient(ApplicationCommunicator):
    """Speaks ASGI to one consumer; every `receive` waits `timeout` seconds and raises `TimeoutError` after."""

    def __init__(self, application: Any, *, headers: Any = (), subprotocols: Any = (), query: str = "") -> None:
        scope = {"type": "websocket", "path": "/ws", "headers": list(headers), "subprotocols": list(subprotocols)}
        super().__init__(application, {**scope, "query_string": query.encode()})

    async def connect(self, timeout: float = 5) -> tuple[bool, str | int | None]:
        """Whether it was accepted, and the subprotocol or the close code."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout)
        is_accepted = answer["type"] == "websocket.accept"
        return is_accepted, answer.get("subprotocol") if is_accepted else answer["code"]

    async def send_text(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, raw: bytes) -> None:
        await self.send_input({"type": "websocket.receive", "bytes": raw})

    async def send_json(self, frame: Any) -> None:
        await self.send_text(orjson.dumps(frame).decode())

    async def frame(self, timeout: float = 5) -> Any:
        """The next frame, parsed."""
        message = await self.receive_output(timeout)
        assert message["type"] == "websocket.send", message
        return orjson.loads(message["text"])

    async def frames(self, count: int) -> list[Any]:
        return [await self.frame() for _ in range(count)]

    def written(self) -> list[Any]:
        """Every frame that came so far and was not taken yet."""
        messages = [self.output_queue.get_nowait() for _ in range(self.output_queue.qsize())]
        return [orjson.loads(message["text"]) for message in messages if message["type"] == "websocket.send"]

    async def closed(self) -> int:
        """The close code, whatever frames come before it."""
        message = await self.receive_output(timeout=5)
        while message["type"] != "websocket.close":
            message = await self.receive_output(timeout=5)
        return int(message["code"])

    async def disconnect(self) -> None:
        """Hang up and wait until the consumer has tidied up."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)
