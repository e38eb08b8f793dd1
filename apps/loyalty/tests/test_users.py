"""The managers' list of guests and one guest (contract loyalty 1.2 rows 10 to 12)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.core import texts
from apps.core.testing import query_budget
from apps.loyalty import errors
from apps.loyalty.models import Card, Client, Staff
from apps.loyalty.queries import counting
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db


def words_of(refusal: Any) -> dict[str, Any]:
    return {"detail": texts.in_languages(refusal.message, ("ru", "uz"))}


def ids(answer: Any) -> list[int]:
    return [guest["id"] for guest in answer.json()["items"]]


def test_a_manager_sees_living_guests_newest_first(malika: Staff, gulnora: Client, jasur: Client) -> None:
    gone = cast.guest("Gone", "+998901110077")
    Caller(gone).delete("users/me")
    cast.earn(gulnora, 700)
    body = Caller(malika).get("users").json()
    assert body["pagination"] == {"page": 1, "size": 20, "total": 2}
    assert [(guest["id"], guest["cashback_balance"]) for guest in body["items"]] == [
        (jasur.pk, 0.0),
        (gulnora.pk, 700.0),
    ]


def test_a_waiter_sees_his_own_guests_and_no_balance(vali: Staff, umid: Staff, gulnora: Client, jasur: Client) -> None:
    cast.earn(gulnora, 700)
    body = Caller(vali).get("users").json()
    assert [(guest["id"], guest["cashback_balance"]) for guest in body["items"]] == [(gulnora.pk, 0.0)]
    assert ids(Caller(vali).get(f"users?waiter={vali.pk}")) == [gulnora.pk]
    assert ids(Caller(umid).get("users")) == []


def test_a_waiter_may_not_ask_for_anothers_guests(vali: Staff, umid: Staff, gulnora: Client) -> None:
    answer = Caller(umid).get(f"users?waiter={vali.pk}")
    assert (answer.status_code, answer.json()) == (403, words_of(errors.Forbidden))


def test_a_manager_filters_by_waiter_level_and_text(malika: Staff, vali: Staff, gulnora: Client, jasur: Client) -> None:
    Client.objects.filter(pk=jasur.pk).update(level="GOLD")
    caller = Caller(malika)
    assert ids(caller.get(f"users?waiter={vali.pk}")) == [gulnora.pk]
    assert ids(caller.get("users?loyalty=gold")) == [jasur.pk]
    assert ids(caller.get("users?loyalty=silver&search=")) == [gulnora.pk]
    assert ids(caller.get("users?search=GULN")) == [gulnora.pk]
    assert ids(caller.get("users?search=0005")) == [jasur.pk]
    assert ids(caller.get("users?search=%25")) == []


@pytest.mark.parametrize("asked", ["page=0", "page_size=0", "page_size=101", "waiter=0", "loyalty=iron", "page=x"])
def test_figures_out_of_range_are_422(asked: str, malika: Staff) -> None:
    answer = Caller(malika).get(f"users?{asked}")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", asked.partition("=")[0]])


def test_pages_do_not_overlap(malika: Staff) -> None:
    made = [cast.guest(f"G{number}", f"+9989022200{number:02}").pk for number in range(5)]
    caller = Caller(malika)
    pages = [ids(caller.get(f"users?page={page}&page_size=2")) for page in (1, 2, 3, 4)]
    assert pages == [[made[4], made[3]], [made[2], made[1]], [made[0]], []]


def test_the_number_of_queries_does_not_grow(malika: Staff, vali: Staff) -> None:
    for number in range(20):
        guest = cast.guest(f"G{number}", f"+9989022200{number:02}", of=vali)
        Card.objects.create(client=guest, card_number=str(number), card_track=str(number))
    caller = Caller(malika)
    with query_budget(5):  # session, staff, guests with purses, cards, total
        assert len(caller.get("users").json()["items"]) == 20


def test_the_total_of_a_large_list_is_remembered(
    malika: Staff, gulnora: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LARGE", 1)
    caller = Caller(malika)
    assert caller.get("users").json()["pagination"]["total"] == 1
    with query_budget(4):
        assert caller.get("users").json()["pagination"]["total"] == 1


def test_one_guest_with_level_movements_and_waiter(malika: Staff, vali: Staff, gulnora: Client) -> None:
    moved = cast.earn(gulnora, 25_000, by=malika)
    body = Caller(malika).get(f"users/{gulnora.pk}").json()
    assert (body["id"], body["loyalty"]["level"], body["loyalty"]["points_total"]) == (gulnora.pk, "GOLD", 12500.0)
    assert [row["id"] for row in body["transactions"]] == [moved.pk]
    assert (body["waiter"]["id"], body["waiter"]["name"]) == (vali.pk, "Vali")


@pytest.mark.parametrize("user_id", ["0", "999999", "99999999999999999999999"])
def test_nobody_is_404(user_id: str, malika: Staff) -> None:
    for method, body in (("GET", None), ("PATCH", {})):
        answer = Caller(malika)(method, f"users/{user_id}", body)
        assert (answer.status_code, answer.json()) == (404, words_of(errors.ClientNotFound))


def test_an_id_that_is_no_number_is_422(malika: Staff) -> None:
    answer = Caller(malika).get("users/abc")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["path", "user_id"])


@pytest.mark.parametrize("middle", ["middle_name", "middleName"])
def test_a_manager_changes_names_birthday_and_gift(middle: str, malika: Staff, jasur: Client) -> None:
    told = {"first_name": "Jasur", middle: "Bek", "last_name": "Aliyev", "dob": "05.06.1991", "giftget": True}
    body = Caller(malika).patch(f"users/{jasur.pk}", told).json()
    assert (body["name"], body["date_of_birth"], body["giftget"]) == ("Jasur Bek Aliyev", "05.06.1991", True)
    jasur.refresh_from_db()
    assert jasur.date_of_birth == date(1991, 6, 5)


def test_a_manager_binds_and_detaches_a_waiter(malika: Staff, vali: Staff, umid: Staff, gulnora: Client) -> None:
    caller = Caller(malika)
    assert caller.patch(f"users/{gulnora.pk}", {"waiter_id": umid.pk}).json()["waiter_id"] == umid.pk
    assert caller.patch(f"users/{gulnora.pk}", {"first_name": "G"}).json()["waiter_id"] == umid.pk
    assert caller.patch(f"users/{gulnora.pk}", {"waiter_id": None}).json()["waiter"] is None


def test_a_waiter_must_exist_and_be_one(malika: Staff, vali: Staff, gulnora: Client) -> None:
    for waiter_id in (malika.pk, 999_999):
        answer = Caller(malika).patch(f"users/{gulnora.pk}", {"waiter_id": waiter_id, "first_name": "X"})
        assert (answer.status_code, answer.json()) == (404, words_of(errors.WaiterNotFound))
    gulnora.refresh_from_db()
    assert (gulnora.waiter_id, gulnora.name) == (vali.pk, "Gulnora")


def test_nulls_and_addresses_of_photos_change_nothing(malika: Staff, gulnora: Client) -> None:
    Client.objects.filter(pk=gulnora.pk).update(photo_name="own.jpg")
    told = {"first_name": None, "dob": None, "giftget": None, "profile_photo_url": "https://evil.example/x.jpg"}
    body = Caller(malika).patch(f"users/{gulnora.pk}", told).json()
    assert (body["name"], body["profile_photo_url"]) == ("Gulnora", "/api/v1/files/profile-photo/own.jpg")
