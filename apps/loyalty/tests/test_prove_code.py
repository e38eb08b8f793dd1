"""A code is handed in: sign in, register, be brought by a waiter (contract loyalty 1.1 row 3, 3.1, 3.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.models import AuthLog, OneTimeCode, Session, User
from apps.core import texts
from apps.core.models import OutboxMessage
from apps.integrations.sandbox import vendors
from apps.loyalty import errors
from apps.loyalty.actions import codes
from apps.loyalty.models import Client, IikoJob, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

PATH = "auth/client/verify-otp"
NEWCOMER = cast.PHONES["newcomer"]
pytestmark = pytest.mark.django_db(transaction=True)


def sent(phone: str, purpose: str = "login") -> str:
    codes.request_code(phone=phone, purpose=purpose)
    return cast.texted_code()


def prove(phone: str, code: str, purpose: str = "login", **more: Any) -> Any:
    return Caller().post(PATH, {"phone": phone, "code": code, "purpose": purpose, **more})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def words_of(refusal: Any, **facts: Any) -> dict[str, Any]:
    return {"detail": texts.in_languages(refusal.message, ("ru", "uz"), **facts)}


def test_a_guest_signs_in_and_the_tokens_say_who(jasur: Client) -> None:
    answer = prove("901110005", sent(cast.PHONES["jasur"]))
    assert answer.status_code == 200
    assert list(answer.json()) == ["tokens"]
    pair = answer.json()["tokens"]
    assert (sorted(pair), pair["token_type"]) == (["access_token", "refresh_token", "token_type"], "bearer")
    access = tokens.read(pair["access_token"], "loyalty")
    assert (access.subject, dict(access.claims)) == (str(jasur.pk), {"actor_type": "CLIENT"})
    assert (access.expires_at - access.issued_at, Client.objects.count()) == (timedelta(minutes=30), 1)
    refresh = tokens.read(pair["refresh_token"], "loyalty", "refresh")
    assert refresh.expires_at - refresh.issued_at == timedelta(days=14)
    assert jwt.decode(pair["refresh_token"], options={"verify_signature": False})["scope"] == "refresh"


def test_a_newcomer_registers_with_name_birthday_and_an_empty_purse(vali: Staff) -> None:
    answer = prove(
        NEWCOMER, sent(NEWCOMER, "register"), "register", name=" Zarina ", date_of_birth="31.12.1990",
        waiter_referral_code="VALI01",
    )  # fmt: skip
    assert answer.status_code == 200
    client = Client.objects.select_related("purse").get()
    assert (client.name, client.date_of_birth, client.waiter_id) == ("Zarina", date(1990, 12, 31), vali.pk)
    assert (client.phone, client.balance, client.purse.book) == (NEWCOMER, 0, f"loyalty:{client.pk}")
    assert User.objects.get(pk=client.user_id).phone_verified_at is not None


@pytest.mark.parametrize("given", ["1990-12-31", "1990-12-31T00:00:00", "1990-12-31T00:00:00Z", "31.12.1990"])
def test_birthdays_come_in_three_spellings(given: str) -> None:
    assert prove(NEWCOMER, sent(NEWCOMER, "register"), "register", date_of_birth=given).status_code == 200
    assert Client.objects.get().date_of_birth == date(1990, 12, 31)


def test_an_empty_birthday_is_none_and_nonsense_is_422() -> None:
    code = sent(NEWCOMER, "register")
    assert prove(NEWCOMER, code, "register", date_of_birth="31/12/1990").status_code == 422
    assert prove(NEWCOMER, code, "register", date_of_birth="").status_code == 200
    assert Client.objects.get().date_of_birth is None


@pytest.mark.parametrize("field", ["waiter_referral_code", "referral_code"])
def test_either_name_of_the_referral_code_brings_the_waiter(field: str, vali: Staff) -> None:
    assert prove(NEWCOMER, sent(NEWCOMER, "register"), "register", **{field: "VALI01"}).status_code == 200
    assert Client.objects.get().waiter_id == vali.pk


@pytest.mark.parametrize("given", ["NOBODY", "vali01"])
def test_an_unknown_referral_code_is_404_and_the_code_stays_good(given: str, vali: Staff) -> None:
    code = sent(NEWCOMER, "register")
    answer = prove(NEWCOMER, code, "register", referral_code=given)
    assert (answer.status_code, answer.json()) == (404, words_of(errors.ReferralCodeUnknown))
    assert not Client.objects.exists()
    assert prove(NEWCOMER, code, "register").status_code == 200


def test_the_code_of_a_dismissed_waiter_leads_nowhere(malika: Staff, vali: Staff) -> None:
    Caller(malika).delete(f"waiters/{vali.pk}")
    assert prove(NEWCOMER, sent(NEWCOMER, "register"), "register", referral_code="VALI01").status_code == 404


def test_a_guest_without_a_waiter_gets_one_and_keeps_him(jasur: Client, vali: Staff, umid: Staff) -> None:
    assert prove(jasur.phone, sent(jasur.phone), referral_code="VALI01").status_code == 200
    assert prove(jasur.phone, sent(jasur.phone), referral_code="UMID02").status_code == 200
    assert Client.objects.get().waiter_id == vali.pk


def test_wrong_used_and_foreign_codes_are_400_and_leave_no_session(jasur: Client) -> None:
    code = sent(jasur.phone)
    for given, purpose in ((wrong(code), "login"), (code, "reset"), (code, "Login")):
        answer = prove(jasur.phone, given, purpose)
        assert (answer.status_code, answer.json()) == (400, words_of(errors.CodeInvalid)), (given, purpose)
    assert not Session.objects.exists()
    assert prove(jasur.phone, code).status_code == 200
    assert prove(jasur.phone, code).json() == words_of(errors.CodeInvalid)
    assert Session.objects.count() == 1


def test_another_purpose_gives_no_further_tries(jasur: Client) -> None:
    """The lock is the phone's: a guest chooses the purpose (contract loyalty 3.1)."""
    code = sent(jasur.phone)
    for _ in range(5):
        prove(jasur.phone, wrong(code))
    for purpose in ("login", "Login", "reset"):
        answer = Caller().post("auth/client/request-otp", {"phone": jasur.phone, "purpose": purpose})
        assert answer.status_code == 429, purpose


