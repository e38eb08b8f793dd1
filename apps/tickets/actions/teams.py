"""Teams and who is in them (contract tickets 1.3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.access import ensure
from apps.core.errors import Refused
from apps.tickets import access, errors
from apps.tickets.actions import members, routing
from apps.tickets.models import Category, District, Member, Team, Ticket
from apps.tickets.queries import kept


def create(
    *,
    by: Any,
    name: str,
    description: str | None = None,
    category_ids: Sequence[uuid.UUID] = (),
    district_ids: Sequence[uuid.UUID] = (),
) -> Team:
    """A new team. Raises `ManagersOnly`, `TeamNameTaken`, `CategoryNotFound`, `DistrictNotFound`."""
    access.ensure_can("manage", by)
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name, description=description)
            _cover(team, category_ids, district_ids)
            return team
    except IntegrityError as problem:
        raise errors.TeamNameTaken() from problem


def _cover(team: Team, category_ids: Sequence[uuid.UUID] | None, district_ids: Sequence[uuid.UUID] | None) -> None:
    """What it repairs and where; `None` leaves that as it is."""
    if category_ids is not None:
        team.categories.set(_known(Category.objects.all(), category_ids, errors.CategoryNotFound))
    if district_ids is not None:
        team.districts.set(_known(District.objects.all(), district_ids, errors.DistrictNotFound))


def _known(rows: QuerySet[Any], ids: Sequence[uuid.UUID], refusal: type[Refused]) -> list[Any]:
    found = list(rows.filter(pk__in=ids))
    ensure(len(found) == len(set(ids)), refusal)
    return found


def change(*, by: Any, team_id: uuid.UUID, changes: Mapping[str, Any]) -> Team:
    """Change name, description, `category_ids`, `district_ids`; tickets that it has stay with it.

    Raises `ManagersOnly`, `TeamNotFound`, `TeamNameTaken`, `CategoryNotFound`, `DistrictNotFound`.
    """
    access.ensure_can("manage", by)
    words = {name: changes[name] for name in ("name", "description") if name in changes}
    try:
        with transaction.atomic():
            team = _locked(team_id)
            for name, value in words.items():
                setattr(team, name, value)
            team.updated_at = timezone.now()
            team.save(update_fields=[*words, "updated_at"])
            _cover(team, changes.get("category_ids"), changes.get("district_ids"))
            return team
    except IntegrityError as problem:
        raise errors.TeamNameTaken() from problem


def make_fallback(*, by: Any, team_id: uuid.UUID) -> Team:
    """This team takes what nobody covers from now on, instead of the one that did; repeating changes nothing.

    Raises `ManagersOnly`, `TeamNotFound`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        _hold_all()
        _locked(team_id)
        now = timezone.now()
        Team.objects.filter(is_fallback=True).exclude(pk=team_id).update(is_fallback=False, updated_at=now)
        Team.objects.filter(pk=team_id, is_fallback=False).update(is_fallback=True, updated_at=now)
    return Team.objects.get(pk=team_id)


def remove(*, by: Any, team_id: uuid.UUID) -> None:
    """Delete it: its members are in no team then, its tickets find new teams in a few statements.

    Raises `ManagersOnly`, `TeamNotFound`, `FallbackTeamFixed`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        _hold_all()
        team = _locked(team_id)
        if team.is_fallback:
            raise errors.FallbackTeamFixed()
        routing.reroute(tickets=Ticket.objects.filter(team=team), but=team.pk)
        team.delete()
        kept.forget()


def add_member(*, by: Any, team_id: uuid.UUID, member_id: uuid.UUID) -> Team:
    """Put somebody into the team, out of another one if need be; again is fine.

    Raises `ManagersOnly`, `TeamNotFound`, `UserNotFound`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        team = _locked(team_id)
        member = members.lock(member_id)
        Member.objects.filter(pk=member.pk).update(team=team, updated_at=timezone.now())
    return team


def remove_member(*, by: Any, team_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """Take somebody out of the team. Raises `ManagersOnly`, `TeamNotFound`, `NotATeamMember`."""
    access.ensure_can("manage", by)
    with transaction.atomic():
        team = _locked(team_id)
        inside = Member.objects.living().filter(pk=member_id, team=team)
        if not inside.update(team=None, updated_at=timezone.now()):
            raise errors.NotATeamMember()


def _hold_all() -> None:
    """Every team, in one order: two that are deleted at once would wait for each other to take their tickets.

    Tickets are reported meanwhile: their look at a team does not wait for this.
    """
    list(Team.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _locked(team_id: uuid.UUID) -> Team:
    team = Team.objects.select_for_update().filter(pk=team_id).first()
    if team is None:
        raise errors.TeamNotFound()
    return team
