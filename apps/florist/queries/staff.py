"""The people of a shop."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from apps.florist import errors
from apps.florist.models import Employee
from apps.florist.models.catalogue import says


def page(
    by: Any, *, skip: int = 0, limit: int = 100, search: str = "", role: str = "", is_active: bool | None = None
) -> tuple[list[Employee], int]:
    """Employees of the shop by name; `search` in name, phone (any spelling) and e-mail."""
    rows = Employee.objects.visible_to(by)
    if role:
        rows = rows.filter(role=role)
    if is_active is not None:
        rows = rows.filter(is_active=is_active)
    if words := search.strip():
        where = says("name", words) | says("email", words)
        digits = "".join(letter for letter in words if letter.isdigit())
        if digits:
            where |= Q(phone__contains=digits[1:] if len(digits) == 11 and digits[0] == "8" else digits)
        rows = rows.filter(where)
    return list(rows.order_by("name", "id")[skip : skip + limit]), rows.count()


def one(by: Any, employee_id: int) -> Employee:
    """Somebody of the own shop. Raises `EmployeeNotFound`."""
    found = Employee.objects.visible_to(by).filter(pk=employee_id).first()
    if found is None:
        raise errors.EmployeeNotFound()
    return found
