"""Becoming a citizen: by phone, by e-mail (contract tickets 1.2 rows 1 to 3, C1, C2, C3, D1, D2, D5, D14)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.models import OneTimeCode, User
from apps.core.testing import deliver, outcomes, race
from apps.integrations.ports import VendorBusy, port
from apps.tickets.actions import registration, sessions
from apps.tickets.actions.registration import Application
from apps.tickets.models import Member
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
PHONE = "+905321234567"
BY_MAIL = {"phone_number": PHONE, "full_name": "Ayşe  Yılmaz", "email": "Ayse@Example.com", "password": cast.PASSWORD}


def ask(phone: str = PHONE, **more: str) -> str:
    answer = Caller().post("auth/request-otp", {"phone_number": phone, **more})
    assert answer.status_code == 200, answer.content
    return cast.code_for(phone)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


# By phone -------------------------------------------------------------------------------------------------------------
def test_a_code_is_a_text_message_in_ascii_turkish_and_lives_five_minutes() -> None:
    answer = Caller().post("auth/request-otp", {"phone_number": "0 532 123-45-67"})
    assert answer.status_code == 200
    assert answer.json() == {"message": "OTP sent successfully", "expires_in_seconds": 300}
    [sent] = port("sms").sent
    code = cast.code_for(PHONE)
    assert (sent.to, sent.text) == (
        PHONE,
        f"Mahallem: dogrulama kodunuz {code}. Kod 5 dakika gecerlidir, kimseyle paylasmayin.",
    )
    assert sent.text.isascii() and len(sent.text) <= 160
    assert code not in str(OneTimeCode.objects.values())


@pytest.mark.parametrize("phone", ["+90212123456", "+998901234567", "02121234567", "hello", "+90 532 123 45 678"])
def test_texts_go_to_turkish_mobiles_only(phone: str) -> None:
    answer = Caller().post("auth/request-otp", {"phone_number": phone})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "phone_number"]
    assert not port("sms").sent and not OneTimeCode.objects.exists()


@pytest.mark.parametrize(
    "phone", ["05321234567", "905321234567", "+90 532 123 45 67", "5321234567", "0090 532 1234567"]
)
def test_all_spellings_are_one_phone(phone: str) -> None:
    assert Caller().post("auth/request-otp", {"phone_number": phone}).status_code == 200
    assert [sent.to for sent in port("sms").sent] == [PHONE]


def test_a_new_phone_is_proved_and_the_same_code_registers() -> None:
    """D1: no 500, and the code is not burnt by proving it first."""
    code = ask()
    proved = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": code})
    assert proved.status_code == 200
    body = proved.json()
    assert (body["requires_registration"], body["user_id"], body["token_type"]) == (True, None, "bearer")
    assert not Member.objects.exists() and not User.objects.exists()

    done = Caller().post("auth/register", {"phone_number": PHONE, "otp_code": code, "full_name": " Ayşe   Yılmaz "})
    assert done.status_code == 201
    answer = done.json()
    assert answer["message"] and answer["refresh_token"] and answer["token_type"] == "bearer"
    me = Caller(token=answer["access_token"]).get("auth/me").json()
    assert (me["id"], me["name"], me["phone_number"], me["email"]) == (answer["user_id"], "Ayşe Yılmaz", PHONE, None)
    assert (me["role"], me["is_verified"], me["is_active"], me["team_id"]) == ("CITIZEN", True, True, None)
    person = cast.user_of(PHONE)
    assert person.phone == PHONE and person.phone_verified_at is not None


def test_the_tokens_of_a_proved_phone_register_and_nothing_else() -> None:
    code = ask()
    token = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": code}).json()["access_token"]
    stranger = Caller(token=token)
    for path in ("auth/me", "tickets/my", "addresses", "notifications"):
        assert stranger.get(path).status_code == 401
    other = stranger.post("auth/register", {"phone_number": "+905329999999", "full_name": "Ayşe"})
    assert other.status_code == 401 and not Member.objects.exists()
    done = stranger.post("auth/register", {"phone_number": PHONE, "full_name": "Ayşe"})
    assert done.status_code == 201 and done.json()["access_token"]
    again = stranger.post("auth/register", {"phone_number": PHONE, "full_name": "Ayşe"})
    assert again.status_code == 400  # the code behind the token is used
    assert Member.objects.count() == 1


def test_registering_by_phone_may_bring_a_password_and_an_email_to_prove() -> None:
    done = Caller().post("auth/register", {**BY_MAIL, "otp_code": ask()})
    assert done.status_code == 201 and done.json()["access_token"]
    assert cast.link_for("ayse@example.com")
    signed_in = Caller().post("auth/login", {"email": "ayse@example.com", "password": cast.PASSWORD})
    assert signed_in.status_code == 200


def test_a_person_of_the_house_becomes_a_member_by_his_phone() -> None:
    person = accounts.register(phone=PHONE, first_name="Ayşe")
    Caller().post("auth/register", {"phone_number": PHONE, "otp_code": ask(), "full_name": "Ayşe"})
    assert cast.user_of(PHONE) == person
    assert User.objects.count() == 1


def test_a_known_phone_signs_in_with_a_code() -> None:
    Caller().post("auth/register", {"phone_number": PHONE, "otp_code": ask(), "full_name": "Ayşe"})
    proved = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": ask()}).json()
    assert proved["requires_registration"] is False
    assert Caller(token=proved["access_token"]).get("auth/me").json()["id"] == proved["user_id"]


def test_an_account_with_a_password_gets_a_code_only_for_signing_in(can: Member) -> None:
    """C3."""
    Member.objects.filter(pk=can.pk).update(phone_number=PHONE)
    refused = Caller().post("auth/request-otp", {"phone_number": PHONE})
    assert (refused.status_code, refused.json()["detail"]) == (409, "Phone number is already registered")
    assert not port("sms").sent
    code = ask(purpose="login")
    answer = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": code})
    assert answer.json()["user_id"] == str(can.pk)


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "１２３４５６", 123456, None])
def test_a_code_is_six_plain_digits(code: object) -> None:
    answer = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": code})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "code"]


def test_wrong_used_replaced_and_late_codes_are_400() -> None:
    first = ask()
    second = ask()
    for code in (wrong(second), first if first != second else wrong(second)):
        assert Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": code}).status_code == 400
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        late = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": second})
        assert (late.status_code, late.json()["detail"]) == (400, "Code has expired")
    Caller().post("auth/register", {"phone_number": PHONE, "otp_code": second, "full_name": "Ayşe"})
    used = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": second})
    assert (used.status_code, used.json()["detail"]) == (400, "Invalid code")


def test_five_wrong_tries_kill_a_code() -> None:
    """D2."""
    code = ask()
    for _ in range(5):
        assert Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": wrong(code)}).status_code == 400
    answer = Caller().post("auth/verify-otp", {"phone_number": PHONE, "code": code})
    assert (answer.status_code, answer.json()["code"]) == (400, "code_burnt")


def test_the_sixth_code_in_five_minutes_is_429_from_any_address() -> None:
    """D3: the limit is the phone's; a made-up X-Forwarded-For does not help."""
    start = timezone.now().replace(minute=0, second=1, microsecond=0)
    with time_machine.travel(start, tick=False):
        for _ in range(5):
            ask()
        answer = Caller().post("auth/request-otp", {"phone_number": PHONE}, **{"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 429
        assert answer["Retry-After"] == "300"
        assert answer.json()["detail"] == "Too many code requests. Please try again in 300 seconds"
        assert len(port("sms").sent) == 5
        assert Caller().post("auth/request-otp", {"phone_number": "+905330000000"}).status_code == 200


def test_whether_a_phone_is_registered_is_told_as_seldom_as_codes_are_sent(can: Member) -> None:
    """D16: the 409 counts like a code."""
    body = {"phone_number": can.phone_number}
    with time_machine.travel(timezone.now().replace(minute=0, second=1, microsecond=0), tick=False):
        for _ in range(5):
            assert Caller().post("auth/request-otp", body).status_code == 409
        answer = Caller().post("auth/request-otp", body, **{"X-Forwarded-For": "203.0.113.9"})
        assert (answer.status_code, answer["Retry-After"]) == (429, "300")
        assert Caller().post("auth/request-otp", {**body, "purpose": "login"}).status_code == 429


def test_one_address_does_not_ask_for_everybodys_phone() -> None:
    """D16: counted by the address too, whatever the phones."""
    phones = [cast.person(f"Fan{number}").phone_number for number in range(31)]
    with time_machine.travel(timezone.now().replace(minute=0, second=1, microsecond=0), tick=False):
        told = [Caller().post("auth/request-otp", {"phone_number": phone}).status_code for phone in phones]
    assert told == [409] * 30 + [429]


def test_a_code_that_cannot_be_sent_leaves_nothing() -> None:
    port("sms").fail_with(VendorBusy("down"))
    assert Caller().post("auth/request-otp", {"phone_number": PHONE}).status_code == 502
    assert not OneTimeCode.objects.exists()


# By e-mail ------------------------------------------------------------------------------------------------------------
def test_by_email_a_letter_asks_to_prove_the_address() -> None:
    answer = Caller().post("auth/register", BY_MAIL)
    assert answer.status_code == 201
    assert set(answer.json()) == {"message"}
    member = Member.objects.get()
    assert (member.email, member.is_verified, member.user.email, member.user.phone) == (
        "ayse@example.com",
        False,
        None,
        None,
    )
    deliver()
    [letter] = port("mail").sent
    assert "https://mahallem.biz.tr/verify-email?token=" in letter.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": None}, "email"),
        ({"password": None}, "password"),
        ({"password": "short1!"}, "password"),
        ({"password": "no-digits-here!"}, "password"),
        ({"password": "12345678!"}, "password"),
        ({"password": "nosigns123"}, "password"),
        ({"email": "not an address"}, "email"),
        ({"email": "İ@example.com"}, "email"),
        ({"full_name": " a "}, "full_name"),
        ({"full_name": "a" * 101}, "full_name"),
        ({"phone_number": "+9053212"}, "phone_number"),
        ({"otp_code": "12"}, "otp_code"),
    ],
)
def test_a_malformed_registration_is_422_and_names_the_field(change: dict[str, object], field: str) -> None:
    body = {key: value for key, value in {**BY_MAIL, **change}.items() if value is not None}
    answer = Caller().post("auth/register", body)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["detail"]] == [["body", field]]
    assert not Member.objects.exists() and not User.objects.exists()


