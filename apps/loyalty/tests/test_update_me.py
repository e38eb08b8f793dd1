"""A guest rewrites the profile (contract loyalty 1.2 row 13)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.core import texts
from apps.core.models import OutboxMessage
from apps.loyalty import errors
from apps.loyalty.models import Client, IikoJob
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db(transaction=True)

FULL = {
    "name": "Jasur",
    "surname": "Aliyev",
    "middleName": "Bek",
    "date_of_birth": "05.06.1991",
    "email": "Jasur@Mail.uz",
    "gender": "male",
}


def flushes() -> list[dict[str, Any]]:
    return list(IikoJob.objects.filter(operation="flush_profile").values_list("payload", flat=True))


def test_every_field_is_written_and_the_restaurant_is_told_what_changed(jasur: Client) -> None:
    body = Caller(jasur).put("users/me", FULL).json()
    assert {name: body[name] for name in FULL} == {**FULL, "email": "jasur@mail.uz"}
    jasur.refresh_from_db()
    assert (jasur.middle_name, jasur.date_of_birth) == ("Bek", date(1991, 6, 5))
    (told,) = flushes()
    assert sorted(told) == ["date_of_birth", "email", "gender", "middle_name", "surname"]


def test_nothing_sent_is_200_and_changes_nothing(jasur: Client) -> None:
    before = Client.objects.values().get(pk=jasur.pk)
    answer = Caller(jasur).put("users/me", {})
    assert (answer.status_code, answer.json()["name"]) == (200, "Jasur")
    assert (Client.objects.values().get(pk=jasur.pk), flushes()) == (before, [])


def test_the_same_again_tells_nobody(jasur: Client) -> None:
    for _ in range(2):
        assert Caller(jasur).put("users/me", {"name": "Jasur"}).status_code == 200
    assert flushes() == []


def test_empty_texts_clear_all_but_the_name(jasur: Client) -> None:
    Client.objects.filter(pk=jasur.pk).update(photo_name="own.jpg")
    caller = Caller(jasur)
    caller.put("users/me", FULL)
    empty = dict.fromkeys(("name", "surname", "middleName", "email", "gender", "profile_photo_url"), "")
    body = caller.put("users/me", empty).json()
    assert {name: body[name] for name in empty} == {**dict.fromkeys(empty), "name": "Jasur"}
    assert body["date_of_birth"] == "05.06.1991"


def test_a_dropped_photo_is_announced_once(jasur: Client) -> None:
    Client.objects.filter(pk=jasur.pk).update(photo_name="own.jpg")
    for _ in range(2):
        assert Caller(jasur).put("users/me", {"profile_photo_url": ""}).json()["profile_photo_url"] is None
    (message,) = OutboxMessage.objects.filter(event="loyalty.PhotoDropped")
    assert message.payload == {"client_id": jasur.pk, "name": "own.jpg"}


def test_the_address_of_somebody_elses_photo_is_not_taken(jasur: Client, gulnora: Client) -> None:
    Client.objects.filter(pk=gulnora.pk).update(photo_name="hers.jpg")
    told = {"profile_photo_url": "/api/v1/files/profile-photo/hers.jpg"}
    assert Caller(jasur).put("users/me", told).json()["profile_photo_url"] is None


def test_an_e_mail_of_another_guest_is_409_and_nothing_changes(jasur: Client, gulnora: Client) -> None:
    Client.objects.filter(pk=gulnora.pk).update(email="taken@mail.uz")
    before = Client.objects.values().get(pk=jasur.pk)
    answer = Caller(jasur).put("users/me", {"name": "Other", "email": "Taken@mail.uz"})
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": texts.in_languages(errors.EmailTaken.message, ("ru", "uz"))},
    )
    assert (Client.objects.values().get(pk=jasur.pk), flushes()) == (before, [])


@pytest.mark.parametrize(
    "told", [{"email": "nonsense"}, {"surname": "x" * 101}, {"gender": "x" * 17}, {"date_of_birth": "tomorrow"}]
)
def test_malformed_fields_are_422(told: dict[str, str], jasur: Client) -> None:
    answer = Caller(jasur).put("users/me", told)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", next(iter(told))])


def test_staff_have_no_guest_profile(vali: Any) -> None:
    assert Caller(vali).put("users/me", {"name": "X"}).status_code == 403
    assert cast.PHONES["vali"] == vali.phone
