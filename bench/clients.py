"""Clients with lasting connections that ask one request after the other; small enough not to be what is measured."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

HEAD_END = b"\r\n\r\n"


@dataclass
class Heard:
    """What the clients heard: how often each status, and how long each answer took (seconds)."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    bytes_count: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(len(self.latencies) * share))] * 1000


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; an answer is over when its Content-Length is."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.answer: asyncio.Future[int] | None = None
        self.length = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.length < 0:
            end = self.buffer.find(HEAD_END)
            if end < 0:
                return
            self.length = end + 4 + _content_length(bytes(self.buffer[:end]))
        if len(self.buffer) >= self.length and self.answer and not self.answer.done():
            self.answer.set_result(int(self.buffer[9:12]))

    def connection_lost(self, problem: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_exception(problem or ConnectionError("the server closed the connection"))

    async def ask(self, request: bytes) -> int:
        """Send one request, return the status."""
        self.buffer.clear()
        self.length = -1
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return await self.answer


def _content_length(head: bytes) -> int:
    if head[9:12] == b"304":
        return 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without Content-Length: {head!r}")


def request(
    method: str, path: str, *, token: str = "", body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of a request; a body is JSON."""
    lines = [f"{method} {quote(path, safe='/?&=%')} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Content-Type: application/json"] if body else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def run(port: int, streams: Sequence[Iterator[bytes]], *, seconds: float = 120) -> Heard:
    """One client per stream, all at once, until the streams or the seconds are over."""
    return asyncio.run(_run(port, streams, seconds))


async def _run(port: int, streams: Sequence[Iterator[bytes]], seconds: float) -> Heard:
    loop, heard = asyncio.get_running_loop(), Heard()
    made = [await loop.create_connection(Connection, "127.0.0.1", port) for _ in streams]
    started = time.perf_counter()
    await asyncio.gather(
        *(_client(line, stream, heard, started + seconds) for (_, line), stream in zip(made, streams, strict=True))
    )
    heard.seconds = time.perf_counter() - started
    for transport, _ in made:
        transport.close()
    return heard


async def _client(line: Connection, stream: Iterator[bytes], heard: Heard, until: float) -> None:
    for each in stream:
        before = time.perf_counter()
        if before >= until:
            return
        status = await line.ask(each)
        heard.latencies.append(time.perf_counter() - before)
        heard.statuses[status] += 1
        heard.bytes_count += len(line.buffer)
