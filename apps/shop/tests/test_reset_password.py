"""A forgotten or replaced password: never by knowing a name alone (contract shop 1.1, K4, D2)."""

from __future__ import annotations

import re

import pytest

from apps.accounts.models import OneTimeCode, Session
from apps.integrations.sandbox import recorder
from apps.shop.models import Customer
from apps.shop.tests import cast
from apps.shop.tests.cast import PASSWORD, Caller

pytestmark = pytest.mark.django_db
NEW = "another good password"
SAME_ANSWER = {"message": "If the account exists, a code has been sent"}


def code_sent() -> str:
    return re.findall(r"\b\d{6}\b", recorder.messages()[0]["text"])[-1]


def logs_in(password: str, name: str = "Bobur") -> bool:
    return Caller().post("auth/login", {"name": name, "password": password}).status_code == 200


def test_forgetting_changes_nothing_and_tells_nothing(bobur: Customer) -> None:
    original = {"name": "Bobur", "new_password": NEW, "confirm_new_password": NEW}
    known, unknown = (Caller().post("auth/forgot-password", {**original, "name": name}) for name in ("Bobur", "Nobody"))
    assert known.status_code == unknown.status_code == 200
    assert known.json() == unknown.json() == SAME_ANSWER
    assert Caller().post("auth/forgot-password", original).json() == SAME_ANSWER  # too soon says the same
    assert logs_in(PASSWORD) and not logs_in(NEW)
    assert OneTimeCode.objects.count() == 1


@pytest.mark.parametrize("who", [{"name": "Bobur"}, {"phone_number": "+998902222222"}])
def test_the_code_brings_a_new_password_once(bobur: Customer, who: dict[str, str]) -> None:
    Caller().post("auth/forgot-password", who)
    body = {**who, "code": code_sent(), "new_password": NEW, "confirm_new_password": NEW}
    assert Caller().post("auth/reset-password", body).status_code == 200
    assert logs_in(NEW) and not logs_in(PASSWORD)
    third = {"new_password": "third password", "confirm_new_password": "third password"}
    again = Caller().post("auth/reset-password", {**body, **third})
    assert (again.status_code, again.json()["code"]) == (400, "reset_code_wrong")
    assert logs_in(NEW)


def test_a_wrong_code_a_foreign_code_and_nobody_are_400(bobur: Customer, dilya: Customer) -> None:
    Caller().post("auth/forgot-password", {"name": "Dilya"})
    dilyas = code_sent()
    for name, code in (("Bobur", "000000"), ("Bobur", dilyas), ("Nobody", "000000"), ("Dilya", "x" * 43)):
        answer = Caller().post("auth/reset-password", {"name": name, "code": code, "new_password": NEW})
        assert (answer.status_code, answer.json()["code"]) == (400, "reset_code_wrong")
    assert logs_in(PASSWORD) and logs_in(PASSWORD, "Dilya")


def test_five_wrong_tries_burn_the_code(bobur: Customer) -> None:
    Caller().post("auth/forgot-password", {"name": "Bobur"})
    right = code_sent()
    wrong = "000000" if right != "000000" else "111111"
    for code in [wrong] * 5 + [right]:
        answer = Caller().post("auth/reset-password", {"name": "Bobur", "code": code, "new_password": NEW})
        assert answer.status_code == 400
    assert logs_in(PASSWORD)


def test_without_a_phone_the_code_comes_by_letter(db: None) -> None:
    cast.customer("mailer", email="who@example.com")
    Caller().post("auth/forgot-password", {"name": "mailer"})
    letter = recorder.messages()[0]
    code = re.findall(r"[\w-]{40,}", letter["text"])[0]
    body = {"name": "mailer", "code": code, "new_password": NEW}
    assert Caller().post("auth/reset-password", body).status_code == 200
    assert logs_in(NEW, "mailer")
    assert Caller().post("auth/reset-password", body).status_code == 400


def test_signed_in_it_takes_the_present_password_and_ends_every_session(bobur: Customer) -> None:
    caller, other = Caller(bobur), Caller(bobur)
    wrong = caller.post("auth/reset-password", {"current_password": "no", "new_password": NEW})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "current_password_wrong")
    assert logs_in(PASSWORD)
    body = {"current_password": PASSWORD, "new_password": NEW, "confirm_new_password": NEW}
    assert caller.post("auth/reset-password", body).status_code == 200
    assert other.get("users/me").status_code == 401
    assert logs_in(NEW)


@pytest.mark.parametrize("path", ["auth/reset-password", "users/me"])
def test_a_stolen_token_does_not_guess_the_password(bobur: Customer, path: str) -> None:
    caller = Caller(bobur)
    send = caller.put if path == "users/me" else caller.post
    statuses = [send(path, {"current_password": f"guess {n}", "new_password": NEW}).status_code for n in range(6)]
    assert statuses == [400] * 5 + [429]
    assert send(path, {"current_password": PASSWORD, "new_password": NEW}).status_code == 429
    assert logs_in(PASSWORD)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"new_password": NEW}, 401),
        ({"name": "Bobur", "new_password": NEW}, 401),
        ({"name": "Bobur", "new_password": NEW, "current_password": PASSWORD}, 401),
        ({"name": "Bobur", "new_password": "short", "code": "123456"}, 422),
        ({"name": "Bobur", "new_password": NEW, "confirm_new_password": "other", "code": "123456"}, 422),
    ],
)
def test_without_code_and_sign_in_nothing_moves(bobur: Customer, body: dict[str, str], status: int) -> None:
    assert Caller().post("auth/reset-password", body).status_code == status
    assert logs_in(PASSWORD)


def test_the_code_is_not_in_the_database(bobur: Customer) -> None:
    Caller().post("auth/forgot-password", {"name": "Bobur"})
    row = OneTimeCode.objects.values().get()
    assert code_sent() not in {str(value) for value in row.values()}
    assert Session.objects.count() == 0
