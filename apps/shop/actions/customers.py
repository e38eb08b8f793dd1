"""Customers change, are changed and leave (contract shop 1.2)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.shop import access, errors
from apps.shop.actions import sessions
from apps.shop.models import Customer, Order

log = logging.getLogger(__name__)

KEPT_BECAUSE_PAID = (*Order.PAID, Order.Status.REFUNDED)
"""Orders for which money has moved; their customers are not deleted."""


def update_me(*, by: Customer, changes: Mapping[str, Any], current: str = "", new: str = "") -> Customer:
    """A customer changes his own words and, with the present password, his password.

    Raises `OwnRightsFixed`, `NameTaken`, `PhoneTaken`, `CurrentPasswordWrong`.
    """
    if changes.get("is_admin", by.is_admin) != by.is_admin:
        raise errors.OwnRightsFixed()
    with transaction.atomic():
        customer = _change(by, {name: value for name, value in changes.items() if name != "is_admin"})
        if new:
            sessions.change_password(by=customer, current=current, new=new)
    return customer


def update(*, by: Customer, customer_id: int, changes: Mapping[str, Any]) -> Customer:
    """An admin changes another customer, rights included.

    Raises `NotAnAdmin`, `CustomerNotFound`, `NotYourOwnAccount`, `NameTaken`, `PhoneTaken`.
    """
    customer = _other(by, customer_id)
    return _change(customer, changes)


def set_admin(*, by: Any, customer: Customer, is_admin: bool, reason: str = "") -> Customer:
    """Staff with the right (or `None`, a command) make or unmake an administrator of the shop; written to the log.

    Raises `MayNotEditCatalogue`, `CustomerNotFound`.
    """
    access.ensure_can_edit_catalogue(by, "shop.make_admin")
    changed = _change(customer, {"is_admin": is_admin})
    log.info(
        "shop administrator changed",
        extra={"customer_id": customer.pk, "is_admin": is_admin, "staff_id": by and by.pk, "reason": reason},
    )
    return changed


def delete(*, by: Customer, customer_id: int) -> Customer:
    """The customer leaves the shop; name, phone and e-mail are free again, orders stay.

    Raises `NotAnAdmin`, `CustomerNotFound`, `NotYourOwnAccount`, `CustomerHasPaidOrders` (D17).
    """
    with transaction.atomic():
        customer = _locked(_other(by, customer_id).pk)
        if customer.orders.filter(status__in=KEPT_BECAUSE_PAID).exists():
            raise errors.CustomerHasPaidOrders()
        old_name = customer.name
        customer.deleted_at = customer.updated_at = timezone.now()
        customer.name, customer.surname = f"deleted-{customer.pk}", ""
        customer.phone_number = customer.email = None
        customer.is_admin = False
        customer.save()
        _rename_person(customer, old_name)
    return customer


def _other(by: Customer, customer_id: int) -> Customer:
    access.ensure_admin(by)
    if by.pk == customer_id:
        raise errors.NotYourOwnAccount()
    found = Customer.objects.visible_to(by).filter(pk=customer_id, deleted_at=None).first()
    if found is None:
        raise errors.CustomerNotFound()
    return found


def _locked(customer_id: int) -> Customer:
    return Customer.objects.lock(errors.CustomerNotFound, pk=customer_id)


def _change(customer: Customer, changes: Mapping[str, Any]) -> Customer:
    _ensure_not_a_name_of_the_house(customer, changes.get("name", ""))
    sessions.ensure_free(name=changes.get("name", ""), phone_number=changes.get("phone_number"), but=customer.pk)
    try:
        with transaction.atomic():
            fresh = _locked(customer.pk)
            old_name = fresh.name
            for name, value in changes.items():
                setattr(fresh, name, value)
            fresh.updated_at = timezone.now()
            fresh.save()
            _rename_person(fresh, old_name)
    except IntegrityError:  # somebody took the name in this very moment
        sessions.ensure_free(name=changes.get("name", ""), phone_number=changes.get("phone_number"), but=customer.pk)
        raise
    return fresh


def _ensure_not_a_name_of_the_house(customer: Customer, name: str) -> None:
    """Another person signs in with it, though not as a customer yet (D16). Raises `NameTaken`."""
    person = people.person(username=name.strip().lower()) if name else None
    if person is not None and person.pk != customer.user_id:
        raise errors.NameTaken()


def _rename_person(customer: Customer, old_name: str) -> None:
    """The house's sign-in name follows the shop's as long as the two were one."""
    if customer.name == old_name or customer.user.username != old_name.lower():
        return
    try:
        accounts.set_identifier(user=customer.user, username=customer.name)
    except accounts.UsernameTaken as problem:
        raise errors.NameTaken() from problem
