"""`make test`: lint, types, checks, the suite on SQLite, the suite on PostgreSQL + Redis. `lint` stops after types.

REQUIRE_ALL=1 (CI): a pass that cannot run and a test that is skipped are failures. Otherwise they are reported loudly.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from servers import Servers, running

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("REQUIRE_ALL", "") not in ("", "0")
WORKERS = str(min(os.cpu_count() or 2, 8))
LOUD = "!" * 78

PRODUCTION = {
    "DATABASE_URL": "postgresql://mahalla@127.0.0.1:5432/mahalla",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "PUBLIC_URL": "https://mahalla.example",
    "ALLOWED_HOSTS": "mahalla.example",
    "CORS_ORIGINS": "https://app.mahalla.example",
    "SMS_PROVIDER": "eskiz",
    "ESKIZ_EMAIL": "house@mahalla.example",
    "ESKIZ_PASSWORD": "of-the-check",
    "TELEGRAM_BOT_TOKEN": "700000888:of-the-check",
    "TELEGRAM_WEBHOOK_SECRET": "of-the-check",
    "CRYPTO_BOT_API_TOKEN": "7003:of-the-check",
}
"""A production-like environment for `check --deploy`; nothing is connected to."""
OURS = ("PATH", "HOME", "LANG", "VENV", "TMPDIR", "CI", "USER", "SYSTEMROOT")
"""What the operator's environment may pass on: tests must not see a .env or an exported DATABASE_URL."""


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in OURS or name.startswith("PYTEST_")}
    return {**kept, "ENV_FILE": os.devnull, "PYTHONDONTWRITEBYTECODE": "1", **more}


class Report:
    """What ran, how long, what failed and what could not run."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failed: list[str] = []
        self.started = time.monotonic()

    def step(self, name: str, *words: str, **environment: str) -> None:
        print(f"\n── {name} {'─' * max(2, 72 - len(name))}", flush=True)
        started = time.monotonic()
        calm: dict[str, Any] = {"cwd": ROOT, "env": clean_environment(**environment), "stdin": subprocess.DEVNULL}
        done = subprocess.run([sys.executable, *words], **calm)
        self.note(name, done.returncode == 0, time.monotonic() - started)

    def note(self, name: str, good: bool, seconds: float = 0) -> None:
        self.lines.append(f"  {'ok    ' if good else 'FAILED'} {name} ({seconds:.0f} s)")
        if not good:
            self.failed.append(name)

    def missing(self, what: str) -> None:
        """Loud always, fatal when everything is required."""
        print(f"\n{LOUD}\n  NOT RUN: {what}\n{LOUD}", flush=True)
        self.lines.append(f"  NOT RUN {what}")
        if REQUIRE_ALL:
            self.failed.append(what)

    def close(self) -> int:
        print("\n" + "\n".join(self.lines))
        verdict = f"FAILED: {', '.join(self.failed)}" if self.failed else "all green"
        print(f"mahalla: {verdict} after {time.monotonic() - self.started:.0f} s", flush=True)
        return 1 if self.failed else 0


def lint(report: Report) -> None:
    report.step("ruff check", "-m", "ruff", "check", ".")
    report.step("ruff format", "-m", "ruff", "format", "--check", ".")
    report.step("mypy", "-m", "mypy")


def checks(report: Report) -> None:
    report.step("migrations complete", "manage.py", "makemigrations", "--check", "--dry-run")
    report.step("check --deploy", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)


def suite(report: Report, name: str, *words: str, **environment: str) -> None:
    """One pytest run; a skipped test counts as not run."""
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        report.step(name, "-m", "pytest", "-q", f"--junitxml={junit}", *words, **environment)
        runs = ElementTree.parse(junit).iter("testsuite") if junit.exists() else ()
        skipped = sum(int(run.get("skipped", 0)) for run in runs)
    if skipped:
        report.missing(f"{skipped} skipped tests in: {name}")


def on_servers(report: Report, found: Servers) -> None:
    if not found.complete:
        report.missing("; ".join(found.notes) + " – the suite on PostgreSQL + Redis with all its races")
        return
    where = {
        "TEST_DATABASE_URL": found.database_url,
        "TEST_REDIS_URL": found.redis_url,
        "TEST_DATABASE_SUFFIX": secrets.token_hex(4),
    }
    suite(report, "pytest on PostgreSQL + Redis", "-n", WORKERS, "-m", "not race", **where)
    # Races bring their own threads and processes: one at a time.
    suite(report, "races on PostgreSQL + Redis", "-m", "race", **where)


def main() -> int:
    report = Report()
    lint(report)
    if sys.argv[1:] != ["lint"]:
        checks(report)
        suite(report, "pytest on SQLite", "-n", WORKERS, "-m", "not race")
        with running() as found:
            on_servers(report, found)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
