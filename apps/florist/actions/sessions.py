"""In and out of a shop: codes, passwords, Telegram, renewing (contract florist 1.1, 3.3)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts import tokens
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.kit import CodeFigures, LoginFigures
from apps.accounts.models import OneTimeCode
from apps.core import throttle
from apps.core.throttle import Limit
from apps.florist import errors
from apps.florist.actions import people as staff
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee, RegistrationSession, Shop
from apps.florist.queries import employees
from apps.integrations import telegram
from apps.integrations.telegram import InitDataRefused, read_init_data

WINDOW_SECONDS = 300
"""Window of the sign-in limits."""

PURPOSE = "login"
"""One kind of code: it proves a phone, for signing in and for opening a shop alike."""

REGISTRATION = "florist-registration"
"""Audience of the tokens that a proved but unknown phone gets: no path but completing takes them."""

INIT_DATA_SECONDS = 300
"""How old a Mini App's proof may be (contract 3.3)."""

MALFORMED = frozenset(
    {
        telegram.MISSING_HASH,
        telegram.MISSING_USER,
        telegram.INVALID_USER,
        telegram.INVALID_DATE,
        telegram.DUPLICATE_KEY,
    }
)
"""Reasons that say "this is no initData" (400); the others say "this is not from Telegram" (401)."""


@dataclass(frozen=True)
class Entrance:
    """What a proof opens. Without an employee the token is good for opening a shop only."""

    pair: tokens.Pair = field(repr=False)
    employee: Employee | None
    is_new: bool = False


@dataclass(frozen=True)
class Sent:
    """How a code went out: telegram, sms, test, or not at all (`need_registration`: the bot proves phones too)."""

    delivery_method: str
    otp: str | None = field(default=None, repr=False)


def token_figures() -> tokens.TokenFigures:
    """Lives of our tokens."""
    conf = settings.FLORIST
    return tokens.TokenFigures(conf.access_minutes * 60, conf.refresh_days * 86_400, signing_key=conf.secret_key)


def registration_figures() -> tokens.TokenFigures:
    """As long as the session lives that they stand for."""
    life = settings.FLORIST.registration_minutes * 60
    return tokens.TokenFigures(life, life, signing_key=settings.FLORIST.secret_key)


tokens.register(PRODUCT, token_figures)
tokens.register(REGISTRATION, registration_figures)


def code_figures(phone: str = "") -> CodeFigures:
    """How our codes behave: a new one kills the old one, three wrong tries burn it (contract 3.3).

    The test phone has its fixed code on a developer's machine only.
    """
    conf = settings.FLORIST
    figures = CodeFigures(
        product=PRODUCT,
        life_seconds=conf.otp_seconds,
        tries=conf.otp_tries,
        resend_seconds=0,
        lock_seconds=0,
        by_phone=Limit(conf.otp_per_minute, 60),
        by_phone_long=Limit(conf.otp_per_hour, 3600),
    )
    return replace(figures, fixed_code=conf.test_code) if is_test_phone(phone) else figures


def is_test_phone(phone: str) -> bool:
    """Whether the fixed code counts: only with DEBUG, whatever the environment says (defect 6)."""
    conf = settings.FLORIST
    return bool(settings.DEBUG and conf.test_code and phone == conf.test_phone)


def login_figures() -> LoginFigures:
    """Per address and name, and per address against one password tried on many names."""
    limit = settings.FLORIST.login_limit
    return LoginFigures(
        by_address=Limit(limit * 5, WINDOW_SECONDS), by_identifier=Limit(limit, WINDOW_SECONDS), country="KZ"
    )


def request_code(*, phone: str, caller: Caller = NOWHERE) -> Sent:
    """Send a code to a phone, whoever it belongs to: the answer does not tell whether we know him.

    Where no text message gets through, the bot is named instead. Raises what `accounts.request_code` raises.
    """
    figures = code_figures(phone)
    try:
        code = accounts.request_code(phone=phone, purpose=PURPOSE, figures=figures, caller=caller)
    except (accounts.CodeNotSent, accounts.SpendCapReached, accounts.PrefixNotServed):
        if not settings.INTEGRATIONS.telegram_bot_username:
            raise
        return Sent("need_registration")
    if figures.fixed_code:
        return Sent("test", figures.fixed_code)
    return Sent("telegram" if code.channel == OneTimeCode.Channel.BOT else "sms")


def prove_phone(*, phone: str, code: str, shop_id: int | None = None, caller: Caller = NOWHERE) -> Entrance:
    """Sign somebody in by a code; an unknown phone gets a token for opening a shop.

    Call outside of any transaction. Raises `accounts.CodeWrong`, `CodeExpired`, `CodeBurnt`, `TooManyTries`,
    `PersonBlocked`, `ShopClosed`.
    """
    figures = code_figures(phone)
    found = accounts.check_code(phone=phone, purpose=PURPOSE, code=code, figures=figures, caller=caller)
    with transaction.atomic():
        accounts.use_code(found)
        employee = employees.of_phone(phone, shop_id)
        if employee is not None:
            _note_proof(employee, phone)
            return Entrance(pair=open_session(employee, caller=caller), employee=employee)
        if employees.owns_a_closed_shop(phone):
            raise errors.ShopClosed()
        return Entrance(pair=_begin_registration(phone), employee=None, is_new=True)


