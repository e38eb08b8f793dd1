"""Who may sit at the desk, and in which shops a person works."""

from __future__ import annotations

from typing import Any

from apps.florist.models import Employee
from apps.florist.queries import employees


def at_work(employee_id: Any) -> Employee | None:
    """The employee with his person and shop, while he works there and the shop is open."""
    return employees.working().filter(pk=employee_id).first() if employee_id else None


def of_person(user: Any) -> list[Employee]:
    """Everywhere this person works, by the shop's name; at most fifty."""
    return list(employees.working().filter(user=user).order_by("shop__name", "id")[:50])


def colleagues(by: Employee) -> dict[str, list[Employee]]:
    """Florists and couriers of his shop for the choices of a form, by role; managers make bouquets too. One query."""
    rows = employees.working().filter(shop_id=by.shop_id).order_by("-is_on_shift", "name", "id")[:200]
    found = list(rows)
    return {
        "florists": [one for one in found if one.role == Employee.Role.FLORIST],
        "couriers": [one for one in found if one.role == Employee.Role.COURIER],
    }
