"""Members change themselves, and are changed or removed by managers (contract tickets 1.3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.actions import NOWHERE, Caller
from apps.core import events, throttle
from apps.core.access import ensure
from apps.core.throttle import Limit
from apps.tickets import access, errors
from apps.tickets.actions import claims, registration, sessions
from apps.tickets.actions.passwords import ensure_strong
from apps.tickets.events import MemberRegistered
from apps.tickets.models import Member


def update_profile(
    *,
    by: Member,
    member_id: uuid.UUID,
    changes: Mapping[str, Any],
    current: str | None = None,
    new: str | None = None,
    caller: Caller = NOWHERE,
) -> Member:
    """A member changes name, phone, e-mail; with the present password also the password, which signs out everywhere.

    A new e-mail gets a letter that asks to prove it.
    Raises `NotYourProfile`, `PhoneInUse`, `EmailTaken`, `CurrentPasswordMissing`, `CurrentPasswordWrong`,
    `accounts.PasswordTooWeak`, `accounts.TooManyTries` (a stolen token must not guess it); then nothing is changed.
    """
    ensure(by.pk == member_id, errors.NotYourProfile)
    with transaction.atomic():
        member = _changed(by, changes)
        if new:
            _change_password(member, current, new, caller)
    return member


def _changed(by: Member, changes: Mapping[str, Any]) -> Member:
    """A new phone is told without proof, whatever was known of the old one."""
    claims.make_way_when_stale(phone=changes.get("phone_number"), email=changes.get("email"), but=by.pk)
    _ensure_free(by, changes)
    try:
        with transaction.atomic():
            member = lock(by.pk)
            is_new_address = "email" in changes and changes["email"] != member.email
            member.is_phone_proved &= changes.get("phone_number", member.phone_number) == member.phone_number
            for name, value in changes.items():
                setattr(member, name, value)
            member.updated_at = timezone.now()
            member.save()
            if is_new_address:
                events.publish(MemberRegistered(member_id=str(member.pk)))
            return member
    except IntegrityError:  # somebody took it in this very moment
        _ensure_free(by, changes)
        raise


def _ensure_free(by: Member, changes: Mapping[str, Any]) -> None:
    registration.ensure_free(
        phone=changes.get("phone_number"),
        email=changes.get("email"),
        but=by.pk,
        phone_refusal=errors.PhoneInUse,
    )


def _change_password(member: Member, current: str | None, new: str, caller: Caller) -> None:
    if not current:
        raise errors.CurrentPasswordMissing()
    limit = Limit(settings.TICKETS.login_limit, sessions.WINDOW_SECONDS)
    throttle.hit("tickets:password", member.pk, limit, refusal=accounts.TooManyTries)
    try:
        accounts.change_password(by=member.user, old=current, new=new, caller=caller, strength=ensure_strong)
    except accounts.OldPasswordWrong as problem:
        raise errors.CurrentPasswordWrong() from problem


def lock(member_id: uuid.UUID) -> Member:
    """The living member, locked. Raises `UserNotFound`."""
    # Without person and team: PostgreSQL would join those as they were before the wait for the lock.
    return Member.objects.living().lock(errors.UserNotFound, pk=member_id)


def set_role(*, by: Any, member_id: uuid.UUID, role: str, team_id: uuid.UUID | None = None) -> Member:
    """A manager gives a role and, unless it is None, a team.

    Raises `ManagersOnly`, `UserNotFound`, `TeamNotFound`, `NotYourself`, `LastManager`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        registration.hold_team(team_id)
        member = _lock_beside_managers(member_id)
        if role != Member.Role.MANAGER:
            _ensure_dispensable(by, member)
        member.role = role
        member.team_id = team_id or member.team_id
        member.updated_at = timezone.now()
        member.save(update_fields=["role", "team", "updated_at"])
    return member


def remove(*, by: Any, member_id: uuid.UUID) -> None:
    """A manager removes a member; phone and e-mail are free again, the name stays on old tickets.

    Raises `ManagersOnly`, `UserNotFound`, `NotYourself`, `LastManager` (D14).
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        member = _lock_beside_managers(member_id)
        _ensure_dispensable(by, member)
        now = timezone.now()
        Member.objects.filter(pk=member.pk).update(deleted_at=now, updated_at=now, team=None)


def set_active(*, by: Any, member_id: uuid.UUID, is_active: bool) -> Member:
    """A manager shuts a member out, or lets him in again; every token stops working at once.

    Raises `ManagersOnly`, `UserNotFound`, `NotYourself`, `LastManager`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        member = _lock_beside_managers(member_id)
        if not is_active:
            _ensure_dispensable(by, member)
        member.is_active, member.updated_at = is_active, timezone.now()
        member.save(update_fields=["is_active", "updated_at"])
    return member


def _lock_beside_managers(member_id: uuid.UUID) -> Member:
    """Every manager and the member, in one order: two managers who remove each other meet here."""
    rows = Member.objects.living().filter(role=Member.Role.MANAGER) | Member.objects.living().filter(pk=member_id)
    locked = {row.pk: row for row in rows.order_by("pk").select_for_update(of=("self",))}
    if member_id not in locked:
        raise errors.UserNotFound()
    return locked[member_id]


def _ensure_dispensable(by: Any, member: Member) -> None:
    """Not oneself, and not the last who can decide; call with the managers locked."""
    ensure(by is None or by.pk != member.pk, errors.NotYourself)
    if member.is_manager:
        others = Member.objects.living().filter(role=Member.Role.MANAGER, is_active=True).exclude(pk=member.pk)
        ensure(others.exists(), errors.LastManager)
