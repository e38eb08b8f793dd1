"""A PostgreSQL and a Redis for tests and benchmarks: the named ones, private ones, or the ones that answer here.

Private servers live in a temporary folder on loopback ports of their own and leave with the caller. In a server that
was here before only a test database with a name of its own is made and dropped.
"""

from __future__ import annotations

import contextlib
import getpass
import glob
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

START_SECONDS = 30
DEBIAN_PACKAGES = ["postgresql", "redis-server"]
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests: the cluster is thrown away anyway."""
DURABLE = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=30min")
"""For benchmarks: every commit reaches the disk as in production."""


@dataclass
class Servers:
    """Where the two servers answer; empty when one could not be had."""

    database_url: str = ""
    redis_url: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return bool(self.database_url and self.redis_url)


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[Servers]:
    """Both servers for the length of the block. What could not be had stands in `notes`."""
    # A terminated run leaves as an interrupted one does: through the blocks that stop the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        found = Servers(os.environ.get("TEST_DATABASE_URL", ""), os.environ.get("TEST_REDIS_URL", ""))
        if not (_postgres_binary("postgres") and _redis_binary()) and not (found.complete or _answering_database()):
            _install(found)
        found.database_url = found.database_url or stack.enter_context(_postgres(durable)) or _answering_database()
        found.redis_url = found.redis_url or stack.enter_context(_redis()) or _answering_redis()
        for name, url in (("PostgreSQL", found.database_url), ("Redis", found.redis_url)):
            if not url:
                found.notes.append(
                    f"{name} is not installed here, does not answer on localhost and could not be installed"
                )
        yield found


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────
def _postgres_binary(name: str) -> str:
    """Debian hides the server's programs from PATH."""
    homes = sorted(glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*homes, os.environ.get("PATH", "")])) or ""


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextlib.contextmanager
def _postgres(durable: bool) -> Iterator[str]:
    if not (_postgres_binary("initdb") and _postgres_binary("postgres")):
        yield ""
        return
    with _folder() as folder:
        user, port = _unprivileged(), free_port()
        data = folder / "pg"
        asked = ["-D", str(data), "-U", "mahalla", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([_postgres_binary("initdb"), *asked], user=user, check=True, capture_output=True, cwd=folder)
        options = (
            f"port={port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            "max_connections=200",
        )
        flags = [word for option in (*options, *(DURABLE if durable else QUICK)) for word in ("-c", option)]
        with (folder / "pg.log").open("wb") as log:
            server = subprocess.Popen(
                [_postgres_binary("postgres"), "-D", str(data), *flags], user=user, cwd=folder, stdout=log, stderr=log
            )
        url = f"postgresql://mahalla@127.0.0.1:{port}/postgres"
        with _stopping(server, interrupt=True):
            _wait(lambda: psycopg.connect(url, connect_timeout=2).close(), server, "PostgreSQL", folder / "pg.log")
            yield url


def _answering_database() -> str:
    """A server on localhost that lets this user make databases."""
    for user in dict.fromkeys((getpass.getuser(), "postgres")):
        url = f"postgresql://{user}@127.0.0.1:5432/postgres"
        with contextlib.suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2) as connection:
            asked = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)"
            if connection.execute(asked).fetchone():
                return url
    return ""


# ── Redis ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _redis_binary() -> str:
    return shutil.which("redis-server") or shutil.which("valkey-server") or ""


@contextlib.contextmanager
def _redis() -> Iterator[str]:
    if not _redis_binary():
        yield ""
        return
    with _folder() as folder:
        port = free_port()
        asked = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        server = subprocess.Popen([_redis_binary(), *asked], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        url = f"redis://127.0.0.1:{port}/0"
        with _stopping(server):
            _wait(lambda: redis.Redis.from_url(url).ping(), server, "Redis", None)
            yield url


def _answering_redis() -> str:
    """An empty database of the Redis on localhost, chosen by chance so that two runs rarely meet."""
    with contextlib.suppress(redis.RedisError):
        for index in secrets.SystemRandom().sample(range(1, 12), 11):
            url = f"redis://127.0.0.1:6379/{index}"
            if redis.Redis.from_url(url, socket_connect_timeout=1).dbsize() == 0:
                return url
    return ""


# ── Shared ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _install(found: Servers) -> None:
    """As root on Debian or Ubuntu: install both. Elsewhere only say so."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        found.notes.append(
            "to run everything, install PostgreSQL and Redis, or set TEST_DATABASE_URL and TEST_REDIS_URL"
        )
        return
    print(f"  · installing {' and '.join(DEBIAN_PACKAGES)}", flush=True)
    calm = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES]):
        done = subprocess.run(["apt-get", *words], env=calm, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            found.notes.append(f"apt-get {words[0]} failed: {done.stderr.strip()[-200:]}")


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mahalla-servers-"))
    if user := _unprivileged():
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _stopping(server: subprocess.Popen[bytes], *, interrupt: bool = False) -> Iterator[None]:
    """Leave no server behind, however the block ends. PostgreSQL takes SIGINT as `do not wait for clients`."""
    try:
        yield
    finally:
        server.send_signal(2) if interrupt else server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        if server.poll() is None:
            server.kill()
            server.wait()


def _wait(answers, server: subprocess.Popen[bytes], name: str, log: Path | None) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            answers()
        except (psycopg.Error, redis.RedisError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"mahalla: {name} did not start: {log.read_text()[-500:] if log else server.args}")
