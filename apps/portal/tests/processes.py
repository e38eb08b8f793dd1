"""The production processes of docker-compose.yml on loopback: the same commands, a small router in Caddy's place."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import redis
import yaml

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60
STOP_SECONDS = 20
EVERYWHERE = "0.0.0.0"  # noqa: S104
ONLOOKER = "journey"
"""The name under which PostgreSQL knows the connections of management commands."""
BOT_TOKEN = "700000777:token-of-the-process-set"
OCTO_UNIQUE_KEY = "unique-key-of-the-process-set"
SOCKET_PATH = re.compile(rb"^[A-Z]+ [^ ?]*/ws(/|\?| )")
"""The same paths that deploy/Caddyfile sends to `live`."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Router:
    """Caddy's place: sockets to `live`, everything else to `web`. Looks at the first request of a connection only."""

    def __init__(self, web: int, live: int) -> None:
        self.port = free_port()
        self._targets = {False: web, True: live}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(5)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._route, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()

    async def _route(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n")
            target = self._targets[bool(SOCKET_PATH.match(head))]
            behind, ahead = await asyncio.open_connection("127.0.0.1", target)
            ahead.write(head)
            await asyncio.wait(
                [asyncio.ensure_future(_pour(reader, ahead)), asyncio.ensure_future(_pour(behind, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            ahead.close()
        writer.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()


class House:
    """A database, a Redis index and the processes `web`, `live`, `worker`, `beat` and `sandbox`, all of one test."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, **settings: str) -> None:
        self.folder, self.settings = folder, settings
        self.database_url, self.redis_url = database_url, redis_url
        self.ports = {name: free_port() for name in ("web", "live", "sandbox")}
        self.router = Router(self.ports["web"], self.ports["live"])
        self.base = f"http://127.0.0.1:{self.router.port}"
        self.sandbox = f"http://127.0.0.1:{self.ports['sandbox']}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        self.commands = {name: service["command"] for name, service in services.items() if "command" in service}
        self.commands["sandbox"] = ["python", "manage.py", "sandbox", "--port", str(self.ports["sandbox"])]

    def environment(self, name: str = "") -> dict[str, str]:
        """Production settings on loopback; vendors are the sandbox process."""
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
        return {
            **kept,
            **({} if name else {"PGAPPNAME": ONLOOKER}),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "ENV_FILE": os.devnull,
            "EMBEDDED": "0",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATA_DIR": str(self.folder),
            "PORT": str(self.ports.get(name, self.router.port)),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": "of-the-process-set-" + "k" * 50,
            "PUBLIC_URL": self.base,
            "ALLOWED_HOSTS": "127.0.0.1",
            "TICKETS_SAMPLE_TICKETS": "100",
            "RATE_LIMIT_REQUESTS": "1000",  # every client of the rehearsal has the same address
            "WEB_WORKERS": "2",
            "DB_POOL": "1" if name == "live" else "",
            **({"PROMETHEUS_MULTIPROC_DIR": str(self.folder / f"{name}-metrics")} if name in ("web", "nested") else {}),
            "HTTP_ALLOWED_PRIVATE": f"127.0.0.1:{self.ports['sandbox']}",
            "SANDBOX_URL": self.sandbox,
            # A rehearsal: our real clients talk to a sandbox on loopback.
            "SILENCED_CHECKS": "integrations.E003,integrations.E004",
            "SMS_PROVIDER": "eskiz",
            "ESKIZ_EMAIL": "house@example.com",
            "ESKIZ_PASSWORD": "of-the-process-set",
            "ESKIZ_BASE_URL": f"{self.sandbox}/__sandbox/eskiz",
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BOT_USERNAME": "process_set_bot",
            "TELEGRAM_WEBHOOK_SECRET": "webhook-of-the-process-set",
            "TELEGRAM_API_BASE": f"{self.sandbox}/__sandbox/telegram",
            "CRYPTO_BOT_API_TOKEN": "7002:token-of-the-process-set",
            "CRYPTO_BOT_API_BASE": f"{self.sandbox}/__sandbox/cryptobot",
            "OCTO_SHOP_ID": "7003",
            "OCTO_SECRET": "secret-of-the-process-set",
            "OCTO_UNIQUE_KEY": OCTO_UNIQUE_KEY,
            "OCTO_API_BASE": f"{self.sandbox}/__sandbox/octo",
            **self.settings,
        }

    def restaurant(self) -> dict[str, str]:
        """Settings that open the restaurant's doors to the sandbox: iiko, the menu, the demo's guest."""
        return {
            "IIKO_API_LOGIN": "login-of-the-process-set",
            "IIKO_ORGANIZATION_ID": "00000000-0000-4000-8000-000000007004",
            "IIKO_WEBHOOK_SECRET": "iiko-of-the-process-set",
            "IIKO_API_BASE_URL": f"{self.sandbox}/__sandbox/iiko",
            "MENU_API_URL": f"{self.sandbox}/__sandbox/myresto/main/api/v1/menu",
            "STOP_LIST_API_URL": f"{self.sandbox}/__sandbox/myresto/main/api/v1/menu/stop-lists",
            "DEMO_PHONE": "+998911111111",
        }

    def command(self, name: str) -> list[str]:
        """The command of docker-compose.yml with loopback addresses."""
        port = str(self.ports.get(name, 0))
        words = [word.replace("$$", "$").replace(EVERYWHERE, "127.0.0.1") for word in self.commands[name]]
        return [word.replace("8000", port).replace("/data/", f"{self.folder}/") for word in words]

    def run(self, *words: str, timeout: float = 180) -> str:
        """A management command to its end; fails with its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0, f"{words[:2]}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def start(self, *names: str) -> None:
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    self.command(name), cwd=ROOT, env=self.environment(name), stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip

    def wait_until_up(self) -> None:
        """`web` and `live` say that they are well, the sandbox answers, and the worker has taken its place."""
        for name in ("web", "live"):
            self.wait_for(name, f"http://127.0.0.1:{self.ports[name]}/health")
        self.wait_for("sandbox", f"{self.sandbox}/__sandbox/messages")
        self._wait_for_log("worker", b" ready.")

    def wait_for(self, name: str, address: str) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.running[name].poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(address, timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError(f"{name} does not answer:\n{self.tail(name)}")

    def _wait_for_log(self, name: str, words: bytes) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.running[name].poll() is None:
            if words in (self.folder / f"{name}.log").read_bytes():
                return
            time.sleep(0.2)
        raise AssertionError(f"{name} did not start:\n{self.tail(name)}")

    def kill(self, name: str) -> None:
        """kill -9, children included: no handler runs, nothing is put back."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)

    def cut_database(self) -> int:
        """End every connection of the processes as a restart of the server would; returns how many there were.

        Each is waited for: a connection that ends only while it is used again is what no client can be spared.
        A journey's own looks into the tables are no part of the house.
        """
        return int(
            self.ask(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> %s",
                ONLOOKER,
            )
        )

    def ask(self, sql: str, *values: Any) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(sql, values).fetchone()
            return row[0] if row else None

    def write(self, sql: str, *values: Any) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(sql, values)

    def tail(self, name: str, characters: int = 4000) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-characters:]

    def stop(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()


@contextlib.contextmanager
def house(folder: Path) -> Iterator[House]:
    """Every process up, on a database and a Redis index that nobody else uses; nothing stays behind."""
    server = os.environ["TEST_DATABASE_URL"]
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(_database(server))
        index = stack.enter_context(_redis_index(os.environ["TEST_REDIS_URL"]))
        found = House(folder, database, index)
        found.settings |= found.restaurant()
        stack.callback(found.stop)
        found.run("migrate", "--no-input")
        found.run("check_start")
        found.run("collectstatic", "--no-input", "-v0")  # as the image has it; pages name files by their fingerprints
        found.router.start()
        stack.callback(found.router.stop)
        found.start("web", "live", "worker", "beat", "sandbox")
        found.wait_until_up()
        yield found


@contextlib.contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"mahalla_processes_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def _redis_index(server: str) -> Iterator[str]:
    for index in range(15, 0, -1):
        url = urlunsplit(urlsplit(server)._replace(path=f"/{index}"))
        client = redis.Redis.from_url(url)
        if client.dbsize() == 0:
            try:
                yield url
            finally:
                client.flushdb()
            return
    raise AssertionError("no empty Redis database")