@pytest.mark.parametrize(
    ("mine", "code"),
    [({"phone_number": PHONE}, "phone_taken"), ({"email": "ayse@example.com"}, "email_taken")],
)
def test_a_taken_phone_or_email_is_409(can: Member, mine: dict[str, str], code: str) -> None:
    Member.objects.filter(pk=can.pk).update(**mine)
    answer = Caller().post("auth/register", BY_MAIL)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (Member.objects.count(), User.objects.count()) == (1, 1)


def test_the_phone_and_email_of_a_removed_member_are_free(can: Member) -> None:
    """D14."""
    Member.objects.filter(pk=can.pk).update(phone_number=PHONE, email="ayse@example.com", deleted_at=timezone.now())
    assert Caller().post("auth/register", BY_MAIL).status_code == 201
    assert Member.objects.living().count() == 1


def test_the_fourth_registration_of_a_phone_in_five_minutes_is_429() -> None:
    with time_machine.travel(timezone.now().replace(minute=0, second=1, microsecond=0), tick=False):
        for number in range(3):
            Caller().post("auth/register", {**BY_MAIL, "email": f"a{number}@example.com"})
        assert Caller().post("auth/register", BY_MAIL).status_code == 429


# Races ----------------------------------------------------------------------------------------------------------------
@pytest.mark.race
def test_eight_registrations_at_once_make_one_member() -> None:
    """D5: seven clear refusals."""

    def run(number: int) -> None:
        registration.register(
            Application("Ayşe", PHONE, f"a{number}@example.com", cast.PASSWORD),
            caller=accounts.Caller(f"10.0.0.{number}"),
        )

    results = race(8, run)
    kinds = outcomes(results)
    assert kinds["ok"] == 1 and kinds["PhoneTaken"] + kinds["TooManyTries"] == 7, kinds
    assert (Member.objects.count(), User.objects.count()) == (1, 1)


@pytest.mark.race
def test_one_code_registers_once() -> None:
    sessions.request_code(phone=PHONE)
    code = cast.code_for(PHONE)

    def run(number: int) -> None:
        registration.register(Application("Ayşe", PHONE), otp_code=code, caller=accounts.Caller(f"10.0.0.{number}"))

    kinds = outcomes(race(4, run))
    assert kinds["ok"] == 1, kinds
    assert set(kinds) <= {"ok", "CodeWrong", "PhoneTaken", "CodeBurnt"}
    assert Member.objects.count() == 1
