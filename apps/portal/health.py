"""Is the house well? Real questions to its parts, each with a time-out, at most once a second."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from dataclasses import dataclass, field
from threading import Lock

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connections

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0
"""How long one part may think before it counts as out."""
FRESH_S = 1.0
"""How long an answer is repeated without asking again, so that a flood of probes costs nothing."""

Check = Callable[[], object]


def database() -> None:
    """One trivial query on a connection of its own: a request's connection may sit in a broken transaction."""
    connection = connections.create_connection("default")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connection.close()


def cached() -> None:
    """A value written is the value read."""
    mark = uuid.uuid4().hex
    cache.set(f"health:{mark}", mark, timeout=10)
    if cache.get(f"health:{mark}") != mark:
        raise ConnectionError("the cache forgot")
    cache.delete(f"health:{mark}")


def broker() -> None:
    """The queue takes connections; without a broker tasks run in place and there is nothing to ask."""
    if not settings.BROKER_URL:
        return
    with current_app.connection_for_write(connect_timeout=TIMEOUT_S) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=TIMEOUT_S)


def storage() -> None:
    """Files can be written: the folder on disk, or an answer from the bucket."""
    if isinstance(default_storage, FileSystemStorage):
        os.makedirs(default_storage.location, exist_ok=True)
        if not os.access(default_storage.location, os.W_OK):
            raise PermissionError("the folder of uploads is read-only")
    default_storage.exists("health/probe")


CHECKS: dict[str, Check] = {"database": database, "cache": cached, "broker": broker, "storage": storage}


@dataclass(frozen=True)
class Report:
    """What was found: part → "ok" or the class of its trouble."""

    parts: dict[str, str]
    at: float

    @property
    def is_healthy(self) -> bool:
        return all(state == "ok" for state in self.parts.values())

    @property
    def word(self) -> str:
        return "healthy" if self.is_healthy else "unhealthy"


@dataclass
class Doctor:
    """Asks all parts side by side and remembers the answer for a second. One per process."""

    checks: dict[str, Check] = field(default_factory=lambda: CHECKS)
    timeout_s: float = TIMEOUT_S
    fresh_s: float = FRESH_S
    _pool: ThreadPoolExecutor | None = None
    _pending: dict[str, Future[str]] = field(default_factory=dict)
    _last: Report | None = None
    _lock: Lock = field(default_factory=Lock)

    def examine(self) -> Report:
        """The newest report; only one caller at a time asks the parts, the others get its answer."""
        if (known := self._fresh()) is not None:
            return known
        with self._lock:
            if (known := self._fresh()) is not None:
                return known
            self._last = Report(self._ask(), time.monotonic())
            return self._last

    def _fresh(self) -> Report | None:
        known = self._last
        return known if known is not None and time.monotonic() - known.at < self.fresh_s else None

    def _ask(self) -> dict[str, str]:
        # Threads start with the first question: a server that forks its workers must not inherit a pool.
        self._pool = self._pool or ThreadPoolExecutor(max_workers=len(self.checks), thread_name_prefix="health")
        deadline = time.monotonic() + self.timeout_s
        for name, check in self.checks.items():
            # A part that still hangs from last time is not asked again: threads must not pile up.
            if name not in self._pending:
                self._pending[name] = self._pool.submit(_run, name, check)
        return {name: self._answer(name, deadline) for name in self.checks}

    def _answer(self, name: str, deadline: float) -> str:
        try:
            state = self._pending[name].result(max(0.0, deadline - time.monotonic()))
        except StillWaiting:
            return "timeout"
        del self._pending[name]
        return state


def _run(name: str, check: Check) -> str:
    try:
        check()
    except Exception as problem:  # whatever a part raises, it is out; the class says enough and holds no secret
        log.warning("health check failed", extra={"part": name, "problem": type(problem).__name__})
        return type(problem).__name__
    return "ok"


doctor = Doctor()
