"""The shop's card, zones, slots and special days (contract florist 1.6, 3.6, 3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.florist.models import DeliverySlot, DeliveryZone, Employee, Shop, SpecialDay
from apps.florist.tests.cast import Caller

pytestmark = pytest.mark.django_db

SHOP_KEYS = {
    *("id", "name", "phone", "email", "address", "city", "description", "business_hours", "currency", "timezone"),
    *("language", "telegram_id", "telegram_username", "whatsapp_number", "shop_domain", "shop_logo_url"),
    *("is_active", "is_verified", "plan", "trial_ends_at", "created_at", "updated_at", "last_login_at"),
}


def test_my_shop_has_exactly_its_keys(aida: Employee) -> None:
    body = Caller(aida)("GET", "/api/auth/me").json()
    assert set(body) == SHOP_KEYS
    assert (body["currency"], body["timezone"], body["language"], body["plan"]) == ("KZT", "Asia/Almaty", "ru", "basic")


def test_the_card_of_ones_own_shop(olga: Employee, dana: Employee) -> None:
    DeliveryZone.objects.create(shop=olga.shop, name="Centre", price=2000)
    body = Caller(olga)("GET", "/api/settings/").json()
    assert set(body) == {
        *("id", "name", "address", "email", "phones", "working_hours", "delivery_zones", "created_at", "updated_at")
    }
    assert body["working_hours"] == {"from": "09:00", "to": "20:00"}
    assert body["delivery_zones"] == [{"name": "Centre", "price": 2000}]
    assert Caller(dana)("GET", "/api/settings/").json()["delivery_zones"] == []


def test_managers_write_florists_read_couriers_neither(
    olga: Employee, bek: Employee, aida: Employee, ruslan: Employee
) -> None:
    for who, read, write in ((olga, 200, 200), (bek, 200, 200), (aida, 200, 403), (ruslan, 403, 403)):
        assert Caller(who)("GET", "/api/settings/").status_code == read
        assert Caller(who)("PATCH", "/api/settings/", {"name": f"By {who.name}"}).status_code == write
    assert Shop.objects.get().name == "By Bek"


def test_the_card_changes(olga: Employee) -> None:
    kept = DeliveryZone.objects.create(shop=olga.shop, name="Centre", price=2000, daily_capacity=5)
    gone = DeliveryZone.objects.create(shop=olga.shop, name="North", price=2500)
    change = {
        "name": "Rosa Nova",
        "address": "Abaya 1",
        "email": "Hello@Rosa.kz",
        "phones": ["8 701 123 45 67"],
        "working_hours": {"from": "08:30", "to": "21:00"},
        "delivery_zones": [{"name": "South", "price": 3000}, {"name": "Centre", "price": 2200}],
    }
    body = Caller(olga)("PATCH", "/api/settings/", change).json()
    expected = {**change, "email": "hello@rosa.kz", "phones": ["+77011234567"]}
    assert {name: body[name] for name in change} == expected
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (kept.price, kept.daily_capacity, gone.is_active) == (2200, 5, False)
    assert Caller(olga)("PATCH", "/api/settings/", {"delivery_zones": []}).json()["delivery_zones"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": "R"},
        {"phones": ["12"]},
        {"working_hours": {"from": "9", "to": "20:00"}},
        {"working_hours": {"from": "09:00"}},
        {"delivery_zones": [{"name": "A", "price": -1}]},
        {"delivery_zones": [{"name": "A", "price": 1e15}]},
        {"email": f"{'a' * 61}@{'b' * 36}.kz"},
        {"plan": "premium"},
        {"phone": "+77010000000"},
        {"is_active": False},
    ],
)
def test_malformed_is_422_and_changes_nothing(olga: Employee, body: dict[str, Any]) -> None:
    before = Shop.objects.values().get()
    assert Caller(olga)("PATCH", "/api/settings/", body).status_code == 422
    assert Shop.objects.values().get() == before


def test_two_zones_of_one_name_are_400(olga: Employee) -> None:
    zones = [{"name": "A", "price": 1}, {"name": "A", "price": 2}]
    assert Caller(olga)("PATCH", "/api/settings/", {"delivery_zones": zones}).status_code == 400
    assert not DeliveryZone.objects.exists()


def test_an_email_of_another_shop_is_400(olga: Employee, tulip: Shop) -> None:
    Shop.objects.filter(pk=tulip.pk).update(email="t@tulip.kz")
    assert Caller(olga)("PATCH", "/api/settings/", {"email": "t@tulip.kz"}).status_code == 400


class TestFigures:
    def test_they_change_and_are_shown(self, olga: Employee) -> None:
        change = {"timezone": "Asia/Aqtau", "reserve_at": "paid", "lead_minutes": 90, "days_ahead": 7, "city": "Актау"}
        body = Caller(olga)("PATCH", "/api/settings/shop", change).json()
        assert {name: body[name] for name in change} == change
        extra = {"phones", "opens_at", "closes_at", "reserve_at", "lead_minutes", "pickup_lead_minutes", "days_ahead"}
        assert set(body) == SHOP_KEYS | extra

    @pytest.mark.parametrize(
        "body",
        [
            {"timezone": "Mars/Olympus"},
            {"timezone": "../etc/passwd"},
            {"lead_minutes": -1},
            {"language": "xx"},
            {"business_hours": {"mon": ["18:00", "09:00"]}},
            {"business_hours": {"someday": ["09:00", "18:00"]}},
            {"shop_logo_url": "javascript:alert(1)"},
            {"currency": "XXX"},
            {"email": f"{'a' * 61}@{'b' * 36}.kz"},
        ],
    )
    def test_malformed_is_422(self, olga: Employee, body: dict[str, Any]) -> None:
        assert Caller(olga)("PATCH", "/api/settings/shop", body).status_code == 422

    def test_a_domain_of_another_shop_is_400(self, olga: Employee, tulip: Shop) -> None:
        Shop.objects.filter(pk=tulip.pk).update(shop_domain="tulip.kz")
        assert Caller(olga)("PATCH", "/api/settings/shop", {"shop_domain": "tulip.kz"}).status_code == 400

    def test_null_empties_what_may_be_empty(self, olga: Employee) -> None:
        Shop.objects.update(description="x", city="Алматы")
        nothing = {"description": None, "city": None, "currency": None}
        body = Caller(olga)("PATCH", "/api/settings/shop", nothing).json()
        assert (body["description"], body["city"], body["currency"]) == (None, "Алматы", "KZT")

    def test_a_hundred_letters_of_email_fit(self, olga: Employee) -> None:
        email = f"{'a' * 61}@{'b' * 36}.kz"
        answer = Caller(olga)("PATCH", "/api/settings/shop", {"email": email[1:]})
        assert (len(email), answer.status_code, answer.json()["email"]) == (101, 200, email[1:])


class TestZones:
    PATH = "/api/settings/delivery-zones"

    def test_added_changed_and_taken_out_of_use(self, bek: Employee) -> None:
        caller = Caller(bek)
        answer = caller("POST", self.PATH, {"name": "Centre", "price": 2000, "daily_capacity": 3})
        assert (answer.status_code, set(answer.json())) == (201, {"message", "zones"})
        zone = answer.json()["zones"][0]
        assert (zone["name"], zone["price"], zone["daily_capacity"]) == ("Centre", 2000, 3)
        path = f"{self.PATH}/{zone['id']}"
        changed = caller("PATCH", path, {"price": 2500, "daily_capacity": None}).json()
        assert (changed["price"], changed["daily_capacity"], changed["name"]) == (2500, None, "Centre")
        assert caller("DELETE", path).status_code == 204
        body = caller("GET", self.PATH).json()
        assert (body["total"], body["items"][0]["is_active"]) == (1, False)
        again = caller("POST", self.PATH, {"name": "Centre", "price": 1800})
        assert [(row["id"], row["price"]) for row in again.json()["zones"]] == [(zone["id"], 1800)]

    def test_one_of_each_name(self, bek: Employee) -> None:
        caller = Caller(bek)
        caller("POST", self.PATH, {"name": "A", "price": 1})
        other = caller("POST", self.PATH, {"name": "B", "price": 1}).json()["zones"][1]
        assert caller("POST", self.PATH, {"name": "A", "price": 2}).status_code == 400
        assert caller("PATCH", f"{self.PATH}/{other['id']}", {"name": "A"}).status_code == 400

    def test_strangers_and_florists(self, aida: Employee, dana: Employee) -> None:
        zone = DeliveryZone.objects.create(shop=aida.shop, name="A", price=1)
        assert Caller(aida)("POST", self.PATH, {"name": "B", "price": 1}).status_code == 403
        assert Caller()("POST", self.PATH, {"name": "B", "price": 1}).status_code == 401
        for method in ("PATCH", "DELETE"):
            assert Caller(dana)(method, f"{self.PATH}/{zone.pk}", {"price": 0}).status_code == 404
        zone.refresh_from_db()
        assert (zone.price, zone.is_active) == (1, True)


class TestSlotsAndDays:
    def test_a_slot_lives(self, bek: Employee) -> None:
        caller = Caller(bek)
        answer = caller("POST", "/api/settings/slots", {"starts_at": "09:00", "ends_at": "11:00", "surcharge": 500})
        slot = answer.json()
        assert (answer.status_code, slot["starts_at"], slot["ends_at"]) == (201, "09:00", "11:00")
        again = caller("POST", "/api/settings/slots", {"starts_at": "09:00", "ends_at": "11:00"})
        assert (again.status_code, again.json()["detail"]) == (400, "Slot already exists")
        path = f"/api/settings/slots/{slot['id']}"
        changed = caller("PATCH", path, {"capacity": 4}).json()
        assert (changed["capacity"], changed["surcharge"]) == (4, 500)
        assert caller("PATCH", path, {"ends_at": "08:00"}).status_code == 422
        assert caller("GET", "/api/settings/slots").json()["total"] == 1
        assert caller("DELETE", path).status_code == 204
        assert not DeliverySlot.objects.exists()

    def test_a_special_day_lives(self, bek: Employee) -> None:
        caller = Caller(bek)
        day = {"day": "2027-03-08", "kind": "holiday", "title": "8 March", "capacity": 200, "preorder_days": 30}
        answer = caller("POST", "/api/settings/special-days", day)
        assert answer.status_code == 201, answer.content
        assert {name: answer.json()[name] for name in day} == day
        assert caller("POST", "/api/settings/special-days", day).status_code == 400
        path = f"/api/settings/special-days/{answer.json()['id']}"
        assert caller("PATCH", path, {"kind": "blackout", "capacity": None}).json()["capacity"] is None
        assert caller("GET", "/api/settings/special-days").json()["items"][0]["kind"] == "blackout"
        assert caller("DELETE", path).status_code == 204
        assert not SpecialDay.objects.exists()

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("slots", {"starts_at": "11:00", "ends_at": "09:00"}),
            ("slots", {"starts_at": "25:00", "ends_at": "26:00"}),
            ("slots", {"starts_at": "10:00:00Z", "ends_at": "11:00:00Z"}),
            ("slots", {"starts_at": "10:00:00", "ends_at": "11:00:00+05:00"}),
            ("slots", {"starts_at": "09:00", "ends_at": "11:00", "capacity": -1}),
            ("special-days", {"day": "2027-02-31", "kind": "holiday"}),
            ("special-days", {"day": "2027-02-01", "kind": "party"}),
        ],
    )
    def test_malformed_is_422(self, bek: Employee, path: str, body: dict[str, Any]) -> None:
        assert Caller(bek)("POST", f"/api/settings/{path}", body).status_code == 422

    def test_the_next_shop_is_404(self, bek: Employee, dana: Employee) -> None:
        slot = Caller(bek)("POST", "/api/settings/slots", {"starts_at": "09:00", "ends_at": "11:00"}).json()
        for method in ("PATCH", "DELETE"):
            assert Caller(dana)(method, f"/api/settings/slots/{slot['id']}", {}).status_code == 404
        assert DeliverySlot.objects.count() == 1
