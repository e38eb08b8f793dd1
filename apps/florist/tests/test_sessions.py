"""Signing in by code, password, refresh; the right shop for who works in two (contract florist 1.1, 3.3)."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.models import OneTimeCode, Session, User
from apps.core.testing import query_budget
from apps.florist.actions import sessions
from apps.florist.models import Employee, EmployeeChange, RegistrationSession, Shop
from apps.florist.queries import employees
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller, Role
from apps.integrations.ports import VendorBusy, port

pytestmark = pytest.mark.django_db

TOKEN_KEYS = {
    *("access_token", "refresh_token", "token_type", "shop_id", "shop_name", "user_role", "user_name"),
    *("is_new_user", "needs_phone"),
}


def last_code() -> str:
    """The digits of the newest text message."""
    text = port("sms").sent[-1].text
    return next(word.strip(".") for word in text.split() if word.strip(".").isdigit() and len(word.strip(".")) == 6)


def ask(phone: str, path: str = "/api/auth/request-otp") -> Any:
    return Caller()("POST", path, {"phone": phone})


def prove(phone: str, code: str, path: str = "/api/auth/verify-otp", **more: Any) -> Any:
    return Caller()("POST", path, {"phone": phone, "otp_code": code, **more})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.parametrize(
    ("send", "verify"),
    [
        ("/api/auth/request-otp", "/api/auth/verify-otp"),
        ("/api/telegram/send-otp", "/api/telegram/verify-otp"),
        ("/api/auth/request-otp/", "/api/auth/verify-otp/"),
    ],
)
def test_a_florist_signs_in_as_himself_by_a_code(aida: Employee, send: str, verify: str) -> None:
    """Defect 7: as-is every code opened the owner's account, and florists were sent to registration."""
    sent = ask(aida.phone, send)
    assert (sent.status_code, sent.json()) == (201, {"message": "OTP code sent", "delivery_method": "sms"})
    answer = prove(aida.phone, last_code(), verify)
    body = answer.json()
    assert (answer.status_code, set(body)) == (200, TOKEN_KEYS)
    assert (body["user_role"], body["user_name"], body["shop_id"]) == ("florist", "Aida", aida.shop_id)
    assert (body["is_new_user"], body["needs_phone"], body["token_type"]) == (False, False, "bearer")
    mine = Caller()("GET", "/api/auth/current-user", Authorization=f"Bearer {body['access_token']}")
    assert mine.json()["user"]["id"] == aida.pk


def test_a_linked_person_gets_the_code_from_the_bot(aida: Employee) -> None:
    User.objects.filter(pk=aida.user_id).update(telegram_id=4242, can_message_bot=True)
    assert ask(aida.phone).json()["delivery_method"] == "telegram"
    assert port("sms").sent == []


def test_an_unknown_phone_gets_the_same_answer_and_a_token_for_registering_only(rosa: Shop) -> None:
    sent = ask("+77017654321")
    assert (sent.status_code, sent.json()["delivery_method"]) == (201, "sms")
    body = prove("+77017654321", last_code()).json()
    assert (body["is_new_user"], body["refresh_token"], body["shop_id"]) == (True, None, None)
    for path in ("/api/auth/me", "/api/users/", "/api/settings/"):
        answer = Caller()("GET", path, Authorization=f"Bearer {body['access_token']}")
        assert answer.status_code == 401, path


@pytest.mark.parametrize("phone", ["87011234567", "+7701123456", "+998901234567", "+7701123456a", ""])
def test_a_malformed_phone_is_422(phone: str) -> None:
    answer = ask(phone)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "phone"]
    assert phone == "" or phone not in answer.content.decode()


def test_three_wrong_codes_burn_it(aida: Employee) -> None:
    ask(aida.phone)
    right = last_code()
    for _ in range(3):
        assert prove(aida.phone, wrong(right)).status_code == 400
    assert prove(aida.phone, right).status_code == 400
    assert Session.objects.count() == 0


def test_a_code_serves_once_and_five_minutes(aida: Employee) -> None:
    ask(aida.phone)
    code = last_code()
    assert prove(aida.phone, code).status_code == 200
    assert prove(aida.phone, code).status_code == 400
    ask(aida.phone)
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=False):
        assert prove(aida.phone, last_code()).json()["detail"] == "Code has expired"


