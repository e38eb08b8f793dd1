"""Signing in, tokens, renewing (contract tickets 1.2, 3, C14, D3, D15, D16, D17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import time_machine
from django.conf import settings as live_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import actions as accounts
from apps.accounts.models import Session
from apps.core.testing import outcomes, query_budget, race
from apps.tickets.actions import members, sessions
from apps.tickets.models import Member
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def log_in(member: Member, path: str = "auth/login", **body: str) -> Any:
    return Caller().post(path, {"email": member.email, "password": cast.PASSWORD, **body})


def minted(member: Member, kind: str = "access", **claims: Any) -> str:
    """A token as the clients' own tests make them: `sub`, `type`, `exp`, nothing else."""
    key = live_settings.TICKETS.jwt_secret_key or live_settings.SIMPLE_JWT["SIGNING_KEY"]
    payload = {"sub": str(member.pk), "type": kind, "exp": timezone.now() + timedelta(minutes=15), **claims}
    return jwt.encode(payload, key, algorithm="HS256")


def test_email_and_password_sign_any_role_in(can: Member, selin: Member) -> None:
    for member in (can, selin):
        answer = log_in(member)
        assert answer.status_code == 200
        body = answer.json()
        assert set(body) == {"access_token", "refresh_token", "token_type", "user_id"}
        assert (body["token_type"], body["user_id"]) == ("bearer", str(member.pk))
        assert Caller(token=body["access_token"]).get("auth/me").json()["name"] == member.name


def test_letter_case_of_the_email_does_not_matter(can: Member) -> None:
    """D17."""
    assert log_in(can, email="CAN@Example.COM").status_code == 200


def test_unknown_wrong_and_shut_out_say_the_same(can: Member) -> None:
    wrong = log_in(can, password="Wrong-123!")
    unknown = log_in(can, email="nobody@example.com")
    members.set_active(by=None, member_id=can.pk, is_active=False)
    shut_out = log_in(can)
    assert {answer.status_code for answer in (wrong, unknown, shut_out)} == {401}
    assert wrong.json() == unknown.json() == shut_out.json()
    assert wrong["WWW-Authenticate"] == "Bearer"
    assert not Session.objects.exists()


def test_not_verified_is_told_only_after_the_password(can: Member) -> None:
    """D16."""
    Member.objects.filter(pk=can.pk).update(is_verified=False)
    assert log_in(can).json()["code"] == "not_verified"
    assert log_in(can, password="Wrong-123!").json()["code"] == "wrong_credentials"
    assert log_in(can).status_code == 401


def test_the_staff_door_is_for_staff_and_says_so_only_after_the_password(
    can: Member, selin: Member, mehmet: Member
) -> None:
    assert log_in(selin, "auth/staff/login").status_code == 200
    assert log_in(mehmet, "auth/staff/login").status_code == 200
    refused = log_in(can, "auth/staff/login")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_staff")
    assert log_in(can, "auth/staff/login", password="Wrong-123!").status_code == 401


@pytest.mark.parametrize("door", ["auth/login", "auth/staff/login"])
def test_the_eleventh_try_in_five_minutes_is_429_even_when_right(selin: Member, mehmet: Member, door: str) -> None:
    with time_machine.travel(timezone.now().replace(minute=0, second=1, microsecond=0), tick=False):
        for _ in range(10):
            assert log_in(selin, door).status_code == 200  # successes count too
        answer = log_in(selin, door)
        assert (answer.status_code, answer["Retry-After"]) == (429, "300")
        assert "300 seconds" in answer.json()["detail"]
        assert log_in(mehmet, door).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic abc"])
def test_without_a_good_token_it_is_401_with_a_challenge(authorization: str) -> None:
    """C14."""
    answer = Caller()("GET", "auth/me", Authorization=authorization)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert isinstance(answer.json()["detail"], str)


def test_who_am_i_names_my_team(selin: Member) -> None:
    caller = Caller(selin)
    with query_budget(3):
        body = caller.get("auth/me").json()
    assert body["team_name"] == "Kadikoy Lights"
    assert set(body) == {
        *("id", "phone_number", "name", "email", "role", "is_verified", "is_active", "team_id", "team_name"),
        *("created_at", "updated_at"),
    }


# Tokens ---------------------------------------------------------------------------------------------------------------
def test_clients_own_tokens_without_jti_are_taken(can: Member) -> None:
    assert Caller(token=minted(can)).get("auth/me").json()["id"] == str(can.pk)


