"""Health asks real parts, hurries, and says one word (contract urgent 1.1, row 25)."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.test import Client

from apps.portal import health
from apps.portal.api import front_door
from apps.portal.health import Doctor

pytestmark = pytest.mark.django_db


def fine() -> None:
    """A part that answers."""


def broken() -> None:
    raise ConnectionError("secret address")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Doctor())


def use(monkeypatch: pytest.MonkeyPatch, doctor: Doctor) -> Doctor:
    monkeypatch.setattr(front_door, "doctor", doctor)
    monkeypatch.setattr(health, "doctor", doctor)
    return doctor


@pytest.mark.parametrize("path", ["/health", "/health/", "/urgent/health", "/urgent/health/"])
def test_every_part_is_asked_and_the_word_is_healthy(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (200, b'{"status":"healthy"}')


@pytest.mark.parametrize("part", ["database", "cache", "broker", "storage"])
def test_one_part_that_is_out_is_503(client: Client, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    use(monkeypatch, Doctor(checks={**dict.fromkeys(health.CHECKS, fine), part: broken}))
    response = client.get("/urgent/health")
    assert (response.status_code, response.content) == (503, b'{"status":"unhealthy"}')


def test_only_the_holder_of_the_token_learns_which_part(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.METRICS_TOKEN = "t0ken"
    use(monkeypatch, Doctor(checks={"database": fine, "cache": broken}))
    told = client.get("/health", headers={"Authorization": "Bearer t0ken"}).json()
    assert told == {"status": "unhealthy", "parts": {"database": "ok", "cache": "ConnectionError"}}
    assert client.get("/health", headers={"Authorization": "Bearer wrong"}).json() == {"status": "unhealthy"}


def test_a_part_that_hangs_is_out_after_the_time_out() -> None:
    gate = threading.Event()
    started = time.monotonic()
    report = Doctor(checks={"database": fine, "storage": lambda: gate.wait(20)}, timeout_s=0.2).examine()
    gate.set()
    assert report.parts == {"database": "ok", "storage": "timeout"}
    assert time.monotonic() - started < 5


def test_a_hanging_part_is_not_asked_again_until_it_answers() -> None:
    gate, asked = threading.Event(), []
    doctor = Doctor(checks={"broker": lambda: (asked.append(1), gate.wait(20))}, timeout_s=0.05, fresh_s=0)
    assert [doctor.examine().parts["broker"] for _ in range(3)] == ["timeout"] * 3
    assert len(asked) == 1
    gate.set()
    assert doctor.examine().parts == {"broker": "ok"}


def test_a_flood_of_probes_asks_once_a_second() -> None:
    asked: list[int] = []
    doctor = Doctor(checks={"cache": lambda: asked.append(1)})
    threads = [threading.Thread(target=doctor.examine) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_recovered_house_is_healthy_again() -> None:
    answers = iter([broken, fine])
    doctor = Doctor(checks={"cache": lambda: next(answers)()}, fresh_s=0)
    assert [doctor.examine().is_healthy for _ in range(2)] == [False, True]


def test_other_methods_are_405(client: Client) -> None:
    response = client.post("/health")
    assert (response.status_code, response.json()["detail"]) == (405, "Method Not Allowed")


def test_the_broker_is_asked_when_there_is_one(settings: Any) -> None:
    settings.BROKER_URL = ""
    assert Doctor(checks={"broker": health.broker}).examine().parts == {"broker": "ok"}
