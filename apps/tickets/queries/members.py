"""Who is it, and who is there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F

from apps.accounts import queries as people
from apps.accounts.models import User
from apps.core.access import ensure
from apps.core.rows import FixedRows
from apps.tickets import errors
from apps.tickets.models import Member
from apps.tickets.queries.rows import stored

COLUMNS = (
    *("id", "phone_number", "name", "email", "role", "is_verified", "is_active"),
    *("team_id", "team_name", "created_at", "updated_at"),
)
UNASSIGNED_MOST = 1000
"""Rows of the list of people without a team."""


def living(member_id: Any) -> Member | None:
    """The member of this id with person and team; None for a malformed or unknown one, or one who was removed."""
    key = _key(member_id)
    return Member.objects.living().select_related("user", "team").filter(pk=key).first() if key else None


def _key(member_id: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(member_id))
    except ValueError:
        return None


PERSON_OF = FixedRows(
    User,
    """
    SELECT {columns} FROM tickets_member m JOIN accounts_user u ON u.id = m.user_id
    WHERE m.id = %s AND m.deleted_at IS NULL
    """,
    table="u",
)


def person_of(member_id: Any) -> User | None:
    """The person of the living member of this id. Fixed SQL: every request with a client's own token asks."""
    key = _key(member_id)
    return next(iter(PERSON_OF.models(stored(key))), None) if key else None


OF_PERSON = FixedRows(
    Member, "SELECT {columns} FROM tickets_member m WHERE m.user_id = %s AND m.deleted_at IS NULL", table="m"
)


def of_person(user: Any) -> Member | None:
    """A person's living membership; its team is read when somebody asks for it.

    Fixed SQL: every request with a token asks (design 3.25).
    """
    found = next(iter(OF_PERSON.models(user.pk)), None)
    if found is not None:
        found.user = user
    return found


def of_phone(phone: str) -> Member | None:
    """The living member who gave this phone (E.164)."""
    return Member.objects.of_phone(phone).select_related("user").first()


def of_email(email: str) -> Member | None:
    """The living member who gave this e-mail, letter case aside (D17)."""
    return Member.objects.living().select_related("user").filter(email=email.strip().lower()).first()


def person_of_email(email: str) -> User | None:
    """The person who signs in with this e-mail."""
    member = of_email(email)
    return people.person(pk=member.user_id) if member else None


def has_password(member: Member) -> bool:
    """Whether the member can sign in by e-mail; needs `user` loaded."""
    return bool(member.email) and member.user.has_usable_password()


def phones_of(user_ids: Iterable[int]) -> dict[int, str]:
    """Where this product's text messages to people go; only mobile phones of Turkey get any."""
    mobile = Member.objects.living().filter(user_id__in=list(user_ids), phone_number__startswith="+905")
    return dict(mobile.order_by().values_list("user_id", "phone_number"))


def one(*, by: Member, member_id: uuid.UUID) -> Member:
    """Oneself, or anybody for a manager. Raises `NotYourProfile`, `UserNotFound`."""
    ensure(by.is_manager or by.pk == member_id, errors.NotYourProfile)
    found = living(member_id)
    if found is None:
        raise errors.UserNotFound()
    return found


def as_row(member: Member) -> dict[str, Any]:
    """One member as the API shows people; one query more where `team` is not loaded."""
    row = {name: getattr(member, name) for name in COLUMNS if name != "team_name"}
    return {**row, "team_name": member.team.name if member.team else None}


def page(
    *, role: str | None, team_id: uuid.UUID | None, page: int, page_size: int
) -> tuple[list[Mapping[str, Any]], int]:
    """One page of living members, newest first, and how many there are."""
    found = Member.objects.living()
    if role is not None:
        found = found.filter(role=role)
    if team_id is not None:
        found = found.filter(team_id=team_id)
    start = (page - 1) * page_size
    rows = found.annotate(team_name=F("team__name")).values(*COLUMNS)
    return list(rows[start : start + page_size]), found.count()


def without_team() -> list[Mapping[str, Any]]:
    """Active people of all roles who are in no team, by name; bounded."""
    free = Member.objects.living().filter(team=None, is_active=True).order_by("name", "id")
    return list(free.values("id", "name", "phone_number", "role")[:UNASSIGNED_MOST])
