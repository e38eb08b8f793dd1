"""The published document keeps apart what is different."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.test import Client
from pydantic import BaseModel

from apps.tickets.models import Ticket

API = Path(__file__).parents[1] / "api"


def shapes() -> Iterator[tuple[str, type[BaseModel]]]:
    """Everything that has a name in the document, with its module."""
    for path in sorted(API.glob("*.py")):
        module = import_module(f"apps.tickets.api.{path.stem}")
        for name, shape in vars(module).items():
            is_ours = isinstance(shape, type) and issubclass(shape, BaseModel) and shape.__module__ == module.__name__
            if is_ours and not name.endswith(("Path", "Query")):
                yield path.stem, shape


def test_no_two_shapes_have_one_name() -> None:
    """The document knows shapes by name: the second one of a name would replace the first."""
    seen: dict[str, str] = {}
    for module, shape in shapes():
        assert shape.__name__ not in seen, f"{shape.__name__} in {module} and {seen[shape.__name__]}"
        seen[shape.__name__] = module
    assert len(seen) > 40


def test_what_a_shape_refers_to_is_published_as_it_is(client: Client) -> None:
    """Choices stand where they are used: those of an escalation once stood where a ticket's status was meant."""
    published = json.loads(client.get("/tickets/openapi.json").content)["components"]["schemas"]
    seen = set()
    for _module, shape in shapes():
        if shape.__name__ not in published:
            continue
        whole = shape.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        for name, meant in json.loads(json.dumps(whole)).get("$defs", {}).items():
            if "enum" in meant:
                assert name not in published, (name, shape.__name__)
            else:
                assert published[name].keys() == meant.keys(), (name, shape.__name__)
            seen.add(name)
    assert {"Status", "Role", "Kind", "Type"} <= seen
    assert set(published["TicketOut"]["properties"]["status"]["enum"]) == set(Ticket.Status.values)