def test_codes_are_limited_per_minute_and_hour(aida: Employee) -> None:
    moment = timezone.now().replace(minute=0, second=1)
    with time_machine.travel(moment, tick=False) as clock:
        assert [ask(aida.phone).status_code for _ in range(4)] == [201, 201, 201, 429]
        refused = ask(aida.phone)
        assert int(refused.headers["Retry-After"]) <= 61
        for _ in range(7):
            clock.shift(61)
            last = ask(aida.phone).status_code
            assert last == 201
        clock.shift(61)
        assert [ask(aida.phone).status_code for _ in range(3)][-1] == 429


def test_the_codes_are_random_and_kept_hashed(aida: Employee) -> None:
    ask(aida.phone)
    row = OneTimeCode.objects.get()
    assert last_code() not in f"{row.code_hash}{row.salt}"


class TestTheTestPhone:
    """Defect 6: as-is 111111 opened the test phone also in production."""

    @pytest.fixture(autouse=True)
    def known(self, settings: Any) -> None:
        settings.FLORIST = dataclasses.replace(settings.FLORIST, test_phone="+77011234567", test_code="111111")

    def test_it_has_its_code_with_debug(self, settings: Any, rosa: Shop) -> None:
        settings.DEBUG = True
        employee = cast.employee(rosa, Role.ADMIN, phone="+77011234567")
        sent = ask(employee.phone).json()
        assert (sent["delivery_method"], sent["otp"]) == ("test", "111111")
        assert prove(employee.phone, "111111").status_code == 200

    def test_it_is_like_any_other_without(self, settings: Any, rosa: Shop) -> None:
        settings.DEBUG = False
        employee = cast.employee(rosa, Role.ADMIN, phone="+77011234567")
        sent = ask(employee.phone).json()
        assert (sent["delivery_method"], "otp" in sent) == ("sms", False)
        assert prove(employee.phone, "111111").status_code == 400

    def test_another_phone_never_has_it(self, settings: Any, aida: Employee) -> None:
        settings.DEBUG = True
        ask(aida.phone)
        assert prove(aida.phone, "111111").status_code == 400


