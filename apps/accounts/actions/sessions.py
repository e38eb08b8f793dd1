"""In and out of the house: passwords at the door, refresh families, signing out."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from apps.accounts import errors, queries, tokens
from apps.accounts.actions import log, passwords
from apps.accounts.caller import NOWHERE, Caller
from apps.accounts.kit import LoginFigures
from apps.accounts.models import AuthLog, Session, User
from apps.core import throttle

logger = logging.getLogger(__name__)

BY_NAME = "login:name"
HOME_SECONDS = 90 * 86_400
"""How long an address from which a name got in is spared the pauses that others bring on that name."""


def log_in(
    *,
    identifier: str,
    password: str,
    figures: LoginFigures,
    caller: Caller = NOWHERE,
    find: Callable[[str], User | None] | None = None,
) -> User:
    """The person behind a phone, e-mail or name and its password.

    Unknown and wrong cost the same time and say the same. A product whose members sign in by names of its own gives
    `find`; everything else stays the house's.

    Limits are asked before the password, so a right one is refused too once they are reached. An address from which
    the name got in before knows no pause of the name.
    Raises `TooManyTries`, `WrongCredentials`, `PersonBlocked`.
    """
    _count(identifier, figures, caller)
    claimed = queries.spelling(identifier, country=figures.country)
    is_at_home = _is_at_home(claimed, caller)
    if not is_at_home:
        throttle.slow_down(BY_NAME, claimed, figures.by_name, refusal=errors.TooManyTries)
    user = find(identifier) if find else queries.person_called(identifier, country=figures.country)
    if not passwords.is_right(user, password) or user is None or user.erased_at:
        log.write(AuthLog.Event.LOGIN_FAILED, user=user, caller=caller, identifier=identifier, is_success=False)
        raise errors.WrongCredentials()
    if not figures.counts_successes:
        _give_back(identifier, figures, caller)
    if not is_at_home:
        throttle.forgive(BY_NAME, claimed)
    admit(user=user, caller=caller, identifier=identifier)
    _remember_home(claimed, caller)
    return user


def admit(*, user: User, caller: Caller = NOWHERE, identifier: str = "") -> User:
    """Note that a person has proved himself (password, code, Telegram). Raises `PersonBlocked`."""
    if not user.is_active:
        log.write(AuthLog.Event.LOGIN_FAILED, user=user, caller=caller, identifier=identifier, is_success=False)
        raise errors.PersonBlocked()
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(last_login=now)
    user.last_login = now
    log.write(AuthLog.Event.LOGGED_IN, user=user, caller=caller, identifier=identifier)
    return user


def _doors(identifier: str, figures: LoginFigures, caller: Caller) -> list[tuple[str, str, throttle.Limit]]:
    name = f"{caller.product}:login"
    claimed = queries.spelling(identifier, country=figures.country)
    doors = [(f"{name}:identifier", f"{caller.neighbourhood}|{claimed}", figures.by_identifier)]
    return [*doors, (f"{name}:address", caller.neighbourhood, figures.by_address)] if caller.address else doors


def _count(identifier: str, figures: LoginFigures, caller: Caller) -> None:
    for name, subject, limit in _doors(identifier, figures, caller):
        throttle.hit(name, subject, limit, refusal=errors.TooManyTries)


def _give_back(identifier: str, figures: LoginFigures, caller: Caller) -> None:
    for name, subject, limit in _doors(identifier, figures, caller):
        throttle.give_back(name, subject, limit)


def _is_at_home(claimed: str, caller: Caller) -> bool:
    return bool(caller.address) and cache.get(_home_of(claimed, caller)) is not None


def _remember_home(claimed: str, caller: Caller) -> None:
    if caller.address:
        cache.set(_home_of(claimed, caller), 1, timeout=HOME_SECONDS)


def _home_of(claimed: str, caller: Caller) -> str:
    """Hashed: neither names nor addresses belong in a cache key."""
    return f"accounts:home:{hashlib.sha256(f'{claimed}|{caller.neighbourhood}'.encode()).hexdigest()[:32]}"


def rotate(
    refresh: str,
    *,
    audience: str = "",
    claims: Callable[[tokens.Proof], Mapping[str, Any]] | None = None,
    caller: Caller = NOWHERE,
    now: datetime | None = None,
) -> tokens.Pair:
    """A new pair for the newest refresh token of a session. Call outside of any transaction (else `RuntimeError`).

    A token that was used before is a theft until proved otherwise: the whole family dies. Without `audience` the token
    names its product. `claims(proof)` gives fresh product claims; without it the old ones are carried over.
    Raises `TokenInvalid`, `TokenExpired`, `SessionEnded`, `PersonBlocked`.
    """
    now = now or timezone.now()
    proof = tokens.read(refresh, audience or tokens.audience_of(refresh), "refresh")
    if proof.link is None:
        raise errors.TokenInvalid()
    with transaction.atomic(durable=True):
        session = _next_link(proof.link, proof.audience, now)
        if session is None:
            _end_family(proof.link, proof.audience, caller, now)
    if session is None:
        raise errors.SessionEnded()
    return tokens.pair_of(session, claims(proof) if claims else proof.claims, now)


def _next_link(link: tokens.Link, audience: str, now: datetime) -> Session | None:
    """Swap the newest token's id, where it is still this one. None: it is not, so the token was used before."""
    session = Session.objects.select_related("user").filter(pk=link.session_id, audience=audience).first()
    if session is None or not session.is_alive(now):
        raise errors.SessionEnded()
    if not session.user.is_active:
        raise errors.PersonBlocked()
    figures = tokens.figures_of(audience)
    values: dict[str, Any] = {"refresh_id": uuid.uuid4(), "rotated_at": now}
    if not figures.session_seconds:
        values["expires_at"] = now + timedelta(seconds=figures.refresh_seconds)
    still = Session.objects.filter(pk=session.pk, refresh_id=link.token_id, ended_at=None)
    if not still.update(**values):
        return None
    for name, value in values.items():
        setattr(session, name, value)
    return session


