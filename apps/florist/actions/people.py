"""Who works in a shop: hiring, roles, switches, dismissing; each change is written down (contract florist 1.6, 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as known
from apps.accounts.models import User
from apps.core import events
from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.access import SWITCHES, switches
from apps.florist.conf import PRODUCT
from apps.florist.events import RightsChanged
from apps.florist.models import Employee, EmployeeChange, Shop
from apps.notifications import live

Role = Employee.Role
What = EmployeeChange.What

OWN = frozenset({"name", "email"})
"""What everybody may change about himself."""

FORGOTTEN = "—"


@dataclass(frozen=True)
class Newcomer:
    """Somebody to be hired. `phone` is E.164; `telegram_id` is shown only: a shared contact links an account."""

    phone: str
    name: str
    role: str
    email: str | None = None
    is_active: bool = True
    telegram_id: int | None = None


def hire(*, by: Any, newcomer: Newcomer, shop: Shop | None = None) -> Employee:
    """Somebody begins to work in the shop of `by`; he signs in by a code to his phone.

    Raises `NotEnoughPermissions`, `PhoneInUse`, `EmailInUse`.
    """
    access.ensure_may(by, "users")
    _ensure_rank(by, newcomer.role)
    where = shop or by.shop
    with transaction.atomic():
        _hold(where.pk)
        _ensure_free(where.pk, phone=newcomer.phone, email=newcomer.email)
        person = known.person(phone=newcomer.phone) or _new_person(newcomer, where)
        ensure(not Employee.objects.filter(shop=where, user=person).exists(), errors.PhoneInUse)
        employee = Employee.objects.create(shop=where, user=person, **newcomer.__dict__)
        _note(employee, What.HIRED, by, after={"role": employee.role})
    return employee


def _new_person(newcomer: Newcomer, shop: Shop) -> User:
    """The phone is not proved until its owner types in a code."""
    language = shop.language if shop.language in ("ru", "en") else "ru"
    return accounts.register(phone=newcomer.phone, first_name=newcomer.name, language=language)


def _ensure_rank(by: Any, *roles: str) -> None:
    """Only owners make owners and touch them; a switch that lets a manager hire does not."""
    if Role.ADMIN in roles and isinstance(by, Employee):
        ensure(by.role == Role.ADMIN, errors.NotEnoughPermissions)


def _hold(shop_id: int) -> None:
    """Changes to the people of one shop wait for each other: else two owners could demote each other at once.

    Without its key: rows that only name the shop are written meanwhile.
    """
    Shop.objects.select_for_update(no_key=True).get(pk=shop_id)


def _ensure_free(shop_id: int, *, phone: str | None = None, email: str | None = None, but: int | None = None) -> None:
    others = Employee.objects.filter(shop_id=shop_id).exclude(pk=but or 0)
    ensure(not (phone and others.filter(phone=phone).exists()), errors.PhoneInUse)
    ensure(not (email and others.filter(email=email).exists()), errors.EmailInUse)


def update(*, by: Any, employee_id: int, **changes: Any) -> Employee:
    """Name, e-mail, role, is_active, telegram_id; a new role takes the switches back. Name and e-mail also by oneself.

    Raises `EmployeeNotFound`, `NotEnoughPermissions`, `NotYourself`, `LastAdmin`, `EmailInUse`.
    """
    with transaction.atomic():
        employee = _locked(by, employee_id)
        changes = {name: value for name, value in changes.items() if getattr(employee, name) != value}
        _ensure_may_update(by, employee, changes)
        _ensure_free(employee.shop_id, email=changes.get("email"), but=employee.pk)
        before = {"role": employee.role, "is_active": employee.is_active}
        for name, value in changes.items():
            setattr(employee, name, value)
        if "role" in changes:  # switches were said of the former role
            employee.permissions = {}
        _ensure_an_admin_stays(employee, before)
        _save(employee)
        _note_update(employee, by, before, changes)
    return employee


def _ensure_may_update(by: Any, employee: Employee, changes: Mapping[str, Any]) -> None:
    is_self = isinstance(by, Employee) and by.pk == employee.pk
    if is_self and changes.keys() <= OWN:
        return
    access.ensure_may(by, "users")
    _ensure_rank(by, employee.role, changes.get("role", employee.role))
    if is_self and "is_active" in changes:
        raise errors.NotYourself()
    if is_self and by.role != Role.ADMIN:
        raise errors.NotEnoughPermissions()


def _ensure_an_admin_stays(employee: Employee, before: Mapping[str, Any]) -> None:
    was_admin = before["role"] == Role.ADMIN and before["is_active"]
    if not was_admin or (employee.role == Role.ADMIN and employee.is_active):
        return
    others = Employee.objects.filter(shop_id=employee.shop_id, role=Role.ADMIN, is_active=True).exclude(pk=employee.pk)
    ensure(others.exists(), errors.LastAdmin)


def _note_update(employee: Employee, by: Any, before: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    if "role" in changes:
        _note(employee, What.ROLE, by, {"role": before["role"]}, {"role": employee.role})
    if "is_active" in changes:
        _note(employee, What.RETURNED if employee.is_active else What.DISMISSED, by)
    if others := sorted(changes.keys() - {"role", "is_active"}):
        _note(employee, What.EDITED, by, after={"fields": others})
    if changes.keys() & {"role", "is_active"}:
        _rights_changed(employee)


def set_permissions(*, by: Any, employee_id: int, permissions: Mapping[str, bool]) -> Employee:
    """Switches that narrow or widen the role; those not named stay. A changed role takes them back.

    Raises `EmployeeNotFound`, `NotEnoughPermissions`, `AdminFrozen`, `NotYourself`, `Invalid` for a switch we have not.
    """
    access.ensure_may(by, "users")
    if unknown := sorted(permissions.keys() - set(SWITCHES)):
        raise Invalid.field(unknown[0], "unknown permission", given=unknown[0])
    with transaction.atomic():
        employee = _locked(by, employee_id)
        ensure(employee.role != Role.ADMIN, errors.AdminFrozen)
        ensure(not isinstance(by, Employee) or by.pk != employee.pk, errors.NotYourself)
        before = {**switches(employee)}
        employee.permissions = {**employee.permissions, **permissions}
        _save(employee)
        _note(employee, What.PERMISSIONS, by, before, {**switches(employee)})
        _rights_changed(employee)
    return employee


def dismiss(*, by: Any, employee_id: int) -> Employee:
    """Somebody works here no more: he cannot sign in, his sessions and sockets end; his work keeps his name.

    Raises `EmployeeNotFound`, `NotEnoughPermissions`, `NotYourself`, `AdminFrozen`.
    """
    access.ensure_may(by, "users")
    with transaction.atomic():
        employee = _locked(by, employee_id)
        ensure(not isinstance(by, Employee) or by.pk != employee.pk, errors.NotYourself)
        ensure(employee.role != Role.ADMIN, errors.AdminFrozen)
        if employee.is_active:
            employee.is_active = False
            _save(employee)
            _note(employee, What.DISMISSED, by)
            _rights_changed(employee)
    return employee


def set_shift(*, by: Any, employee_id: int, is_on_shift: bool) -> Employee:
    """On shift or not: the queue hands tasks to those who are. Everybody says it of himself, managers of all.

    Raises `EmployeeNotFound`, `NotEnoughPermissions`.
    """
    if not (isinstance(by, Employee) and by.pk == employee_id):
        access.ensure_may(by, "production")
    with transaction.atomic():
        employee = _locked(by, employee_id)
        employee.is_on_shift = is_on_shift
        _save(employee)
    return employee


def renew_phone(*, employee: Employee, phone: str) -> None:
    """He proved the phone by which the house knows him: a number on his seat that is no longer his gives way to it.

    Where a colleague's seat still shows this number, everything stays until that one signs in.
    """
    if employee.phone == phone or known.person(phone=employee.phone) == employee.user:
        return
    try:
        with transaction.atomic():
            Employee.objects.filter(pk=employee.pk).update(phone=phone, updated_at=timezone.now())
            _note(employee, What.EDITED, employee, after={"fields": ["phone"]})
    except IntegrityError:
        return
    employee.phone = phone


def _locked(by: Any, employee_id: int) -> Employee:
    """The employee, behind his shop's lock. Raises `EmployeeNotFound` for another shop's too."""
    found = Employee.objects.visible_to(by).filter(pk=employee_id).values_list("shop_id", flat=True).first()
    if found is None:
        raise errors.EmployeeNotFound()
    _hold(found)
    return Employee.objects.select_related("shop", "user").get(pk=employee_id)


def _save(employee: Employee) -> None:
    employee.updated_at = timezone.now()
    try:
        with transaction.atomic():
            employee.save()
    except IntegrityError:  # the only column that a caller chooses here
        raise errors.EmailInUse() from None


def _note(employee: Employee, what: str, by: Any, before: Any = None, after: Any = None) -> None:
    who = getattr(by, "user", None)
    EmployeeChange.objects.create(employee=employee, what=what, by=who, before=before or {}, after=after or {})


def _rights_changed(employee: Employee) -> None:
    """Open sockets ask anew what they may hear; those of the dismissed are hung up on."""
    events.publish(RightsChanged(employee.pk, employee.shop_id))
    if employee.is_active:
        live.regroup(employee.user_id, PRODUCT)
        return
    accounts.end_membership(user=employee.user, audience=PRODUCT, subject=employee.pk)
    live.regroup(employee.user_id, PRODUCT)


# ── a membership follows its person (design 3.8) ────────────────────────────────────────────────────────────────────
def follow(*, merge_id: int, keep_id: int, gone_id: int) -> None:
    """`gone` is `keep` from now on; where both work in one shop, `keep` goes on as he is known."""
    taken = Employee.objects.filter(user_id=keep_id).values("shop_id")
    moving = Employee.objects.filter(user_id=gone_id).exclude(shop_id__in=taken)
    moving.update(user_id=keep_id, came_by_merge=merge_id)
    Shop.objects.filter(owner_id=gone_id).update(owner_id=keep_id)


def part(*, merge_id: int, gone_id: int) -> None:
    """They were two people after all: what came along goes back."""
    back = Employee.objects.filter(came_by_merge=merge_id)
    shops = list(back.filter(role=Role.ADMIN).values_list("shop_id", flat=True))
    keep_ids = list(back.values_list("user_id", flat=True))
    Shop.objects.filter(pk__in=shops, owner_id__in=keep_ids).update(owner_id=gone_id)
    back.update(user_id=gone_id, came_by_merge=None)


def forget(*, user_id: int) -> None:
    """What names a person goes; what he made, brought and decided stays without him."""
    for employee in Employee.objects.filter(user_id=user_id):
        employee.name, employee.email, employee.telegram_id = FORGOTTEN, None, None
        employee.phone = f"gone-{employee.pk}"
        employee.is_active = False
        employee.updated_at = timezone.now()
        employee.save()
