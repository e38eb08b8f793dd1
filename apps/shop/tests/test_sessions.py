"""Signing in, renewing, signing out, cookies against foreign pages (contract shop 1.1, 3.1, K1, K3, K5, D24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts.models import Session, User
from apps.shop.actions import sessions
from apps.shop.models import Customer
from apps.shop.tests import cast
from apps.shop.tests.cast import PASSWORD, Caller

pytestmark = pytest.mark.django_db


def log_in(base: str = "/shop", **body: str) -> Caller:
    caller = Caller(base=base)
    answer = caller.post("auth/login", {"password": PASSWORD, **body})
    assert answer.status_code == 200, answer.content
    caller.answer = answer.json()  # type: ignore[attr-defined]
    return caller


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Bobur"},
        {"name": "bobur"},
        {"username": "BOBUR"},
        {"phone_number": "+998902222222"},
        {"name": "+998 90 222-22-22"},
        {"name": "902222222"},
    ],
)
def test_a_name_or_a_phone_signs_in(bobur: Customer, body: dict[str, str]) -> None:
    assert log_in(**body).answer["user"]["name"] == "Bobur"  # type: ignore[attr-defined]


def test_a_mail_signs_in(db: None) -> None:
    cast.customer("mailer", email="who@example.com")
    assert log_in(username="Who@Example.com").answer["user"]["name"] == "mailer"  # type: ignore[attr-defined]


def test_a_name_like_somebodys_phone_does_not_shut_him_out(bobur: Customer) -> None:
    cast.customer("+998902222222")
    assert log_in(name="+998902222222").answer["user"]["name"] == "Bobur"  # type: ignore[attr-defined]


@pytest.mark.parametrize("shops", [True, False])
@pytest.mark.parametrize(
    ("proved", "told"), [("phone", "phone"), ("email", "email"), ("phone", "name"), ("email", "name")]
)
def test_what_one_only_tells_does_not_shut_out_who_proved_it(shops: bool, proved: str, told: str) -> None:
    """`shops`: the other is a customer already, else a person of the house."""
    mine = {"phone": "+998907777777", "email": "mine@example.com"}[proved]
    person = User.objects.create_user(username="owner", password=PASSWORD, first_name="Owner", **{proved: mine})
    if shops:
        sessions.join(user=person)
    liar = {"phone": mine} if told == "phone" else {"email": mine} if told == "email" else {}
    cast.customer(mine if told == "name" else "liar", **liar)
    assert log_in(name=mine).answer["user"]["name"] == "owner"  # type: ignore[attr-defined]


def test_a_name_that_is_taken_gets_a_number(db: None) -> None:
    person = User.objects.create_user(username="owner", password=PASSWORD)
    for taken in ("owner", f"owner-{person.pk}"):
        Customer.objects.create(user=User.objects.create_user(username=f"u{taken}"), name=taken)
    assert sessions.join(user=person).name.startswith("owner-")


def test_unknown_and_wrong_say_the_same(bobur: Customer) -> None:
    wrong = Caller().post("auth/login", {"name": "Bobur", "password": "not this one"})
    unknown = Caller().post("auth/login", {"name": "nobody", "password": "not this one"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong["WWW-Authenticate"] == "Bearer"


def test_the_sixth_try_is_429_even_with_the_right_password(bobur: Customer, dilya: Customer) -> None:
    statuses = [Caller().post("auth/login", {"name": "Bobur", "password": PASSWORD}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert Caller().post("auth/login", {"name": "Dilya", "password": PASSWORD}).status_code == 200


def test_a_person_of_the_house_joins_by_signing_in(db: None) -> None:
    User.objects.create_user(username="boss", password=PASSWORD, first_name="Boss")
    assert log_in(name="boss").answer["user"]["is_admin"] is False  # type: ignore[attr-defined]
    assert Customer.objects.get().name == "boss"


def test_a_blocked_person_does_not_get_in(bobur: Customer) -> None:
    User.objects.filter(pk=bobur.user_id).update(is_active=False, blocked_at=timezone.now())
    assert Caller().post("auth/login", {"name": "Bobur", "password": PASSWORD}).status_code == 403


# ── Transport ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "{}"])
def test_the_scheme_is_free(bobur: Customer, form: str) -> None:
    token = sessions.open_session(bobur).access
    answer = Caller().get("users/me", Authorization=form.format(token))
    assert (answer.status_code, answer.json()["name"]) == (200, "Bobur")


def test_the_header_wins_over_the_cookie(bobur: Customer, dilya: Customer) -> None:
    caller = log_in(name="Bobur")
    token = sessions.open_session(dilya).access
    assert caller.client.get("/shop/users/me", secure=True).json()["name"] == "Bobur"
    both = caller.client.get("/shop/users/me", secure=True, headers={"Authorization": f"Bearer {token}"})
    assert both.json()["name"] == "Dilya"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "https://evil.example/page"}, 403),
        ({"Origin": "https://testserver"}, 200),
        ({"Referer": "https://testserver/page"}, 200),
    ],
)
def test_a_cookie_changes_nothing_for_a_foreign_page(bobur: Customer, headers: dict[str, str], status: int) -> None:
    caller = log_in(name="Bobur")
    answer = caller.client.put(
        "/shop/users/me", {"surname": "Changed"}, content_type="application/json", secure=True, headers=headers
    )
    assert answer.status_code == status
    assert Customer.objects.get().surname == ("Changed" if status == 200 else "Karimov")


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "Bearer", "Bearer a.b.c", "Basic abc"])
def test_a_bad_token_is_401(bobur: Customer, token: str) -> None:
    answer = Caller().get("users/me", Authorization=token)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_refresh_token_is_no_access_token(bobur: Customer) -> None:
    assert Caller(token=sessions.open_session(bobur).refresh).get("users/me").status_code == 401


def test_a_token_runs_out_after_fifteen_minutes(bobur: Customer) -> None:
    caller = Caller(bobur)
    with time_machine.travel(timezone.now() + timedelta(minutes=14, seconds=50)):
        assert caller.get("users/me").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=2)):
        assert caller.get("users/me").status_code == 401


# ── Renewing ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_json_header_and_cookie_renew(bobur: Customer) -> None:
    caller = log_in(name="Bobur")
    first = caller.answer["refresh_token"]  # type: ignore[attr-defined]
    second = Caller().post("auth/refresh", {"refresh_token": first}).json()["refresh_token"]
    third = Caller().post("auth/refresh", None, **{"Refresh-Token": second}).json()["refresh_token"]
    fourth = Caller().post("auth/refresh", {}, **{"X-Refresh-Token": third})
    assert (fourth.status_code, fourth.json()["user"]["name"]) == (200, "Bobur")
    browser = log_in(name="Bobur").client
    empty = {"content_type": "application/json", "secure": True}
    own = browser.post("/shop/auth/refresh", headers={"Origin": "https://testserver"}, **empty)
    assert own.status_code == 200
    assert browser.post("/shop/auth/refresh", **empty).status_code == 403


def test_an_old_refresh_token_ends_the_family(bobur: Customer) -> None:
    old = sessions.open_session(bobur).refresh
    fresh = Caller().post("auth/refresh", {"refresh_token": old}).json()
    assert Caller().post("auth/refresh", {"refresh_token": old}).status_code == 401
    assert Caller().post("auth/refresh", {"refresh_token": fresh["refresh_token"]}).status_code == 401
    assert Caller(token=fresh["access_token"]).get("users/me").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"refresh_token": "nonsense"}, 401), ({"refresh_token": None}, 400)]
)
def test_nothing_and_nonsense_do_not_renew(db: None, body: dict[str, str], status: int) -> None:
    assert Caller().post("auth/refresh", body).status_code == status
    assert not Session.objects.exists()


def test_an_access_token_does_not_renew(bobur: Customer) -> None:
    token = sessions.open_session(bobur).access
    assert Caller().post("auth/refresh", {"refresh_token": token}).status_code == 401


def test_the_cap_is_not_moved_by_renewing(bobur: Customer, settings: Settings) -> None:
    settings.SHOP = replace(settings.SHOP, session_max_hours=8)
    start = timezone.now()
    with time_machine.travel(start):
        token = sessions.open_session(bobur).refresh
    with time_machine.travel(start + timedelta(hours=7, minutes=59)):
        token = Caller().post("auth/refresh", {"refresh_token": token}).json()["refresh_token"]
    with time_machine.travel(start + timedelta(hours=8, seconds=2)):
        assert Caller().post("auth/refresh", {"refresh_token": token}).status_code == 401


# ── Signing out ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_signing_out_ends_the_session(bobur: Customer) -> None:
    caller = log_in(name="Bobur")
    answer = caller.client.post("/shop/auth/logout", secure=True, headers={"Origin": "https://testserver"})
    assert (answer.status_code, set(answer.json())) == (200, {"message", "timestamp"})
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert answer["X-Logout"] == "true"
    assert [answer.cookies[name]["max-age"] for name in ("access_token", "refresh_token")] == [0, 0]
    tokens = caller.answer  # type: ignore[attr-defined]
    assert Caller(token=tokens["access_token"]).get("users/me").status_code == 401
    assert Caller().post("auth/refresh", {"refresh_token": tokens["refresh_token"]}).status_code == 401


def test_signing_out_never_fails_and_a_foreign_page_ends_nothing(bobur: Customer) -> None:
    assert Caller().post("auth/logout").status_code == 200
    assert Caller(token="nonsense").post("auth/logout").status_code == 200
    caller = log_in(name="Bobur")
    headers = {"Origin": "https://evil.example"}
    assert caller.client.post("/shop/auth/logout", secure=True, headers=headers).status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 1