def _end_family(link: tokens.Link, audience: str, caller: Caller, now: datetime) -> None:
    if Session.objects.filter(pk=link.session_id, ended_at=None).update(ended_at=now, end_reason="reuse"):
        logger.warning("refresh token used twice", extra={"session": str(link.session_id)})
        user = User.objects.filter(pk=link.person_id).first()
        caller = Caller(caller.address, caller.user_agent, audience)
        log.write(AuthLog.Event.TOKEN_REUSED, user=user, caller=caller, is_success=False)


def log_out(token: str, *, audience: str = "", caller: Caller = NOWHERE, now: datetime | None = None) -> bool:
    """End the session that an access or refresh token belongs to. Never fails; returns whether a session ended."""
    proof = _either(token, audience or tokens.audience_of(token))
    if proof is None or proof.link is None:
        return False
    living = Session.objects.filter(pk=proof.link.session_id, audience=proof.audience, ended_at=None)
    if not living.update(ended_at=now or timezone.now(), end_reason="logout"):
        return False
    user = User.objects.filter(pk=proof.link.person_id).first()
    log.write(AuthLog.Event.LOGGED_OUT, user=user, caller=Caller(caller.address, caller.user_agent, proof.audience))
    return True


def _either(token: str, audience: str) -> tokens.Proof | None:
    kinds: tuple[tokens.Kind, ...] = ("refresh", "access")
    for kind in kinds:
        try:
            return tokens.read(token, audience, kind)
        except errors.TokenInvalid:
            continue
    return None


def log_out_everywhere(*, user: User, now: datetime | None = None) -> None:
    """Kill every token of a person, on every product."""
    now = now or timezone.now()
    with transaction.atomic():
        Session.objects.filter(user=user, ended_at=None).update(ended_at=now, end_reason="everywhere")
        User.objects.filter(pk=user.pk).update(tokens_valid_from=now)
        log.write(AuthLog.Event.LOGGED_OUT, user=user, facts={"everywhere": True})


def end_membership(*, user: User, audience: str, subject: object, now: datetime | None = None) -> int:
    """Somebody left one product: every session there of this membership ends. Returns how many did."""
    living = Session.objects.filter(user=user, audience=audience, subject=str(subject), ended_at=None)
    return living.update(ended_at=now or timezone.now(), end_reason="left")
