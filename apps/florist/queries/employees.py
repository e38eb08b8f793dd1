"""Who works where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.accounts import queries as people
from apps.accounts.models import Session, User
from apps.core.rows import FixedPairs
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee, Shop
from apps.florist.models.base import ShopQuerySet

MOST_JOBS = 50
"""Jobs of one person that are looked at."""


def working() -> ShopQuerySet[Employee]:
    """Everybody who may sign in: works in a shop that is open; with person and shop."""
    rows = Employee.objects.filter(is_active=True, shop__is_active=True, user__is_active=True)
    return rows.select_related("shop", "user")


SEAT = FixedPairs(
    Employee,
    Shop,
    """
    SELECT {first}, {second} FROM florist_employee e JOIN florist_shop s ON s.id = e.shop_id
    WHERE e.id = %s AND e.user_id = %s AND e.is_active AND s.is_active
    """,
    tables=("e", "s"),
)


def named(user: Any, subject: str) -> Employee | None:
    """The employee whom a token names, if he is this person (or his id) and still works there.

    Fixed SQL for a person who was read a moment ago: every request with a token asks (design 3.25).
    """
    if not (subject.isascii() and subject.isdigit() and len(subject) < 19):
        return None
    if not isinstance(user, User):
        return working().filter(user=user, pk=int(subject)).first()
    found = SEAT.models(int(subject), user.pk) if user.is_active else []
    if not found:
        return None
    employee, shop = found[0]
    employee.shop, employee.user = shop, user
    return employee


def of_person(user: User, shop_id: int | None = None) -> Employee | None:
    """Where the person works; of several shops the wanted one, else the usual one."""
    return _chosen(working().filter(user=user), shop_id)


def of_phone(phone: str, shop_id: int | None = None) -> Employee | None:
    """The seat of the person whom the house knows by this phone.

    The phone on a seat says where to call its owner; it opens nothing, because numbers find new owners.
    """
    person = people.person(phone=phone)
    return of_person(person, shop_id) if person else None


def _chosen(rows: ShopQuerySet[Employee], shop_id: int | None) -> Employee | None:
    if shop_id:
        return rows.filter(shop_id=shop_id).first()
    return usual(list(rows.order_by("id")[:MOST_JOBS]))


def usual(jobs: Sequence[Employee]) -> Employee | None:
    """The job that somebody signed in to last, else the first of these.

    Never simply the newest: whoever hires a stranger's phone must not find him at his own door.
    """
    subjects = {str(job.pk): job for job in jobs}
    users = {job.user_id for job in jobs}
    last = Session.objects.filter(user__in=users, audience=PRODUCT, subject__in=subjects) if len(jobs) > 1 else None
    found = last.order_by("-created_at").values_list("subject", flat=True).first() if last is not None else None
    return subjects[found] if found else next(iter(jobs), None)


def owns_a_closed_shop(phone: str) -> bool:
    """Whether an owner with this phone was shut out together with his shop."""
    person = people.person(phone=phone)
    return Employee.objects.filter(user=person, role=Employee.Role.ADMIN, shop__is_active=False).exists()


def person_called(text: str) -> User | None:
    """Who signs in with this phone or e-mail and a password.

    An address that the house knows goes first; of several shops' unproved ones the oldest, which nobody can overtake.
    """
    if (person := people.person_called(text, country="KZ")) is not None:
        return person
    found = working().filter(email=text.strip().lower()).order_by("id").first() if "@" in text else None
    return found.user if found else None
