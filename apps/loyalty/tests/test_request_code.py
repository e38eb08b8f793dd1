"""A code is asked for (contract loyalty 1.1 row 2, 3.1, 3.2, 3.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.accounts.models import AuthLog, OneTimeCode
from apps.core import texts
from apps.integrations.ports import VendorBusy, port
from apps.integrations.sandbox import vendors
from apps.loyalty import errors
from apps.loyalty.models import Client
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

PATH = "auth/client/request-otp"
pytestmark = pytest.mark.django_db(transaction=True)


def ask(phone: str, purpose: str | None = "login", caller: Caller | None = None) -> Any:
    body = {"phone": phone} if purpose is None else {"phone": phone, "purpose": purpose}
    return (caller or Caller()).post(PATH, body)


def words_of(refusal: type[errors.errors.Refused], **facts: Any) -> dict[str, Any]:
    return {"detail": texts.in_languages(refusal.message, ("ru", "uz"), **facts)}


def nothing_happened() -> bool:
    return not OneTimeCode.objects.exists() and not port("sms").sent


def test_a_guest_gets_a_code_and_an_empty_204(jasur: Client) -> None:
    answer = ask("90 111 00 05", None)
    assert (answer.status_code, answer.content) == (204, b"")
    (sent,) = port("sms").sent
    assert sent.to == cast.PHONES["jasur"]
    assert len(cast.texted_code()) == 6
    assert OneTimeCode.objects.get().purpose == "loyalty:login"


def test_the_request_is_logged_without_the_phone(jasur: Client) -> None:
    ask(cast.PHONES["jasur"])
    entry = AuthLog.objects.filter(event=AuthLog.Event.CODE_REQUESTED).get()
    assert (entry.product, entry.user_id, entry.identifier) == ("loyalty", jasur.user_id, "+998*****0005")
    assert entry.facts == {"code_id": OneTimeCode.objects.get().pk, "purpose": "loyalty:login", "channel": "sms"}


def test_an_unknown_phone_is_404_for_a_sign_in_and_gets_a_code_for_a_registration(db: None) -> None:
    answer = ask(cast.NOWHERE_PHONE)
    assert (answer.status_code, answer.json()) == (404, words_of(errors.PhoneUnknown))
    assert nothing_happened()
    assert ask(cast.NOWHERE_PHONE, "Register").status_code == 204
    assert OneTimeCode.objects.get().purpose == "loyalty:Register"
    assert not Client.objects.exists()


def test_a_registered_phone_cannot_register_again(jasur: Client) -> None:
    answer = ask(cast.PHONES["jasur"], "REGISTER")
    assert (answer.status_code, answer.json()) == (409, words_of(errors.PhoneRegistered))
    assert nothing_happened()


def test_any_other_purpose_is_a_sign_in(jasur: Client) -> None:
    assert ask(cast.PHONES["jasur"], "reset").status_code == 204
    assert ask(cast.NOWHERE_PHONE, "reset").status_code == 404


def test_a_guest_whom_only_the_restaurant_knows_gets_a_code_and_no_account_yet(db: None) -> None:
    vendors.iiko.make(cast.NOWHERE_PHONE)
    assert ask(cast.NOWHERE_PHONE).status_code == 204
    assert not Client.objects.exists()


def test_the_restaurant_is_asked_once_a_minute(db: None) -> None:
    for _ in range(3):
        assert ask(cast.NOWHERE_PHONE).status_code == 404
    vendors.iiko.make(cast.NOWHERE_PHONE)
    assert ask(cast.NOWHERE_PHONE).status_code == 404


def test_without_the_restaurants_system_an_unknown_phone_is_404_and_the_next_question_is_asked(db: None) -> None:
    vendors.iiko.go_down(60)
    assert ask(cast.NOWHERE_PHONE).status_code == 404
    vendors.iiko.go_down(0)
    vendors.iiko.make(cast.NOWHERE_PHONE)
    assert ask(cast.NOWHERE_PHONE).status_code == 204


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+919215456", "+998919215456"),
        ("919215456", "+998919215456"),
        ("998919215456", "+998919215456"),
        ("+998 (91) 921-54-56", "+998919215456"),
    ],
)
def test_phones_are_brought_to_one_form(typed: str, stored: str, db: None) -> None:
    assert ask(typed, "register").status_code == 204
    assert OneTimeCode.objects.get().phone == stored


@pytest.mark.parametrize("typed", ["+99918215456", "12345678", "+4915112345678", "telephone", "", "99891921545678901"])
def test_other_phones_are_422_without_repeating_them(typed: str, db: None) -> None:
    answer = ask(typed, "register")
    assert answer.status_code == 422
    body = answer.json()
    assert body["body"] == ""
    assert [sorted(one) for one in body["detail"]] == [["loc", "msg", "type"]]
    assert body["detail"][0]["loc"] == ["body", "phone"]
    assert not typed or typed not in answer.content.decode()
    assert nothing_happened()


@pytest.mark.parametrize("purpose", ["login", "register"])
def test_the_sixth_code_of_a_phone_is_429_with_minutes(purpose: str, db: None) -> None:
    phone = cast.PHONES["jasur"]
    if purpose == "login":
        cast.guest("Jasur", phone)
    for number in range(5):
        assert ask(phone, purpose, Caller(address=f"10.0.0.{number}")).status_code == 204
    answer = ask(phone, purpose, Caller(address="10.0.0.9"))
    assert answer.status_code == 429
    minutes = -(-int(answer["Retry-After"]) // 60)
    assert 1 <= minutes <= 16
    assert answer.json() == words_of(errors.TooManyRequests, minutes=minutes)
    assert len(port("sms").sent) == 5


def test_the_sixth_code_of_an_address_is_429_and_strangers_go_on(db: None) -> None:
    caller = Caller(address="10.0.0.1")
    for number in range(5):
        assert ask(f"+9989011100{number:02}", "register", caller).status_code == 204
    assert ask("+998901110077", "register", caller).status_code == 429
    assert ask("+998901110077", "register", Caller(address="10.0.0.2")).status_code == 204


def test_an_address_that_walks_through_numbers_is_429_after_five_answers(jasur: Client) -> None:
    """Whatever the answers were: 404, 409 and 403 tell whose number is registered (contract loyalty 7.4)."""
    walker = Caller(address="10.0.0.1")
    for number in range(2):
        assert ask(f"+9989011188{number:02}", "login", walker).status_code == 404
    for _ in range(3):
        assert ask(jasur.phone, "register", walker).status_code == 409
    for phone, purpose in ((jasur.phone, "register"), ("+998901118899", "login"), (jasur.phone, "login")):
        answer = ask(phone, purpose, walker)
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    assert nothing_happened()
    assert ask(jasur.phone, "login", Caller(address="10.0.0.2")).status_code == 204


def test_a_code_counts_its_address_once(db: None) -> None:
    caller = Caller(address="10.0.0.1")
    asked = [ask(f"+9989011100{number:02}", "register", caller).status_code for number in range(6)]
    assert asked == [204] * 5 + [429]


def test_a_listed_phone_has_no_limit(settings: Settings, jasur: Client) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_unlimited_phones=("90 111 00 05",))
    assert [ask(cast.PHONES["jasur"]).status_code for _ in range(8)] == [204] * 8


def test_an_unsent_text_is_502_and_leaves_nothing(jasur: Client) -> None:
    port("sms").fail_with(VendorBusy("out"))
    answer = ask(cast.PHONES["jasur"])
    assert (answer.status_code, answer.json()) == (502, words_of(errors.SmsFailed))
    assert not OneTimeCode.objects.exists()


def test_length_life_and_text_come_from_the_settings(settings: Settings, jasur: Client) -> None:
    settings.LOYALTY = replace(
        settings.LOYALTY, otp_length=4, otp_expiration_minutes=7, sms_template="Sardoba. Kod: {code}. Nikomu!"
    )
    ask(cast.PHONES["jasur"])
    code = OneTimeCode.objects.get()
    assert port("sms").sent[-1].text == f"Sardoba. Kod: {cast.texted_code()}. Nikomu!"
    assert len(cast.texted_code()) == 4
    assert (code.expires_at - code.created_at).total_seconds() == 420


def test_a_static_code_is_what_is_sent(settings: Settings, jasur: Client) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_static_code="7777")
    ask(cast.PHONES["jasur"])
    assert cast.texted_code() == "7777"


def test_only_the_newest_code_is_good(jasur: Client) -> None:
    ask(cast.PHONES["jasur"])
    ask(cast.PHONES["jasur"])
    assert OneTimeCode.objects.filter(used_at=None, burnt_at=None).count() == 1


def test_the_demo_phone_gets_204_and_no_text(db: None) -> None:
    assert ask("+998911111111").status_code == 204
    assert nothing_happened()


def test_without_a_demo_its_phone_is_like_any_other(settings: Settings, db: None) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, demo_phone="")
    assert ask("+998911111111").status_code == 404


def test_a_refusal_of_422_is_a_list_like_every_other(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, allowed_phone_prefixes=("+7",))
    answer = ask(cast.NOWHERE_PHONE, "register")
    assert (answer.status_code, answer.json()["body"]) == (422, "")
    assert [one["type"] for one in answer.json()["detail"]] == ["phone_prefix_not_served"]
