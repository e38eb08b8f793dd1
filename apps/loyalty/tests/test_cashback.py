"""Managers give cashback, ask whether it can be spent; everybody reads histories (contract loyalty 1.3, 3.5, 3.6)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.core import texts
from apps.core.testing import assert_refused, query_budget
from apps.ledger import queries as ledger
from apps.ledger.models import Entry
from apps.loyalty import errors
from apps.loyalty.actions import cashback
from apps.loyalty.models import CashbackTransaction, Client, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db


def words_of(refusal: Any, **facts: Any) -> dict[str, Any]:
    return {"detail": texts.in_languages(refusal.message, ("ru", "uz"), **facts)}


def test_a_manager_gives_cashback(malika: Staff, gulnora: Client) -> None:
    body = {"user_id": gulnora.pk, "amount": 1500.5, "branch_id": 139235, "source": "QR"}
    answer = Caller(malika).post("cashback/add", body)
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in told if name != "created_at"} == {
        "id": CashbackTransaction.objects.get().pk,
        "user_id": gulnora.pk,
        "amount": 1500.5,
        "branch_id": 139235,
        "source": "QR",
        "staff_id": malika.pk,
        "balance_after": 1500.5,
    }
    assert b'"amount":1500.5,' in answer.content


def test_the_ledger_says_the_same(malika: Staff, gulnora: Client) -> None:
    row = cast.earn(gulnora, 1500, by=malika)
    entry = Entry.objects.get(pk=row.entry_id)
    assert (entry.amount, entry.balance_after, entry.by_id) == (1500, 1500, malika.user_id)
    assert ledger.house_balance(cashback.HOUSE_ADDED, "UZS") == -1500
    assert ledger.audit().is_clean


def test_the_web_clients_form_without_source_and_with_description(malika: Staff, jasur: Client) -> None:
    body = {"user_id": jasur.pk, "amount": 100, "branch_id": None, "description": "thanks"}
    assert Caller(malika).post("cashback/add", body).json()["source"] == "MANUAL"


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 0), ("amount", -5), ("amount", "x"), ("amount", 10**12), ("amount", 0.001), ("source", "GIFT")]
    + [("branch_id", 1), ("user_id", 0), ("amount", None)],
)
def test_malformed_gifts_are_422_and_give_nothing(field: str, value: object, malika: Staff, jasur: Client) -> None:
    answer = Caller(malika).post("cashback/add", {"user_id": jasur.pk, "amount": 100, field: value})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])
    assert not Entry.objects.exists()


def test_nobody_gets_nothing(malika: Staff, jasur: Client) -> None:
    Caller(jasur).delete("users/me")
    for user_id in (jasur.pk, 999_999):
        answer = Caller(malika).post("cashback/add", {"user_id": user_id, "amount": 100})
        assert (answer.status_code, answer.json()) == (404, words_of(errors.ClientNotFound))
    assert not Entry.objects.exists()


def test_the_same_key_gives_once(malika: Staff, jasur: Client) -> None:
    caller, body = Caller(malika), {"user_id": jasur.pk, "amount": 100}
    first = caller("POST", "cashback/add", body, **{"Idempotency-Key": "k1"})
    again = caller("POST", "cashback/add", body, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.json()) == (200, first.json())
    other = caller("POST", "cashback/add", {**body, "amount": 200}, **{"Idempotency-Key": "k1"})
    assert other.status_code == 409
    assert cast.balance(jasur) == 100


def test_long_keys_differ_in_their_last_letter_too(malika: Staff, jasur: Client) -> None:
    caller, body = Caller(malika), {"user_id": jasur.pk, "amount": 100}
    for key in ("k" * 300 + "1", "k" * 300 + "2", "k" * 300 + "1"):
        assert caller("POST", "cashback/add", body, **{"Idempotency-Key": key}).status_code == 200
    assert cast.balance(jasur) == 200


def test_without_a_key_it_is_given_each_time(malika: Staff, jasur: Client) -> None:
    for _ in range(2):
        Caller(malika).post("cashback/add", {"user_id": jasur.pk, "amount": 100})
    assert cast.balance(jasur) == 200


def test_waiters_and_guests_give_nothing(vali: Staff, jasur: Client) -> None:
    for by in (vali, jasur):
        assert_refused(
            errors.ManagersOnly,
            lambda by=by: cashback.add(by=by, client_id=jasur.pk, amount=Decimal(1)),
            unchanged=[Entry.objects.all(), CashbackTransaction.objects.all()],
        )


# Points and levels ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credits", "points", "level"),
    [
        ([3], 1, "SILVER"),
        ([19_999], 9_999, "SILVER"),
        ([20_000], 10_000, "GOLD"),
        ([20_000, 30_000], 20_000, "GOLD"),
        ([80_000], 40_000, "PREMIUM"),
        ([80_000, 50_004], 50_000, "PREMIUM"),
        ([240_000], 120_000, "VIP"),
        ([240_000, 80], 120_010, "VIP"),
    ],
)
def test_points_are_earned_at_the_level_held_before(credits: list[int], points: int, level: str, jasur: Client) -> None:
    for amount in credits:
        cast.earn(jasur, amount)
    jasur.refresh_from_db()
    assert (jasur.points, jasur.level) == (points, level)


@pytest.mark.parametrize(
    ("kind", "amount", "points"),
    [
        (cast.Kind.ACCRUAL, 100, 50),
        (cast.Kind.REFILL, 100, 50),
        (cast.Kind.WELCOME, 100, 50),
        (cast.Kind.CORRECTION, 100, 50),
        (cast.Kind.REFILL_FROM_ORDER, 100, 0),
        (cast.Kind.PAYMENT, -100, 0),
        (cast.Kind.CORRECTION, -100, 0),
    ],
)
def test_which_movements_earn_points(kind: Any, amount: int, points: int, jasur: Client) -> None:
    cast.iiko(jasur, amount, kind)
    jasur.refresh_from_db()
    assert jasur.points == points


@pytest.mark.parametrize(
    ("points", "level", "percent", "following"),
    [
        (0, "SILVER", 2.0, ("GOLD", 10_000, 2.5)),
        (10_000, "GOLD", 2.5, ("PREMIUM", 40_000, 3.0)),
        (40_000, "PREMIUM", 3.0, ("VIP", 120_000, 3.5)),
        (120_000, "VIP", 3.5, (None, None, None)),
    ],
)
def test_the_block_of_each_level(
    points: int, level: str, percent: float, following: tuple[Any, Any, Any], jasur: Client
) -> None:
    Client.objects.filter(pk=jasur.pk).update(points=points, level=level)
    shown = Caller(jasur).get("auth/me").json()["cashback"]["loyalty"]
    assert (shown["level"], shown["cashback_percent"], shown["points_total"]) == (level, percent, float(points))
    assert (shown["current_level_points"], shown["current_level_min_points"]) == (0.0, points)
    named = ("next_level", "next_level_required_points", "next_level_cashback_percent")
    assert tuple(shown[name] for name in named) == following
    left = float(following[1] - points) if following[1] else 0.0
    assert (shown["points_to_next_level"], shown["points_to_next"]) == (left, left)
    assert (shown["is_max_level"], shown["current_level_max_points"]) == (following[0] is None, following[1])
    assert (shown["current_level_min"], shown["current_level_max"]) == (points, following[1])
    assert shown["next_level_points"] == following[1]


def test_the_mobile_client_reads_the_balance_as_points(jasur: Client) -> None:
    cast.earn(jasur, 30_000)
    shown = Caller(jasur).get("auth/me").json()["cashback"]["loyalty"]
    assert (shown["current_points"], shown["cashback_balance"], shown["points_total"]) == (30000.0, 30000.0, 15000.0)


def test_levels_can_be_switched_off(settings: Settings, jasur: Client) -> None:
    cast.earn(jasur, 240_000)
    settings.LOYALTY = replace(settings.LOYALTY, levels_enabled=False)
    body = Caller(jasur).get("auth/me").json()
    shown = body["cashback"]["loyalty"]
    assert (shown["level"], shown["points_total"], shown["cashback_balance"]) == ("SILVER", 0.0, 240000.0)
    assert body["profile"]["level"] == "SILVER"


# May it be spent? -------------------------------------------------------------------------------------------------


def use(malika: Staff, client: Client, amount: int) -> Any:
    return Caller(malika).post("cashback/use", {"user_id": client.pk, "amount": amount})


def test_the_question_deducts_nothing(malika: Staff, jasur: Client) -> None:
    cast.earn(jasur, 60_000)
    answer = use(malika, jasur, 50_000)
    assert answer.status_code == 200
    assert (answer.json()["can_use_cashback"], answer.json()["balance"]) == (True, 60000.0)
    assert sorted(answer.json()["message"]) == ["ru", "uz"]
    assert cast.balance(jasur) == 60_000


@pytest.mark.parametrize(
    ("owned", "asked", "refusal", "facts"),
    [
        (60_000, 49_999, errors.AmountBelowMinimum, {"minimum": 50_000}),
        (10, 49_999, errors.AmountBelowMinimum, {"minimum": 50_000}),
        (49_999, 50_000, errors.BalanceBelowMinimum, {"minimum": 50_000}),
        (60_000, 60_001, errors.NotEnoughCashback, {}),
    ],
)
def test_the_first_reason_against_it_is_told(
    owned: int, asked: int, refusal: Any, facts: dict[str, int], malika: Staff, jasur: Client
) -> None:
    cast.earn(jasur, owned)
    answer = use(malika, jasur, asked)
    assert (answer.status_code, answer.json()) == (400, words_of(refusal, **facts))
    assert cast.balance(jasur) == owned


def test_nobody_spends_nothing(malika: Staff) -> None:
    answer = Caller(malika).post("cashback/use", {"user_id": 999_999, "amount": 50_000})
    assert (answer.status_code, answer.json()) == (404, words_of(errors.ClientNotFound))


# Histories --------------------------------------------------------------------------------------------------------


def test_a_guest_reads_the_own_history_newest_first(jasur: Client) -> None:
    rows = [cast.earn(jasur, amount).pk for amount in (10, 20, 30)]
    body = Caller(jasur).get(f"cashback/user/{jasur.pk}").json()
    assert sorted(body) == ["loyalty", "transactions"]
    assert [row["id"] for row in body["transactions"]] == rows[::-1]
    assert body["loyalty"]["cashback_balance"] == 60.0


def test_a_history_is_read_in_pages(jasur: Client) -> None:
    rows = [cast.earn(jasur, amount).pk for amount in (10, 20, 30)]
    caller = Caller(jasur)
    second = caller.get(f"cashback/user/{jasur.pk}?page=2&page_size=2").json()
    assert [row["id"] for row in second["transactions"]] == [rows[0]]
    assert caller.get(f"cashback/user/{jasur.pk}?page_size=101").status_code == 422


def test_a_guest_reads_nobody_elses_history(jasur: Client, gulnora: Client) -> None:
    answer = Caller(jasur).get(f"cashback/user/{gulnora.pk}")
    assert (answer.status_code, answer.json()) == (403, words_of(errors.Forbidden))


def test_a_waiter_reads_the_movements_of_his_own_guests_without_balances(
    vali: Staff, umid: Staff, gulnora: Client, jasur: Client
) -> None:
    cast.earn(gulnora, 700)
    body = Caller(vali).get(f"cashback/user/{gulnora.pk}").json()
    assert [(row["amount"], row["balance_after"]) for row in body["transactions"]] == [(700.0, 0.0)]
    assert (body["loyalty"]["cashback_balance"], body["loyalty"]["current_points"]) == (0.0, 0.0)
    for who, whose in ((umid, gulnora), (vali, jasur)):
        assert Caller(who).get(f"cashback/user/{whose.pk}").status_code == 403


def test_a_manager_reads_every_history(malika: Staff, gulnora: Client) -> None:
    cast.earn(gulnora, 700)
    body = Caller(malika).get(f"cashback/user/{gulnora.pk}").json()
    assert (body["transactions"][0]["balance_after"], body["loyalty"]["cashback_balance"]) == (700.0, 700.0)
    assert Caller(malika).get("cashback/user/999999").status_code == 404


def test_a_history_costs_the_same_however_long(jasur: Client) -> None:
    for _ in range(30):
        cast.earn(jasur, 1)
    caller = Caller(jasur)
    with query_budget(3):  # session, guest with purse, movements
        assert len(caller.get(f"cashback/user/{jasur.pk}").json()["transactions"]) == 30


def test_all_movements_by_text_and_branch(malika: Staff, gulnora: Client, jasur: Client) -> None:
    first = cast.earn(gulnora, 10, branch_id=139235).pk
    second = cast.earn(jasur, 20, branch_id=139458).pk
    third = cast.earn(jasur, 30).pk
    caller = Caller(malika)

    def ids(asked: str = "") -> list[int]:
        return [row["id"] for row in caller.get(f"cashback{asked}").json()["items"]]

    assert caller.get("cashback").json()["pagination"] == {"page": 1, "size": 10, "total": 3}
    assert ids() == [third, second, first]
    assert (ids("?branch=139235"), ids("?search=jas"), ids("?search=0004")) == ([first], [third, second], [first])
    assert ids("?page=2&page_size=2") == [first]
    assert caller.get("cashback?branch=7").status_code == 422


def test_a_row_with_an_unknown_branch_is_shown(malika: Staff, jasur: Client) -> None:
    cast.earn(jasur, 10, branch_id=7)
    assert Caller(malika).get("cashback").json()["items"][0]["branch_id"] == 7
