"""Sockets: memory of idle ones and latency of unicast, one live process with Redis.

`python bench/sockets.py [--sockets 2000] [--rate 1000] [--seconds 10]`. Loopback only, stops by itself. The parts:
a live process (uvicorn with a bare consumer on the house's base), a publishing process (like a web worker) and, here,
the clients. Figures wanted: growth under 100 MB, p99 under 50 ms, nothing lost.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PRODUCT = "bench"
WANTED_GROWTH_MB = 100
WANTED_P99_MS = 50
LIVE_FLAGS = (
    "--lifespan",
    "off",
    "--ws-per-message-deflate",
    "false",
    "--ws-max-size",
    "65536",
    "--no-access-log",
    "--log-level",
    "warning",
)
"""How production starts its live process; compression would cost a window of 32 kB or more per socket."""


# ── the live process and the publisher ───────────────────────────────────────────────────────────────────────────────
def live() -> Any:
    """ASGI factory for uvicorn: the house's base consumer, trusting the number in the address as the person."""
    _start_django()
    from apps.notifications.consumers import HouseConsumer, Proof, Visitor

    class Bare(HouseConsumer):
        product = PRODUCT
        proofs = ("query",)

        async def authenticate(self, proof: Proof) -> Visitor:
            return Visitor(user_id=int(proof.token))

    return Bare.as_asgi()


def publish(people: int, rate: int, seconds: int) -> None:
    """Send `rate` frames a second, each to one random person, from synchronous code as a request would."""
    _start_django()
    from apps.notifications import live as frames

    frames.send(frames.person(0, PRODUCT), {"warm": True})
    start = time.monotonic()
    for number in range(rate * seconds):
        if (pause := start + number / rate - time.monotonic()) > 0:
            time.sleep(pause)
        person = random.randrange(1, people + 1)
        frames.send(frames.person(person, PRODUCT), {"n": number, "at": time.monotonic_ns()})
    print(f"{rate * seconds / (time.monotonic() - start):.0f}")


def _start_django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def _make_tables() -> None:
    """Only what replay on connect looks at."""
    _start_django()
    from django.db import connection

    from apps.accounts.models import User
    from apps.notifications.models import Broadcast, Notification

    with connection.schema_editor() as editor:
        for model in (User, Broadcast, Notification):
            editor.create_model(model)


# ── the clients ──────────────────────────────────────────────────────────────────────────────────────────────────────
class Client(asyncio.Protocol):
    """A WebSocket client of thirty lines: a library's own cost would be measured as ours."""

    def __init__(self, person: int, port: int, seen: list[tuple[int, int]]) -> None:
        self.person, self.port, self.seen = person, port, seen
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def asks_for(self) -> str:
        """The first line of the handshake, and headers of its own."""
        return f"GET /ws?token={self.person} HTTP/1.1"

    def heard(self, body: bytes, now: int) -> None:
        """One frame of text."""
        if b'"at"' in body:
            self.seen.append((json.loads(body)["at"], now))

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"{self.asks_for()}\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.buffer += data
        if not self.is_open.done():
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                self.is_open.set_exception(RuntimeError(head.split(b"\r\n")[0].decode()))
                return
            self.buffer = rest
            self.is_open.set_result(None)
        while (frame := self._next_frame()) is not None:
            self._take(*frame, now)

    def _next_frame(self) -> tuple[int, bytes] | None:
        if len(self.buffer) < 2:
            return None
        size, start = self.buffer[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(self.buffer[2:4], "big"), 4
        if len(self.buffer) < start + size:
            return None
        code, body = self.buffer[0] & 0x0F, self.buffer[start : start + size]
        self.buffer = self.buffer[start + size :]
        return code, body

    def _take(self, code: int, body: bytes, now: int) -> None:
        if code == 9:
            self.transport.write(bytes([0x8A, 0x80 | len(body), 0, 0, 0, 0]) + body)
        elif code == 1:
            self.heard(body, now)

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.is_open.done():
            self.is_open.set_exception(problem or RuntimeError("refused"))


async def _open(count: int, port: int, seen: list[tuple[int, int]], first: int = 1) -> list[Client]:
    clients: list[Client] = []
    for start in range(0, count, 50):
        numbers = range(first + start, first + min(start + 50, count))
        made = await asyncio.gather(*(_connect(number, port, seen) for number in numbers))
        await asyncio.gather(*(client.is_open for client in made))
        clients += made
    return clients


async def _connect(person: int, port: int, seen: list[tuple[int, int]]) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(person, port, seen), "127.0.0.1", port)
    return client


