"""The live menu: merged, marked, kept, served stale rather than not at all (contract loyalty 3.12, 3.13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.core.testing import query_budget
from apps.integrations.ports import port
from apps.integrations.sandbox import vendors
from apps.loyalty.actions import menu
from apps.loyalty.tasks.menu import refresh_menu
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db
GEOFIZIKA, GIJDUVON, SEVERNIY, MK5 = 139235, 157757, 139350, 139458


def live(**headers):
    return Caller().get("catalog/live", **headers)


def dish(slug: str, body: dict | None = None) -> dict:
    told = body or live().json()
    return next(item for shelf in told["categories"] for item in shelf["items"] if item["id"] == f"i-{slug}")


def disabled(slug: str) -> set[int]:
    return {price["storeId"] for price in dish(slug)["prices"] if price["disabled"]}


def asked(part: str) -> int:
    return sum(part in kept["path"] for kept in vendors.myresto.requests)


def later(seconds: float):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


class TestMerging:
    def test_both_sites_in_one(self):
        told = live().json()
        assert told["success"] is True
        assert [(shelf["id"], shelf["name"], shelf["slug"]) for shelf in told["categories"]] == [
            ("c-pilaf", "Плов", "pilaf"),
            ("c-grill", "Шашлык", "grill"),
            ("c-drinks", "Напитки", "drinks"),
        ]
        assert dish("lamb", told) == {
            "id": "i-lamb",
            "name": "Шашлык из баранины",
            "prices": [
                {"storeId": GEOFIZIKA, "storeName": "Sardoba_Geofizika", "price": 22000, "disabled": False},
                {"storeId": SEVERNIY, "storeName": "Sardoba_Severniy", "price": 22500, "disabled": False},
                {"storeId": MK5, "storeName": "Sardoba_5MK", "price": 23000, "disabled": False},
                {"storeId": GIJDUVON, "storeName": "Sardoba_Gijduvon", "price": 22000, "disabled": False},
            ],
            "images": ["https://cdn.example/menu/lamb.webp"],
        }

    def test_the_later_site_wins_a_shared_store(self):
        vendors.myresto.menus["gijduvon"][1]["items"][0]["itemSizes"][0]["prices"] = [
            {"storeId": GEOFIZIKA, "price": 1}
        ]
        prices = {price["storeId"]: price["price"] for price in dish("lamb")["prices"]}
        assert prices == {GEOFIZIKA: 1, SEVERNIY: 22500, MK5: 23000}

    def test_sold_out_where_the_stop_list_says_so(self):
        vendors.myresto.stops = {GEOFIZIKA: {"i-lamb": 0, "i-liver": 3}, GIJDUVON: {"i-lamb": -1}}
        assert disabled("lamb") == {GEOFIZIKA, GIJDUVON}
        assert disabled("liver") == set()

    def test_gijduvon_is_asked_at_its_own_site(self):
        live()
        paths = {
            kept["path"].split("/myresto/")[1] for kept in vendors.myresto.requests if "stop-lists" in kept["path"]
        }
        assert paths == {
            f"gijduvon/api/v1/menu/stop-lists/{GIJDUVON}",
            *(f"main/api/v1/menu/stop-lists/{store}" for store in (GEOFIZIKA, SEVERNIY, MK5)),
        }

    def test_a_store_that_nobody_named_has_a_name_too(self):
        vendors.myresto.menus["main"][1]["items"][0]["itemSizes"][0]["prices"] = [{"storeId": 7, "price": 1}]
        assert dish("lamb")["prices"][0]["storeName"] == "Store 7"


class TestKeeping:
    def test_three_lives(self, settings):
        live(), live()
        assert (asked("main/api/v1/menu"), asked("stop-lists")) == (4, 4)
        with later(31):
            live()
        assert (asked("stop-lists"), len(vendors.myresto.requests)) == (4, 6)
        with later(61):
            live()
        assert (asked("stop-lists"), len(vendors.myresto.requests)) == (8, 10)
        with later(125):
            live()
        assert (asked("stop-lists"), len(vendors.myresto.requests)) == (12, 16)

    def test_bytes_with_a_mark(self):
        first = live()
        assert first["Cache-Control"] == "public, max-age=30"
        with query_budget(0):
            second = live(**{"If-None-Match": first["ETag"]})
        assert (second.status_code, second.content, second["ETag"]) == (304, b"", first["ETag"])
        assert live(**{"If-None-Match": '"other"'}).status_code == 200

    def test_one_site_down_is_served_from_what_it_said_last(self):
        before = live().json()
        vendors.myresto.dropped = {"main"}
        with later(200):
            assert live().json() == before

    def test_one_site_down_from_the_start_leaves_the_other(self):
        vendors.myresto.dropped = {"main"}
        assert {price["storeId"] for price in dish("lamb")["prices"]} == {GIJDUVON}

    def test_a_stop_list_that_fails_keeps_the_last(self):
        vendors.myresto.stops = {GEOFIZIKA: {"i-lamb": 0}}
        assert disabled("lamb") == {GEOFIZIKA}
        vendors.myresto.dropped = {"main"}
        with later(65):
            assert disabled("lamb") == {GEOFIZIKA}

    def test_everything_down_and_nothing_kept(self):
        vendors.myresto.dropped = {"main", "gijduvon"}
        answer = live()
        assert (answer.status_code, answer.json()) == (200, {"success": False, "categories": []})
        vendors.myresto.dropped = set()
        with later(61):
            assert live().json()["success"] is True

    def test_everything_down_later_serves_the_last(self):
        before = live().content
        vendors.myresto.dropped = {"main", "gijduvon"}
        with later(3600):
            assert live().content == before

    def test_a_dead_site_is_not_hammered(self):
        vendors.myresto.dropped = {"main"}
        for _ in range(3):
            menu.refresh()
        assert asked("main/api/v1/menu") == 4  # one for the menu, three for the stop-lists

    def test_nothing_configured(self, settings):
        settings.INTEGRATIONS = replace(settings.INTEGRATIONS, menu_api_url="", menu_gijduvon_api_url="")
        assert live().json() == {"success": False, "categories": []}

    def test_who_comes_while_somebody_fetches_gets_the_old(self):
        before = live().content
        with later(60):
            menu.cache.add(menu.LOCK, 1)
            vendors.myresto.raise_prices("main", 1000)
            requests = len(vendors.myresto.requests)
            assert live().content == before
            assert len(vendors.myresto.requests) == requests

    @pytest.mark.parametrize("process", ["its own copy", "the shared answer"])
    @pytest.mark.parametrize("first_run", [7, 19])
    def test_with_the_job_at_work_nobody_but_the_first_waits(self, settings, process, first_run):
        """Five minutes of seconds; the job runs every twentieth, out of step with the first guest."""
        pace = int(settings.CELERY_BEAT_SCHEDULE["refresh menu"]["schedule"])
        start = timezone.now()
        live()
        for second in range(1, 300):
            with time_machine.travel(start + timedelta(seconds=second), tick=False):
                if second % pace == first_run:
                    refresh_menu()
                fetched = len(vendors.myresto.requests)
                if process == "the shared answer":
                    menu.put_away()
                assert live().json()["success"] is True
                assert len(vendors.myresto.requests) == fetched, second

    def test_the_job_fetches_before_anybody_asks(self):
        assert menu.refresh() is True
        count = len(vendors.myresto.requests)
        assert live().json()["success"] is True
        assert len(vendors.myresto.requests) == count


def test_the_port_is_the_fake():
    assert port("menu").vendor is vendors.myresto
