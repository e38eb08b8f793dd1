"""Phones and e-mails that nobody proved: who keeps what when their owner comes (contract tickets C2, C3, D1, D9)."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.core.testing import deliver, outcomes, race
from apps.integrations.ports import port
from apps.tickets.actions import letters, members, registration, sessions
from apps.tickets.actions.registration import Application
from apps.tickets.models import Member
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
PHONE, EMAIL = "+905321234567", "stranger@example.com"
BY_MAIL = {"phone_number": PHONE, "full_name": "Stranger", "email": EMAIL, "password": cast.PASSWORD}
BY_CODE = {"phone_number": PHONE, "full_name": "Owner"}
INVITATION = {"name": "Owner", "phone_number": PHONE, "email": "owner@example.com"}


def ask() -> str:
    """A code for the phone, by whoever holds it."""
    answer = Caller().post("auth/request-otp", {"phone_number": PHONE, "purpose": "login"})
    assert answer.status_code == 200, answer.content
    return cast.code_for(PHONE)


def prove(caller: Caller | None = None) -> dict[str, Any]:
    answer = (caller or Caller()).post("auth/verify-otp", {"phone_number": PHONE, "code": ask()})
    assert answer.status_code == 200, answer.content
    assert answer.json()["requires_registration"] is False
    found: dict[str, Any] = Caller(token=answer.json()["access_token"]).get("auth/me").json()
    assert (found["phone_number"], found["is_verified"]) == (PHONE, True)
    return found


def log_in(email: str = EMAIL) -> Any:
    return Caller().post("auth/login", {"email": email, "password": cast.PASSWORD})


def tell_phone(member: Member) -> Member:
    """The member names the phone in the profile, as anybody may."""
    assert Caller(member).put(f"users/{member.pk}", {"phone_number": PHONE}).status_code == 200
    member.refresh_from_db()
    return member


@pytest.fixture
def claim(db: None) -> Member:
    """A stranger has registered the phone with an e-mail and a password of his own, and waits."""
    assert Caller().post("auth/register", BY_MAIL).status_code == 201
    return Member.objects.get()


@pytest.fixture
def stranger(claim: Member) -> Member:
    """The same who has proved his e-mail address, which says nothing about the phone."""
    assert Caller().get("auth/verify-email", token=cast.link_for(EMAIL)).status_code == 200
    claim.refresh_from_db()
    return claim


# Nothing was proved ---------------------------------------------------------------------------------------------------
def test_whoever_proves_a_phone_gets_the_membership_without_a_strangers_password(claim: Member) -> None:
    me = prove()
    assert (me["id"], me["email"]) == (str(claim.pk), None)
    assert log_in().status_code == 401


def test_the_strangers_letters_open_nothing_after_the_owner_has_come(claim: Member) -> None:
    """D1: the verification letter lived for a day, and gave the account back to whoever typed the address."""
    verification = cast.link_for(EMAIL)
    Caller().post("auth/forgot-password", {"email": EMAIL})
    reset = cast.link_for(EMAIL)
    assert verification != reset
    prove()
    assert Caller().get("auth/verify-email", token=verification).status_code == 400
    answer = Caller().post("auth/reset-password", {"token": reset, "password": cast.NEW_PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (400, "mail_token_invalid")
    sent = len(port("mail").sent)
    for path in ("auth/forgot-password", "auth/resend-verification"):
        assert Caller().post(path, {"email": EMAIL}).status_code == 200
    deliver()
    assert len(port("mail").sent) == sent
    claim.refresh_from_db()
    assert claim.email is None and not claim.user.has_usable_password()


def test_the_membership_goes_to_the_person_of_the_house_with_this_phone(claim: Member) -> None:
    owner = accounts.register(phone=PHONE, first_name="Owner", phone_verified_at=timezone.now())
    assert prove()["id"] == str(claim.pk)
    assert cast.user_of(PHONE) == owner


def test_a_letter_to_an_address_that_was_changed_since_opens_nothing(can: Member) -> None:
    old, body = str(can.email), {"email": "new@example.com"}
    Caller().post("auth/forgot-password", {"email": old})
    reset = cast.link_for(old)
    assert Caller(can).put(f"users/{can.pk}", body).status_code == 200
    answer = Caller().post("auth/reset-password", {"token": reset, "password": cast.NEW_PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (400, "mail_token_invalid")
    assert log_in("new@example.com").status_code == 200


def test_an_unproved_claim_gives_way_to_a_proof_at_once(claim: Member) -> None:
    assert Caller().post("auth/register", {**BY_CODE, "otp_code": ask()}).status_code == 201
    assert Member.objects.living().get().name == "Owner"


# The e-mail was proved, the phone never -------------------------------------------------------------------------------
def test_the_owner_of_a_phone_is_not_led_into_the_account_that_names_it(stranger: Member) -> None:
    """C3, D9: the stranger's password works for the stranger's own account only."""
    me = prove()
    assert (me["id"] != str(stranger.pk), me["email"], me["role"]) == (True, None, "CITIZEN")
    assert me["name"] == "+905*****4567"  # the name beside the phone is the stranger's
    owner = cast.user_of(PHONE)
    assert (owner.phone, owner.phone_verified_at is not None, owner != stranger.user) == (PHONE, True, True)
    stranger.refresh_from_db()
    assert (stranger.phone_number, stranger.email, stranger.deleted_at) == ("", EMAIL, None)
    assert log_in().json()["user_id"] == str(stranger.pk)
    assert prove()["id"] == me["id"]


def test_the_owner_registers_by_code_beside_the_account_that_names_the_phone(stranger: Member) -> None:
    answer = Caller().post("auth/register", {**BY_CODE, "otp_code": ask()})
    assert (answer.status_code, answer.json()["user_id"] != str(stranger.pk)) == (201, True)
    stranger.refresh_from_db()
    assert (stranger.phone_number, stranger.email) == ("", EMAIL)
    assert prove()["name"] == "Owner"


def test_several_members_may_be_without_a_phone(stranger: Member, can: Member) -> None:
    prove()
    owner = Member.objects.of_phone(PHONE).get()
    Member.objects.filter(pk=owner.pk).update(deleted_at=timezone.now())
    tell_phone(can)
    prove()
    assert Member.objects.living().filter(phone_number="").count() == 2
    assert Caller(can).get("auth/me").json()["phone_number"] == ""


def test_a_person_of_the_house_with_this_phone_gets_a_membership_of_his_own(stranger: Member) -> None:
    owner = accounts.register(phone=PHONE, first_name="Ayşe", last_name="Yılmaz", phone_verified_at=timezone.now())
    assert prove()["name"] == "Ayşe Yılmaz"
    assert cast.user_of(PHONE) == owner


def test_a_person_who_is_a_member_under_another_number_has_two_memberships(stranger: Member, can: Member) -> None:
    User.objects.filter(pk=can.user_id).update(phone=PHONE)
    assert prove()["id"] not in (str(stranger.pk), str(can.pk))
    assert cast.user_of(PHONE) != can.user


def test_a_phone_told_in_a_profile_is_not_proved_and_the_old_word_stays_proved(can: Member) -> None:
    Caller(can).put(f"users/{can.pk}", {"phone_number": can.phone_number, "name": "Can Bey"})
    can.refresh_from_db()
    assert can.is_phone_proved
    assert not tell_phone(can).is_phone_proved
    assert prove()["id"] != str(can.pk)
    can.refresh_from_db()
    assert (can.phone_number, can.email) == ("", "can@example.com")


def test_staff_who_name_a_strangers_phone_do_not_make_him_staff(selin: Member) -> None:
    tell_phone(selin)
    me = prove()
    assert (me["id"] != str(selin.pk), me["role"]) == (True, "CITIZEN")
    selin.refresh_from_db()
    assert (selin.phone_number, selin.role) == ("", "SUPPORT")


def test_an_account_without_another_door_goes_to_whoever_proves_its_phone(can: Member) -> None:
    """Else a new number in the profile would shut its owner out; whoever named it has no way in any more."""
    Member.objects.filter(pk=can.pk).update(email=None)
    named_by, old = tell_phone(can), can.user
    pair = sessions.open_session(named_by)
    assert prove()["id"] == str(can.pk)
    assert Caller(token=pair.access).get("auth/me").status_code == 401
    assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 400
    assert cast.user_of(PHONE) != old


def test_who_is_signed_in_proves_the_phone_of_his_own_account(stranger: Member) -> None:
    signed_in = Caller(token=log_in().json()["access_token"])
    assert (prove(signed_in)["id"], prove()["id"]) == (str(stranger.pk), str(stranger.pk))
    stranger.refresh_from_db()
    assert (stranger.is_phone_proved, stranger.email, stranger.user.phone) == (True, EMAIL, PHONE)
    assert log_in().status_code == 200


def test_anybody_elses_token_beside_a_code_says_nothing(stranger: Member, can: Member, zeynep: Member) -> None:
    members.remove(by=None, member_id=zeynep.pk)
    for token in ("nonsense", sessions.open_session(can).access, sessions.open_session(zeynep).access):
        assert prove(Caller(token=token))["id"] not in (str(stranger.pk), str(can.pk))


def test_the_phone_of_an_invitation_is_believed(mehmet: Member) -> None:
    invited = Caller(mehmet).post("users/", INVITATION).json()
    assert prove()["id"] == invited["id"]
    assert Member.objects.get(pk=invited["id"]).email == "owner@example.com"


def test_members_from_before_keep_the_phones_that_they_must_have_proved(
    stranger: Member, can: Member, zeynep: Member, selin: Member
) -> None:
    Member.objects.filter(pk=can.pk).update(email=None)
    User.objects.filter(pk=zeynep.user_id).update(phone=zeynep.phone_number)
    Member.objects.update(is_phone_proved=False)
    import_module("apps.tickets.migrations.0003_proved_phones").believe(apps, None)
    believed = Member.objects.filter(is_phone_proved=True)
    assert {member.pk for member in believed} == {can.pk, zeynep.pk, selin.pk}


# A day later ----------------------------------------------------------------------------------------------------------
def later() -> Any:
    return time_machine.travel(timezone.now() + timedelta(hours=25))


def test_after_a_day_a_claim_gives_way_to_other_words_too(claim: Member) -> None:
    again = {**BY_MAIL, "phone_number": "+905330000002"}
    assert Caller().post("auth/register", again).status_code == 409
    with later():
        assert Caller().post("auth/register", again).status_code == 201
    claim.refresh_from_db()
    assert claim.deleted_at is not None


@pytest.mark.parametrize("part", [{"email": "owner@example.com"}, {"phone_number": "+905330000002"}])
def test_after_a_day_a_claim_gives_way_to_an_invitation(claim: Member, mehmet: Member, part: dict[str, str]) -> None:
    body = {"name": "Owner", "phone_number": PHONE, "email": EMAIL, **part}
    assert Caller(mehmet).post("users/", body).status_code == 400
    with later():
        assert Caller(mehmet).post("users/", body).status_code == 201


@pytest.mark.parametrize(("part", "status"), [({"email": EMAIL}, 409), ({"phone_number": PHONE}, 400)])
def test_after_a_day_a_claim_gives_way_to_a_profile(
    claim: Member, can: Member, part: dict[str, str], status: int
) -> None:
    assert Caller(can).put(f"users/{can.pk}", part).status_code == status
    with later():
        assert Caller(can).put(f"users/{can.pk}", part).status_code == 200


def test_after_a_day_an_email_gives_way_to_who_registers_by_code(claim: Member) -> None:
    Member.objects.filter(pk=claim.pk).update(phone_number="+905330000002")
    with later():
        answer = Caller().post("auth/register", {**BY_CODE, "email": EMAIL, "otp_code": ask()})
    assert answer.status_code == 201


def test_a_claim_does_not_give_way_to_itself(claim: Member) -> None:
    with later():
        assert Caller(claim).put(f"users/{claim.pk}", {"phone_number": PHONE, "email": EMAIL}).status_code == 200
    claim.refresh_from_db()
    assert claim.deleted_at is None


@pytest.mark.parametrize("part", [{"email": "owner@example.com"}, {"phone_number": "+905330000002"}])
def test_what_was_proved_does_not_give_way(stranger: Member, mehmet: Member, part: dict[str, str]) -> None:
    with later():
        answer = Caller(mehmet).post("users/", {"name": "Owner", "phone_number": PHONE, "email": EMAIL, **part})
    assert answer.status_code == 400
    stranger.refresh_from_db()
    assert (stranger.phone_number, stranger.email, stranger.deleted_at) == (PHONE, EMAIL, None)


# Races ----------------------------------------------------------------------------------------------------------------
@pytest.mark.race
def test_the_owner_beside_the_strangers_letter_is_not_led_astray(db: None) -> None:
    """Whoever is first: the phone's member never has the stranger's e-mail, and nobody waits for ever."""
    for turn in range(4):
        phone, email = f"+9053212345{turn:02}", f"stranger{turn}@example.com"
        registration.register(Application("Stranger", phone, email, cast.PASSWORD))
        link = cast.link_for(email)
        sessions.request_code(phone=phone, purpose="login")
        code = cast.code_for(phone)
        deeds: list[Any] = [
            lambda phone=phone, code=code: sessions.prove_phone(phone=phone, code=code),
            lambda link=link: letters.verify_email(token=link),
        ]
        results = race(2, lambda number, deeds=deeds: deeds[number]())
        assert outcomes(results[:1]) == {"ok": 1}, results
        assert set(outcomes(results[1:])) <= {"ok", "MailTokenWrong"}, results
        owner = Member.objects.of_phone(phone).get()
        assert (owner.email, owner.is_phone_proved) == (None, True)
        assert not owner.user.check_password(cast.PASSWORD)
