"""Saved addresses (contract tickets 1.3, 3, D5, D12)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from apps.core.testing import outcomes, query_budget, race
from apps.tickets.actions import addresses
from apps.tickets.models import Member, SavedAddress
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
HOME = {"name": "Home", "address": "Moda Caddesi 1", "latitude": 40.98, "longitude": 29.02}


def words(name: str) -> dict[str, Any]:
    return {**HOME, "name": name, "city": "Istanbul"}


def test_an_address_is_saved_with_the_usual_city(can: Member) -> None:
    answer = Caller(can).post("addresses", HOME)
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in HOME} == HOME
    assert (body["user_id"], body["city"]) == (str(can.pk), "Istanbul")
    assert set(body) == {*HOME, "id", "user_id", "city", "created_at", "updated_at"}


def test_the_list_is_ones_own_newest_first(can: Member, zeynep: Member) -> None:
    for name in ("Home", "Work"):
        addresses.save(by=can, words=words(name))
    addresses.save(by=zeynep, words=words("Hers"))
    caller = Caller(can)
    with query_budget(3):
        body = caller.get("addresses").json()
    assert ([row["name"] for row in body["items"]], body["total"]) == (["Work", "Home"], 2)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "  "},
        {"name": "n" * 101},
        {"address": ""},
        {"address": "a" * 501},
        {"latitude": 90.1},
        {"longitude": -180.1},
        {"latitude": "NaN"},
        {"latitude": None},
        {"city": "c" * 101},
    ],
)
def test_malformed_addresses_are_422(can: Member, change: dict[str, Any]) -> None:
    assert Caller(can).post("addresses", {**HOME, **change}).status_code == 422
    assert not SavedAddress.objects.exists()


def test_a_name_is_taken_once_letter_case_aside(can: Member, zeynep: Member) -> None:
    addresses.save(by=can, words=words("Home"))
    answer = Caller(can).post("addresses", {**HOME, "name": "HOME"})
    assert (answer.status_code, answer.json()["code"]) == (400, "address_name_taken")
    assert Caller(zeynep).post("addresses", HOME).status_code == 201
    assert can.addresses.count() == 1


def test_the_eleventh_is_refused(can: Member) -> None:
    for number in range(10):
        addresses.save(by=can, words=words(f"Place {number}"))
    answer = Caller(can).post("addresses", HOME)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Maximum 10 addresses allowed")
    assert can.addresses.count() == 10


def test_parts_are_changed(can: Member) -> None:
    address = addresses.save(by=can, words=words("Home"))
    addresses.save(by=can, words=words("Work"))
    caller = Caller(can)
    body = caller.put(f"addresses/{address.pk}", {"name": "home", "latitude": 41.5}).json()
    assert (body["name"], body["latitude"], body["longitude"]) == ("home", 41.5, 29.02)
    assert caller.put(f"addresses/{address.pk}", {"name": "work"}).status_code == 400
    assert caller.put(f"addresses/{address.pk}", {"latitude": None}).status_code == 422  # D12
    assert caller.get(f"addresses/{address.pk}").json()["name"] == "home"


def test_other_peoples_addresses_do_not_exist(can: Member, zeynep: Member) -> None:
    address = addresses.save(by=can, words=words("Home"))
    stranger = Caller(zeynep)
    for answer in (
        stranger.get(f"addresses/{address.pk}"),
        stranger.put(f"addresses/{address.pk}", {"name": "Mine"}),
        stranger.delete(f"addresses/{address.pk}"),
        Caller(can).get(f"addresses/{uuid4()}"),
    ):
        assert answer.status_code == 404
    address.refresh_from_db()
    assert address.name == "Home"
    assert Caller(can).get("addresses/x").status_code == 422


def test_deleting_is_once(can: Member) -> None:
    address = addresses.save(by=can, words=words("Home"))
    assert Caller(can).delete(f"addresses/{address.pk}").status_code == 204
    assert Caller(can).delete(f"addresses/{address.pk}").status_code == 404


@pytest.mark.race
def test_of_eight_at_once_only_one_is_the_tenth(can: Member) -> None:
    for number in range(9):
        addresses.save(by=can, words=words(f"Place {number}"))
    kinds = outcomes(race(8, lambda n: addresses.save(by=can, words=words(f"Late {n}"))))
    assert kinds == {"ok": 1, "TooManyAddresses": 7}
    assert can.addresses.count() == 10


@pytest.mark.race
def test_one_name_at_once_is_saved_once(can: Member) -> None:
    kinds = outcomes(race(8, lambda _: addresses.save(by=can, words=words("Home"))))
    assert kinds == {"ok": 1, "AddressNameTaken": 7}


def test_a_name_that_only_postgresql_finds_the_same_is_400(can: Member) -> None:
    """In capitals "İŞ" and "IŞ" differ, in small letters they do not: the constraint decides, and not with a 500."""
    caller = Caller(can)
    assert caller.post("addresses", {**HOME, "name": "iş"}).status_code == 201
    expected = 400 if connection.vendor == "postgresql" else 201
    assert caller.post("addresses", {**HOME, "name": "İş"}).status_code == expected
    other = addresses.save(by=can, words=words("Home"))
    expected = 400 if connection.vendor == "postgresql" else 200
    assert caller.put(f"addresses/{other.pk}", {"name": "İş" if expected == 400 else "Ev"}).status_code == expected
