"""MyResto over HTTP against its fake with two sites (contract loyalty 3.13)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from apps.integrations import myresto as adapter
from apps.integrations.dishes import Dish
from apps.integrations.myresto import GIJDUVON, MAIN, FakeMyResto, MyResto
from apps.integrations.ports import VendorBusy, VendorRefused, port
from apps.integrations.sandbox import vendors
from apps.integrations.tests.test_sandbox import control

PICTURE = "https://cdn.example/menu/lamb.webp"


@pytest.fixture
def kitchen(sandbox) -> MyResto:
    return MyResto()


def test_a_menu_of_each_site(kitchen):
    main, gijduvon = kitchen.menu(MAIN), kitchen.menu(GIJDUVON)
    assert [section.slug for section in main] == ["pilaf", "grill", "drinks"]
    assert main[1].dishes[0] == Dish(
        *("i-lamb", "Шашлык из баранины", "lamb"), {139235: 22000, 139350: 22500, 139458: 23000}, (PICTURE,)
    )
    assert gijduvon[1].dishes[0].prices == {157757: 22000}


def test_stop_lists(kitchen):
    assert kitchen.stop_list(MAIN, 139235) == {}
    client = Client()
    assert control(client, "myresto/control/stop", store=139235, item="i-lamb", left=0) == (200, {"ok": True})
    assert kitchen.stop_list(MAIN, 139235) == {"i-lamb": Decimal("0.00")}
    assert control(client, "myresto/control/unstop", store=139235, item="i-lamb")[0] == 200
    assert kitchen.stop_list(MAIN, 139235) == {}
    with pytest.raises(VendorRefused, match="status 404"):
        kitchen.stop_list(MAIN, 157757)


def test_one_site_down(kitchen):
    assert control(Client(), "myresto/control/drop", site="main")[1]["dropped"] == ["main"]
    with pytest.raises(VendorBusy):
        kitchen.menu(MAIN)
    assert len(kitchen.menu(GIJDUVON)) == 3


def test_prices_go_up(kitchen):
    assert control(Client(), "myresto/control/raise", site="main", by=1000)[0] == 200
    assert kitchen.menu(MAIN)[2].dishes[0].prices[139235] == 6000


@pytest.mark.parametrize(
    ("change_of", "known"),
    [
        ({}, ["main", "gijduvon"]),
        ({"menu_gijduvon_api_url": ""}, ["main"]),
        ({"menu_api_url": ""}, ["gijduvon"]),
        ({"menu_gijduvon_api_url": "http://127.0.0.1:9/__sandbox/myresto/main/api/v1/menu"}, ["main"]),
        ({"menu_api_url": "", "menu_gijduvon_api_url": ""}, []),
    ],
)
def test_sources_are_told_once(change, change_of, known):
    change(**change_of)
    assert MyResto().sources() == known


def test_not_configured(change):
    change(menu_api_url="")
    with pytest.raises(VendorRefused, match="not configured"):
        MyResto().menu(MAIN)


@pytest.mark.parametrize("told", [{}, {"result": []}, {"result": None}, []])
def test_no_result(told):
    vendors.myresto.menus = {"main": [], "gijduvon": []}
    from_vendor = FakeMyResto()
    from_vendor._send = lambda call: adapter.http.Answer(200, {}, adapter.http.jsonlib.dumps(told).encode())
    with pytest.raises(VendorRefused, match="without a result"):
        from_vendor.menu(MAIN)


SIZE = {"isDefault": True, "prices": [{"storeId": 1, "price": 10.9}]}


@pytest.mark.parametrize(
    ("item", "dish"),
    [
        ({"itemSizes": [SIZE]}, ({1: 10}, ())),
        ({"itemSizes": [{"prices": [{"storeId": "2", "price": "7"}]}, SIZE]}, ({1: 10}, ())),
        ({"itemSizes": [{"prices": [{"storeId": "2", "price": "7"}]}, {"prices": []}]}, ({2: 7}, ())),
        ({"itemSizes": [SIZE], "buttonImage": "a"}, ({1: 10}, ("a",))),
        (
            {"itemSizes": [{**SIZE, "buttonImage": {"s": "b", "l": "b", "x": "c"}}], "buttonImage": "a"},
            ({1: 10}, ("b", "c")),
        ),
        ({"itemSizes": []}, None),
        ({"itemSizes": [{"prices": [{"storeId": 1, "price": None}]}]}, None),
        ({"itemSizes": [{"prices": [{"storeId": 1, "price": -1}, {"storeId": None, "price": 1}]}]}, None),
        ({"itemSizes": [SIZE], "itemId": "", "slug": ""}, None),
        ({"itemSizes": [SIZE], "name": None}, None),
    ],
)
def test_a_dish_as_it_comes(item, dish):
    read = adapter._dish({"itemId": "i", "name": "n", "slug": "s", **item})
    assert (read and (read.prices, read.images)) == dish


def test_hidden_things_are_dropped():
    section = adapter._section({"id": 5, "name": "n", "items": [{"isHidden": True, "itemSizes": [SIZE]}, 7]})
    assert (section.key, section.dishes) == ("5", ())


def test_the_port_in_tests_is_the_fake():
    assert isinstance(port("menu"), FakeMyResto)
