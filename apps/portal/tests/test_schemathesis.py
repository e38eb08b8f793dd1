"""Schemathesis against the published document: no 5xx, and no answer that the document does not promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
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

from apps.urgent.actions import orders
from apps.urgent.tests import cast

pytestmark = [pytest.mark.slow, pytest.mark.contract]

DOCUMENT = "/urgent/openapi.json"
SEED = 20261121
EXAMPLES = 6
"""Per operation, caller and kind of input; the whole stays under a minute."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = {"anonymous": None, "client": cast.AZIZ, "executor": cast.BEK}


@pytest.fixture
def order_ids(db: None) -> list[str]:
    """Real orders in every state, so that calls get past the first 404."""
    aziz, bek = cast.member(cast.AZIZ, "Азиз"), cast.member(cast.BEK, "Бек", roubles=100)
    fresh, taken, done, gone, late = (cast.place(aziz) for _ in range(5))
    for order in (taken, done):
        cast.take(bek, order)
    orders.complete(by=aziz, order_id=done.pk)
    orders.delete(by=aziz, order_id=gone.pk)
    cast.place(bek)
    return [order.pk for order in (fresh, taken, done, gone, late)]


@pytest.fixture
def operations(db: None) -> Iterator[Any]:
    """Every operation of the document, called in this process."""
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, get_wsgi_application())
    return (found.ok() for found in schema.get_all_operations())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_in_the_document(
    operations: Iterator[Any], order_ids: list[str], caller: str, mode: GenerationMode
) -> None:
    headers = _headers(CALLERS[caller])
    called = [_probe(operation, mode, headers, order_ids) for operation in operations]
    assert len(called) >= 30


def _headers(telegram_id: int | None) -> dict[str, str]:
    proof = {"Authorization": f"Bearer {cast.init_data(telegram_id)}"} if telegram_id else {}
    return {"Content-Type": "application/json", **proof}


def _probe(operation: Any, mode: GenerationMode, headers: dict[str, str], order_ids: list[str]) -> str:
    """Call one operation with what the document allows, or with what it forbids; often about things that exist."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), order_id=st.none() | st.sampled_from(order_ids))
    def call(case: Any, order_id: str | None) -> None:
        if order_id:
            _make_real(case, {"order_id": order_id, "city": cast.CITY, "cities": [cast.CITY], "executor_id": None})
        case.call_and_validate(checks=CHECKS, headers=headers)

    try:
        call()
    except Unsatisfiable:  # without parameters and body nothing can be malformed
        if mode.is_positive:
            raise
    return str(operation.label)


def _make_real(case: Any, facts: dict[str, Any]) -> None:
    """Names of things that exist, where the case names any; everything else stays as it was made up."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in facts.items() if name in part})
