"""Buyers: known by their orders, counted by what is paid, merged without loss (contract florist 1.4, 3.4, 3.14)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from apps.core.phones import InvalidPhone
from apps.core.testing import assert_refused, outcomes, query_budget, race
from apps.florist import errors
from apps.florist.actions import customers
from apps.florist.models import Customer, CustomerAddress, Employee, ImportantDate, Order, Shop, StandingOrder
from apps.florist.queries import customers as questions
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller

KEYS = {
    *("id", "phone", "name", "email", "notes", "preferences", "source", "orders_count", "total_spent"),
    *("last_order_date", "created_at", "updated_at", "addresses", "important_dates", "primary_address", "rfm_score"),
}
ADDRESS_KEYS = {"id", "customer_id", "address", "label", "is_primary", "usage_count", "last_used_at", "created_at"}
DATE_KEYS = {"id", "customer_id", "date", "description", "remind_days_before", "last_reminded_year", "created_at"}
PHONE = "+77017770001"


def order(shop: Shop, total: int = 10_000, status: str = "paid", **more: Any) -> Order:
    """A row as the actions of orders leave it."""
    number = Order.objects.count() + 1
    more.setdefault("customer_phone", PHONE)
    more.setdefault("delivery_method", "delivery")
    return Order.objects.create(
        shop=shop,
        status=status,
        flower_sum=Decimal(total),
        total=Decimal(total),
        tracking_token=f"token-{number}",
        order_number=f"{number:09d}",
        **more,
    )


# ── orders make buyers ──────────────────────────────────────────────────────────────────────────────────────────────
def test_an_order_of_an_unknown_phone_makes_the_buyer_and_his_address(rosa: Shop) -> None:
    made = order(rosa, customer_phone="8 (701) 777-00-01", address="Abai 10,  flat 5", source="storefront")
    found = customers.note_order(made, name="Ivan")
    made.refresh_from_db()
    assert made.customer == found
    assert (found.phone, found.name, found.source) == (PHONE, "Ivan", "storefront")
    address = found.addresses.get()
    assert (address.address, address.usage_count, address.last_used_at is not None) == ("Abai 10, flat 5", 1, True)


def test_a_known_address_counts_up_and_a_name_is_never_overwritten(rosa: Shop) -> None:
    """Defect 11: the checkout overwrote the buyer's name with the recipient's."""
    first = customers.note_order(order(rosa, address="Abai 10"), name="Ivan")
    again = customers.note_order(order(rosa, address="Abai  10"), name="Maria")
    assert again == first
    again.refresh_from_db()
    assert again.name == "Ivan"
    assert list(again.addresses.values_list("address", "usage_count")) == [("Abai 10", 2)]


def test_orders_teach_so_many_addresses(rosa: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers order on anybody's phone."""
    monkeypatch.setattr(customers, "MOST_LEARNED", 2)
    for text in ("Abai 1", "Abai 2", "Abai 3", "Abai 1"):
        found = customers.note_order(order(rosa, address=text))
    assert sorted(found.addresses.values_list("address", "usage_count")) == [("Abai 1", 2), ("Abai 2", 1)]


def test_an_empty_name_is_filled_and_found(rosa: Shop, olga: Employee) -> None:
    customers.ensure(shop=rosa, phone=PHONE)
    assert customers.ensure(shop=rosa, phone=PHONE, name="Алия").name == "Алия"
    assert questions.listed(by=olga, search="али")[1] == 1


def test_an_order_without_its_row_gets_its_buyer_too(rosa: Shop) -> None:
    unsaved = Order(shop=rosa, customer_phone=PHONE, delivery_method="self_pickup", address="Abai 1")
    found = customers.note_order(unsaved)
    assert unsaved.customer == found
    assert not found.addresses.exists()


def test_a_phone_that_is_none_makes_nobody(rosa: Shop) -> None:
    assert_refused(InvalidPhone, lambda: customers.ensure(shop=rosa, phone="12"), unchanged=[Customer.objects.all()])


def test_two_shops_know_the_same_phone_separately(rosa: Shop, tulip: Shop) -> None:
    assert customers.ensure(shop=rosa, phone=PHONE) != customers.ensure(shop=tulip, phone=PHONE)


