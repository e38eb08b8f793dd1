"""OpenAPI documents are whole, true to the mounts, and their pages work under our own content policy (design 3.12)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.test import Client

from apps.portal import products, schemas

BASES = [product.base for product in products.mounted()]
METHODS = {"get", "put", "post", "delete", "patch"}


def document(base: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schemas.document(base))
    return found


def operations(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in found["paths"].items():
        for method in METHODS & set(item):
            yield f"{method.upper()} {path}", item[method]


@pytest.mark.parametrize("base", ["", *BASES])
def test_every_reference_resolves(base: str) -> None:
    found = document(base)
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(found)))
    assert wanted <= set(found["components"]["schemas"])


@pytest.mark.parametrize("base", ["", *BASES])
def test_operation_ids_are_unique(base: str) -> None:
    ids = [operation["operationId"] for _, operation in operations(document(base))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("base", BASES)
def test_a_product_lists_its_servers_and_its_sign_in(base: str) -> None:
    found = document(base)
    assert [server["url"] for server in found["servers"]] == [f"/{base}", "/"]
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert found["openapi"] == "3.1.0"


BODIES_WITHOUT_422 = ("webhook", "/iiko/", "/files/", "/open311/")
"""What vendors and uploads send is a 400 when it cannot be read (contracts loyalty 1.5, 1.6; integrations 11)."""


@pytest.mark.parametrize("base", BASES)
def test_every_operation_says_what_it_is_and_how_it_refuses(base: str) -> None:
    for name, operation in operations(document(base)):
        assert operation.get("summary"), name
        assert operation.get("tags"), name
        if operation["security"] == [{"bearer": []}]:
            assert "401" in operation["responses"], name
        if "requestBody" in operation and "422" not in operation["responses"]:
            assert any(word in name for word in BODIES_WITHOUT_422), name


@pytest.mark.parametrize("base", BASES)
def test_refusals_are_documented_with_their_body(base: str) -> None:
    for name, operation in operations(document(base)):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")):
                kind = "text/xml" if name.endswith(".xml") else "application/json"
                assert kind in answer["content"], f"{name} {status}"


def test_the_urgent_document_holds_all_rows_of_the_contract() -> None:
    named = {name for name, _ in operations(document("urgent"))}
    assert {"GET /", "GET /health", "POST /api/orders", "POST /api/orders/{order_id}/take", "GET /api/cities"} <= named
    assert len([name for name in named if "/bot/" not in name and "/push" not in name and "/email" not in name]) >= 26


def test_the_house_is_the_sum_of_its_products() -> None:
    whole = {name for name, _ in operations(document())}
    parts = {
        f"{name.split(' ')[0]} /{base}{name.split(' ')[1]}" for base in BASES for name, _ in operations(document(base))
    }
    assert whole == parts


@pytest.mark.parametrize("base", BASES)
def test_schemathesis_can_load_it(base: str) -> None:
    loaded = schemathesis.openapi.from_dict(document(base))
    assert len(list(loaded.get_all_operations())) == len(list(operations(document(base))))


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.json/", "/urgent/openapi.json"])
def test_the_document_is_served_with_an_etag(client: Client, path: str) -> None:
    first = client.get(path)
    assert first.headers["Content-Type"] == "application/json"
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/urgent/docs", "/urgent/redoc", "/docs/"])
def test_the_pages_bring_everything_themselves(client: Client, path: str) -> None:
    response = client.get(path)
    text = response.content.decode()
    assert response.status_code == 200
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*src=\"/static/)", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []
    assert all(f'href="/{base}/' in text for base in BASES)


def test_each_page_shows_its_own_document(client: Client) -> None:
    assert 'data-document="/urgent/openapi.json"' in client.get("/urgent/docs").content.decode()
    assert 'data-document="/openapi.json"' in client.get("/redoc").content.decode()


def test_the_pages_speak_the_callers_language(client: Client) -> None:
    assert '<html lang="uz">' in client.get("/docs", headers={"Accept-Language": "uz"}).content.decode()


def test_writing_to_a_document_is_refused(client: Client) -> None:
    assert client.post("/openapi.json").status_code == 405
    assert client.post("/docs").status_code == 405