def test_the_signing_key_is_the_operators(can: Member, settings: Settings) -> None:
    settings.TICKETS = replace(settings.TICKETS, jwt_secret_key="a-secret-of-the-operator-" + "x" * 20)
    assert Caller(token=minted(can)).get("auth/me").status_code == 200
    assert "a-secret-of" not in repr(settings.TICKETS)


@pytest.mark.parametrize(
    "claims",
    [
        {"type": "refresh"},
        {"exp": 1},
        {"sub": "not-a-uuid"},
        {"sub": str(uuid4())},
        {"sub": None},
        {"aud": "shop"},
        {"type": None},
    ],
)
def test_other_tokens_are_not(can: Member, claims: dict[str, Any]) -> None:
    payload = {"sub": str(can.pk), "type": "access", "exp": timezone.now() + timedelta(minutes=5), **claims}
    token = jwt.encode({k: v for k, v in payload.items() if v is not None}, live_settings.SIMPLE_JWT["SIGNING_KEY"])
    assert Caller(token=token).get("auth/me").status_code == 401


def test_a_bare_token_dies_with_a_change_of_password(can: Member) -> None:
    old = minted(can, iat=timezone.now() - timedelta(minutes=1))
    body = {"current_password": cast.PASSWORD, "new_password": cast.NEW_PASSWORD}
    assert Caller(token=old).put(f"users/{can.pk}", body).status_code == 200
    assert Caller(token=old).get("auth/me").status_code == 401


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_bare_token_without_iat_dies_with_every_session(can: Member, kind: str) -> None:
    """However late it ends: nobody knows when it was minted."""
    undated = minted(can, kind, exp=timezone.now() + timedelta(days=365))
    call = (lambda: renew(undated)) if kind == "refresh" else (lambda: Caller(token=undated).get("auth/me"))
    assert call().status_code == 200
    accounts.log_out_everywhere(user=can.user)
    assert call().status_code == (400 if kind == "refresh" else 401)
    fresh = minted(can, iat=timezone.now())
    assert Caller(token=fresh).get("auth/me").status_code == 200


def test_removed_and_shut_out_members_have_no_tokens(can: Member, zeynep: Member) -> None:
    """D15."""
    tokens = [minted(can), sessions.open_session(zeynep).access, minted(zeynep)]
    members.remove(by=None, member_id=can.pk)
    members.set_active(by=None, member_id=zeynep.pk, is_active=False)
    assert {Caller(token=token).get("auth/me").status_code for token in tokens} == {401}


# Renewing -------------------------------------------------------------------------------------------------------------
def renew(token: str) -> Any:
    return Caller().post("auth/refresh", {"refresh_token": token})


def test_a_refresh_token_brings_a_new_pair_once(can: Member) -> None:
    first = sessions.open_session(can)
    answer = renew(first.refresh)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "token_type"}
    assert Caller(token=body["access_token"]).get("auth/me").status_code == 200
    again = renew(first.refresh)
    assert (again.status_code, again.json()["detail"]) == (400, "Invalid refresh token")
    assert renew(body["refresh_token"]).status_code == 400  # the family is dead


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "х" * 10])
def test_nonsense_is_400(token: str) -> None:
    assert renew(token).status_code == 400


def test_an_access_token_does_not_renew_and_nothing_is_422(can: Member) -> None:
    assert renew(sessions.open_session(can).access).status_code == 400
    assert Caller().post("auth/refresh", {}).status_code == 422


def test_a_clients_own_refresh_token_opens_a_session(can: Member) -> None:
    answer = renew(minted(can, "refresh"))
    assert answer.status_code == 200
    assert Caller(token=answer.json()["access_token"]).get("auth/me").status_code == 200


def test_nobody_renews_after_being_shut_out_or_a_new_password(can: Member, zeynep: Member) -> None:
    """D15."""
    mine, hers = sessions.open_session(can).refresh, sessions.open_session(zeynep).refresh
    members.set_active(by=None, member_id=can.pk, is_active=False)
    members.update_profile(by=zeynep, member_id=zeynep.pk, changes={}, current=cast.PASSWORD, new=cast.NEW_PASSWORD)
    assert renew(mine).status_code == renew(hers).status_code == 400


def test_signing_out_ends_the_session(can: Member) -> None:
    pair = sessions.open_session(can)
    assert Caller(token=pair.access).post("auth/logout").status_code == 204
    assert Caller(token=pair.access).get("auth/me").status_code == 401
    assert renew(pair.refresh).status_code == 400


@pytest.mark.race
def test_of_eight_renewals_at_once_one_wins(can: Member) -> None:
    pair = sessions.open_session(can)
    kinds = outcomes(race(8, lambda _: sessions.renew(refresh=pair.refresh)))
    assert kinds == {"ok": 1, "RefreshTokenInvalid": 7}
