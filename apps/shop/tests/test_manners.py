"""Limits, headers, timing, compression, CORS and the system paths (contract shop 1.8, 3.6, D25)."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from apps.core.testing import race
from apps.core.throttle import Limit
from apps.shop.api import manners
from apps.shop.models import Customer
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

pytestmark = pytest.mark.django_db
LIMIT_HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


@pytest.fixture
def five_a_minute(settings: Settings) -> None:
    settings.SHOP = replace(settings.SHOP, rate_limit_requests=5, notify_rate_limit_requests=7)


# ── The limit ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("base", ["/shop", ""])
def test_the_sixth_request_is_429(five_a_minute: None, base: str) -> None:
    answers = [Caller(base=base).get("categories") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    last = answers[-1]
    assert last.json()["detail"] == "Too many requests"
    assert (last["X-RateLimit-Limit"], last["Retry-After"]) == ("5", last["X-RateLimit-Reset"])
    assert 1 <= int(last["Retry-After"]) <= 60
    assert last["X-Frame-Options"] == "DENY"


def test_every_address_has_its_own_and_refusals_count_too(five_a_minute: None) -> None:
    for path in ("categories/999", "users/me", "nowhere", "slippers?limit=101", "categories"):
        assert set(Caller().get(path).headers) >= LIMIT_HEADERS
    assert Caller().get("categories").status_code == 429
    assert Client(REMOTE_ADDR="10.9.9.9").get("/shop/categories").status_code == 200


def test_a_stranger_cannot_change_his_address(five_a_minute: None) -> None:
    client = Client(REMOTE_ADDR="10.9.9.9")
    statuses = [
        client.get("/shop/categories", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(6)
    ]
    assert statuses == [200] * 5 + [429]


def test_documents_files_preflights_and_other_products_are_not_counted(five_a_minute: None) -> None:
    client = Client()
    for _ in range(7):
        assert client.get("/shop/static/images/none.jpg").status_code == 404
        assert client.options("/shop/categories").status_code != 429
        assert client.get("/urgent/api/cities", {"search": "x"}).status_code == 200
        assert "X-RateLimit-Limit" not in client.get("/shop/openapi.json").headers
    assert client.get("/shop/categories")["X-RateLimit-Remaining"] == "4"


def test_payment_notices_have_their_own(five_a_minute: None) -> None:
    for _ in range(6):
        Caller().get("categories")
    assert Caller().get("payments/octo/notify")["X-RateLimit-Limit"] == "7"


def test_one_customer_of_ipv6_is_one_caller(five_a_minute: None) -> None:
    clients = [Client(REMOTE_ADDR=f"2001:db8::{number}") for number in range(6)]
    assert [client.get("/shop/categories").status_code for client in clients] == [200] * 5 + [429]
    assert Client(REMOTE_ADDR="2001:db8:0:1::1").get("/shop/categories").status_code == 200


def test_a_full_cache_that_forgets_is_no_error(five_a_minute: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are thrown out like everything else when a cache is full: also between being made and being raised."""
    real, thrown_out = cache.incr, []

    def incr(key: str, *args: Any, **kwargs: Any) -> int:
        if not thrown_out:
            thrown_out.append(cache.delete(key))
        return int(real(key, *args, **kwargs))

    monkeypatch.setattr(cache, "incr", incr)
    assert Caller().get("categories")["X-RateLimit-Remaining"] == "4"
    assert thrown_out == [True]


def test_a_limit_above_a_hundred_fires(db: None) -> None:
    limit = Limit(250, 60)
    counts = [manners.count("somebody", limit, now=6_000_000.0 + number / 100) for number in range(300)]
    assert sum(count.is_over for count in counts) == 50


def test_the_window_slides(db: None) -> None:
    limit, start = Limit(10, 60), 6_000_000.0
    assert not any(manners.count("somebody", limit, now=start + 59).is_over for _ in range(10))
    assert manners.count("somebody", limit, now=start + 61).is_over
    assert not manners.count("somebody", limit, now=start + 90).is_over
    assert manners.count("somebody", limit, now=start + 181).remaining == 9


