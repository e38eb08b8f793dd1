"""Links by e-mail: verify, resend, invite, forgot, reset (contract tickets 1.2, 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.models import MailToken
from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.integrations.ports import VendorBusy, port
from apps.tickets.actions import letters, sessions
from apps.tickets.models import Member
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db
EMAIL = "ayse@example.com"
PHONE = "+905321234567"


@pytest.fixture
def ayse(db: None) -> Member:
    """Registered by e-mail, nothing proved yet."""
    body = {"phone_number": PHONE, "full_name": "Ayşe", "email": EMAIL, "password": cast.PASSWORD}
    assert Caller().post("auth/register", body).status_code == 201
    return Member.objects.get()


def verify(token: str) -> Any:
    return Caller().get("auth/verify-email", token=token)


def log_in(password: str = cast.PASSWORD) -> int:
    return Caller().post("auth/login", {"email": EMAIL, "password": password}).status_code


def letters_to(email: str = EMAIL) -> int:
    deliver()
    return len([letter for letter in port("mail").sent if letter.to == email])


# Verifying ------------------------------------------------------------------------------------------------------------
def test_the_link_verifies_once_and_opens_the_door(ayse: Member) -> None:
    token = cast.link_for(EMAIL)
    assert log_in() == 401
    answer = verify(token)
    assert (answer.status_code, set(answer.json())) == (200, {"message"})
    assert log_in() == 200
    ayse.refresh_from_db()
    assert ayse.is_verified and ayse.user.email == EMAIL and ayse.user.email_verified_at
    assert verify(token).status_code == 400
    assert token not in str(MailToken.objects.values())


def test_a_link_lives_twenty_four_hours(ayse: Member) -> None:
    token = cast.link_for(EMAIL)
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        answer = verify(token)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Token has expired")
    assert not Member.objects.get().is_verified


@pytest.mark.parametrize("token", ["", "x" * 201])
def test_a_malformed_link_is_422(token: str) -> None:
    assert verify(token).status_code == 422


def test_an_unknown_link_is_400() -> None:
    assert verify("made-up").status_code == 400
    assert Caller().get("auth/verify-email").status_code == 422


def test_who_is_verified_already_is_told_so(ayse: Member) -> None:
    first = cast.link_for(EMAIL)
    verify(first)
    letters.send(member_id=str(ayse.pk), kind=MailToken.Kind.VERIFY)
    answer = verify(cast.link_for(EMAIL))
    assert (answer.status_code, answer.json()["code"]) == (400, "already_verified")


def test_an_address_that_another_person_of_the_house_proved_still_verifies_the_member(ayse: Member) -> None:
    other = accounts.register(email=EMAIL, password="another-garden-43", email_verified_at=timezone.now())
    assert verify(cast.link_for(EMAIL)).status_code == 200
    ayse.refresh_from_db()
    other.refresh_from_db()
    assert (ayse.is_verified, ayse.user.email, other.email) == (True, None, EMAIL)
    assert log_in() == 200


def test_a_mail_server_that_is_busy_gets_the_letter_later(ayse: Member) -> None:
    port("mail").fail_with(VendorBusy("full"))
    deliver(expect_failures=True)
    assert not port("mail").sent
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert letters_to() == 1


# Resending ------------------------------------------------------------------------------------------------------------
def test_resending_kills_the_first_link_and_says_the_same_to_everybody(ayse: Member, can: Member) -> None:
    first = cast.link_for(EMAIL)
    answers = [
        Caller().post("auth/resend-verification", {"email": email}) for email in (EMAIL, can.email, "no@example.com")
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert letters_to() == 2
    assert letters_to(str(can.email)) == 0
    assert verify(first).status_code == 400
    assert verify(cast.link_for(EMAIL)).status_code == 200


@pytest.mark.parametrize(("path", "most"), [("auth/resend-verification", 20), ("auth/forgot-password", 3)])
def test_letters_are_counted_by_the_hour(ayse: Member, path: str, most: int) -> None:
    with time_machine.travel(timezone.now().replace(minute=0, second=1), tick=False):
        for _ in range(most):
            assert Caller().post(path, {"email": EMAIL}).status_code == 200
        assert Caller().post(path, {"email": EMAIL}).status_code == 429
        assert Caller().post(path, {"email": "other@example.com"}).status_code == 200
    assert Caller().post(path, {"email": "nonsense"}).status_code == 422


@pytest.mark.parametrize(("ask", "most"), [(letters.resend, 100), (letters.forgot_password, 15)])
def test_many_addresses_do_not_flood_one_mailbox(ayse: Member, ask: Any, most: int) -> None:
    """D3: a limit that no number of addresses gets around."""
    with time_machine.travel(timezone.now().replace(minute=0, second=1), tick=False):
        for number in range(most):
            ask(email=EMAIL, caller=accounts.Caller(address=f"203.0.113.{number}"))
        refused = accounts.Caller(address="198.51.100.7")
        assert_refused(accounts.TooManyTries, lambda: ask(email=EMAIL, caller=refused))


# Inviting -------------------------------------------------------------------------------------------------------------
def accept(token: str, **more: str) -> Any:
    body = {"token": token, "phone_number": PHONE, "password": cast.PASSWORD, **more}
    return Caller().post("auth/set-password", body)


@pytest.fixture
def invited(mehmet: Member) -> str:
    """The token that an invited officer got."""
    body = {"name": "Ayşe", "email": EMAIL, "phone_number": PHONE, "password": "is not read"}
    assert Caller(mehmet).post("users/", body).status_code == 201
    return cast.link_for(EMAIL)


def test_an_invited_officer_chooses_a_password(invited: str) -> None:
    assert log_in() == 401
    answer = accept(invited, phone_number="0 532 123 45 67")
    assert (answer.status_code, set(answer.json())) == (200, {"message"})
    assert Caller().post("auth/staff/login", {"email": EMAIL, "password": cast.PASSWORD}).status_code == 200
    assert accept(invited).status_code == 400


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"phone_number": "+905330000000"}, 400, "phone_mismatch"),
        ({"token": "made-up"}, 400, "mail_token_invalid"),
        ({"password": "weak"}, 422, None),
        ({"phone_number": "123"}, 422, None),
    ],
)
def test_a_refused_invitation_changes_nothing(invited: str, change: dict[str, str], status: int, code: str) -> None:
    answer = accept(change.pop("token", invited), **change)
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert not Member.objects.get(email=EMAIL).is_verified
    assert accept(invited).status_code == 200  # the link is still good


def test_an_invitation_lives_twenty_four_hours(invited: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        assert accept(invited).json()["detail"] == "Token has expired"


def test_an_invitation_does_not_verify_an_address_by_the_other_path(invited: str) -> None:
    assert verify(invited).status_code == 400


# Forgetting -----------------------------------------------------------------------------------------------------------
def reset(token: str, password: str = cast.NEW_PASSWORD) -> Any:
    return Caller().post("auth/reset-password", {"token": token, "password": password})


def test_a_forgotten_password_is_replaced_and_old_tokens_die(can: Member) -> None:
    pair = sessions.open_session(can)
    known = Caller().post("auth/forgot-password", {"email": can.email})
    unknown = Caller().post("auth/forgot-password", {"email": "no@example.com"})
    assert known.status_code == 200 and known.content == unknown.content
    token = cast.link_for(str(can.email))
    assert reset(token, "weak").status_code == 422
    assert reset(token).status_code == 200
    assert Caller(token=pair.access).get("auth/me").status_code == 401
    assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 400
    new = {"email": can.email, "password": cast.NEW_PASSWORD}
    assert Caller().post("auth/login", new).status_code == 200
    assert reset(token).status_code == 400


def test_a_reset_link_lives_one_hour(can: Member) -> None:
    Caller().post("auth/forgot-password", {"email": can.email})
    token = cast.link_for(str(can.email))
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert reset(token).status_code == 400
    assert can.user.check_password(cast.PASSWORD)


@pytest.mark.race
def test_one_reset_link_opens_once(can: Member) -> None:
    letters.forgot_password(email=str(can.email))
    token = cast.link_for(str(can.email))
    kinds = outcomes(race(6, lambda _: letters.reset_password(token=token, password=cast.NEW_PASSWORD)))
    assert kinds == {"ok": 1, "MailTokenWrong": 5}
