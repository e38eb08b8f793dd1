"""Becoming a member: by a proved phone, by e-mail, by invitation (contract tickets 1.2, 1.3, C1, C2)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.models import OneTimeCode, User
from apps.core import events, throttle
from apps.core.errors import Refused
from apps.core.throttle import Limit
from apps.tickets import access, errors
from apps.tickets.actions import claims, sessions
from apps.tickets.actions.passwords import ensure_strong
from apps.tickets.actions.sessions import Entrance
from apps.tickets.events import MemberInvited, MemberRegistered
from apps.tickets.models import Member, Team
from apps.tickets.queries import members as questions


@dataclass(frozen=True)
class Application:
    """What somebody tells who wants to be a member. `phone` is E.164, `email` in small letters."""

    name: str
    phone: str
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    language: str = ""


def register(
    application: Application, *, otp_code: str = "", registration_token: str = "", caller: Caller = NOWHERE
) -> Entrance | None:
    """A new citizen (C1). With a code, or the token that a proved phone got, he is verified and signed in at once;

    otherwise a letter asks to prove the address and None is returned. Call outside of any transaction.

    Raises `PhoneTaken`, `EmailTaken`, `RegistrationTokenInvalid`, `accounts.PasswordTooWeak`, `TooManyTries`,
    `CodeWrong`, `CodeExpired`, `CodeBurnt`.
    """
    _count(application.phone, caller)
    if application.password is not None:
        ensure_strong(application.password)
    code = _proof(application, otp_code, registration_token, caller)
    try:
        with transaction.atomic():
            if code:
                return _by_phone(application, code, caller)
            _by_email(application, caller)
            return None
    except IntegrityError:  # two registrations at once: the row that won names the refusal
        ensure_free(phone=application.phone, email=application.email)
        raise


def _count(phone: str, caller: Caller) -> None:
    """Per address and phone, and per phone from all addresses together."""
    limit = settings.TICKETS.register_limit
    for subject, count in ((f"{caller.neighbourhood}|{phone}", limit), (phone, limit * 5)):
        throttle.hit("tickets:register", subject, Limit(count, sessions.WINDOW_SECONDS), refusal=accounts.TooManyTries)


def _proof(application: Application, otp_code: str, token: str, caller: Caller) -> OneTimeCode | None:
    if otp_code:
        figures = sessions.code_figures()
        return accounts.check_code(
            phone=application.phone, purpose=sessions.PURPOSE, code=otp_code, figures=figures, caller=caller
        )
    if not token:
        return None
    code = sessions.registration_code(token)
    if code.phone != application.phone:
        raise errors.RegistrationTokenInvalid()
    return code


def _by_phone(application: Application, code: OneTimeCode, caller: Caller) -> Entrance:
    accounts.use_code(code)
    claims.make_way_for_proof(phone=application.phone)
    claims.make_way_when_stale(email=application.email)
    ensure_free(phone=application.phone, email=application.email)
    person = people.person(phone=application.phone)
    if person is not None and questions.of_person(person) is not None:
        raise errors.PhoneTaken()
    if person is None:
        person = _new_person(application, caller, phone=application.phone, phone_verified_at=timezone.now())
    elif application.password is not None:
        accounts.set_password(user=person, new=application.password, caller=caller, strength=ensure_strong)
    member = _new_member(application, person, is_verified=True, is_phone_proved=True)
    if member.email:
        events.publish(MemberRegistered(member_id=str(member.pk)))
    return Entrance(pair=sessions.open_session(member, caller=caller), member=member)


def _by_email(application: Application, caller: Caller) -> None:
    """Phone and e-mail are as told: they stay on the membership until somebody proves them."""
    claims.make_way_when_stale(phone=application.phone, email=application.email)
    ensure_free(phone=application.phone, email=application.email)
    member = _new_member(application, _new_person(application, caller, username=claims.username()))
    events.publish(MemberRegistered(member_id=str(member.pk)))


def ensure_free(
    *,
    phone: str | None = None,
    email: str | None = None,
    but: Any = None,
    phone_refusal: type[Refused] = errors.PhoneTaken,
    email_refusal: type[Refused] = errors.EmailTaken,
) -> None:
    """Nobody else (than member id `but`) has this phone or e-mail. Raises the two refusals."""
    others = Member.objects.exclude(pk=but)
    if phone and others.of_phone(phone).exists():
        raise phone_refusal()
    if email and others.living().filter(email=email).exists():
        raise email_refusal()


def _new_person(application: Application, caller: Caller, **known_by: Any) -> User:
    return accounts.register(
        **known_by,
        password=application.password,
        caller=caller,
        strength=ensure_strong,
        first_name=application.name,
        language=application.language or settings.TICKETS.language,
    )


def _new_member(application: Application, person: User, **more: Any) -> Member:
    email = application.email or None
    return Member.objects.create(
        user=person, name=application.name, phone_number=application.phone, email=email, **more
    )


def hold_team(team_id: uuid.UUID | None) -> Team | None:
    """The team, locked before anybody in it: whoever deletes it waits for the end of this transaction.

    Raises `TeamNotFound`.
    """
    team = Team.objects.select_for_update(no_key=True).filter(pk=team_id).first() if team_id else None
    if team_id and team is None:
        raise errors.TeamNotFound()
    return team


def invite(
    application: Application,
    *,
    by: Member | None,
    role: str = Member.Role.SUPPORT,
    team_id: uuid.UUID | None = None,
    caller: Caller = NOWHERE,
) -> Member:
    """A manager makes an account; a letter lets its owner choose a password. The phone is believed: a manager told it.

    Raises `ManagersOnly`, `TeamNotFound`, `PhoneInUse`, `EmailInUse`.
    """
    access.ensure_can("manage", by)
    refusals = {"phone_refusal": errors.PhoneInUse, "email_refusal": errors.EmailInUse}
    try:
        with transaction.atomic():
            team = hold_team(team_id)
            claims.make_way_when_stale(phone=application.phone, email=application.email)
            ensure_free(phone=application.phone, email=application.email, **refusals)
            person = _new_person(application, caller, username=claims.username())
            member = _new_member(application, person, role=role, team=team, is_phone_proved=True)
            events.publish(MemberInvited(member_id=str(member.pk)))
            return member
    except IntegrityError:  # somebody took the phone or the e-mail in this very moment
        ensure_free(phone=application.phone, email=application.email, **refusals)
        raise