@pytest.mark.race
def test_fifty_at_once_share_one_counter(db: None) -> None:
    results = race(50, lambda number: manners.count("somebody", Limit(20, 60), now=6_000_000.0))
    assert sum(not result.is_over for result in results) <= 20


# ── Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("path", "status"), [("/shop/categories", 200), ("/categories/999", 404), ("/shop/no", 404)])
def test_headers_of_every_answer(path: str, status: int) -> None:
    answer = Client().get(path)
    assert answer.status_code == status
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-XSS-Protection"] == "1; mode=block"
    assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Content-Security-Policy" not in answer.headers
    assert re.fullmatch(r"\d+\.\d{3}s", answer["X-Process-Time"])
    assert answer["X-Uptime"].isdigit()


def test_other_products_keep_their_manners(db: None) -> None:
    answer = Client().get("/urgent/api/cities", {"search": "x"})
    assert "X-Process-Time" not in answer.headers and "X-XSS-Protection" not in answer.headers


def test_long_answers_are_compressed_short_ones_are_not(db: None) -> None:
    for number in range(8):
        cast.slipper(f"number {number}")
    plain = Caller().get("slippers")
    small = Caller().get("slippers/999", **{"Accept-Encoding": "gzip"})
    packed = Caller().get("slippers", **{"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers and "Content-Encoding" not in small.headers
    assert packed["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert packed["ETag"] == f"W/{plain['ETag']}"
    again = Caller().get("slippers", **{"If-None-Match": packed["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert plain["X-Compress-Hint"] == "true" and "X-Compress-Hint" not in small.headers


def test_cors(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    answer = Client().get("/shop/categories", headers={"Origin": "https://front.example"})
    assert answer["Access-Control-Allow-Origin"] == "https://front.example"
    assert answer["Access-Control-Allow-Credentials"] == "true"
    exposed = {name.strip() for name in answer["Access-Control-Expose-Headers"].split(",")}
    ours = {"Authorization", "Refresh-Token", "Token-Type", "X-Expires-In"}
    assert exposed == ours | {"Retry-After", "WWW-Authenticate"}
    preflight = Client().options(
        "/shop/orders/",
        headers={
            "Origin": "https://front.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-idempotency-key",
        },
    )
    assert preflight["Access-Control-Max-Age"] == "600"
    assert "x-idempotency-key" in preflight["Access-Control-Allow-Headers"]
    foreign = Client().get("/shop/categories", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers


# ── System ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", ["/shop", "/shop/"])
def test_the_greeting(path: str) -> None:
    body = Client().get(path).json()
    assert (set(body), body["version"], body["status"]) == (
        {"message", "version", "docs", "status"},
        "2.0.0",
        "operational",
    )


def test_the_health_looks(db: None) -> None:
    body = Client().get("/shop/health").json()
    assert set(body) == {"status", "timestamp", "version", "database", "cache"}
    assert (body["status"], body["database"], body["cache"]) == ("healthy", "connected", "connected")


@pytest.mark.parametrize("path", ["/admin/db-pool-status", "/admin/db-pool-status/", "/shop/admin/db-pool-status"])
def test_the_pool_is_for_admins(anora: Customer, bobur: Customer, path: str) -> None:
    statuses = [Caller(member, base="").get(path[1:]).status_code for member in (None, bobur, anora)]
    assert statuses == [401, 403, 200]


def test_the_back_office_still_answers(db: None) -> None:
    assert Client().get("/admin/login/").status_code == 200


def test_the_document_names_every_path(db: None) -> None:
    paths = set(json.loads(Client().get("/shop/openapi.json").content)["paths"])
    assert {"/auth/register", "/users/{customer_id}", "/slippers/{slipper_id}/upload-images", "/health"} <= paths
