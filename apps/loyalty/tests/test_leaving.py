"""A guest leaves and comes back (contract loyalty 1.2 rows 14, 15; 3.8)."""

from __future__ import annotations

import random
import re

import pytest

from apps.accounts.models import Session, User
from apps.core.testing import assert_refused
from apps.loyalty import errors
from apps.loyalty.actions import clients, codes, doors
from apps.loyalty.models import Card, CashbackTransaction, Client, DeletedPhone, IikoJob
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def full(client: Client) -> Client:
    """With everything that must be free afterwards."""
    Client.objects.filter(pk=client.pk).update(
        email="g@mail.uz", iiko_customer_id="guest-1", iiko_wallet_id="wallet-1", photo_name="own.jpg"
    )
    Card.objects.create(client=client, card_number="8600000000000001", card_track="1" * 20)
    IikoJob.objects.all().delete()
    return Client.objects.get(pk=client.pk)


@pytest.mark.parametrize(
    ("path", "status", "content"), [("users/me", 204, b""), ("user/delete", 200, b'{"success":true}')]
)
def test_the_row_stays_under_a_number_of_nobody(path: str, status: int, content: bytes, jasur: Client) -> None:
    answer = Caller(full(jasur)).delete(path)
    assert (answer.status_code, answer.content) == (status, content)
    jasur.refresh_from_db()
    assert re.fullmatch(r"\+999\d{9}", jasur.phone)
    assert (jasur.is_deleted, jasur.deleted_at is not None) == (True, True)
    assert (jasur.email, jasur.iiko_customer_id, jasur.iiko_wallet_id, jasur.photo_name) == (None, None, None, "")
    assert not Card.objects.exists()


def test_the_real_phone_is_kept_for_the_restaurants_system(jasur: Client) -> None:
    Caller(full(jasur)).delete("users/me")
    gone = DeletedPhone.objects.get()
    assert (gone.real_phone, gone.client_id, gone.iiko_customer_id) == (cast.PHONES["jasur"], jasur.pk, "guest-1")
    job = IikoJob.objects.get(operation="mark_deleted")
    assert (job.phone, job.payload["guest_id"]) == (cast.PHONES["jasur"], "guest-1")


def test_every_old_token_is_dead_at_once(jasur: Client) -> None:
    pair, other = doors.open_session(jasur), doors.open_session(jasur)
    Caller(token=pair.access).delete("users/me")
    for method, path in (("GET", "auth/me"), ("GET", f"cashback/user/{jasur.pk}"), ("DELETE", "users/me")):
        assert Caller(token=other.access)(method, path).status_code == 401, path
    assert Caller().post("auth/refresh", {"refresh_token": other.refresh}).status_code == 401
    assert not Session.objects.filter(ended_at=None).exists()


def test_history_and_money_stay_in_the_books(jasur: Client) -> None:
    moved = cast.earn(jasur, 700)
    Caller(jasur).delete("users/me")
    assert CashbackTransaction.objects.get().pk == moved.pk
    assert cast.balance(jasur) == 700


def test_leaving_twice_is_refused(jasur: Client) -> None:
    clients.delete(by=jasur)
    assert_refused(
        errors.AccountGone,
        lambda: clients.delete(by=jasur),
        unchanged=[Client.objects.all(), DeletedPhone.objects.all(), IikoJob.objects.all()],
    )


def test_the_person_stays_a_person_of_the_house(jasur: Client) -> None:
    Caller(jasur).delete("users/me")
    person = User.objects.get(pk=jasur.user_id)
    assert (person.phone, person.is_active) == (cast.PHONES["jasur"], True)


def test_with_the_same_phone_one_begins_anew(jasur: Client) -> None:
    cast.earn(full(jasur), 700)
    clients.delete(by=jasur)
    phone = cast.PHONES["jasur"]
    codes.request_code(phone=phone, purpose="register")
    codes.prove_code(phone=phone, purpose="register", code=cast.texted_code())
    fresh = Client.objects.living().select_related("purse").get()
    assert (fresh.pk != jasur.pk, fresh.user_id == jasur.user_id) == (True, True)
    assert (fresh.phone, fresh.balance, fresh.points, fresh.level) == (phone, 0, 0, "SILVER")
    Client.objects.filter(pk=fresh.pk).update(email="g@mail.uz", iiko_customer_id="guest-1", iiko_wallet_id="wallet-1")
    body = Caller(fresh).get("auth/me").json()
    assert (body["cashback"]["transactions"], body["cashback"]["balance"]) == ([], 0.0)


def test_the_old_account_reads_nothing_of_the_new_one(jasur: Client) -> None:
    old = Caller(jasur)
    clients.delete(by=jasur)
    fresh = cast.guest("Jasur", cast.PHONES["jasur"])
    assert old.get(f"cashback/user/{fresh.pk}").status_code == 401


def test_one_may_leave_again_and_again(jasur: Client) -> None:
    for _ in range(3):
        clients.delete(by=Client.objects.living().get())
        cast.guest("Jasur", cast.PHONES["jasur"])
    assert DeletedPhone.objects.filter(real_phone=cast.PHONES["jasur"]).count() == 3


def test_a_number_that_is_taken_is_not_given_twice(jasur: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.guest("Taken", "+999000000001")
    drawn = iter([1, 2])
    monkeypatch.setattr("secrets.randbelow", lambda _: next(drawn))
    clients.delete(by=jasur)
    jasur.refresh_from_db()
    assert jasur.phone == "+999000000002"


def test_ten_taken_numbers_are_a_refusal_and_the_account_lives(jasur: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.guest("Taken", "+999000000001")
    drawn: list[int] = []
    monkeypatch.setattr("secrets.randbelow", lambda top: drawn.append(random.randrange(top)) or 1)
    assert_refused(
        errors.NumberNotFound,
        lambda: clients.delete(by=jasur),
        unchanged=[Client.objects.all(), DeletedPhone.objects.all(), Session.objects.all()],
    )
    assert len(drawn) == 10


def test_staff_cannot_leave_as_guests(malika: object) -> None:
    for path in ("users/me", "user/delete"):
        assert Caller(malika).delete(path).status_code == 403  # type: ignore[arg-type]