def test_only_paid_orders_count(rosa: Shop) -> None:
    """Defect 22: unpaid orders counted, and nothing was counted again."""
    who = cast.customer(rosa)
    for status in ("new", "paid", "completed", "issue", "cancelled"):
        order(rosa, 60_000, status, customer=who)
    customers.recount(who.pk)
    who.refresh_from_db()
    assert (who.orders_count, who.total_spent, who.is_vip) == (2, Decimal(120_000), True)
    assert who.last_order_date == Order.objects.filter(status="completed").get().created_at
    Order.objects.filter(status="paid").update(status="cancelled")
    customers.recount(who.pk)
    who.refresh_from_db()
    assert (who.orders_count, who.total_spent, who.is_vip) == (1, Decimal(60_000), False)


def test_counting_nobody_is_fine(db: None) -> None:
    customers.recount(None)
    customers.recount(404)


@pytest.mark.parametrize(
    ("days", "orders", "spent", "expected"),
    [
        (None, 0, 0, (1, 1, 1, 3)),
        (30, 2, 49_999, (5, 1, 1, 7)),
        (31, 3, 50_000, (4, 2, 2, 8)),
        (120, 6, 149_999, (3, 3, 3, 9)),
        (240, 11, 150_000, (2, 4, 4, 10)),
        (241, 12, 200_000, (1, 5, 5, 11)),
        (0, 500, 9_000_000, (5, 5, 5, 15)),
    ],
)
def test_marks(days: int | None, orders: int, spent: int, expected: tuple[int, ...]) -> None:
    now = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
    last = None if days is None else now - timedelta(days=days)
    who = Customer(orders_count=orders, total_spent=Decimal(spent), last_order_date=last)
    assert tuple(questions.rfm(who, now=now).values()) == expected


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_new_phone_in_ten_orders_at_once_is_one_buyer(rosa: Shop) -> None:
    made = [order(rosa, address="Abai 10") for _ in range(10)]
    results = race(10, lambda number: customers.note_order(made[number]))
    assert outcomes(results) == {"ok": 10}
    assert Customer.objects.get().addresses.get().usage_count == 10


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_buyer_is_written_down_with_addresses_and_dates(bek: Employee) -> None:
    body = {
        "phone": "8 701 777 00 01",
        "name": "Ivan",
        "email": "ivan@example.com",
        "addresses": [{"address": "Abai 10"}, {"address": "Dostyk 5", "label": "work", "is_primary": True}],
        "important_dates": [{"date": "02-29", "description": "birthday"}],
    }
    answer = Caller(bek)("POST", "/api/customers/", body)
    assert answer.status_code == 201, answer.content
    got = answer.json()
    assert got.keys() == KEYS
    assert [row.keys() for row in got["addresses"]] == [ADDRESS_KEYS] * 2
    assert [row.keys() for row in got["important_dates"]] == [DATE_KEYS]
    assert (got["phone"], got["primary_address"]["address"]) == (PHONE, "Dostyk 5")
    assert got["rfm_score"] == {"recency": 1, "frequency": 1, "monetary": 1, "total": 3}
    assert got["important_dates"][0]["remind_days_before"] == 3


@pytest.mark.parametrize("day", ["02-31", "13-01", "00-10", "2-3", "0229", "12-00"])
def test_a_day_that_does_not_exist_is_refused(bek: Employee, day: str) -> None:
    """Defect 22: 02-31 was accepted."""
    body = {"phone": PHONE, "important_dates": [{"date": day, "description": "birthday"}]}
    assert Caller(bek)("POST", "/api/customers/", body).status_code == 422
    who = cast.customer(bek.shop)
    answer = Caller(bek)("POST", f"/api/customers/{who.pk}/important-dates", {"date": day, "description": "x"})
    assert answer.status_code == 422
    assert not ImportantDate.objects.exists()


def test_a_phone_is_taken_per_shop(bek: Employee, tulip: Shop) -> None:
    cast.customer(tulip)
    taken = Customer.objects.get().phone
    call = Caller(bek)
    assert call("POST", "/api/customers/", {"phone": taken}).status_code == 201
    again = call("POST", "/api/customers/", {"phone": taken})
    assert (again.status_code, again.json()["code"]) == (400, "phone_taken")
    other = cast.customer(bek.shop)
    assert call("PUT", f"/api/customers/{other.pk}", {"phone": taken}).status_code == 400
    other.refresh_from_db()
    assert other.phone != taken


