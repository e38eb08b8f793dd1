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

from apps.loyalty.actions import doors
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests import cast

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/loyalty/openapi.json"
SEED = 20261121
EXAMPLES = 4
"""Per operation, caller and kind of input."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LEAVES = ("DELETE /api/v1/users/me", "DELETE /api/v1/user/delete")
"""What would sign the caller out for the rest of the run."""


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
@pytest.mark.parametrize("caller", ["anonymous", "guest", "manager"])
def test_every_answer_is_in_the_document(
    operations: Iterator[Any], caller: str, mode: GenerationMode, malika: Staff, gulnora: Client, jasur: Client
) -> None:
    who = {"guest": gulnora, "manager": malika}.get(caller)
    headers = {"Content-Type": "application/json"}
    if who is not None:
        headers["Authorization"] = f"Bearer {doors.open_session(who).access}"
    cast.earn(jasur, 60_000)
    called = [
        _probe(operation, mode, headers, jasur.pk) for operation in operations if not operation.label.endswith(LEAVES)
    ]
    assert len(called) >= 60


def _probe(operation: Any, mode: GenerationMode, headers: dict[str, str], guest_id: int) -> str:
    """Call one operation with what the document allows, or with what it forbids; often about a guest who exists."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES if _is_open(operation, headers) else 1,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_real=st.booleans())
    def call(case: Any, is_real: bool) -> None:
        if is_real:
            _make_real(case, guest_id)
        case.call_and_validate(checks=CHECKS, headers=headers)

    try:
        call()
    except Unsatisfiable:  # without parameters and body nothing can be malformed
        if mode.is_positive:
            raise
    return str(operation.label)


def _is_open(operation: Any, headers: dict[str, str]) -> bool:
    """Whether this caller comes past the door; behind a closed one every example is the same 401."""
    return "Authorization" in headers or {} in operation.definition.raw["security"]


def _make_real(case: Any, guest_id: int) -> None:
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: guest_id for name in ("user_id", "id") if name in part})
