"""A shop chooses its currency before the first order; the gateways take soum."""

from __future__ import annotations

from apps.florist.actions import shops
from apps.florist.models import Employee
from apps.florist.tests import cast, taking
from apps.florist.tests.cast import Caller


def test_the_currency_is_chosen_before_the_first_order(olga: Employee, aida: Employee) -> None:
    answer = Caller(olga)("PATCH", "/api/settings/shop", {"currency": "UZS"})
    assert (answer.status_code, answer.json()["currency"]) == (200, "UZS")
    assert Caller(aida)("PATCH", "/api/settings/shop", {"currency": "KZT"}).status_code == 403
    assert Caller(olga)("PATCH", "/api/settings/shop", {"currency": "XXX"}).status_code == 422
    taking.taken(olga.shop, cast.product(olga.shop))
    refused = Caller(olga)("PATCH", "/api/settings/shop", {"currency": "KZT"})
    assert (refused.status_code, refused.json()["code"]) == (409, "currency_fixed")
    assert shops.update(by=olga, currency="UZS").currency == "UZS"