@pytest.mark.parametrize(
    ("search", "found"),
    [("иван", 1), ("ИВАН", 1), ("8701777", 1), ("+7 (701) 777-00-01", 1), ("7770001", 1), ("MAIL.kz", 1), ("Пётр", 0)],
)
def test_search(bek: Employee, search: str, found: int) -> None:
    cast.customer(bek.shop, "Кто-то ещё")
    Customer.objects.create(shop=bek.shop, phone=PHONE, name="Иванова Анна", email="anna@mail.kz")
    answer = Caller(bek)("GET", f"/api/customers?search={search.replace('+', '%2B')}")
    assert (answer.json()["total"], len(answer.json()["items"])) == (found, found)


def test_a_list_costs_the_same_for_any_number(bek: Employee) -> None:
    for _ in range(30):
        who = cast.customer(bek.shop)
        CustomerAddress.objects.create(customer=who, address="Abai 1")
        ImportantDate.objects.create(customer=who, date="05-05", description="x")
    with query_budget(4):
        rows, total = questions.listed(by=bek, limit=30)
    assert (len(rows), total) == (30, 30)


def test_pages(bek: Employee) -> None:
    ids = [cast.customer(bek.shop).pk for _ in range(3)]
    got = Caller(bek)("GET", "/api/customers/?skip=1&limit=1").json()
    assert ([row["id"] for row in got["items"]], got["total"]) == ([ids[1]], 3)
    assert Caller(bek)("GET", "/api/customers/?limit=101").status_code == 422


def test_a_replaced_list_keeps_the_counters_of_what_stays(bek: Employee) -> None:
    """Defect 22: addresses were replaced wholesale."""
    who = cast.customer(bek.shop)
    used = CustomerAddress.objects.create(customer=who, address="Abai 10", usage_count=7, is_primary=True)
    CustomerAddress.objects.create(customer=who, address="Old 1", usage_count=2)
    told = ImportantDate.objects.create(customer=who, date="05-05", description="x", last_reminded_year=2026)
    ImportantDate.objects.create(customer=who, date="06-06", description="gone")
    body = {
        "name": "Ivan",
        "addresses": [{"address": "Abai 10", "label": "home"}, {"address": "New 2", "is_primary": True}],
        "important_dates": [{"date": "05-05", "description": "x", "remind_days_before": 10}],
    }
    got = Caller(bek)("PUT", f"/api/customers/{who.pk}", body).json()
    assert got["name"] == "Ivan"
    rows = {row["address"]: (row["id"], row["usage_count"], row["is_primary"]) for row in got["addresses"]}
    assert rows["Abai 10"] == (used.pk, 7, False)
    assert rows["New 2"][1:] == (0, True)
    day = got["important_dates"]
    assert [(row["id"], row["last_reminded_year"], row["remind_days_before"]) for row in day] == [(told.pk, 2026, 10)]


def test_what_is_not_named_stays(bek: Employee) -> None:
    who = cast.customer(bek.shop, notes="likes peonies")
    CustomerAddress.objects.create(customer=who, address="Abai 10")
    got = Caller(bek)("PUT", f"/api/customers/{who.pk}", {"email": "a@b.kz", "phone": None}).json()
    assert (got["notes"], got["email"], got["phone"], len(got["addresses"])) == (
        "likes peonies",
        "a@b.kz",
        who.phone,
        1,
    )


def test_an_address_twice_is_refused(bek: Employee) -> None:
    who = cast.customer(bek.shop)
    call = Caller(bek)
    path = f"/api/customers/{who.pk}/addresses"
    first = call("POST", path, {"address": "Abai 10", "is_primary": True})
    assert (first.status_code, first.json().keys()) == (201, ADDRESS_KEYS)
    assert call("POST", path, {"address": " Abai  10 "}).json()["code"] == "address_known"
    assert call("POST", path, {"address": "Abai 11", "is_primary": True}).status_code == 201
    assert list(who.addresses.filter(is_primary=True).values_list("address", flat=True)) == ["Abai 11"]


