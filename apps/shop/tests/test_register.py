"""Becoming a customer: both forms, what is refused, two at once (contract shop 1.1, K1, K2, K6, D1, D3)."""

from __future__ import annotations

import pytest
from django.conf import settings

from apps.accounts.models import User
from apps.core.testing import outcomes, race
from apps.shop import errors
from apps.shop.actions import sessions
from apps.shop.models import Customer
from apps.shop.tests.cast import Caller

FULL = {
    "name": "Aziza",
    "surname": "Umarova",
    "phone_number": "+998901234567",
    "password": "password123",
    "confirm_password": "password123",
}
SEED = {"username": "testuser", "email": "test@example.com", "password": "password123"}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("base", ["/shop", ""])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_first_form_registers(base: str, slash: str) -> None:
    answer = Caller(base=base).post(f"auth/register{slash}", {**FULL, "is_admin": True})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 15)
    assert set(body["user"]) == {"name", "surname", "phone_number", "is_admin", "created_at", "updated_at"}
    assert body["user"]["is_admin"] is False
    assert Customer.objects.get().is_admin is False


def test_headers_and_cookies_carry_the_same_pair() -> None:
    answer = Caller().post("auth/register", FULL)
    body = answer.json()
    assert answer["Authorization"] == f"Bearer {body['access_token']}"
    assert answer["Refresh-Token"] == body["refresh_token"]
    assert (answer["Token-Type"], answer["X-Expires-In"]) == ("bearer", "15")
    access, refresh = answer.cookies["access_token"], answer.cookies["refresh_token"]
    assert (access.value, refresh.value) == (body["access_token"], body["refresh_token"])
    assert (access["path"], refresh["path"]) == ("/", "/shop/auth")
    assert (access["max-age"], refresh["max-age"]) == (900, 604800)
    assert access["httponly"] and access["secure"] and access["samesite"] == "Lax"
    assert Caller(base="").post("auth/login", {"name": "Aziza", "password": "password123"}).cookies["refresh_token"][
        "path"
    ] == ("/auth")


def test_the_seeds_form_registers() -> None:
    answer = Caller(base="").post("auth/register", SEED)
    assert answer.status_code == 200
    customer = Customer.objects.get()
    assert (customer.name, customer.email, customer.phone_number) == ("testuser", "test@example.com", None)


def test_the_password_is_hashed_and_the_phone_stays_unproved() -> None:
    Caller().post("auth/register", FULL)
    person = User.objects.get()
    assert person.check_password("password123") and "password123" not in person.password
    assert (person.phone, person.email) == (None, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"surname": None}, "surname"),
        ({"phone_number": None}, "phone_number"),
        ({"phone_number": "998901234567"}, "phone_number"),
        ({"phone_number": "+99"}, "phone_number"),
        ({"phone_number": "+9989012345678901"}, "phone_number"),
        ({"phone_number": "+99890abc4567"}, "phone_number"),
        ({"password": "short", "confirm_password": "short"}, "password"),
        ({"confirm_password": None}, "confirm_password"),
        ({"confirm_password": "something else"}, None),
    ],
)
def test_a_bad_form_is_422_and_nobody_is_made(changes: dict[str, object], field: str | None) -> None:
    answer = Caller().post("auth/register", {**FULL, **changes})
    assert answer.status_code == 422
    places = [error["loc"] for error in answer.json()["detail"]]
    assert places == [["body", field] if field else ["body"]]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"phone_number": "+998907777777", "name": "AZIZA"}, "name_taken"), ({"name": "Other"}, "phone_taken")],
)
def test_a_taken_name_or_phone_is_400(changes: dict[str, str], code: str) -> None:
    Caller().post("auth/register", FULL)
    answer = Caller().post("auth/register", {**FULL, **changes})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (User.objects.count(), Customer.objects.count()) == (1, 1)


def test_a_taken_mail_is_400() -> None:
    Caller().post("auth/register", SEED)
    answer = Caller().post("auth/register", {**SEED, "username": "another", "email": "TEST@example.com"})
    assert (answer.status_code, answer.json()["code"]) == (400, "email_taken")


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"', b"null", b'{"name": 5}', b""])
def test_nonsense_is_422(raw: bytes) -> None:
    assert Caller().post("auth/register", raw).status_code == 422


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_customer() -> None:
    def register(number: int) -> Customer:
        return sessions.register(name="Aziza", password="password123", phone_number=f"+99890123456{number}")

    assert outcomes(race(10, register)) == {"ok": 1, errors.NameTaken.__name__: 9}
    assert Customer.objects.count() == User.objects.count() == 1


def test_the_cookie_is_secure_by_default() -> None:
    assert settings.SHOP.cookie_secure is True
