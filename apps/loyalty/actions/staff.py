"""Managers and waiters come, change and go (contract loyalty 1.1, 1.4, 3.7)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.actions import NOWHERE, Caller
from apps.core.errors import Refused
from apps.loyalty import access, errors
from apps.loyalty.actions import doors
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import Staff

CODE_LETTERS = string.ascii_uppercase + string.digits
CODE_LENGTH = 6
CODE_TRIES = 10
"""Random referral codes tried before giving up."""


def hire(
    *,
    by: Any,
    name: str,
    phone: str,
    password: str,
    role: str = Staff.Role.WAITER,
    branch_id: int | None = None,
    referral_code: str = "",
    caller: Caller = NOWHERE,
) -> Staff:
    """A new manager or waiter; a waiter without a referral code gets one, a manager has none.

    Raises `ManagersOnly`, `StaffPhoneTaken`, `ReferralCodeTaken`, `NoReferralCode`, `accounts.PasswordTooWeak`.
    """
    access.ensure_manager(by, "loyalty.add_staff")
    phone = doors.staff_phone(phone)
    is_waiter = role == Staff.Role.WAITER
    wanted = (referral_code or free_code()) if is_waiter else None
    ensure_free(phone=phone, referral_code=wanted)
    try:
        with transaction.atomic():
            user = accounts.register(
                username=f"loyalty-staff-{secrets.token_hex(6)}",
                password=password,
                first_name=name,
                caller=caller,
                strength=accounts.check_length,
            )
            return Staff.objects.create(
                user=user, name=name, phone=phone, role=role, branch_id=branch_id, referral_code=wanted
            )
    except IntegrityError:  # two managers at once: the row that won names the refusal
        ensure_free(phone=phone, referral_code=wanted)
        raise


def free_code() -> str:
    """A referral code that nobody has. Raises `NoReferralCode`."""
    for _ in range(CODE_TRIES):
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if not Staff.objects.filter(referral_code=code).exists():
            return code
    raise errors.NoReferralCode()


def ensure_free(*, phone: str | None = None, referral_code: str | None = None, but: int | None = None) -> None:
    """Nobody else (than staff id `but`) has them. Raises `StaffPhoneTaken`, `ReferralCodeTaken`."""
    others = Staff.objects.exclude(pk=but) if but else Staff.objects.all()
    if phone and others.filter(phone=phone).exists():
        raise errors.StaffPhoneTaken()
    if referral_code and others.filter(referral_code=referral_code).exists():
        raise errors.ReferralCodeTaken()


def update_waiter(*, by: Any, waiter_id: int, changes: Mapping[str, Any]) -> Staff:
    """A manager changes a waiter: name, phone, password, branch_id, referral_code (empty takes it away).

    Raises `ManagersOnly`, `WaiterNotFound`, `StaffPhoneTaken`, `ReferralCodeTaken`, `accounts.PasswordTooWeak`.
    """
    access.ensure_manager(by, "loyalty.change_staff")
    return _update(waiter_id, changes, errors.WaiterNotFound, role=Staff.Role.WAITER)


def update(*, by: Any, staff_id: int, changes: Mapping[str, Any]) -> Staff:
    """The same for anybody, `role` too. Raises `StaffNotFound`, `NotYourself` and what `update_waiter` does."""
    access.ensure_manager(by, "loyalty.change_staff")
    if isinstance(by, Staff) and by.pk == staff_id and changes.get("role", by.role) != by.role:
        raise errors.NotYourself()
    return _update(staff_id, changes, errors.StaffNotFound)


def _update(staff_id: int, changes: Mapping[str, Any], missing: type[Refused], **where: Any) -> Staff:
    values = {name: value for name, value in changes.items() if name != "password"}
    if "phone" in values:
        values["phone"] = doors.staff_phone(values["phone"])
    if "referral_code" in values:
        values["referral_code"] = values["referral_code"] or None
    free = {"phone": values.get("phone"), "referral_code": values.get("referral_code")}
    try:
        with transaction.atomic():
            row = Staff.objects.living().select_related("user").lock(missing, pk=staff_id, **where)
            ensure_free(**free, but=staff_id)
            _write(row, values)
            if changes.get("password"):
                accounts.set_password(user=row.user, new=changes["password"], strength=accounts.check_length)
    except IntegrityError:  # somebody took it in this very moment
        ensure_free(**free, but=staff_id)
        raise
    return row


def _write(row: Staff, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_at = timezone.now()
    row.save()


def regenerate_code(*, by: Any, staff_id: int) -> str:
    """A new referral code for a waiter; the old one leads nowhere. Raises `ManagersOnly`, `WaiterNotFound`."""
    return str(update_waiter(by=by, waiter_id=staff_id, changes={"referral_code": free_code()}).referral_code)


def dismiss_waiter(*, by: Any, waiter_id: int, now: datetime | None = None) -> None:
    """A waiter goes: the guests are nobody's, the phone and the code are free, tokens are dead.

    Raises `ManagersOnly`, `WaiterNotFound`, `WaiterHasRecords`.
    """
    access.ensure_manager(by, "loyalty.delete_staff")
    with transaction.atomic():
        _dismiss(Staff.objects.waiters().select_related("user").lock(errors.WaiterNotFound, pk=waiter_id), now)


def dismiss(*, by: Any, staff_id: int, now: datetime | None = None) -> None:
    """The same for anybody else on the staff.

    Raises `ManagersOnly`, `NotYourself`, `StaffNotFound`, `WaiterHasRecords`.
    """
    access.ensure_manager(by, "loyalty.delete_staff")
    if isinstance(by, Staff) and by.pk == staff_id:
        raise errors.NotYourself()
    with transaction.atomic():
        _dismiss(Staff.objects.living().select_related("user").lock(errors.StaffNotFound, pk=staff_id), now)


def _dismiss(row: Staff, now: datetime | None) -> None:
    if row.transactions.exists():
        raise errors.WaiterHasRecords()
    row.clients.update(waiter=None)
    # The row stays for the logs; the number of nobody leaves the real one to whoever is hired next.
    row.phone, row.referral_code = f"left-{row.pk}", None
    row.deleted_at = row.updated_at = now or timezone.now()
    row.save()
    accounts.end_membership(user=row.user, audience=PRODUCT, subject=row.pk)


def ensure_first_manager() -> Staff | None:
    """The manager that the settings name, made when no such phone is on the staff. A changed password stays changed."""
    figures = settings.LOYALTY
    phone = doors.staff_phone(figures.default_admin_phone)
    if not (phone and figures.default_admin_password) or Staff.objects.filter(phone=phone).exists():
        return None
    return hire(
        by=None,
        name=figures.default_admin_name,
        phone=phone,
        password=figures.default_admin_password,
        role=Staff.Role.MANAGER,
    )