def test_a_date_twice_is_refused(bek: Employee) -> None:
    who = cast.customer(bek.shop)
    path, body = f"/api/customers/{who.pk}/important-dates", {"date": "03-08", "description": "8 March"}
    assert Caller(bek)("POST", path, body).json().keys() == DATE_KEYS
    again = Caller(bek)("POST", path, body)
    assert (again.status_code, again.json()["code"]) == (400, "date_known")


def test_the_primary_address_is_the_marked_one_then_the_last_used(bek: Employee) -> None:
    who, now = cast.customer(bek.shop), timezone.now()
    CustomerAddress.objects.create(customer=who, address="newer", last_used_at=now)
    marked = CustomerAddress.objects.create(customer=who, address="older", last_used_at=now - timedelta(days=9))
    CustomerAddress.objects.create(customer=who, address="never used")
    assert questions.one(by=bek, customer_id=who.pk)["primary_address"]["address"] == "newer"
    CustomerAddress.objects.filter(pk=marked.pk).update(is_primary=True)
    assert questions.one(by=bek, customer_id=who.pk)["primary_address"]["address"] == "older"


def test_stats_on_demand(bek: Employee) -> None:
    who = cast.customer(bek.shop)
    order(bek.shop, 70_000, customer=who)
    answer = Caller(bek)("POST", f"/api/customers/{who.pk}/update-stats")
    got = answer.json()
    assert (answer.status_code, got["orders_count"], got["total_spent"]) == (201, 1, 70_000)
    assert got["rfm_score"] == {"recency": 5, "frequency": 1, "monetary": 2, "total": 8}


def test_his_orders(bek: Employee) -> None:
    who, other = cast.customer(bek.shop), cast.customer(bek.shop)
    mine = [order(bek.shop, customer=who).pk for _ in range(3)]
    order(bek.shop, customer=other)
    got = Caller(bek)("GET", f"/api/customers/{who.pk}/orders?limit=2")
    assert (got.status_code, [row["id"] for row in got.json()]) == (200, mine[:0:-1])


# ── two rows, one human ─────────────────────────────────────────────────────────────────────────────────────────────
def two(shop: Shop) -> tuple[Customer, Customer]:
    """With something of everything, partly the same."""
    keep = cast.customer(shop, "", notes="keep's note")
    gone = cast.customer(shop, "Ivan", email="i@b.kz", notes="gone's note", preferences="no lilies")
    now = timezone.now()
    for who, count in ((keep, 2), (gone, 5)):
        CustomerAddress.objects.create(customer=who, address="same", usage_count=count, is_primary=True)
        ImportantDate.objects.create(customer=who, date="05-05", description="same")
        order(shop, 40_000, customer=who)
    CustomerAddress.objects.create(customer=gone, address="only gone's", usage_count=3, last_used_at=now)
    ImportantDate.objects.create(customer=gone, date="06-06", description="only gone's")
    StandingOrder.objects.create(shop=shop, customer=gone, next_day=now.date(), items=[])
    return keep, gone


def test_merging_loses_nothing(bek: Employee) -> None:
    """Defect 22: addresses and dates of the merged buyer were lost."""
    keep, gone = two(bek.shop)
    answer = Caller(bek)("POST", "/api/customers/merge", {"keep_customer_id": keep.pk, "merge_customer_id": gone.pk})
    got = answer.json()
    assert answer.status_code == 201
    assert (got["id"], got["name"], got["email"], got["preferences"]) == (keep.pk, "Ivan", "i@b.kz", "no lilies")
    assert got["notes"] == f"keep's note\ngone's note\n{gone.phone}"
    rows = sorted((row["address"], row["usage_count"], row["is_primary"]) for row in got["addresses"])
    assert rows == [("only gone's", 3, False), ("same", 7, True)]
    assert sorted(row["date"] for row in got["important_dates"]) == ["05-05", "06-06"]
    assert (got["orders_count"], got["total_spent"]) == (2, 80_000)
    assert not Customer.objects.filter(pk=gone.pk).exists()
    assert StandingOrder.objects.get().customer == keep


@pytest.mark.parametrize(("twin", "status"), [(False, 422), (True, 400)])
def test_a_buyer_is_not_merged_with_himself(bek: Employee, twin: bool, status: int) -> None:
    who = cast.customer(bek.shop)
    body = {"keep_customer_id": who.pk, **({"merge_customer_id": who.pk} if twin else {})}
    assert Caller(bek)("POST", "/api/customers/merge", body).status_code == status
    assert Customer.objects.count() == 1


