"""Schemathesis against the published document: no 5xx, and no answer that the document does not promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.tickets.actions import escalations, sessions, tickets
from apps.tickets.models import Category, Member, Team, Ticket
from apps.tickets.tests import cast

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/tickets/openapi.json"
SEED = 20261121
EXAMPLES = 3
"""Per operation, caller and kind of input; one where the caller is refused before the request is looked at."""
GATES = {"not_authenticated", "staff_only", "managers_only"}
"""Codes of such refusals; `test_access.py` proves that they come first."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = {"nobody": 15, "can": 60, "mehmet": 60}
"""Who calls at least how many operations; `test_access.py` asks all others of nobody, with nothing but 401 to come."""


@pytest.fixture
def facts(
    can: Member, selin: Member, mehmet: Member, lighting: Category, kadikoy_team: Team, lamp: Ticket
) -> list[dict[str, Any]]:
    """Names of real things, so that calls get past the first 404."""
    asked_about = cast.report(can, lighting)
    asked = escalations.request(by=selin, ticket_id=asked_about.pk, reason="We need a crane")
    done = cast.report(can, lighting)
    for status in ("IN_PROGRESS", "RESOLVED"):
        tickets.change_status(by=selin, ticket_id=done.pk, status=status)
    known = {
        "user_id": can.pk,
        "team_id": kadikoy_team.pk,
        "category_id": lighting.pk,
        "district_id": lamp.district_id,
        "escalation_id": asked.pk,
    }
    return [
        {name: str(value) for name, value in {**known, "ticket_id": ticket.pk}.items()}
        for ticket in (lamp, asked_about, done)
    ]


@pytest.fixture
def operations(db: None) -> Iterator[Iterator[Any]]:
    """Every operation of the document, called in this process and in the test's own transaction."""
    signals = (request_started, request_finished)
    for signal in signals:  # a request must not hang up the connection that holds the transaction
        signal.disconnect(close_old_connections)
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, get_wsgi_application())
    yield (found.ok() for found in schema.get_all_operations())
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(
    operations: Iterator[Any],
    facts: list[dict[str, Any]],
    caller: str,
    mode: GenerationMode,
    request: pytest.FixtureRequest,
) -> None:
    headers = {"Content-Type": "application/json"}
    if caller != "nobody":
        headers["Authorization"] = f"Bearer {sessions.open_session(request.getfixturevalue(caller)).access}"
    wanted = [found for found in operations if _is_json(found) and (caller != "nobody" or _is_open(found))]
    called = [_probe(operation, mode, headers, facts) for operation in wanted]
    assert len(called) >= CALLERS[caller]


def _is_json(operation: Any) -> bool:
    """Uploads and form bodies have tests of their own."""
    return all("json" in body.media_type for body in operation.body)


def _is_open(operation: Any) -> bool:
    """Needs no sign-in."""
    return {} in operation.definition.raw.get("security", [{}])


def _probe(operation: Any, mode: GenerationMode, headers: dict[str, str], facts: list[dict[str, Any]]) -> str:
    """Call one operation with what the document allows, or with what it forbids; often about things that exist."""
    try:
        if not _call(operation, mode, headers, facts, seed_of=SEED, examples=1) & GATES:
            _call(operation, mode, headers, facts, seed_of=SEED + 1, examples=EXAMPLES - 1)
    except Unsatisfiable:  # without parameters and body nothing can be malformed
        if mode.is_positive:
            raise
    return str(operation.label)


def _call(
    operation: Any,
    mode: GenerationMode,
    headers: dict[str, str],
    facts: list[dict[str, Any]],
    *,
    seed_of: int,
    examples: int,
) -> set[str]:
    """Codes of the refusals."""
    codes: set[str] = set()

    @seed(seed_of)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.none() | st.sampled_from(facts))
    def call(case: Any, known: dict[str, Any] | None) -> None:
        for part in (case.path_parameters, case.query, case.body) if known else ():
            if isinstance(part, dict):
                part.update({name: value for name, value in (known or {}).items() if name in part})
        answer = case.call_and_validate(checks=CHECKS, headers=headers)
        if answer.status_code in (401, 403):
            codes.add(answer.json().get("code", ""))

    call()
    return codes
