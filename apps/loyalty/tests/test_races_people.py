"""Real threads on PostgreSQL: codes, leaving, giving, hiring (contract loyalty 3.1, 3.8; 7.4, 7.10, 7.12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts.models import OneTimeCode, User
from apps.core.testing import outcomes, race
from apps.ledger import queries as ledger
from apps.ledger.models import Entry
from apps.loyalty.actions import clients, codes, doors, staff
from apps.loyalty.errors import CodeInvalid
from apps.loyalty.models import CashbackTransaction, Client, DeletedPhone, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.race

NEWCOMER = cast.PHONES["newcomer"]


def sent(phone: str, purpose: str) -> str:
    codes.request_code(phone=phone, purpose=purpose)
    return cast.texted_code()


def enter(phone: str, purpose: str, code: str) -> Any:
    return codes.prove_code(phone=phone, purpose=purpose, code=code)


def test_fifty_guesses_at_once_are_five() -> None:
    cast.guest("Jasur", cast.PHONES["jasur"])
    right = sent(cast.PHONES["jasur"], "login")
    guesses = [f"{(int(right) + number) % 10**6:06d}" for number in range(1, 51)]
    race(20, lambda number: enter(cast.PHONES["jasur"], "login", guesses[number]))
    code = OneTimeCode.objects.get()
    assert (code.tries, code.burnt_at is not None, code.used_at) == (5, True, None)
    with pytest.raises(Exception, match="Invalid code"):
        enter(cast.PHONES["jasur"], "login", right)


def test_one_code_registers_one_account() -> None:
    code = sent(NEWCOMER, "register")
    found = outcomes(race(8, lambda _: enter(NEWCOMER, "register", code)))
    assert found["ok"] == 1
    assert (Client.objects.count(), User.objects.filter(phone=NEWCOMER).count()) == (1, 1)


def test_two_proofs_register_one_account(settings: Settings) -> None:
    """Of a product one code lives at a time; a phone of the bypass list is proven without one, as often as it likes."""
    settings.LOYALTY = replace(settings.LOYALTY, otp_bypass_phones=(NEWCOMER,), otp_demo_code="1111")
    found = outcomes(race(2, lambda _: enter(NEWCOMER, "register", "1111")))
    assert found == {"ok": 1, "PhoneRegistered": 1}
    assert Client.objects.count() == 1


def test_of_codes_for_many_purposes_at_once_one_opens_the_door(settings: Settings) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_static_code="123456")
    cast.guest("Jasur", cast.PHONES["jasur"])
    race(4, lambda number: codes.request_code(phone=cast.PHONES["jasur"], purpose=f"p{number}"))
    asked = [row.purpose.removeprefix("loyalty:") for row in OneTimeCode.objects.order_by("id")]
    for older in asked[:-1]:
        with pytest.raises(CodeInvalid):
            enter(cast.PHONES["jasur"], older, "123456")
    assert enter(cast.PHONES["jasur"], asked[-1], "123456").access


def test_one_code_signs_in_once() -> None:
    cast.guest("Jasur", cast.PHONES["jasur"])
    code = sent(cast.PHONES["jasur"], "login")
    assert outcomes(race(8, lambda _: enter(cast.PHONES["jasur"], "login", code)))["ok"] == 1


def test_leaving_while_signing_in_leaves_no_living_token() -> None:
    for _ in range(5):
        jasur = cast.guest("Jasur", cast.PHONES["jasur"])
        code = sent(cast.PHONES["jasur"], "login")

        def deed(number: int, jasur: Client = jasur, code: str = code) -> Any:
            return clients.delete(by=jasur) if number else enter(cast.PHONES["jasur"], "login", code)

        entered, left = race(2, deed)
        assert left is None
        if not isinstance(entered, Exception):
            assert Caller(token=entered.access).get("auth/me").status_code == 401
        assert Client.objects.living().count() == 0
        OneTimeCode.objects.all().delete()


def test_shutting_out_while_signing_in_leaves_no_way_in() -> None:
    for _ in range(5):
        jasur = cast.guest("Jasur", cast.PHONES["jasur"])
        code = sent(cast.PHONES["jasur"], "login")

        def deed(number: int, jasur: Client = jasur, code: str = code) -> Any:
            if number:
                return clients.switch(by=None, client_id=jasur.pk, is_active=False)
            return enter(cast.PHONES["jasur"], "login", code)

        entered, shut = race(2, deed)
        assert shut.is_active is False
        if not isinstance(entered, Exception):
            assert Caller(token=entered.access).get("auth/me").status_code in (401, 403)
            assert Caller().post("auth/refresh", {"refresh_token": entered.refresh}).status_code == 401
        clients.delete(by=shut)
        OneTimeCode.objects.all().delete()


def test_leaving_at_once_leaves_once() -> None:
    jasur = cast.guest("Jasur", cast.PHONES["jasur"])
    assert outcomes(race(6, lambda _: clients.delete(by=jasur))) == {"ok": 1, "AccountGone": 5}
    assert DeletedPhone.objects.count() == 1


def test_leaving_while_cashback_comes_books_before_or_not_at_all() -> None:
    jasur = cast.guest("Jasur", cast.PHONES["jasur"])

    def deed(number: int) -> Any:
        return clients.delete(by=jasur) if number == 0 else cast.earn(jasur, 10)

    given = [row for row in race(6, deed)[1:] if isinstance(row, CashbackTransaction)]
    assert cast.balance(jasur) == 10 * len(given)
    assert ledger.audit().is_clean


def test_first_movements_at_once_add_up() -> None:
    jasur = cast.guest("Jasur", cast.PHONES["jasur"])
    assert outcomes(race(12, lambda _: cast.earn(jasur, 10))) == {"ok": 12}
    jasur.refresh_from_db()
    assert (cast.balance(jasur), jasur.points) == (120, 60)
    assert sorted(CashbackTransaction.objects.values_list("balance_after", flat=True)) == [
        Decimal(10 * number) for number in range(1, 13)
    ]


def test_one_key_gives_once() -> None:
    malika, jasur = cast.manager(), cast.guest("Jasur", cast.PHONES["jasur"])
    results = race(8, lambda _: cast.earn(jasur, 10, by=malika, key="k1"))
    assert {row.pk for row in results} == {CashbackTransaction.objects.get().pk}
    assert cast.balance(jasur) == 10


def test_one_notice_is_booked_once() -> None:
    jasur = cast.guest("Jasur", cast.PHONES["jasur"])
    results = race(8, lambda _: cast.iiko(jasur, 10, key="e1"))
    assert len({row.pk for row in results}) == 1
    assert (cast.balance(jasur), Entry.objects.of_persons().count()) == (10, 1)


def test_notices_in_any_order_at_once_end_at_the_newest_balance() -> None:
    jasur = cast.guest("Jasur", cast.PHONES["jasur"])
    noon, story = timezone.now(), [(100, 100), (50, 150), (-120, 30), (20, 50), (5, 55), (-55, 0)]

    def deed(number: int) -> Any:
        amount, balance = story[number]
        moment = noon + timedelta(minutes=number)
        return cast.iiko(jasur, amount, key=f"e{number}", at=moment, balance=Decimal(balance))

    assert outcomes(race(6, deed)) == {"ok": 6}
    assert cast.balance(jasur) == 0
    assert ledger.audit().is_clean


def test_a_phone_is_hired_once() -> None:
    results = race(4, lambda number: cast.waiter("W", cast.PHONES["vali"], f"CODE{number}"))
    assert outcomes(results) == {"ok": 1, "StaffPhoneTaken": 3}
    assert (Staff.objects.count(), User.objects.count()) == (1, 1)


def test_dismissing_while_changing_leaves_the_phone_free() -> None:
    for _ in range(3):
        vali = cast.waiter()

        def deed(number: int, vali: Staff = vali) -> Any:
            if number:
                return staff.dismiss_waiter(by=None, waiter_id=vali.pk)
            return staff.update_waiter(by=None, waiter_id=vali.pk, changes={"name": "V"})

        race(2, deed)
        assert not Staff.objects.filter(phone=cast.PHONES["vali"]).exists()


def test_of_two_renewals_with_one_token_at_most_one_lives() -> None:
    pair = doors.open_session(cast.guest("Jasur", cast.PHONES["jasur"]))
    results = race(4, lambda _: doors.renew(refresh=pair.refresh))
    assert outcomes(results)["ok"] <= 1