def test_a_buyer_of_another_shop_is_not_merged(bek: Employee, tulip: Shop) -> None:
    mine, foreign = cast.customer(bek.shop), cast.customer(tulip)
    for keep, gone in ((mine, foreign), (foreign, mine)):
        assert_refused(
            errors.CustomerNotFound,
            lambda keep=keep, gone=gone: customers.merge(by=bek, keep_id=keep.pk, gone_id=gone.pk),
            unchanged=[Customer.objects.all()],
        )


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_merging_from_both_ends_happens_once(bek: Employee) -> None:
    keep, gone = two(bek.shop)
    pairs = [(keep.pk, gone.pk), (gone.pk, keep.pk)] * 3
    results = race(6, lambda number: customers.merge(by=bek, keep_id=pairs[number][0], gone_id=pairs[number][1]))
    assert outcomes(results) == {"ok": 1, "CustomerNotFound": 5}
    left = Customer.objects.get()
    assert (left.orders_count, left.total_spent) == (2, Decimal(80_000))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_merging_while_orders_come_in_loses_none(bek: Employee) -> None:
    keep, gone = two(bek.shop)
    made = [order(bek.shop, customer_phone=gone.phone, address="same") for _ in range(6)]

    def deed(number: int) -> None:
        if number < 6:
            with transaction.atomic():
                noted = customers.note_order(made[number])
            customers.recount(noted.pk)
        else:
            customers.merge(by=bek, keep_id=keep.pk, gone_id=gone.pk)

    ended = outcomes(race(7, deed))
    assert ended["ok"] >= 6
    assert set(ended) <= {"ok", "ChangedMeanwhile"}
    assert Order.objects.filter(customer=None).count() == 0
    assert sum(CustomerAddress.objects.filter(address="same").values_list("usage_count", flat=True)) == 7 + 6


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def paths(customer_id: int) -> list[tuple[str, str, Any]]:
    """Every path of buyers."""
    one = f"/api/customers/{customer_id}"
    return [
        ("GET", one, None),
        ("PUT", one, {"name": "X"}),
        ("GET", f"{one}/orders", None),
        ("POST", f"{one}/addresses", {"address": "Abai 1"}),
        ("POST", f"{one}/important-dates", {"date": "01-01", "description": "x"}),
        ("POST", f"{one}/update-stats", None),
    ]


def test_the_stranger_finds_nobody(dana: Employee, rosa: Shop) -> None:
    """Defect 2: every shop saw all buyers."""
    who = cast.customer(rosa)
    for method, path, body in paths(who.pk):
        answer = Caller(dana)(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found"), path
    assert Caller(dana)("GET", "/api/customers/").json() == {"items": [], "total": 0}


def test_nobody_without_a_token(rosa: Shop) -> None:
    """Defect 3: all writes were open."""
    who = cast.customer(rosa)
    for method, path, body in [*paths(who.pk), ("GET", "/api/customers/", None), ("POST", "/api/customers/", {})]:
        assert Caller()(method, path, body).status_code == 401, path


@pytest.mark.parametrize(("who", "reads", "writes"), [("aida", 200, 403), ("ruslan", 403, 403), ("olga", 200, 201)])
def test_florists_read_couriers_do_not(request: pytest.FixtureRequest, who: str, reads: int, writes: int) -> None:
    call = Caller(request.getfixturevalue(who))
    known = cast.customer(request.getfixturevalue("rosa"))
    assert call("GET", "/api/customers/").status_code == reads
    assert call("GET", f"/api/customers/{known.pk}").status_code == reads
    assert call("POST", f"/api/customers/{known.pk}/addresses", {"address": "Abai 1"}).status_code == writes
    assert call("POST", "/api/customers", {"phone": PHONE}).status_code == writes
    assert call("GET", f"/api/customers/{known.pk}/orders").status_code == (200 if who == "olga" else 403)


def test_a_word_that_is_no_id_is_malformed(bek: Employee) -> None:
    assert Caller(bek)("GET", "/api/customers/abc").status_code == 422
    assert Caller(bek)("GET", f"/api/customers/{2**63}").status_code == 422
    assert Caller(bek)("POST", "/api/customers/", {"phone": PHONE, "nmae": "x"}).status_code == 422