def _note_proof(employee: Employee, phone: str) -> None:
    user = employee.user
    if user.phone != phone:  # it leads to him from a row that was merged into his
        return
    if user.phone_verified_at is None:
        accounts.set_identifier(user=user, phone=phone, phone_verified_at=timezone.now())
    staff.renew_phone(employee=employee, phone=phone)


def _begin_registration(phone: str) -> tokens.Pair:
    until = timezone.now() + timedelta(minutes=settings.FLORIST.registration_minutes)
    session = RegistrationSession.objects.create(id=uuid.uuid4(), phone=phone, expires_at=until)
    return tokens.bare(REGISTRATION, session.pk)


def log_in(*, identifier: str, password: str, shop_id: int | None = None, caller: Caller = NOWHERE) -> Entrance:
    """By phone or e-mail and password.

    Raises `accounts.WrongCredentials` also for a right password of somebody who works nowhere here, `TooManyTries`,
    `PersonBlocked`.
    """
    user = accounts.log_in(
        identifier=identifier,
        password=password,
        figures=login_figures(),
        caller=caller,
        find=employees.person_called,
    )
    employee = employees.of_person(user, shop_id)
    if employee is None:
        raise accounts.WrongCredentials()
    return Entrance(pair=_tokens_of(employee, caller), employee=employee)


def choose_password(*, phone: str, code: str, password: str, caller: Caller = NOWHERE) -> Entrance:
    """A first password or a new one, for whoever proves his phone; everything signed in before is signed out.

    Raises `accounts.CodeWrong`, `CodeExpired`, `CodeBurnt`, `TooManyTries`, `PasswordTooWeak`, `EmployeeNotFound`.
    """
    figures = code_figures(phone)
    found = accounts.check_code(phone=phone, purpose=PURPOSE, code=code, figures=figures, caller=caller)
    person = people.person(phone=phone)
    employee = employees.of_person(person) if person else None
    if employee is None:
        raise errors.EmployeeNotFound()
    with transaction.atomic():
        accounts.use_code(found)
        accounts.set_password(user=employee.user, new=password, caller=caller)
        return Entrance(pair=open_session(employee, caller=caller), employee=employee)


def log_in_by_telegram(*, init_data: str, roles: frozenset[str] = frozenset(), caller: Caller = NOWHERE) -> Entrance:
    """By a Mini App's proof: the Telegram account decides, never a phone that the client names (defect 4).

    `roles` narrows to some; of several jobs the last used goes first, then owners and managers.
    Raises `InitDataMalformed`, `accounts.InitDataInvalid`, `NoShopForTelegram`.
    """
    limit_by_address("telegram", caller)
    profile = _proved(init_data)
    person = people.person(telegram_id=profile.id)
    rows = list(employees.working().filter(user=person).order_by("id")[: employees.MOST_JOBS]) if person else []
    fitting = [row for row in rows if not roles or row.role in roles]
    employee = employees.usual(sorted(fitting, key=lambda row: Employee.Role.values.index(row.role)))
    if employee is None:
        raise errors.NoShopForTelegram()
    return Entrance(pair=open_session(employee, caller=caller), employee=employee)


def _proved(init_data: str) -> telegram.TelegramProfile:
    try:
        profile = read_init_data(init_data)
    except InitDataRefused as refused:
        if refused.reason in MALFORMED:
            raise errors.InitDataMalformed(reason=refused.reason) from refused
        raise accounts.InitDataInvalid(reason=refused.reason) from refused
    assert profile.auth_date is not None  # read_init_data refuses proofs without one
    if timezone.now() - profile.auth_date > timedelta(seconds=INIT_DATA_SECONDS):
        raise accounts.InitDataInvalid(reason=telegram.TOO_OLD)
    return profile


def open_session(employee: Employee, *, caller: Caller = NOWHERE) -> tokens.Pair:
    """The first pair of tokens after a proof. Raises `accounts.PersonBlocked`."""
    accounts.admit(user=employee.user, caller=caller)
    return _tokens_of(employee, caller)


def _tokens_of(employee: Employee, caller: Caller) -> tokens.Pair:
    Shop.objects.filter(pk=employee.shop_id).update(last_login_at=timezone.now())
    return tokens.issue(employee.user, PRODUCT, employee.pk, caller=caller)


def renew(*, refresh: str, caller: Caller = NOWHERE) -> tokens.Pair:
    """A new pair for the newest refresh token; an old one kills its family. Call outside of any transaction.

    Raises `RefreshTokenInvalid`, `accounts.TooManyTries`.
    """
    limit_by_address("refresh", caller)
    try:
        proof = tokens.read(refresh, PRODUCT, "refresh")
        person_id: Any = proof.link.person_id if proof.link else None
        if employees.named(person_id, proof.subject) is None:
            raise errors.RefreshTokenInvalid()
        return accounts.rotate(refresh, audience=PRODUCT, caller=caller)
    except (accounts.TokenInvalid, accounts.PersonBlocked) as problem:
        raise errors.RefreshTokenInvalid() from problem


def limit_by_address(door: str, caller: Caller) -> None:
    """Long secrets are hard to guess; trying is still counted. Raises `accounts.TooManyTries`."""
    if caller.address:
        limit = Limit(settings.FLORIST.login_limit * 5, WINDOW_SECONDS)
        throttle.hit(f"{PRODUCT}:{door}", caller.neighbourhood, limit, refusal=accounts.TooManyTries)
