"""At the root the order of the table decides; a path that two products own is listed here (design 3.12)."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import combinations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver

from apps.portal import products
from apps.portal import urls as roof

EXPECTED: dict[tuple[str, str], set[str]] = {
    ("urgent", "florist"): {"api/orders", "api/orders/<>"},
    ("loyalty", "tickets"): {
        *("api/v1/auth/me", "api/v1/auth/refresh", "api/v1/auth/staff/login", "api/v1/files/<>"),
        *("api/v1/notifications", "api/v1/notifications/<>", "api/v1/users", "api/v1/users/<>"),
    },
}
"""(winner, loser) → paths that both own. An unlisted collision fails, and so does one that has gone."""

ROOF_ONLY = {
    *("", "health", "docs", "redoc", "openapi.json", "metrics", "admin", "favicon.ico"),
    *("my/status", "my/alerts/read"),
}
"""Paths of the roof itself; no product may own one of them at the root."""


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    """Every path of a urlconf with its converters blanked, so that `<int:id>` meets `<str:id>`."""
    found: set[str] = set()
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes(pattern.url_patterns, route)
        else:
            found.add(re.sub(r"<[^>]+>", "<>", route).strip("/^$"))
    return found


def of_product(base: str) -> set[str]:
    return routes(import_module(products.get(base).urlconf).urlpatterns)


def test_unlisted_collisions_fail() -> None:
    bases = list(products.mounted_urlconfs())
    found = {pair: both for pair in combinations(bases, 2) if (both := of_product(pair[0]) & of_product(pair[1]))}
    assert found == EXPECTED


@pytest.mark.parametrize("base", list(products.mounted_urlconfs()))
def test_no_product_owns_a_path_of_the_roof(base: str) -> None:
    assert of_product(base) & ROOF_ONLY == set()


def test_the_roof_owns_what_is_listed() -> None:
    own = {route for route in routes(roof.urlpatterns) if not route.startswith("i18n")}
    assert own == ROOF_ONLY


def test_the_root_answers_in_the_order_of_the_design() -> None:
    order = [product.base for product in products.PRODUCTS]
    assert list(products.mounted_urlconfs()) == [base for base in order if base in products.mounted_urlconfs()]
    assert order == ["shop", "urgent", "loyalty", "tickets", "florist"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/urgent/api/cities", "/urgent/api/cities/", "/api/cities", "/api/cities/"])
def test_base_and_root_and_slash_are_the_same_address(client: Client, path: str) -> None:
    response = client.get(path, {"search": "казань"})
    assert response.status_code == 200
    assert response.json() == client.get("/api/cities", {"search": "казань"}).json()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nowhere", "/urgent/nowhere", "/urgent/api/nowhere/"])
def test_unknown_paths_are_404_in_json(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})