def test_a_newer_code_for_another_purpose_kills_the_older(jasur: Client) -> None:
    code = sent(jasur.phone, "login")
    newer = sent(jasur.phone, "reset")
    assert OneTimeCode.objects.filter(used_at=None, burnt_at=None).count() == 1
    assert prove(jasur.phone, code, "login").status_code == 400
    assert prove(jasur.phone, newer, "reset").status_code == 200


def test_an_old_code_is_400_with_words_of_its_own(jasur: Client) -> None:
    code = sent(jasur.phone)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        answer = prove(jasur.phone, code)
    assert (answer.status_code, answer.json()) == (400, words_of(errors.CodeTooOld))


def test_five_wrong_tries_burn_the_code_and_lock_the_phone(jasur: Client) -> None:
    code = sent(jasur.phone)
    for _ in range(5):
        assert prove(jasur.phone, wrong(code)).status_code == 400
    assert prove(jasur.phone, code).status_code == 400
    again = Caller().post("auth/client/request-otp", {"phone": jasur.phone})
    assert again.status_code == 429
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert prove(jasur.phone, sent(jasur.phone)).status_code == 200


def test_wrong_codes_are_logged(jasur: Client) -> None:
    prove(jasur.phone, wrong(sent(jasur.phone)))
    entry = AuthLog.objects.get(event=AuthLog.Event.CODE_WRONG)
    assert (entry.product, entry.is_success, entry.identifier) == ("loyalty", False, "+998*****0005")


def test_who_has_left_since_the_code_was_sent_is_404(jasur: Client) -> None:
    code = sent(jasur.phone)
    Caller(jasur).delete("users/me")
    answer = prove(cast.PHONES["jasur"], code)
    assert (answer.status_code, answer.json()) == (404, words_of(errors.PhoneUnknown))


def test_who_registered_since_the_code_was_sent_is_409(db: None) -> None:
    code = sent(NEWCOMER, "register")
    cast.guest("Zarina", NEWCOMER)
    answer = prove(NEWCOMER, code, "register")
    assert (answer.status_code, answer.json()) == (409, words_of(errors.PhoneRegistered))
    assert Client.objects.count() == 1


def test_a_guest_of_the_restaurant_is_taken_over_after_the_proof() -> None:
    vendors.iiko.make(NEWCOMER)
    code = sent(NEWCOMER)
    assert not Client.objects.exists()
    assert prove(NEWCOMER, wrong(code)).status_code == 400
    assert not Client.objects.exists()
    assert prove(NEWCOMER, code).status_code == 200
    assert Client.objects.get().phone == NEWCOMER


def test_a_person_of_the_house_keeps_being_one_person() -> None:
    person = User.objects.create_user(phone=NEWCOMER, first_name="Zarina")
    assert prove(NEWCOMER, sent(NEWCOMER, "register"), "register").status_code == 200
    assert Client.objects.get().user_id == person.pk
    person.refresh_from_db()
    assert person.phone_verified_at is not None


def test_a_blocked_person_is_403_without_a_session(jasur: Client) -> None:
    code = sent(jasur.phone)
    User.objects.filter(pk=jasur.user_id).update(is_active=False)
    assert prove(jasur.phone, code).status_code == 403
    assert not Session.objects.exists()