def test_where_no_text_gets_through_the_bot_is_named(
    aida: Employee, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out(**_: Any) -> None:
        raise VendorBusy()

    monkeypatch.setattr(port("sms"), "send", out)
    settings.INTEGRATIONS = dataclasses.replace(settings.INTEGRATIONS, telegram_bot_username="rosa_bot")
    for phone in (aida.phone, "+77019999999"):
        body = ask(phone).json()
        assert (body["delivery_method"], body["bot_link"]) == ("need_registration", "https://t.me/rosa_bot?start=login")
        assert len(body["instructions"]) == 4
    settings.INTEGRATIONS = dataclasses.replace(settings.INTEGRATIONS, telegram_bot_username="")
    assert ask(aida.phone).status_code == 502


class TestPasswords:
    """The seed's `POST /api/auth/login`."""

    @pytest.fixture
    def keen(self, aida: Employee) -> Employee:
        aida.user.set_password("correct horse 7")
        aida.user.save()
        aida.email = "aida@rosa.kz"
        aida.save()
        return aida

    @pytest.mark.parametrize("name", ["phone", "email", "username"])
    def test_phone_and_email_open(self, keen: Employee, name: str) -> None:
        value = {"phone": keen.phone.replace("+7", "8"), "email": "AIDA@rosa.kz", "username": keen.phone}[name]
        answer = Caller()("POST", "/api/auth/login", {name: value, "password": "correct horse 7"})
        assert (answer.status_code, answer.json()["user_role"]) == (200, "florist")

    def test_a_code_opens_too(self, keen: Employee) -> None:
        ask(keen.phone)
        answer = Caller()("POST", "/api/auth/login", {"phone": keen.phone, "otp_code": last_code()})
        assert answer.status_code == 200

    def test_wrong_and_unknown_say_the_same(self, keen: Employee) -> None:
        for body in (
            {"phone": keen.phone, "password": "wrong"},
            {"phone": "+77010000001", "password": "wrong"},
            {"email": "nobody@rosa.kz", "password": "wrong"},
        ):
            answer = Caller()("POST", "/api/auth/login", body)
            assert (answer.status_code, answer.json()["detail"]) == (401, "Incorrect credentials")

    @pytest.mark.parametrize(
        "body", [{}, {"phone": "+77010000001"}, {"password": "x"}, {"email": "a@b.kz", "otp_code": "123456"}]
    )
    def test_half_a_credential_is_422(self, body: dict[str, str]) -> None:
        assert Caller()("POST", "/api/auth/login", body).status_code == 422

    def test_tries_are_limited(self, keen: Employee) -> None:
        body = {"phone": keen.phone, "password": "wrong"}
        limit = django_settings.FLORIST.login_limit
        codes = [Caller()("POST", "/api/auth/login", body).status_code for _ in range(limit + 1)]
        assert codes == [401] * limit + [429]
        body["password"] = "correct horse 7"
        assert Caller()("POST", "/api/auth/login", body).status_code == 429

    def test_a_stranger_with_a_password_of_the_house_does_not_get_in(self, rosa: Shop) -> None:
        User.objects.create_user(username="x", phone="+77015550000", password="correct horse 7")
        answer = Caller()("POST", "/api/auth/login", {"phone": "+77015550000", "password": "correct horse 7"})
        assert answer.status_code == 401

    def test_whoever_proves_the_phone_chooses_a_password(self, aida: Employee) -> None:
        old = tokens.issue(aida.user, "florist", aida.pk)
        ask(aida.phone)
        body = {"phone": aida.phone, "otp_code": last_code(), "new_password": "battery staple 9"}
        assert Caller()("POST", "/api/auth/password", body).status_code == 200
        assert Caller()("POST", "/api/auth/password", body).status_code == 400
        again = Caller()("POST", "/api/auth/login", {"phone": aida.phone, "password": "battery staple 9"})
        assert again.status_code == 200
        assert Caller()("GET", "/api/auth/me", Authorization=f"Bearer {old.access}").status_code == 401

    def test_nobody_chooses_a_password_for_a_phone_that_works_nowhere(self, rosa: Shop) -> None:
        person = User.objects.create_user(username="y", phone="+77015550001", password="correct horse 7")
        ask("+77015550001")
        body = {"phone": "+77015550001", "otp_code": last_code(), "new_password": "battery staple 9"}
        assert Caller()("POST", "/api/auth/password", body).status_code == 404
        person.refresh_from_db()
        assert person.check_password("correct horse 7")


class TestRefresh:
    def pair(self, who: Employee) -> tokens.Pair:
        return sessions.open_session(who)

    @pytest.mark.parametrize("name", ["refresh_token", "refreshToken"])
    def test_it_rotates(self, aida: Employee, name: str) -> None:
        pair = self.pair(aida)
        answer = Caller()("POST", "/api/auth/refresh", {name: pair.refresh})
        body = answer.json()
        assert (answer.status_code, set(body)) == (200, {"access_token", "refresh_token", "token_type"})
        assert body["refresh_token"] != pair.refresh
        assert Caller()("GET", "/api/auth/me", Authorization=f"Bearer {body['access_token']}").status_code == 200

    def test_a_used_one_kills_the_family(self, aida: Employee) -> None:
        pair = self.pair(aida)
        fresh = Caller()("POST", "/api/auth/refresh", {"refresh_token": pair.refresh}).json()
        assert Caller()("POST", "/api/auth/refresh", {"refresh_token": pair.refresh}).status_code == 401
        assert Caller()("GET", "/api/auth/me", Authorization=f"Bearer {fresh['access_token']}").status_code == 401

    def test_an_access_token_or_nonsense_is_401(self, aida: Employee) -> None:
        for token in (self.pair(aida).access, "nonsense", tokens.issue(aida.user, "shop", aida.pk).refresh):
            assert Caller()("POST", "/api/auth/refresh", {"refresh_token": token}).status_code == 401

    def test_the_dismissed_are_not_renewed(self, aida: Employee) -> None:
        pair = self.pair(aida)
        Employee.objects.filter(pk=aida.pk).update(is_active=False)
        answer = Caller()("POST", "/api/auth/refresh", {"refresh_token": pair.refresh})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")

    def test_lives_are_those_of_the_settings(self, aida: Employee) -> None:
        pair = self.pair(aida)
        assert (pair.access_seconds, pair.refresh_seconds) == (1800, 7 * 86_400)


def test_logging_out_ends_the_session(aida: Employee) -> None:
    pair = sessions.open_session(aida)
    headers = {"Authorization": f"Bearer {pair.access}"}
    assert Caller()("POST", "/api/auth/logout", **headers).status_code == 204
    assert Caller()("GET", "/api/auth/me", **headers).status_code == 401
    assert Caller()("POST", "/api/auth/refresh", {"refresh_token": pair.refresh}).status_code == 401
    assert Caller()("POST", "/api/auth/logout", **headers).status_code == 401


class TestTwoShops:
    """One human in two shops enters the one that his token names."""

    @pytest.fixture
    def both(self, aida: Employee, tulip: Shop) -> tuple[Employee, Employee]:
        return aida, cast.employee(tulip, Role.MANAGER, "Aida of Tulip", phone=aida.phone, user=aida.user)

    def test_each_token_opens_its_own(self, both: tuple[Employee, Employee]) -> None:
        for employee in both:
            body = Caller(employee)("GET", "/api/auth/current-user").json()
            assert (body["user"]["id"], body["shop"]["id"]) == (employee.pk, employee.shop_id)

    def test_the_code_opens_the_chosen_or_the_last_used(self, both: tuple[Employee, Employee]) -> None:
        """Not the newest: whoever hires a stranger's phone must not find him at his own door."""
        first, second = both[0].shop_id, both[1].shop_id
        opened = []
        for chosen in ({}, {"shop_id": second}, {}):
            ask(both[0].phone)
            opened.append(prove(both[0].phone, last_code(), **chosen).json()["shop_id"])
        assert opened == [first, second, second]

    def test_leaving_one_ends_only_its_tokens(self, both: tuple[Employee, Employee]) -> None:
        callers = [Caller(employee) for employee in both]
        Employee.objects.filter(pk=both[1].pk).update(is_active=False)
        assert [caller("GET", "/api/auth/me").status_code for caller in callers] == [200, 401]

    def test_a_token_of_somebody_else_with_my_id_is_nobody(
        self, both: tuple[Employee, Employee], bek: Employee
    ) -> None:
        forged = tokens.issue(bek.user, "florist", both[0].pk)
        assert Caller()("GET", "/api/auth/me", Authorization=f"Bearer {forged.access}").status_code == 401


class TestANumberFindsANewOwner:
    """A phone on a seat is where to call somebody; the door is the phone by which the house knows the person."""

    NEW = "+77018887766"

    @pytest.fixture
    def moved(self, aida: Employee) -> str:
        """Aida has another number in the whole house; returns the old one, which her seat still shows."""
        accounts.set_identifier(user=aida.user, phone=self.NEW, phone_verified_at=timezone.now())
        return aida.phone

    def test_the_next_owner_does_not_get_in(self, aida: Employee, moved: str) -> None:
        ask(moved)
        body = prove(moved, last_code()).json()
        assert (body["is_new_user"], body["shop_id"], body["refresh_token"]) == (True, None, None)
        assert not Session.objects.filter(user=aida.user).exists()

    def test_nor_does_somebody_whom_the_house_knows_by_it(self, aida: Employee, moved: str, tulip: Shop) -> None:
        there = cast.employee(tulip, Role.COURIER, phone=moved)
        ask(moved)
        body = prove(moved, last_code(), shop_id=aida.shop_id).json()
        assert body["shop_id"] is None
        ask(moved)
        assert prove(moved, last_code()).json()["shop_id"] == there.shop_id

    def test_she_enters_by_the_new_one_and_her_seat_shows_it(self, aida: Employee, moved: str) -> None:
        for _ in range(2):
            ask(self.NEW)
            assert prove(self.NEW, last_code()).json()["shop_id"] == aida.shop_id
        aida.refresh_from_db()
        assert aida.phone == self.NEW
        assert [row.after for row in EmployeeChange.objects.filter(employee=aida)] == [{"fields": ["phone"]}]

    def test_a_colleagues_seat_keeps_what_it_shows(self, aida: Employee, moved: str, rosa: Shop) -> None:
        Employee.objects.filter(pk=cast.employee(rosa, Role.COURIER).pk).update(phone=self.NEW)
        ask(self.NEW)
        assert prove(self.NEW, last_code()).json()["user_name"] == "Aida"
        aida.refresh_from_db()
        assert aida.phone == moved

    def test_a_second_number_of_a_merged_person_is_still_hers(self, aida: Employee, bek: Employee) -> None:
        accounts.merge(by=None, keep=bek.user, gone=aida.user, reason="test")
        ask(aida.phone)
        assert prove(aida.phone, last_code()).json()["user_name"] == "Bek"
        bek.refresh_from_db()
        assert bek.phone == bek.user.phone != aida.phone

    def test_the_codes_of_the_next_owner_are_not_hers_to_see(self, olga: Employee) -> None:
        old = olga.phone
        accounts.set_identifier(user=olga.user, phone=self.NEW)
        assert Caller(olga)("GET", f"/api/auth/otp-status/{old}").status_code == 404
        assert Caller(olga)("GET", f"/api/auth/otp-status/{self.NEW}").status_code == 200

    def test_the_next_owner_is_not_told_that_a_shop_is_closed(self, olga: Employee) -> None:
        accounts.set_identifier(user=olga.user, phone=self.NEW)
        Shop.objects.update(is_active=False)
        ask(olga.phone)
        assert prove(olga.phone, last_code()).json()["is_new_user"] is True


def test_the_owner_of_a_closed_shop_is_told_so(olga: Employee) -> None:
    Shop.objects.update(is_active=False)
    ask(olga.phone)
    answer = prove(olga.phone, last_code())
    assert (answer.status_code, answer.json()["code"]) == (403, "shop_closed")
    assert not RegistrationSession.objects.exists()


def test_no_token_and_a_bad_one_are_401(rosa: Shop) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eA=="}):
        answer = Caller()("GET", "/api/auth/me", **headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_blocked_person_is_out(aida: Employee) -> None:
    caller = Caller(aida)
    accounts.block(by=None, user=aida.user, reason="test")
    assert caller("GET", "/api/auth/me").status_code in (401, 403)


class TestTheSeatOfAToken:
    """Read with fixed SQL at every request: it says what the tables say."""

    def test_it_is_the_row_of_the_employee_with_his_shop(self, aida: Employee) -> None:
        Employee.objects.filter(pk=aida.pk).update(permissions={"orders": False}, telegram_id=7)
        found, row = employees.named(aida.user, str(aida.pk)), Employee.objects.select_related("shop").get(pk=aida.pk)
        assert found is not None
        for mine, theirs in ((found, row), (found.shop, row.shop)):
            names = [field.attname for field in theirs._meta.concrete_fields]
            assert {name: getattr(mine, name) for name in names} == {name: getattr(theirs, name) for name in names}
        with query_budget(0):
            assert (found.user, found.shop.name) == (aida.user, "Rosa")
        assert employees.named(aida.user_id, str(aida.pk)) == row

    @pytest.mark.parametrize("what", ["seat", "shop", "person"])
    def test_whoever_is_out_has_none(self, aida: Employee, what: str) -> None:
        rows: Any = {
            "seat": Employee.objects.filter(pk=aida.pk),
            "shop": Shop.objects.filter(pk=aida.shop_id),
            "person": User.objects.filter(pk=aida.user_id),
        }[what]
        rows.update(is_active=False)
        user = User.objects.get(pk=aida.user_id)
        assert employees.named(user, str(aida.pk)) is employees.named(user.pk, str(aida.pk)) is None

    @pytest.mark.parametrize("subject", ["", "0", "-1", "1 or 1=1", "٣", "9" * 19, "x"])
    def test_odd_subjects_are_nobody(self, aida: Employee, subject: str) -> None:
        assert employees.named(aida.user, subject) is None

    def test_another_persons_seat_is_not_his(self, aida: Employee, bek: Employee) -> None:
        assert employees.named(bek.user, str(aida.pk)) is None


class TestOtpStatus:
    def test_of_ones_own_phone(self, olga: Employee) -> None:
        caller = Caller(olga)
        nothing = caller("GET", f"/api/auth/otp-status/{olga.phone}").json()
        assert nothing == {
            "exists": False,
            "attempts": 0,
            "remaining_attempts": 0,
            "ttl_seconds": 0,
            "created_at": None,
        }
        ask(olga.phone)
        prove(olga.phone, wrong(last_code()))
        body = caller("GET", f"/api/auth/otp-status/{olga.phone}").json()
        assert (body["exists"], body["attempts"], body["remaining_attempts"]) == (True, 1, 2)
        assert 290 <= body["ttl_seconds"] <= 300

    def test_of_anybody_elses_it_is_404_and_for_staff_403(self, olga: Employee, bek: Employee, aida: Employee) -> None:
        assert Caller(olga)("GET", f"/api/auth/otp-status/{aida.phone}").status_code == 404
        assert Caller(bek)("GET", f"/api/auth/otp-status/{bek.phone}").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        *("/debug/env", "/api/auth/redis-test", "/auth/debug/register-telegram", "/api/auth/debug/register-telegram"),
        *("/auth/create-test-shop", "/api/auth/create-test-shop", "/auth/test-token", "/api/auth/test-token"),
        *("/api/init/initialize?force=true", "/api/init/status", "/..%2fmanage.py"),
    ],
)
def test_what_was_dropped_is_gone(olga: Employee, path: str) -> None:
    """Defects 8 and 10, and the debug routes of section 1.1."""
    for method in ("GET", "POST"):
        assert Caller(olga)(method, path).status_code == 404
