"""Guests sign in and register with a code (contract loyalty 3.1): the house's machine with this product's figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.kit import CodeFigures
from apps.accounts.models import OneTimeCode
from apps.core import throttle
from apps.core.errors import TooMany, VendorDown
from apps.core.throttle import Limit
from apps.loyalty import errors
from apps.loyalty.actions import clients, doors
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import Client, Staff
from apps.loyalty.queries import guests

REGISTER = "register"
TRIES = 5
"""Wrong tries that burn a code."""
NO_LIMIT = Limit(0, 0)
LOOK_UPS = Limit(30, 900)
"""Questions to the restaurant's system per calling address."""


@dataclass(frozen=True)
class Newcomer:
    """What a guest may tell when handing in the code."""

    name: str | None = None
    date_of_birth: date | None = None
    referral_code: str = ""


def code_figures() -> CodeFigures:
    """How this product's codes behave (contract loyalty 3.1, 6)."""
    figures = settings.LOYALTY
    limit = Limit(figures.otp_rate_limit, figures.rate_limit_block_minutes * 60)
    texts: dict[str, Any] = {"text": figures.sms_template} if figures.sms_template else {}
    return CodeFigures(
        product=PRODUCT,
        brand="Sardoba",
        length=figures.otp_length,
        life_seconds=figures.otp_expiration_minutes * 60,
        tries=TRIES,
        resend_seconds=0,
        lock_seconds=figures.rate_limit_block_minutes * 60,
        by_phone=limit,
        by_address=limit,
        unlimited_phones=frozenset(map(doors.staff_phone, figures.otp_unlimited_phones)),
        fixed_code=figures.otp_static_code,
        **texts,
    )


def is_registration(purpose: str) -> bool:
    """Any other purpose is a sign-in."""
    return purpose.lower() == REGISTER


def request_code(*, phone: str, purpose: str, caller: Caller = NOWHERE) -> None:
    """Text a code to a guest, or to somebody whom the restaurant's system knows. The demo's phone gets none.

    Every question counts for its address, whatever the answer: the answers tell whose number is registered.
    Raises `AccountSwitchedOff`, `PhoneUnknown`, `PhoneRegistered`, `TooManyRequests`, `SmsFailed`.
    """
    if doors.is_demo(phone):
        return
    figures = code_figures()
    try:
        if caller.address and phone not in figures.unlimited_phones:
            throttle.hit("loyalty:code:asked", caller.neighbourhood, figures.by_address)
        _ensure_sensible(phone, purpose, caller)
        counted = replace(figures, by_address=NO_LIMIT)
        accounts.request_code(phone=phone, purpose=purpose, figures=counted, caller=caller)
    except TooMany as problem:
        raise doors.too_many(problem) from problem
    except VendorDown as problem:
        raise errors.SmsFailed() from problem


def _ensure_sensible(phone: str, purpose: str, caller: Caller) -> bool:
    """Whether this phone has an account. Raises `AccountSwitchedOff`, `PhoneRegistered`, `PhoneUnknown`."""
    member = Client.objects.living().filter(phone=phone).first()
    is_member = member is not None
    if member is not None and not member.is_active:
        raise errors.AccountSwitchedOff()
    if is_registration(purpose):
        if is_member:
            raise errors.PhoneRegistered()
    elif not is_member and not _is_known(phone, caller):
        raise errors.PhoneUnknown()
    return is_member


def _is_known(phone: str, caller: Caller) -> bool:
    """Ask the restaurant's system, but not for somebody who walks through numbers."""
    try:
        throttle.hit("loyalty:look-up", caller.neighbourhood, LOOK_UPS)
    except TooMany as problem:
        raise doors.too_many(problem) from problem
    return guests.is_known(phone)


def prove_code(
    *, phone: str, purpose: str, code: str, newcomer: Newcomer = Newcomer(), caller: Caller = NOWHERE
) -> tokens.Pair:
    """Sign a guest in, or register one. A refusal after the right code leaves the code unused.

    Raises `CodeInvalid`, `CodeTooOld`, `TooManyRequests`, `ReferralCodeUnknown`, `PhoneUnknown`, `PhoneRegistered`,
    `AccountSwitchedOff`, `accounts.PersonBlocked`.
    """
    if doors.is_demo(phone) and constant_time_compare(code, settings.LOYALTY.otp_demo_code):
        return doors.open_demo()
    proven = None if _is_waved_through(phone, code) else _check(phone, purpose, code, caller)
    is_member = _ensure_sensible(phone, purpose, caller)
    with transaction.atomic():
        _use(proven)
        waiter = _waiter(newcomer.referral_code)
        client = _bind(phone, waiter) if is_member else _join(phone, waiter, newcomer, caller)
        # A blocked person leaves no trace here: no account, no waiter, the code unused. `admit` says so and logs it.
        if not client.user.is_active:
            transaction.set_rollback(True)
    accounts.admit(user=client.user, caller=caller, identifier=phone)
    return doors.open_session(client, caller=caller)


def _is_waved_through(phone: str, code: str) -> bool:
    """A phone of the bypass list with the demo's code. A production start refuses the list."""
    figures = settings.LOYALTY
    listed = phone in map(doors.staff_phone, figures.otp_bypass_phones)
    return listed and not figures.is_production and constant_time_compare(code, figures.otp_demo_code)


def _check(phone: str, purpose: str, code: str, caller: Caller) -> OneTimeCode:
    try:
        return accounts.check_code(phone=phone, purpose=purpose, code=code, figures=code_figures(), caller=caller)
    except TooMany as problem:
        raise doors.too_many(problem) from problem
    except accounts.CodeExpired as problem:
        raise errors.CodeTooOld() from problem
    except (accounts.CodeWrong, accounts.CodeBurnt) as problem:
        raise errors.CodeInvalid() from problem


def _bind(phone: str, waiter: Staff | None) -> Client:
    """The account of this phone, which may have left, or been shut out, since we looked."""
    client = Client.objects.living().select_related("user").lock(errors.PhoneUnknown, phone=phone)
    if not client.is_active:
        raise errors.AccountSwitchedOff()
    return clients.bind(client=client, waiter=waiter)


def _join(phone: str, waiter: Staff | None, newcomer: Newcomer, caller: Caller) -> Client:
    """Of two who come at once the second is told so, and keeps his code."""
    try:
        with transaction.atomic():
            return clients.register(
                phone=phone,
                name=newcomer.name,
                date_of_birth=newcomer.date_of_birth,
                waiter=waiter,
                caller=caller,
            )
    except (IntegrityError, accounts.PhoneTaken) as problem:
        raise errors.PhoneRegistered() from problem


def _use(proven: OneTimeCode | None) -> None:
    try:
        if proven is not None:
            accounts.use_code(proven)
    except accounts.CodeWrong as problem:
        raise errors.CodeInvalid() from problem


def _waiter(referral_code: str) -> Staff | None:
    """Letter case counts; managers have no code."""
    if not referral_code:
        return None
    waiter = Staff.objects.waiters().filter(referral_code=referral_code).first()
    if waiter is None:
        raise errors.ReferralCodeUnknown()
    return waiter
