"""In and out of the tickets: codes by text message, signing in, renewing (contract tickets 1.2, 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from django.conf import settings
from django.db import transaction

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.kit import CodeFigures, LoginFigures
from apps.accounts.models import OneTimeCode
from apps.core import throttle
from apps.core.throttle import Limit
from apps.tickets import errors
from apps.tickets.actions import claims
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Member
from apps.tickets.queries import members as questions

WINDOW_SECONDS = 300
"""Window of every limit here but the letters' (contract tickets 3)."""

PURPOSE = "phone"
"""One kind of code: it proves a phone, for signing in and for registering alike (C2)."""

REGISTRATION = "tickets-registration"
"""Audience of the tokens that a proved but unknown phone gets: no path but registering takes them."""

TEXT = "{brand}: dogrulama kodunuz {code}. Kod {minutes} dakika gecerlidir, kimseyle paylasmayin."
"""ASCII Turkish: one text message instead of two, and any phone shows it."""


@dataclass(frozen=True)
class Entrance:
    """What a proof opens. Without a member the tokens are good for registering only."""

    pair: tokens.Pair = field(repr=False)
    member: Member | None


def token_figures() -> tokens.TokenFigures:
    """Lives of our tokens; clients' own test tokens without `jti` are accepted."""
    return tokens.TokenFigures(
        access_seconds=settings.TICKETS.access_minutes * 60,
        refresh_seconds=settings.TICKETS.refresh_days * 86_400,
        signing_key=settings.TICKETS.jwt_secret_key,
        accepts_bare=True,
    )


def registration_figures() -> tokens.TokenFigures:
    """As long as the code lives that they stand for."""
    life = settings.TICKETS.otp_minutes * 60
    return tokens.TokenFigures(access_seconds=life, refresh_seconds=life, signing_key=settings.TICKETS.jwt_secret_key)


tokens.register(PRODUCT, token_figures)
tokens.register(REGISTRATION, registration_figures)


def code_figures() -> CodeFigures:
    """How our codes behave: a new one kills the old one, five wrong tries burn it (contract tickets 3, D2)."""
    conf = settings.TICKETS
    return CodeFigures(
        product=PRODUCT,
        brand=conf.brand,
        text=TEXT,
        length=conf.otp_length,
        life_seconds=conf.otp_minutes * 60,
        resend_seconds=0,
        lock_seconds=0,
        by_phone=Limit(conf.otp_limit, WINDOW_SECONDS),
        by_phone_long=Limit(conf.otp_limit * 12, 86_400),
        tries_by_address=Limit(conf.otp_tries_limit, WINDOW_SECONDS),
    )


def login_figures() -> LoginFigures:
    """Per address and e-mail, successes too; and per address against one password tried on many names."""
    limit = settings.TICKETS.login_limit
    return LoginFigures(
        by_address=Limit(limit * 30, WINDOW_SECONDS),
        by_identifier=Limit(limit, WINDOW_SECONDS),
        counts_successes=True,
        country="TR",
    )


def request_code(*, phone: str, purpose: Literal["", "login"] = "", caller: Caller = NOWHERE) -> int:
    """Send a code to a mobile phone; returns its life in seconds.

    Raises `AlreadyRegistered` for an account that has a password, unless `purpose` is login (C3), and what
    `accounts.request_code` raises. Whatever is answered counts as one request, so that it is told to nobody for long.
    """
    figures = code_figures()
    member = questions.of_phone(phone)
    if member is not None and member.is_verified and not purpose and questions.has_password(member):
        accounts.count_request(phone=phone, figures=figures, caller=caller)
        raise errors.AlreadyRegistered()
    accounts.request_code(phone=phone, purpose=PURPOSE, figures=figures, caller=caller)
    return figures.life_seconds


