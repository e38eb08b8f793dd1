"""In and out of the shop: registering, signing in, renewing, forgotten passwords (contract shop 1.1, 3.1)."""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.kit import CodeFigures, LoginFigures
from apps.accounts.models import MailToken, User
from apps.core import throttle
from apps.core.errors import Refused
from apps.core.throttle import Limit
from apps.shop import errors
from apps.shop.conf import PRODUCT
from apps.shop.models import Customer
from apps.shop.queries import customers as questions

log = logging.getLogger(__name__)

RESET_CODES = CodeFigures(product=PRODUCT, brand="Mahalla", by_phone=Limit(3, 900), lock_seconds=900)
"""One-time codes for forgotten passwords."""

RESET_PURPOSE = "reset"
BY_ADDRESS = Limit(300, 900)
"""Sign-in tries per address, whatever the name: against one password tried on many names."""

LETTER = accounts.Letter(
    link="{token}",
    subject=_("A new password"),
    text=_("Hello, {name}. Your code for a new password: {link}. If you did not ask for it, do nothing."),
)
MAIL_CODE = re.compile(r"[\w-]{20,}")
"""What a letter brings is longer than what a text message brings."""


def token_figures() -> tokens.TokenFigures:
    """Lives of our tokens and the absolute end of a session (K5)."""
    return tokens.TokenFigures(
        access_seconds=settings.SHOP.access_minutes * 60,
        refresh_seconds=settings.SHOP.refresh_days * 86_400,
        session_seconds=settings.SHOP.session_seconds,
    )


tokens.register(PRODUCT, token_figures)


def register(
    *,
    name: str,
    password: str,
    surname: str = "",
    phone_number: str | None = None,
    email: str | None = None,
    caller: Caller = NOWHERE,
) -> Customer:
    """A new customer, never an administrator (D1). Raises `NameTaken`, `PhoneTaken`, `EmailTaken`."""
    given: dict[str, Any] = {
        "name": name.strip(),
        "phone_number": phone_number or None,
        "email": (email or "").lower() or None,
    }
    ensure_free(**given)
    try:
        with transaction.atomic():
            user = accounts.register(
                username=given["name"],
                password=password,
                caller=caller,
                strength=accounts.check_length,
                first_name=given["name"],
                last_name=surname,
            )
            return Customer.objects.create(user=user, surname=surname, **given)
    except accounts.UsernameTaken as problem:
        raise errors.NameTaken() from problem
    except IntegrityError:  # two registrations at once: the row that won names the refusal
        ensure_free(**given)
        raise


def ensure_free(*, name: str = "", phone_number: str | None = None, email: str | None = None, but: Any = None) -> None:
    """Nobody else (than customer id `but`) is called so. Raises `NameTaken`, `PhoneTaken`, `EmailTaken`."""
    others = Customer.objects.exclude(pk=but)
    if name and others.called(name).exists():
        raise errors.NameTaken()
    if phone_number and others.filter(phone_number=phone_number).exists():
        raise errors.PhoneTaken()
    if email and others.filter(email=email).exists():
        raise errors.EmailTaken()


def log_in(*, identifier: str, password: str, caller: Caller = NOWHERE) -> Customer:
    """The customer behind a name, phone or e-mail (K3). A person of the house joins the shop by signing in.

    Raises `WrongCredentials`, `accounts.TooManyTries`, `accounts.PersonBlocked`.
    """
    by_name = Limit(settings.SHOP.login_rate_limit, settings.SHOP.login_rate_window_seconds)
    figures = LoginFigures(by_address=BY_ADDRESS, by_identifier=by_name, counts_successes=True)
    try:
        user = accounts.log_in(
            identifier=identifier, password=password, figures=figures, caller=caller, find=questions.person_called
        )
    except accounts.WrongCredentials as problem:
        raise errors.WrongCredentials() from problem
    return join(user=user)


def join(*, user: User) -> Customer:
    """The membership of a person; made on first sight under the person's name, or a numbered one when that is taken."""
    if found := Customer.objects.select_related("user").filter(user=user).first():
        return found
    wanted = (user.username or user.first_name or f"user{user.pk}")[:90]
    name = f"{wanted}-{secrets.token_hex(4)}" if Customer.objects.called(wanted).exists() else wanted
    try:
        with transaction.atomic():
            return Customer.objects.create(user=user, name=name, surname=user.last_name[:100])
    except IntegrityError:  # another request of the same person was quicker
        return Customer.objects.select_related("user").get(user=user)


