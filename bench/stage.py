"""Where a benchmark plays: PostgreSQL and Redis of its own, the production `web` process, this process beside it."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from servers import running  # noqa: E402

from apps.portal.tests.processes import House  # noqa: E402

UNLIMITED = {
    "ORDERS_PER_HOUR": "1000000",
    "TAKES_PER_MINUTE": "1000000",
    "RATE_LIMIT_REQUESTS": "0",
    "NOTIFY_RATE_LIMIT_REQUESTS": "0",
    "LOG_LEVEL": "WARNING",
}
"""Limits are counted as in production, but never reached; the shop's per address are off: all clients share one.

Logs would measure the disk.
"""


@dataclass
class Stage:
    """The house under test and the figures found so far."""

    house: House
    missed: list[str] = field(default_factory=list)

    def title(self, words: str) -> None:
        print(f"\n{words}\n{'─' * len(words)}", flush=True)

    def say(self, name: str, figure: str) -> None:
        print(f"  {name:<58} {figure}", flush=True)

    def want(self, name: str, found: float, *, least: float | None = None, most: float | None = None) -> None:
        """A ratio beside what issue papers ask for; misses are told again at the end. Without a bound: only told."""
        if least is None and most is None:
            self.say(name, f"{found:.2f}")
            return
        good = (least is None or found >= least) and (most is None or found <= most)
        bound = f"≥ {least:g}" if least is not None else f"≤ {most:g}"
        self.say(name, f"{found:.2f}  (wanted {bound}) {'ok' if good else 'MISSED'}")
        if not good:
            self.missed.append(f"{name}: {found:.2f}, wanted {bound}")


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Servers that write every commit to disk, migrated tables, `web` up; Django is set up in this process too."""
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(running(durable=True))
        if not found.complete:
            raise SystemExit(f"mahalla: no benchmark without PostgreSQL and Redis: {'; '.join(found.notes)}")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mahalla-bench-")))
        database = stack.enter_context(_database(found.database_url))
        house = House(folder, database, found.redis_url, **UNLIMITED)
        os.environ.update(house.environment())
        _set_up_django()
        stack.callback(house.stop)
        house.start("web")
        house.wait_for("web", f"http://127.0.0.1:{house.ports['web']}/health")
        yield Stage(house)


@contextlib.contextmanager
def _database(server: str) -> Iterator[str]:
    """A database of its own, dropped at the end."""
    name = f"mahalla_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _set_up_django() -> None:
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def pgbench(at: Stage, script: str, *, clients: int, seconds: int = 0, count: int = 0) -> float:
    """Transactions a second of a script with prepared statements; `count` is per client."""
    homes = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    program = shutil.which("pgbench", path=os.pathsep.join([*homes, os.environ["PATH"]]))
    if not program:
        raise SystemExit("mahalla: pgbench is missing; on Debian and Ubuntu: apt install postgresql-contrib")
    path = at.house.folder / "script.sql"
    path.write_text(script)
    length = ["-t", str(count)] if count else ["-T", str(seconds)]
    words = [
        program,
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j",
        "2",
        *length,
        "-D",
        "n=0",
        "-D",
        f"each={count}",
        "-f",
        str(path),
    ]
    done = subprocess.run([*words, at.house.database_url], capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not found or re.search(r"failed transactions: [1-9]", done.stdout):
        raise SystemExit(f"pgbench failed: {done.stdout[-800:]}{done.stderr[-800:]}")
    return float(found[1])
