"""serve, tick, sandbox and journey: clear sentences when something is in the way, and one whole journey."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from apps.portal import driving, ticking
from apps.portal.management.commands.serve import banner, ensure_port_is_free
from apps.portal.tests.cast import hire

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        yield busy.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_gives_one_clear_sentence(taken_port: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken_port} is taken.*PORT={taken_port + 1} make run"):
        ensure_port_is_free("127.0.0.1", taken_port)


@pytest.mark.django_db
def test_the_banner_names_addresses_people_and_what_is_embedded() -> None:
    hire()
    text = "\n".join(banner("http://127.0.0.1:8000"))
    for word in ("/admin/", "/docs", "/urgent", "mahalla-demo", "admin", "700000101", "__sandbox", "Embedded:"):
        assert word in text


@pytest.mark.django_db
def test_tick_runs_every_job_and_tells() -> None:
    out = StringIO()
    call_command("tick", stdout=out)
    assert "✗" not in out.getvalue()
    assert "✓ sweep outbox" in out.getvalue()


@pytest.mark.django_db
def test_tick_names_the_jobs_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticking, "run_all", lambda: {"sweep outbox": True, "audit ledger": False})
    with pytest.raises(CommandError, match="1 of 2 jobs failed.*audit ledger"):
        call_command("tick", stdout=StringIO())


def test_every_job_of_the_schedule_has_a_task(settings: Any) -> None:
    assert [ticking._task(row["task"]).name for row in settings.CELERY_BEAT_SCHEDULE.values()]


def test_a_journey_to_nobody_ends_with_a_sentence(settings: Any) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="ended after 0 steps"):
        call_command("journey", "urgent", base=address, sandbox=address, stdout=StringIO())


def test_a_step_that_differs_says_what_was_expected() -> None:
    lines: list[str] = []
    client = driving.Client(base="http://x", sandbox="http://x", product="urgent", say=lines.append)
    with pytest.raises(driving.Mismatch, match="money: balance is 1 instead of 2"), client.step("money"):
        client.same("balance", 1, 2)
    assert (lines, client.steps_count) == (["✗ money"], 0)


def manage(*args: str, env: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *args], env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, **options
    )


@pytest.fixture
def embedded(tmp_path: Path) -> dict[str, str]:
    """A laptop on which nothing is configured."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": str(free_port()),
    }
    return {**clean, "LOG_LEVEL": "WARNING"}


@pytest.mark.slow
def test_an_empty_home_can_make_the_whole_journey(embedded: dict[str, str]) -> None:
    assert manage("migrate", "-v0", env=embedded).returncode == 0
    assert "people" in manage("seed", env={**embedded, "TICKETS_SAMPLE_TICKETS": "100"}).stdout
    address = f"http://127.0.0.1:{embedded['PORT']}"
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        env=embedded,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(address)
        second = manage("serve", env=embedded)
        assert second.returncode == 1 and "is taken" in second.stderr and "Traceback" not in second.stderr
        for product in ("urgent", "shop"):
            journey = manage("journey", product, env=embedded)
            assert journey.returncode == 0, journey.stdout + journey.stderr
            assert "all as expected" in journey.stdout
    finally:
        server.terminate()
        server.wait(20)


def wait_for(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise AssertionError("the server did not start")


@pytest.mark.slow
def test_the_sandbox_runs_alone_and_serves_nothing_else(embedded: dict[str, str]) -> None:
    port = free_port()
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port)]
    process = subprocess.Popen(command, env=embedded, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/__sandbox/messages", timeout=2)
                break
            except httpx.HTTPError:
                time.sleep(0.3)
        assert (answer.status_code, answer.json()) == (200, [])
        assert httpx.get(f"http://127.0.0.1:{port}/admin/").status_code == 404
    finally:
        process.terminate()
        process.wait(20)
