"""A manager shuts a guest out and lets them in again (contract loyalty 1.7, `POST /users/{id}/status`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from apps.accounts.models import OneTimeCode, Session, User
from apps.core import texts
from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused, deliver
from apps.integrations.ports import port
from apps.loyalty import errors
from apps.loyalty.actions import announcements, clients, codes, doors
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller
from apps.notifications.models import Notification

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED = {"detail": texts.in_languages(errors.AccountSwitchedOff.message, ("ru", "uz"))}


def switch(by: Staff | None, client: Client | int, is_active: Any) -> Any:
    number = client.pk if isinstance(client, Client) else client
    return Caller(by).post(f"users/{number}/status", {"is_active": is_active})


def shut_out(client: Client) -> Client:
    return clients.switch(by=None, client_id=client.pk, is_active=False)


def sent(phone: str) -> str:
    codes.request_code(phone=phone, purpose="login")
    return cast.texted_code()


def prove(phone: str, code: str, **more: Any) -> Any:
    return Caller().post("auth/client/verify-otp", {"phone": phone, "code": code, **more})


def things() -> list[QuerySet[Any]]:
    return [Client.objects.all(), Session.objects.all(), OutboxMessage.objects.all()]


def test_the_answer_is_the_guest_s_page_and_the_list_says_it_too(malika: Staff, gulnora: Client) -> None:
    cast.earn(gulnora, 700)
    answer = switch(malika, gulnora, False)
    assert (answer.status_code, answer.json()["is_active"], answer.json()["cashback_balance"]) == (200, False, 700.0)
    assert answer.json().keys() == Caller(malika).get(f"users/{gulnora.pk}").json().keys()
    assert [guest["is_active"] for guest in Caller(malika).get("users").json()["items"]] == [False]
    assert switch(malika, gulnora, True).json()["is_active"] is True


def test_every_token_is_dead_and_stays_dead(malika: Staff, gulnora: Client) -> None:
    pair = doors.open_session(gulnora)
    for is_active in (False, True):
        assert switch(malika, gulnora, is_active).status_code == 200
        for method, path in (("GET", "auth/me"), ("GET", f"cashback/user/{gulnora.pk}"), ("DELETE", "users/me")):
            assert Caller(token=pair.access)(method, path).status_code == 401, path
        assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 401
    assert Client.objects.living().filter(pk=gulnora.pk).exists()


def test_a_session_that_slipped_through_opens_nothing(gulnora: Client) -> None:
    shut_out(gulnora)
    pair = doors.open_session(gulnora)
    late = Caller(token=pair.access)
    for method, path in (("GET", "auth/me"), ("PUT", "users/me"), ("DELETE", "users/me")):
        answer = late(method, path, {"name": "X"} if method == "PUT" else None)
        assert (answer.status_code, answer.json()) == (403, REFUSED), path
    assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 401
    gulnora.refresh_from_db()
    assert (gulnora.name, gulnora.is_deleted) == ("Gulnora", False)


@pytest.mark.parametrize("purpose", ["login", "register"])
def test_no_code_is_texted(purpose: str, gulnora: Client) -> None:
    shut_out(gulnora)
    answer = Caller().post("auth/client/request-otp", {"phone": gulnora.phone, "purpose": purpose})
    assert (answer.status_code, answer.json()) == (403, REFUSED)
    assert (port("sms").sent, OneTimeCode.objects.count()) == ([], 0)


def test_a_code_from_before_opens_nothing_and_stays_unused(gulnora: Client) -> None:
    code = sent(gulnora.phone)
    shut_out(gulnora)
    answer = prove(gulnora.phone, code)
    assert (answer.status_code, answer.json()) == (403, REFUSED)
    assert not Session.objects.exists()
    clients.switch(by=None, client_id=gulnora.pk, is_active=True)
    answer = prove(gulnora.phone, code)
    assert Caller(token=answer.json()["tokens"]["access_token"]).get("auth/me").json()["profile"]["id"] == gulnora.pk


def test_the_bypass_list_does_not_help(settings: Settings, gulnora: Client) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_bypass_phones=(gulnora.phone,))
    shut_out(gulnora)
    assert prove(gulnora.phone, settings.LOYALTY.otp_demo_code).json() == REFUSED
    assert not Session.objects.exists()


def test_again_is_free(malika: Staff, gulnora: Client) -> None:
    before = Client.objects.values().get()
    assert switch(malika, gulnora, True).status_code == 200
    assert Client.objects.values().get() == before
    seen = []
    for _ in range(2):
        assert switch(malika, gulnora, False).status_code == 200
        seen.append(Client.objects.values().get())
    assert seen[0] == seen[1]
    assert seen[0]["switched_off_at"] >= before["updated_at"]


def test_who_is_not_there_is_404(malika: Staff, gulnora: Client) -> None:
    clients.delete(by=gulnora)
    for number in (gulnora.pk, 10**9):
        answer = switch(malika, number, False)
        assert answer.status_code == 404
    assert Client.objects.filter(switched_off_at=None).count() == 1


@pytest.mark.parametrize("body", [{}, {"is_active": None}, {"is_active": "perhaps"}, {"active": False}])
def test_a_body_without_a_word_is_422(body: dict[str, Any], malika: Staff, gulnora: Client) -> None:
    answer = Caller(malika).post(f"users/{gulnora.pk}/status", body)
    assert (answer.status_code, answer.json()["body"]) == (422, "")
    assert Client.objects.get().is_active


def test_only_managers_and_staff_with_the_right(vali: Staff, gulnora: Client, jasur: Client) -> None:
    clerk = User.objects.create_user(username="clerk", is_staff=True)
    for by in (vali, gulnora, jasur, clerk):
        assert_refused(
            errors.ManagersOnly,
            lambda by=by: clients.switch(by=by, client_id=gulnora.pk, is_active=False),
            unchanged=things(),
        )
    boss = User.objects.create_superuser(username="boss")
    assert not clients.switch(by=boss, client_id=gulnora.pk, is_active=False).is_active


def test_the_purse_goes_on_and_nobody_is_told(malika: Staff, gulnora: Client, jasur: Client) -> None:
    """iiko has the last word on balances, whoever may sign in here."""
    deliver()
    shut_out(gulnora)
    cast.iiko(gulnora, 500)
    announcements.announce(by=malika, title="Closed", description="On Monday")
    Caller(malika).post("notifications/send", {"userIds": [gulnora.pk, jasur.pk], "title": "t", "description": "d"})
    deliver()
    assert cast.balance(gulnora) == 500
    told = Notification.objects.values_list("user_id", flat=True)
    assert set(told) == {jasur.user_id}
    clients.switch(by=None, client_id=gulnora.pk, is_active=True)
    cast.iiko(gulnora, 700)
    deliver()
    assert Notification.objects.filter(user_id=gulnora.user_id, kind="cashback_accrual").count() == 1