def test_a_blocked_person_leaves_no_account_no_waiter_and_the_code_unused(vali: Staff, jasur: Client) -> None:
    person = User.objects.create_user(phone=NEWCOMER, first_name="Zarina")
    codes_of = {phone: sent(phone, purpose) for phone, purpose in ((NEWCOMER, "register"), (jasur.phone, "login"))}
    User.objects.filter(pk__in=[person.pk, jasur.user_id]).update(is_active=False)
    before = list(Client.objects.values()), list(OutboxMessage.objects.values()), list(IikoJob.objects.values())
    for phone, purpose in ((NEWCOMER, "register"), (jasur.phone, "login")):
        answer = prove(phone, codes_of[phone], purpose, referral_code="VALI01")
        assert (answer.status_code, answer.json()) == (403, words_of(accounts.PersonBlocked))
    after = list(Client.objects.values()), list(OutboxMessage.objects.values()), list(IikoJob.objects.values())
    assert after == before
    assert not OneTimeCode.objects.exclude(used_at=None).exists()
    assert AuthLog.objects.filter(event=AuthLog.Event.LOGIN_FAILED, is_success=False).count() == 2
    User.objects.update(is_active=True)
    assert prove(NEWCOMER, codes_of[NEWCOMER], "register", referral_code="VALI01").status_code == 200
    assert Client.objects.get(phone=NEWCOMER).waiter_id == vali.pk


@pytest.mark.parametrize("code", ["123", "123456789"])
def test_a_code_has_four_to_eight_characters(code: str) -> None:
    assert prove(NEWCOMER, code).status_code == 422


def test_facts_hold_no_phone_and_no_code(jasur: Client) -> None:
    code = sent(NEWCOMER, "register")
    prove(NEWCOMER, code, "register", name="Zarina")
    told = str(list(OutboxMessage.objects.values_list("payload", flat=True)))
    assert NEWCOMER not in told and code not in told and "Zarina" not in told


# The demo ---------------------------------------------------------------------------------------------------------


def demo() -> dict[str, str]:
    found: dict[str, str] = prove("+998 91 111 11 11", "1111").json()["tokens"]
    return found


def test_the_demos_guest_is_a_mock_without_a_row() -> None:
    pair = demo()
    proof = tokens.read(pair["access_token"], "loyalty")
    assert (proof.subject, dict(proof.claims)) == (
        "0",
        {"actor_type": "CLIENT", "mock_user": True, "phone": "+998911111111"},
    )
    body = Caller(token=pair["access_token"]).get("auth/me").json()
    assert (body["type"], body["profile"]["id"], body["profile"]["name"]) == ("CLIENT", 0, "Test User")
    assert (body["profile"]["phone"], body["profile"]["created_at"] is not None) == ("+998911111111", True)
    purse = body["cashback"]
    assert (purse["balance"], purse["transactions"], purse["cards"], purse["currency"]) == (0.0, [], [], "UZS")
    assert not (Client.objects.exists() or OneTimeCode.objects.exists() or Session.objects.exists())


def test_the_demos_tokens_are_renewed_and_stay_a_mock() -> None:
    renewed = Caller().post("auth/refresh", {"refresh_token": demo()["refresh_token"]})
    assert renewed.status_code == 200
    assert tokens.read(renewed.json()["access_token"], "loyalty").claims["mock_user"] is True


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "users/me", 401),
        ("DELETE", "users/me", 401),
        ("DELETE", "user/delete", 401),
        ("GET", "cashback/user/0", 404),
        ("GET", "users", 403),
        ("GET", "cashback", 403),
    ],
)
def test_the_demos_guest_has_nothing_else(method: str, path: str, status: int, jasur: Client) -> None:
    answer = Caller(token=demo()["access_token"])(method, path, {} if method == "PUT" else None)
    assert answer.status_code == status


def test_the_demos_guest_reads_nobodys_history(jasur: Client) -> None:
    assert Caller(token=demo()["access_token"]).get(f"cashback/user/{jasur.pk}").status_code == 403


@pytest.mark.parametrize("turn_off", [lambda figures: replace(figures, demo_phone="")])
def test_without_a_demo_its_tokens_are_worth_nothing(turn_off: Callable[[Any], Any], settings: Settings) -> None:
    pair = demo()
    settings.LOYALTY = turn_off(settings.LOYALTY)
    assert Caller(token=pair["access_token"]).get("auth/me").status_code == 401
    assert Caller().post("auth/refresh", {"refresh_token": pair["refresh_token"]}).status_code == 401
    assert prove("+998911111111", "1111").status_code == 400


def test_the_demo_code_opens_no_other_phone(jasur: Client) -> None:
    assert prove(jasur.phone, "1111").status_code == 400


# The bypass -------------------------------------------------------------------------------------------------------


def test_a_phone_of_the_bypass_list_needs_no_text(settings: Settings, jasur: Client) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_bypass_phones=("901110005",))
    assert prove(jasur.phone, "1111").status_code == 200
    assert prove(jasur.phone, "1112").status_code == 400


def test_in_production_the_bypass_list_is_nothing(settings: Settings, jasur: Client) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_bypass_phones=(jasur.phone,), environment="production")
    assert prove(jasur.phone, "1111").status_code == 400
