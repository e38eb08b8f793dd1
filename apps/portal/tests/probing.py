"""Schemathesis in this process: every operation of a product's document is called, and what comes back is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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


@contextmanager
def operations_of(document: str) -> Iterator[Iterator[Any]]:
    """Every operation of the document, called in this process and in the test's own transaction."""
    signals = (request_started, request_finished)
    for signal in signals:  # a request must not hang up the connection that holds the transaction
        signal.disconnect(close_old_connections)
    schema = schemathesis.openapi.from_wsgi(document, get_wsgi_application())
    yield (found.ok() for found in schema.get_all_operations())
    for signal in signals:
        signal.connect(close_old_connections)


def probe(
    operation: Any,
    mode: GenerationMode,
    headers: dict[str, str],
    real: Sequence[Mapping[str, Any]],
    examples: int = EXAMPLES,
) -> str:
    """Call one operation with what the document allows, or with what it forbids; often about things that exist.

    `real` are sets of names and values that replace what was made up under these names. Returns the operation's label.
    """

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), facts=st.none() | st.sampled_from(list(real)))
    def call(case: Any, facts: Mapping[str, Any] | None) -> None:
        _make_real(case, facts or {})
        case.call_and_validate(checks=CHECKS, headers=headers)

    try:
        call()
    except Unsatisfiable:  # without parameters and body nothing can be malformed
        if mode.is_positive:
            raise
    return str(operation.label)


def _make_real(case: Any, facts: Mapping[str, Any]) -> None:
    """Names of things that exist, where the case names any; everything else stays as it was made up."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in facts.items() if name in part})
