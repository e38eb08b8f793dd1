"""The front door: a page for people, JSON for programs (contract urgent 1.1, row 26)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.core.testing import query_budget
from apps.portal import products

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
LANGUAGES = {"ru", "uz", "tr", "en"}


def page(client: Client, path: str = "/", **headers: str) -> str:
    response = client.get(path, headers={**BROWSER, **headers})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("accept", ["", "*/*", "application/json"])
def test_programs_get_the_greeting(client: Client, accept: str) -> None:
    response = client.get("/", headers={"Accept": accept})
    assert response.json() == {"service": "Mahalla", "version": "0.1.0", "status": "operational", "docs": "/docs"}
    assert "Accept" in response.headers["Vary"]


@pytest.mark.parametrize("path", ["/urgent", "/urgent/"])
def test_a_product_greets_under_its_base(client: Client, path: str) -> None:
    greeting = client.get(path).json()
    assert greeting == {"service": "Mahalla urgent", "version": "0.1.0", "status": "operational", "docs": "/docs"}


def test_browsers_get_a_page_with_every_product(client: Client) -> None:
    text = page(client)
    for product in products.mounted():
        assert f"http://testserver/{product.base}" in text
        assert f'href="/{product.base}/docs"' in text
    assert 'href="/admin/"' in text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_page_speaks_the_callers_language(client: Client, language: str) -> None:
    text = page(client, **{"Accept-Language": language})
    assert f'<html lang="{language}">' in text


def test_the_language_switch_needs_no_javascript(client: Client) -> None:
    assert set(re.findall(r'name="language" value="(\w+)"', page(client))) == LANGUAGES
    assert client.post("/i18n/setlang/", {"language": "tr", "next": "/"}).headers["Location"] == "/"
    assert '<html lang="tr">' in page(client)


def test_the_page_can_be_used_with_a_screen_reader_and_a_thumb(client: Client) -> None:
    text = page(client)
    assert 'class="skip"' in text
    assert text.count("<h1") == 1
    assert re.findall(r"<img(?![^>]*alt=)[^>]*>", text) == []
    assert 'name="viewport"' in text


def test_nothing_inline_would_be_blocked(client: Client) -> None:
    response = client.get("/", headers=BROWSER)
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*src=)", response.content.decode()) == []
    assert re.findall(r'(?:src|href)="https?://', response.content.decode()) == []


def test_the_status_line_is_a_piece_of_its_own(client: Client) -> None:
    text = page(client, "/my/status")
    assert "<html" not in text and 'class="state good"' in text


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/").status_code in (403, 405)
    assert client.delete("/").status_code in (403, 405)


def test_head_answers_without_a_body(client: Client) -> None:
    response = client.head("/")
    assert (response.status_code, response.content) == (200, b"")


def test_the_back_office_answers_without_its_slash(client: Client) -> None:
    assert client.get("/admin").headers["Location"] == "/admin/"


def test_the_page_costs_a_constant_number_of_queries(client: Client) -> None:
    with query_budget(2):
        page(client)


def test_production_shows_no_way_in(client: Client, settings: Any) -> None:
    settings.EMBEDDED = settings.SANDBOX_ENABLED = False
    text = page(client)
    assert "mahalla-demo" not in text and "__sandbox" not in text
