"""A WebSocket client for journeys: it plays a phone that listens to our own server. No server code imports it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as dial

from apps.integrations.ports import VendorBusy

OPEN_TIMEOUT_S = 5.0
Frame = dict[str, Any]


class Socket:
    """One open socket; keeps every frame it was sent, in order."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.frames: list[Frame] = []

    def __enter__(self) -> Socket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, frame: Frame) -> None:
        """Write one JSON frame. Raises `VendorBusy` when the other side has hung up."""
        try:
            self._connection.send(json.dumps(frame, ensure_ascii=False))
        except ConnectionClosed as closed:
            raise VendorBusy(f"socket closed: {closed.rcvd.code if closed.rcvd else 'lost'}") from closed

    def wait_for(self, wanted: Callable[[Frame], bool], seconds: float) -> Frame | None:
        """The first frame, old or new, that is wanted; `None` when none comes in time."""
        seen, deadline = 0, time.monotonic() + seconds
        while True:
            for frame in self.frames[seen:]:
                if wanted(frame):
                    return frame
            seen = len(self.frames)
            if not self._read(deadline - time.monotonic()):
                return None

    def _read(self, seconds: float) -> bool:
        """Take in one frame; False when the time is over or the other side has hung up."""
        try:
            raw = self._connection.recv(timeout=max(0.0, seconds))
        except (TimeoutError, ConnectionClosed):
            return False
        frame = json.loads(raw)
        self.frames.append(frame if isinstance(frame, dict) else {"type": "", "value": frame})
        return True

    def close(self) -> None:
        """Hang up; closing twice is fine."""
        self._connection.close()


def connect(url: str) -> Socket:
    """Open a socket. Raises `VendorBusy` when the server does not answer or refuses the handshake."""
    try:
        return Socket(dial(url, open_timeout=OPEN_TIMEOUT_S, proxy=None))
    except (OSError, WebSocketException) as problem:
        raise VendorBusy(f"socket: {type(problem).__name__}") from problem
