"""Somebody works here no more, or as something else: what he had in hand goes to others (contract florist 3.2, 3.9)."""

from __future__ import annotations

from apps.florist.actions import production, runs
from apps.florist.models import Employee

Role = Employee.Role


def free_work(*, employee_id: int) -> None:
    """His tasks return to the queue unless he is an active florist, his orders to the desk unless an active courier.

    Called when it is committed that he left: whoever gives him work now is refused. Repeating is free.
    """
    who = Employee.objects.get(pk=employee_id)
    if not (who.is_active and who.role == Role.FLORIST):
        production.free_the_work_of(florist_id=who.pk)
    if not (who.is_active and who.role == Role.COURIER):
        runs.free_the_orders_of(courier_id=who.pk)


def free_work_of_person(*, user_id: int) -> None:
    """`free_work` in every shop where the person had a seat."""
    for employee_id in Employee.objects.filter(user_id=user_id).values_list("id", flat=True):
        free_work(employee_id=employee_id)
