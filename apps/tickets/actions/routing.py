"""Which team gets a ticket: the same question always has the same answer (contract tickets 3, routing)."""

from __future__ import annotations

import functools
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from apps.tickets.actions import sla
from apps.tickets.models import UNFINISHED, Team, Ticket


class Place(NamedTuple):
    """What routing looks at; tickets of one place go to one team."""

    category_id: uuid.UUID
    district_id: uuid.UUID | None
    city: str


@dataclass
class Candidate:
    """A team and where it works."""

    team_id: uuid.UUID
    districts: set[uuid.UUID] = field(default_factory=set)
    cities: set[str] = field(default_factory=set)

    def distance(self, place: Place) -> int:
        """1 the district, 2 another one of the city, 3 elsewhere."""
        if place.district_id in self.districts:
            return 1
        return 2 if place.city.casefold() in self.cities else 3


class Desk:
    """Picks teams for tickets of some categories. Among equals the one with less to do, then by name.

    Three queries whatever the number of teams and picks, two while nobody is equal.
    """

    def __init__(self, category_ids: Iterable[uuid.UUID], *, but: uuid.UUID | None = None) -> None:
        self._but = but
        self._able: dict[uuid.UUID, list[Candidate]] = {}
        self._loads: Counter[uuid.UUID] | None = None
        self._read(category_ids)

    def _read(self, category_ids: Iterable[uuid.UUID]) -> None:
        links = Team.categories.through.objects.filter(category__in=category_ids, team__is_fallback=False)
        links = links.filter(~Q(team=self._but)).order_by("team__name", "team")
        known: dict[uuid.UUID, Candidate] = {}
        for category_id, team_id in links.values_list("category_id", "team_id"):
            candidate = known.setdefault(team_id, Candidate(team_id))
            self._able.setdefault(category_id, []).append(candidate)
        covered = Team.districts.through.objects.filter(team__in=known)
        for team_id, district_id, city in covered.values_list("team_id", "district_id", "district__city"):
            known[team_id].districts.add(district_id)
            known[team_id].cities.add(city.casefold())

    def pick(self, place: Place, *, tickets: int = 1) -> uuid.UUID | None:
        """The team, which has `tickets` more to do from now on; the fallback team when nobody is able, or None."""
        able = self._able.get(place.category_id, [])
        if not able:
            return self._fallback
        nearest = min(candidate.distance(place) for candidate in able)
        equal = [candidate.team_id for candidate in able if candidate.distance(place) == nearest]
        if len(equal) == 1:
            return equal[0]
        chosen = min(equal, key=lambda team_id: self._busy()[team_id])
        self._busy()[chosen] += tickets
        return chosen

    def _busy(self) -> Counter[uuid.UUID]:
        if self._loads is None:
            ids = {candidate.team_id for able in self._able.values() for candidate in able}
            unfinished = Ticket.objects.living().filter(team__in=ids, status__in=UNFINISHED).order_by()
            self._loads = Counter(dict(unfinished.values_list("team_id").annotate(Count("pk"))))
        return self._loads

    @functools.cached_property
    def _fallback(self) -> uuid.UUID | None:
        """Asked once: a team that goes away may leave tickets in every district."""
        return Team.objects.filter(~Q(pk=self._but), is_fallback=True).values_list("pk", flat=True).first()


def team_for(place: Place) -> uuid.UUID | None:
    """Category and district; else category and any district of the city; else category; else the fallback team."""
    return Desk([place.category_id]).pick(place)


def reroute(*, tickets: QuerySet[Ticket], but: uuid.UUID) -> int:
    """New teams for the tickets of a team that is going away, and the promises of time that hold with these.

    A few statements per new team. Returns how many moved.
    """
    rows: Any = tickets.order_by().values_list("category_id", "district_id", "city").annotate(Count("pk"))
    places = [(Place(*place), count) for *place, count in rows]
    desk = Desk({place.category_id for place, _ in places}, but=but)
    groups: dict[uuid.UUID | None, Q] = {}
    for place, count in sorted(places, key=str):
        team_id = desk.pick(place, tickets=count)
        groups[team_id] = groups.get(team_id, Q()) | Q(**place._asdict())
    moved_at = timezone.now()
    moved = sum(
        tickets.filter(which).update(team_id=team_id, assignee=None, updated_at=moved_at)
        for team_id, which in groups.items()
    )
    for team_id in groups:
        # By the moment: the new team has other tickets too, and theirs was promised already.
        sla.follow_route(moved=Ticket.objects.filter(Q(team_id=team_id), updated_at=moved_at))
    return moved