def open_session(customer: Customer, *, caller: Caller = NOWHERE) -> tokens.Pair:
    """The first pair of tokens after a proof."""
    return tokens.issue(customer.user, PRODUCT, customer.pk, caller=caller)


def renew(*, refresh: str, caller: Caller = NOWHERE) -> tuple[Customer, tokens.Pair]:
    """A new pair for the newest refresh token; an old one kills its family (D24). Raises `RefreshTokenInvalid`."""
    try:
        subject = tokens.read(refresh, PRODUCT, "refresh").subject
        customer = Customer.objects.select_related("user").filter(pk=subject, deleted_at=None).first()
        if customer is None:
            raise errors.RefreshTokenInvalid()
        return customer, accounts.rotate(refresh, audience=PRODUCT, caller=caller)
    except (accounts.TokenInvalid, accounts.PersonBlocked, ValueError) as problem:
        raise errors.RefreshTokenInvalid() from problem


def log_out(*, held: list[str], caller: Caller = NOWHERE) -> None:
    """End the sessions of every token that the request holds. Never fails."""
    for token in held:
        accounts.log_out(token, audience=PRODUCT, caller=caller)


def change_password(*, by: Customer, current: str, new: str, caller: Caller = NOWHERE) -> None:
    """Replace a known password; all sessions end.

    Raises `CurrentPasswordWrong`, `accounts.PasswordTooWeak`, `accounts.TooManyTries`: a stolen token guesses no longer
    than a stranger at the door.
    """
    tries = Limit(settings.SHOP.login_rate_limit, settings.SHOP.login_rate_window_seconds)
    throttle.hit("shop-password", by.pk, tries, refusal=accounts.TooManyTries)
    try:
        accounts.change_password(by=by.user, old=current, new=new, caller=caller, strength=accounts.check_length)
    except accounts.OldPasswordWrong as problem:
        raise errors.CurrentPasswordWrong() from problem


def send_reset_code(*, identifier: str, caller: Caller = NOWHERE) -> None:
    """A code by text message, or by letter without a phone. Says nothing about who exists (D2).

    A code that cannot be sent now is noted, not refused: another answer would tell who is a customer.
    """
    try:
        _send_reset_code(identifier, caller)
    except Refused as refused:
        log.info("no reset code sent", extra={"code": refused.code})


def _send_reset_code(identifier: str, caller: Caller) -> None:
    customer = questions.called(identifier)
    if customer is None or not customer.user.is_active:
        return
    if phone := questions.phone_of(customer):
        accounts.request_code(phone=phone, purpose=RESET_PURPOSE, figures=RESET_CODES, caller=caller)
    elif address := customer.email or customer.user.email:
        kind = MailToken.Kind.RESET
        accounts.send_mail_token(user=customer.user, kind=kind, letter=LETTER, email=address, caller=caller)


def reset_password(*, identifier: str, code: str, new: str, caller: Caller = NOWHERE) -> None:
    """A new password for whoever holds the code; all sessions end.

    Raises `ResetCodeWrong`, `accounts.TooManyTries`, `accounts.PasswordTooWeak`.
    """
    customer = questions.called(identifier)
    if customer is None:
        raise errors.ResetCodeWrong()
    try:
        if MAIL_CODE.fullmatch(code):
            _reset_by_letter(customer, code, new, caller)
        else:
            _reset_by_code(customer, code, new, caller)
    except RESET_REFUSALS as problem:
        raise errors.ResetCodeWrong() from problem


RESET_REFUSALS = (
    accounts.CodeWrong,
    accounts.CodeExpired,
    accounts.CodeBurnt,
    accounts.MailTokenWrong,
    accounts.MailTokenExpired,
)


def _reset_by_letter(customer: Customer, code: str, new: str, caller: Caller) -> None:
    if accounts.find_mail_token(code, MailToken.Kind.RESET).user_id != customer.user_id:
        raise errors.ResetCodeWrong()
    accounts.reset_password(code, new=new, caller=caller, strength=accounts.check_length)


def _reset_by_code(customer: Customer, code: str, new: str, caller: Caller) -> None:
    phone = questions.phone_of(customer)
    if not phone:
        raise errors.ResetCodeWrong()
    found = accounts.check_code(
        phone=phone, purpose=RESET_PURPOSE, code=code, figures=RESET_CODES, caller=caller, now=timezone.now()
    )
    with transaction.atomic():
        accounts.use_code(found)
        accounts.set_password(user=customer.user, new=new, caller=caller, strength=accounts.check_length)
