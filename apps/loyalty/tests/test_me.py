"""Who am I (contract loyalty 1.1 row 8; 3.5, 3.12)."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.core import texts
from apps.core.testing import query_budget
from apps.loyalty import errors
from apps.loyalty.actions import clients
from apps.loyalty.models import Card, Client, IikoJob, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db

USER = {
    *("id", "name", "phone", "waiter_id", "date_of_birth", "profile_photo_url", "cashback_balance", "email", "gender"),
    *("surname", "middleName", "is_deleted", "is_active", "giftget", "level", "cards", "created_at", "updated_at"),
}
LOYALTY = {
    *("cashback_balance", "level", "points_total", "current_level_points", "current_level_min_points"),
    *("current_level_max_points", "next_level", "next_level_required_points", "points_to_next_level"),
    *("is_max_level", "cashback_percent", "next_level_cashback_percent", "current_points", "current_level_min"),
    *("current_level_max", "next_level_points", "points_to_next"),
}


def test_a_guest_reads_profile_purse_movements_and_cards(malika: Staff, gulnora: Client) -> None:
    Client.objects.filter(pk=gulnora.pk).update(
        date_of_birth=date(1990, 2, 1), surname="Karimova", middle_name="Akmalovna", photo_name="a.jpg"
    )
    Card.objects.create(client=gulnora, card_number="8600000000000001", card_track="1" * 20)
    first = cast.earn(gulnora, "1500.50", by=malika)
    second = cast.iiko(gulnora, "-500.50", cast.Kind.PAYMENT)
    body = Caller(gulnora).get("auth/me").json()
    assert (sorted(body), body["type"]) == (["cashback", "profile", "type"], "CLIENT")
    profile, purse = body["profile"], body["cashback"]
    assert set(profile) == USER
    assert (profile["date_of_birth"], profile["middleName"], profile["cashback_balance"]) == (
        "01.02.1990",
        "Akmalovna",
        1000.0,
    )
    assert profile["profile_photo_url"] == "/api/v1/files/profile-photo/a.jpg"
    assert set(purse) == {"balance", "transactions", "cards", "currency", "loyalty"}
    assert set(purse["loyalty"]) == LOYALTY
    assert (purse["balance"], purse["currency"], purse["cards"]) == (1000.0, "UZS", profile["cards"])
    assert purse["cards"][0]["card_number"] == "8600000000000001"
    shown = [(row["id"], row["amount"], row["balance_after"], row["staff_id"]) for row in purse["transactions"]]
    assert shown == [(second.pk, -500.5, 1000.0, None), (first.pk, 1500.5, 1500.5, malika.pk)]


def test_sums_are_numbers_with_a_point(jasur: Client) -> None:
    cast.earn(jasur, 60000)
    assert b'"balance":60000.0,' in Caller(jasur).get("auth/me").content


@pytest.mark.parametrize(("asked", "shown"), [("", 10), ("?cashback_limit=3", 3), ("?cashback_limit=0", 12)])
def test_as_many_movements_come_along_as_asked_for(asked: str, shown: int, jasur: Client) -> None:
    for _ in range(12):
        cast.earn(jasur, 1)
    assert len(Caller(jasur).get(f"auth/me{asked}").json()["cashback"]["transactions"]) == shown


def test_never_more_than_a_hundred_movements_come_along(jasur: Client) -> None:
    for _ in range(101):
        cast.earn(jasur, 1)
    for asked in (0, 100_000):
        body = Caller(jasur).get(f"auth/me?cashback_limit={asked}").json()
        assert len(body["cashback"]["transactions"]) == 100


def test_a_manager_reads_the_own_row(malika: Staff) -> None:
    body = Caller(malika).get("auth/me").json()
    assert (sorted(body), body["type"], body["profile"]["role"]) == (["profile", "type"], "STAFF", "MANAGER")
    assert set(body["profile"]) == {
        *("id", "name", "phone", "role", "branch_id", "referral_code", "clients_count", "created_at", "updated_at")
    }


def test_a_waiter_reads_the_guests_without_balances(vali: Staff, gulnora: Client, jasur: Client) -> None:
    cast.earn(gulnora, 5000)
    body = Caller(vali).get("auth/me").json()
    assert (body["profile"]["clients_count"], body["profile"]["referral_code"]) == (1, "VALI01")
    assert [(guest["id"], guest["cashback_balance"]) for guest in body["clients"]] == [(gulnora.pk, 0.0)]


@pytest.mark.parametrize("who", ["guest", "staff"])
def test_who_has_left_is_401(who: str, malika: Staff, vali: Staff, jasur: Client) -> None:
    caller = Caller(jasur if who == "guest" else vali)
    if who == "guest":
        Client.objects.filter(pk=jasur.pk).update(is_deleted=True)
    else:
        Staff.objects.filter(pk=vali.pk).update(deleted_at=timezone.now())
    answer = caller.get("auth/me")
    assert (answer.status_code, answer.json()) == (
        401,
        {"detail": texts.in_languages(errors.AccountGone.message, ("ru", "uz"))},
    )


def test_the_restaurant_is_asked_in_the_background_once_in_five_minutes(jasur: Client) -> None:
    Client.objects.filter(pk=jasur.pk).update(iiko_customer_id="guest-1")
    IikoJob.objects.all().delete()
    caller = Caller(jasur)
    for _ in range(3):
        assert caller.get("auth/me").status_code == 200
    job = IikoJob.objects.get()
    assert (job.client_id, job.operation, job.payload) == (jasur.pk, "sync_user", {})
    assert job.asked_count == 1 and clients.SEEN_SECONDS == 300


def test_the_restaurant_is_asked_again_after_that_time(jasur: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SEEN_SECONDS", 1)
    Client.objects.filter(pk=jasur.pk).update(iiko_customer_id="guest-1")
    for _ in range(2):
        IikoJob.objects.all().delete()
        Caller(jasur).get("auth/me")
        assert IikoJob.objects.count() == 1
        time.sleep(1.1)  # Redis has a clock of its own


def test_a_guest_unknown_there_is_not_asked_about(jasur: Client) -> None:
    IikoJob.objects.all().delete()
    Caller(jasur).get("auth/me")
    assert not IikoJob.objects.exists()


def test_the_number_of_queries_does_not_grow(jasur: Client) -> None:
    caller = Caller(jasur)
    for number in range(30):
        cast.earn(jasur, 1)
        Card.objects.create(client=jasur, card_number=str(number), card_track=str(number))
    cache.clear()
    with query_budget(4):  # session, guest with purse, cards, movements
        assert caller.get("auth/me?cashback_limit=100").status_code == 200


def test_a_waiters_queries_do_not_grow(vali: Staff) -> None:
    for number in range(20):
        cast.guest(f"G{number}", f"+9989022200{number:02}", of=vali)
    caller = Caller(vali)
    with query_budget(5):  # session, staff, staff with count, guests with purses, cards
        assert len(caller.get("auth/me").json()["clients"]) == 20


def test_negative_balances_are_shown_as_they_are(jasur: Client) -> None:
    cast.iiko(jasur, -700, cast.Kind.PAYMENT)
    assert Caller(jasur).get("auth/me").json()["cashback"]["balance"] == -700.0
    assert cast.balance(jasur) == Decimal("-700.00")
