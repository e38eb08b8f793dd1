"""Passwords: strength, change, and a constant price for a wrong guess."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import errors
from apps.accounts.actions import log
from apps.accounts.caller import NOWHERE, Caller
from apps.accounts.models import AuthLog, User

LONGEST_PASSWORD = 128
"""Characters; longer ones only serve to keep our hasher busy."""


Strength = Callable[[str, User | None], None]
"""What a password must be; raises `PasswordTooWeak`. Products with a contract of their own bring their rule."""


def check_length(password: str, user: User | None = None) -> None:
    """At most `LONGEST_PASSWORD` characters and storable; the shortest length is the product's request shape."""
    if len(password) > LONGEST_PASSWORD or "\x00" in password:
        raise errors.PasswordTooWeak(why=f"at most {LONGEST_PASSWORD} characters")


def check_strength(password: str, user: User | None = None) -> None:
    """Raises `PasswordTooWeak` with the first reason of the house's validators."""
    check_length(password)
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise errors.PasswordTooWeak(why=problem.messages[0]) from problem


def is_right(user: User | None, password: str) -> bool:
    """Whether `password` is this person's.

    Nobody, or a person without a password, costs the same time as a wrong guess.
    """
    guess = password[: LONGEST_PASSWORD + 1]
    if user is None or not user.has_usable_password():
        make_password(guess)
        return False
    return user.check_password(guess)


def change_password(
    *,
    by: User,
    old: str,
    new: str,
    caller: Caller = NOWHERE,
    now: datetime | None = None,
    strength: Strength = check_strength,
) -> User:
    """Replace a known password; every token issued earlier is dead. Raises `OldPasswordWrong`, `PasswordTooWeak`."""
    if not is_right(by, old):
        log.write(AuthLog.Event.PASSWORD_CHANGED, user=by, caller=caller, is_success=False)
        raise errors.OldPasswordWrong()
    return set_password(user=by, new=new, caller=caller, now=now, strength=strength)


def set_password(
    *,
    user: User,
    new: str,
    by: User | None = None,
    reason: str = "",
    caller: Caller = NOWHERE,
    now: datetime | None = None,
    strength: Strength = check_strength,
) -> User:
    """Give a person a password after another proof (a code, a mail link, a staff member). Raises `PasswordTooWeak`."""
    strength(new, user)
    now = now or timezone.now()
    with transaction.atomic():
        person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        person.set_password(new)
        person.tokens_valid_from = now
        person.sessions.filter(ended_at=None).update(ended_at=now, end_reason="password")
        person.save(update_fields=["password", "tokens_valid_from", "updated_at"])
        log.write(AuthLog.Event.PASSWORD_CHANGED, user=person, caller=caller, by=by, reason=reason)
    return person
