"""Staff sign in, change passwords; everybody renews tokens (contract loyalty 1.1 rows 4, 5, 9; 3.3, 3.9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import tokens
from apps.accounts.kit import LoginFigures
from apps.accounts.models import AuthLog, Session, User
from apps.core import texts
from apps.loyalty import errors
from apps.loyalty.actions import doors
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def log_in(phone: str, password: str = cast.PASSWORD, caller: Caller | None = None) -> Any:
    return (caller or Caller()).post("auth/staff/login", {"phone": phone, "password": password})


def words_of(refusal: Any, **facts: Any) -> dict[str, Any]:
    return {"detail": texts.in_languages(refusal.message, ("ru", "uz"), **facts)}


@pytest.mark.parametrize("typed", ["+998901110001", "998901110001", " 90 111-00-01 "])
def test_a_manager_signs_in_with_the_phone_in_any_spelling(typed: str, malika: Staff) -> None:
    body = log_in(typed).json()
    assert sorted(body) == ["staff", "tokens"]
    assert {name: body["staff"][name] for name in ("id", "name", "role", "referral_code")} == {
        "id": malika.pk,
        "name": "Malika",
        "role": "MANAGER",
        "referral_code": None,
    }
    claims = tokens.read(body["tokens"]["access_token"], "loyalty").claims
    assert dict(claims) == {"actor_type": "STAFF", "role": "MANAGER"}


def test_free_text_signs_in_exactly_as_typed(malika: Staff) -> None:
    Staff.objects.filter(pk=malika.pk).update(phone="desk-1")
    assert log_in(" desk-1 ").status_code == 200
    assert log_in("DESK-1").status_code == 401


def test_a_waiter_gets_his_own_living_guests_newest_first_without_balances(
    vali: Staff, umid: Staff, gulnora: Client
) -> None:
    newest = cast.guest("Zarina", cast.PHONES["newcomer"], of=vali)
    cast.guest("Foreign", "+998901110077", of=umid)
    gone = cast.guest("Gone", "+998901110078", of=vali)
    Caller(gone).delete("users/me")
    cast.earn(gulnora, 5000)
    guests = log_in(cast.PHONES["vali"]).json()["clients"]
    assert [(guest["id"], guest["cashback_balance"]) for guest in guests] == [(newest.pk, 0.0), (gulnora.pk, 0.0)]


@pytest.mark.parametrize(
    ("phone", "password"), [(cast.PHONES["malika"], "not the password"), (cast.NOWHERE_PHONE, cast.PASSWORD)]
)
def test_unknown_and_wrong_are_401_with_the_same_words(phone: str, password: str, malika: Staff) -> None:
    answer = log_in(phone, password)
    assert (answer.status_code, answer.json()) == (401, words_of(errors.WrongCredentials))
    assert AuthLog.objects.get(event=AuthLog.Event.LOGIN_FAILED).product == "loyalty"
    assert not Session.objects.exists()


def test_a_guest_of_the_same_phone_is_no_staff(jasur: Client) -> None:
    User.objects.get(pk=jasur.user_id).set_password(cast.PASSWORD)
    assert log_in(jasur.phone).status_code == 401


def test_after_five_failures_even_the_right_password_is_429_for_a_quarter_of_an_hour(malika: Staff) -> None:
    caller = Caller(address="10.0.0.1")
    for number in range(5):
        assert log_in(f"+99890222000{number}", "not the password", caller).status_code == 401
    answer = log_in(cast.PHONES["malika"], caller=caller)
    minutes = -(-int(answer["Retry-After"]) // 60)
    assert (answer.status_code, answer.json()) == (429, words_of(errors.TooManyRequests, minutes=minutes))
    assert log_in(cast.PHONES["malika"], caller=Caller(address="10.0.0.2")).status_code == 200


def test_a_password_guessed_from_many_addresses_is_429_for_a_moment(malika: Staff) -> None:
    free = LoginFigures().by_name.free
    for number in range(free + 1):
        assert log_in(cast.PHONES["malika"], "not the password", Caller(address=f"10.1.0.{number}")).status_code == 401
    answer = log_in(cast.PHONES["malika"], caller=Caller(address="10.2.0.1"))
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert answer.json() == words_of(errors.TooManyRequests, minutes=1)


def test_right_passwords_do_not_count(settings: Settings, malika: Staff) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, login_rate_limit=2)
    assert [log_in(cast.PHONES["malika"]).status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("body", [{"phone": "12", "password": "secret1"}, {"phone": "12345", "password": "five5"}])
def test_malformed_credentials_are_422_without_the_password(body: dict[str, str], db: None) -> None:
    answer = Caller().post("auth/staff/login", body)
    assert (answer.status_code, answer.json()["body"]) == (422, "")
    assert body["password"] not in answer.content.decode()


@pytest.mark.parametrize("field", ["old_password", "current_password"])
def test_a_new_password_ends_every_token_issued_before(field: str, vali: Staff) -> None:
    old = Caller(vali)
    answer = old.post("auth/staff/change-password", {field: cast.PASSWORD, "new_password": "another one 2"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert old.get("auth/me").status_code == 401
    assert log_in(cast.PHONES["vali"]).status_code == 401
    assert log_in(cast.PHONES["vali"], "another one 2").status_code == 200


def test_a_wrong_old_password_is_400_and_changes_nothing(vali: Staff) -> None:
    caller, before = Caller(vali), User.objects.get(pk=vali.user_id).password
    answer = caller.post("auth/staff/change-password", {"old_password": "not this", "new_password": "another one 2"})
    assert (answer.status_code, answer.json()) == (400, words_of(errors.OldPasswordWrong))
    assert User.objects.get(pk=vali.user_id).password == before
    assert caller.get("auth/me").status_code == 200
    assert AuthLog.objects.filter(event=AuthLog.Event.PASSWORD_CHANGED, is_success=False).count() == 1


def test_a_guest_has_no_password_to_change(jasur: Client) -> None:
    body = {"old_password": cast.PASSWORD, "new_password": "another one 2"}
    assert Caller(jasur).post("auth/staff/change-password", body).status_code == 403


# Renewing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["refresh_token", "refresh"])
def test_a_refresh_brings_a_new_pair_once(field: str, jasur: Client) -> None:
    pair = doors.open_session(jasur)
    answer = Caller().post("auth/refresh", {field: pair.refresh})
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["access_token", "refresh_token", "token_type"]
    assert answer.json()["refresh_token"] != pair.refresh
    assert Caller(token=answer.json()["access_token"]).get("auth/me").status_code == 200
    again = Caller().post("auth/refresh", {field: pair.refresh})
    assert (again.status_code, again.json()) == (401, words_of(errors.RefreshInvalid))


def test_a_new_role_shows_in_the_next_token(malika: Staff, vali: Staff) -> None:
    pair = doors.open_session(vali)
    Staff.objects.filter(pk=vali.pk).update(role=Staff.Role.MANAGER)
    renewed = Caller().post("auth/refresh", {"refresh_token": pair.refresh}).json()
    assert tokens.read(renewed["access_token"], "loyalty").claims["role"] == "MANAGER"


def test_rights_come_from_the_row_and_not_from_the_token(malika: Staff) -> None:
    caller = Caller(malika)
    Staff.objects.filter(pk=malika.pk).update(role=Staff.Role.WAITER)
    assert caller.get("waiters").status_code == 403


def test_an_empty_refresh_token_is_400_and_a_missing_one_422(db: None) -> None:
    answer = Caller().post("auth/refresh", {"refresh_token": ""})
    assert (answer.status_code, answer.json()) == (400, words_of(errors.RefreshMissing))
    assert Caller().post("auth/refresh", {}).status_code == 422


def test_an_access_token_does_not_renew(jasur: Client) -> None:
    pair = doors.open_session(jasur)
    assert Caller().post("auth/refresh", {"refresh_token": pair.access}).status_code == 401
    assert Caller(token=pair.refresh).get("auth/me").status_code == 401


def test_the_two_kinds_are_signed_with_keys_of_their_own(settings: Settings, jasur: Client) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, jwt_secret="a" * 40, jwt_refresh_secret="b" * 40)
    pair = doors.open_session(jasur)
    assert Caller(token=pair.access).get("auth/me").status_code == 200
    settings.LOYALTY = replace(settings.LOYALTY, jwt_refresh_secret="c" * 40)
    assert Caller(token=pair.access).get("auth/me").status_code == 200
    assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 401


def test_tokens_end_by_themselves(jasur: Client) -> None:
    pair = doors.open_session(jasur)
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        assert Caller(token=pair.access).get("auth/me").status_code == 401
        assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 401


def test_at_the_root_a_token_of_another_product_is_renewed_too(jasur: Client) -> None:
    person = User.objects.create_user(username="shopper")
    pair = tokens.issue(person, "shop", 7)
    answer = Caller(base="").post("auth/refresh", {"refresh_token": pair.refresh})
    assert answer.status_code == 200
    assert tokens.read(answer.json()["access_token"], "shop").subject == "7"


def test_a_token_of_another_product_opens_nothing_here(jasur: Client) -> None:
    person = User.objects.create_user(username="shopper")
    pair = tokens.issue(person, "shop", jasur.pk, {"actor_type": "CLIENT"})
    assert Caller(token=pair.access).get("auth/me").status_code == 401


@pytest.mark.parametrize("header", ["Basic abc", "Token abc", "Bearer", "Bearer ", "Bearer nonsense", "nonsense"])
def test_whatever_is_no_good_bearer_token_is_401(header: str, db: None) -> None:
    answer = Caller()("GET", "auth/me", Authorization=header)
    assert (answer.status_code, sorted(answer.json()["detail"])) == (401, ["ru", "uz"])
    assert answer["WWW-Authenticate"] == "Bearer"


def test_an_unknown_actor_type_is_400(jasur: Client) -> None:
    pair = tokens.issue(jasur.user, "loyalty", jasur.pk, {"actor_type": "ROBOT"})
    answer = Caller(token=pair.access).get("auth/me")
    assert (answer.status_code, answer.json()) == (400, words_of(errors.UnknownActor))
    assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 400
