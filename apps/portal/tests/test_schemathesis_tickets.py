"""Schemathesis against the published document of the tickets: no 5xx, no answer that the document does not promise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from schemathesis import GenerationMode

from apps.integrations.conf import FAKE_PORTS
from apps.portal.tests.probing import operations_of, probe
from apps.tickets import seeding
from apps.tickets.actions import escalations, sessions, tickets
from apps.tickets.actions.tickets import Whereabouts
from apps.tickets.models import Category, District, Member, Team, Ticket

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/tickets/openapi.json"
EXAMPLES = 2
CALLERS = {"nobody": 15, "citizen": 60, "manager": 60}
"""Who calls at least how many operations; the product's `test_access.py` asks all others of nobody: always 401."""


@pytest.fixture
def people(db: None, settings: Settings) -> dict[str, Member]:
    """A citizen, an officer who repairs lamps and the manager of a sample city; every vendor behaves."""
    settings.PORTS = FAKE_PORTS
    settings.TICKETS = replace(settings.TICKETS, sample_tickets=10)
    seeding.seed()
    return {
        "citizen": Member.objects.filter(role="CITIZEN").earliest("pk"),
        "officer": Member.objects.get(email=seeding.OFFICER),
        "manager": Member.objects.get(email=seeding.MANAGER),
    }


@pytest.fixture
def real(people: dict[str, Member]) -> list[dict[str, Any]]:
    """Things of that city: the citizen's tickets in several states among them."""
    lighting, district = Category.objects.get(name="Lighting"), District.objects.earliest("name")
    fresh, asked_about, done = (_report(people["citizen"], lighting, district) for _ in range(3))
    asked = escalations.request(by=people["officer"], ticket_id=asked_about.pk, reason="We need a crane")
    for status in ("IN_PROGRESS", "RESOLVED"):
        tickets.change_status(by=people["officer"], ticket_id=done.pk, status=status)
    known = {
        "user_id": people["citizen"].pk,
        "team_id": Team.objects.get(members=people["officer"]).pk,
        "category_id": lighting.pk,
        "district_id": district.pk,
        "escalation_id": asked.pk,
    }
    return [
        {name: str(value) for name, value in {**known, "ticket_id": ticket.pk}.items()}
        for ticket in (fresh, asked_about, done)
    ]


def _report(by: Member, category: Category, district: District) -> Ticket:
    words = {"title": "Broken lamp", "description": "The lamp at the corner has been dark for a week"}
    return tickets.report(by=by, category_id=category.pk, where=Whereabouts(district_id=district.pk), **words)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(
    people: dict[str, Member], real: list[dict[str, Any]], caller: str, mode: GenerationMode
) -> None:
    who = people.get(caller)
    with operations_of(DOCUMENT) as operations:
        wanted = [found for found in operations if _is_json(found) and (who is not None or _is_open(found))]
        # a token for each: signing out and a new password end the session that did so
        called = [probe(operation, mode, _headers(who), real, EXAMPLES) for operation in wanted]
    assert len(called) >= CALLERS[caller]


def _is_json(operation: Any) -> bool:
    """Uploads and form bodies have tests of their own."""
    return all("json" in body.media_type for body in operation.body)


def _is_open(operation: Any) -> bool:
    """Needs no sign-in."""
    return {} in operation.definition.raw.get("security", [{}])


def _headers(who: Member | None) -> dict[str, str]:
    kind = {"Content-Type": "application/json"}
    return {**kind, "Authorization": f"Bearer {sessions.open_session(who).access}"} if who else kind