def prove_phone(*, phone: str, code: str, by: Member | None = None, caller: Caller = NOWHERE) -> Entrance:
    """Sign a member in by a code. For an unknown phone the code stays good for registering (C2).

    `by` is who is signed in already; whose phone it is that nobody has proved before, `claims.phone_is_theirs` says.
    Call outside of any transaction. Raises `accounts.CodeWrong`, `CodeExpired`, `CodeBurnt`, `TooManyTries`,
    `MemberGone`.
    """
    found = accounts.check_code(phone=phone, purpose=PURPOSE, code=code, figures=code_figures(), caller=caller)
    member = questions.of_phone(phone)
    if member is None:
        return Entrance(pair=tokens.bare(REGISTRATION, found.pk), member=None)
    with transaction.atomic():
        accounts.use_code(found)
        still = Member.objects.of_phone(phone).lock(errors.MemberGone, pk=member.pk)
        member = claims.phone_is_theirs(still, by=by, caller=caller)
        return Entrance(pair=open_session(member, caller=caller), member=member)


def registration_token(token: str) -> str:
    """The token when it is one for registering; else nothing: a client may send an old access token along."""
    return token if token and tokens.audience_of(token) == REGISTRATION else ""


def registration_code(token: str) -> OneTimeCode:
    """The proved code behind a registration token. Raises `RegistrationTokenInvalid`."""
    try:
        proof = tokens.read(token, REGISTRATION)
        found = OneTimeCode.objects.filter(pk=int(proof.subject)).first()
    except (accounts.TokenInvalid, ValueError) as problem:
        raise errors.RegistrationTokenInvalid() from problem
    if found is None:
        raise errors.RegistrationTokenInvalid()
    return found


def log_in(*, email: str, password: str, caller: Caller = NOWHERE, staff_only: bool = False) -> Entrance:
    """By e-mail and password. What kind of account it is, is told only after the password (D16).

    Raises `WrongCredentials`, `NotVerified`, `NotStaff`, `accounts.TooManyTries`, `accounts.PersonBlocked`.
    """
    limit = Limit(settings.TICKETS.login_limit * 10, WINDOW_SECONDS)
    throttle.hit("tickets:login:email", email.lower(), limit, refusal=accounts.TooManyTries)
    try:
        user = accounts.log_in(
            identifier=email, password=password, figures=login_figures(), caller=caller, find=questions.person_of_email
        )
    except accounts.WrongCredentials as problem:
        raise errors.WrongCredentials() from problem
    member = questions.of_person(user)
    if member is None or not member.is_active:
        raise errors.WrongCredentials()
    if not member.is_verified:
        raise errors.NotVerified()
    if staff_only and not member.is_staff_member:
        raise errors.NotStaff()
    return Entrance(pair=open_session(member, caller=caller), member=member)


def open_session(member: Member, *, caller: Caller = NOWHERE) -> tokens.Pair:
    """The first pair of tokens after a proof. Raises `MemberGone` for who was shut out, `accounts.PersonBlocked`."""
    if not member.is_active:
        raise errors.MemberGone()
    accounts.admit(user=member.user, caller=caller)
    return tokens.issue(member.user, PRODUCT, member.pk, caller=caller)


def renew(*, refresh: str, caller: Caller = NOWHERE) -> tokens.Pair:
    """A new pair for the newest refresh token; an old one kills its family (D15). Call outside of any transaction.

    A client's own test token without a session opens one. Raises `RefreshTokenInvalid`, `accounts.TooManyTries`.
    """
    limit_links(caller)
    try:
        proof = tokens.read(refresh, PRODUCT, "refresh")
        member = questions.living(proof.subject)
        if member is None or not member.is_active:
            raise errors.RefreshTokenInvalid()
        if proof.link is not None:
            return accounts.rotate(refresh, audience=PRODUCT, caller=caller)
        if tokens.is_revoked(proof, member.user):
            raise errors.RefreshTokenInvalid()
        return open_session(member, caller=caller)
    except (accounts.TokenInvalid, accounts.PersonBlocked) as problem:
        raise errors.RefreshTokenInvalid() from problem


def limit_links(caller: Caller) -> None:
    """Links and refresh tokens are long; guessing them is still counted. Raises `accounts.TooManyTries`."""
    if caller.address:
        limit = Limit(settings.TICKETS.link_tries_limit, WINDOW_SECONDS)
        throttle.hit("tickets:links", caller.neighbourhood, limit, refusal=accounts.TooManyTries)
