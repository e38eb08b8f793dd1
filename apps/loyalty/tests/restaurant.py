"""The outside of these tests: the fake iiko behind the port, and the queue run by hand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client as Http
from django.utils import timezone

from apps.integrations.http import Reply
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.iiko import Person
from apps.loyalty.actions import iiko_jobs
from apps.loyalty.models import Client, IikoJob

State = IikoJob.State


def till() -> Any:
    """The fake iiko."""
    return vendors.iiko


def known(client: Client, balance: int | str = 0) -> Person:
    """iiko knows the guest, with that much in the purse."""
    person: Person = vendors.iiko.make(client.phone)
    person.balance = Decimal(balance)
    return person


def introduce(client: Client, balance: int | str = 0) -> Person:
    """iiko knows the guest and we know iiko's ids: everything asked for so far is done."""
    person = known(client, balance)
    drain()
    client.refresh_from_db()
    return person


def hide(client: Client, monkeypatch: pytest.MonkeyPatch, *, times: int = 1000) -> None:
    """iiko takes the guest but says so many times that there is none."""
    real, left = vendors.iiko._info, [times]

    def answer(body: dict[str, Any]) -> Reply:
        if body.get("phone") != client.phone or not left[0]:
            return real(body)
        left[0] -= 1
        return Reply.json({"errorCode": "Customer_CustomerNotFound", "message": "There is no user"}, 400)

    monkeypatch.setattr(vendors.iiko, "_info", answer)


def drain(*, later: float = 0, rounds: int = 20) -> int:
    """Run the queue until nothing is due, `later` seconds from now; returns how many were tried."""
    tried = 0
    for _ in range(rounds):
        now = timezone.now() + timedelta(seconds=later) if later else None
        cache.delete(iiko_jobs.RESTING)
        just_now = iiko_jobs.run_due(now=now)
        tried += just_now
        if not just_now:
            break
    return tried


def jobs(client: Client | None = None) -> list[tuple[str, str]]:
    """(operation, state) oldest first."""
    rows = IikoJob.objects.filter(client=client) if client else IikoJob.objects.all()
    return list(rows.order_by("pk").values_list("operation", "state"))


def calls(path: str) -> list[dict[str, Any]]:
    """Bodies that iiko got at this path, oldest first."""
    return [json.loads(kept["body"]) for kept in vendors.iiko.requests if kept["path"].endswith(path)]


def written() -> list[dict[str, Any]]:
    """What was written into guests' records."""
    return calls("/customer/create_or_update")


def post(notice: Any, *, base: str = "/loyalty") -> HttpResponse:
    """A notice of the fake iiko, or any body, to our webhook."""
    raw = notice.body if hasattr(notice, "body") else notice if isinstance(notice, bytes) else json.dumps(notice)
    answer: HttpResponse = Http().post(f"{base}/api/v1/iiko/webhook", raw, content_type="application/json")
    return answer


def moment(text: datetime) -> str:
    """As iiko writes a time."""
    return text.strftime("%Y-%m-%dT%H:%M:%S.%f")