# ── the measurement ──────────────────────────────────────────────────────────────────────────────────────────────────
def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _redis(stack: ExitStack) -> str:
    """The Redis named by REDIS_URL or TEST_REDIS_URL, else one of our own on a free port."""
    if url := os.environ.get("REDIS_URL") or os.environ.get("TEST_REDIS_URL"):
        return url
    if not (program := shutil.which("redis-server")):
        sys.exit("bench/sockets.py needs Redis: set REDIS_URL, or install redis-server")
    port = _free_port()
    quiet = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    _start(stack, [program, "--port", str(port), *quiet], dict(os.environ))
    _wait_for(port)
    return f"redis://127.0.0.1:{port}/0"


def _start(stack: ExitStack, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


async def _measure(asked: argparse.Namespace, pid: int, port: int, environment: dict[str, str]) -> dict[str, float]:
    seen: list[tuple[int, int]] = []
    warm = await _open(1, port, seen, first=asked.sockets + 1)
    await asyncio.sleep(1)
    before, began = _memory_mb(pid), time.monotonic()
    clients = await _open(asked.sockets, port, seen)
    opened = time.monotonic() - began
    await asyncio.sleep(3)
    idle = _memory_mb(pid)
    command = [sys.executable, __file__, "--publish"]
    command += [f"--{name}={getattr(asked, name)}" for name in ("sockets", "rate", "seconds")]
    publisher = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    reached = float((await publisher.communicate())[0] or 0)
    await asyncio.sleep(1)
    after = _memory_mb(pid)
    for client in (*warm, *clients):
        client.transport.abort()
    waits = sorted((arrived - sent) / 1e6 for sent, arrived in seen)
    return {
        "before": before, "idle": idle, "after": after, "opened": opened, "reached": reached,
        "got": len(waits), "max": max(waits, default=0),
        **{f"p{share}": _share(waits, share) for share in (50, 95, 99)},
    }  # fmt: skip


def _share(waits: list[float], share: int) -> float:
    return waits[min(len(waits) - 1, len(waits) * share // 100)] if waits else float("nan")


def main() -> int:
    """Run it and print; 1 when a frame was lost or a wanted figure was missed."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--sockets", type=int, default=2000)
    reader.add_argument("--rate", type=int, default=1000, help="messages a second")
    reader.add_argument("--seconds", type=int, default=10)
    reader.add_argument("--publish", action="store_true", help=argparse.SUPPRESS)
    reader.add_argument("--tables", action="store_true", help=argparse.SUPPRESS)
    asked = reader.parse_args()
    if asked.tables:
        _make_tables()
        return 0
    if asked.publish:
        publish(asked.sockets, asked.rate, asked.seconds)
        return 0
    return _run(asked)


def _run(asked: argparse.Namespace) -> int:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mahalla-bench-"))
        environment = {**os.environ, "DATA_DIR": folder, "REDIS_URL": _redis(stack), "LOG_LEVEL": "WARNING"}
        environment |= {"DATABASE_URL": "", "EMBEDDED": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
        subprocess.run([sys.executable, __file__, "--tables"], env=environment, check=True, cwd=ROOT)
        port = _free_port()
        command = [sys.executable, "-m", "uvicorn", "bench.sockets:live", "--factory", "--port", str(port), *LIVE_FLAGS]
        process = _start(stack, [*command, "--app-dir", str(ROOT)], environment)
        _wait_for(port)
        found = asyncio.run(_measure(asked, process.pid, port, environment))
    return _report(asked, found)


def _report(asked: argparse.Namespace, found: dict[str, float]) -> int:
    growth, sent = found["idle"] - found["before"], asked.rate * asked.seconds
    lost = sent - int(found["got"])
    print(f"sockets           {asked.sockets} idle, opened in {found['opened']:.1f} s")
    print(
        f"memory            {found['before']:.0f} MB at the start, +{growth:.0f} MB with them idle"
        f" ({growth * 1024 / asked.sockets:.0f} kB each), +{found['after'] - found['before']:.0f} MB after the messages"
        f"   [wanted: under +{WANTED_GROWTH_MB} MB]"
    )
    print(f"unicast           {sent} messages at {found['reached']:.0f}/s, {lost} lost")
    print(
        f"latency           p50 {found['p50']:.1f} ms, p95 {found['p95']:.1f} ms, p99 {found['p99']:.1f} ms,"
        f" max {found['max']:.1f} ms   [wanted: p99 under {WANTED_P99_MS} ms]"
    )
    is_good = growth < WANTED_GROWTH_MB and found["p99"] < WANTED_P99_MS and not lost
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
