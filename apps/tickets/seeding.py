"""Sample data for every screen of the city: teams of all districts, people, the tickets of a year.

Rows of the past are written as rows, because actions know the present only.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core import geo
from apps.core.models import StepLog
from apps.tickets.actions import categories
from apps.tickets.models import (
    Category,
    Comment,
    District,
    Escalation,
    Feedback,
    Follow,
    Member,
    SlaClock,
    SlaPolicy,
    StatusLog,
    Team,
    Ticket,
)
from apps.tickets.queries import kept

Status = Ticket.Status
Role = Member.Role

CITIZENS = 40
DAYS = 365
PASSWORD = "Mahalla-Demo-1"  # noqa: S105 - published on purpose, as the house's sample staff have one
PHONE = "+90555010{:04d}"
MANAGER, OFFICER = "manager@example.com", "lighting@example.com"
BATCH = 500

TROUBLES: dict[str, tuple[str, ...]] = {
    "Infrastructure": ("Kaldırım taşları kırık", "Yolda derin çukur", "Rögar kapağı eksik"),
    "Traffic": ("Trafik ışığı çalışmıyor", "Yaya geçidi silinmiş", "Dur levhası devrilmiş"),
    "Lighting": ("Sokak lambası yanmıyor", "Parkta ışık yok", "Lamba gündüz de yanıyor"),
    "Waste Management": ("Çöp toplanmadı", "Konteyner taşmış", "Moloz bırakılmış"),
    "Parks": ("Salıncak kopmuş", "Bank kırık", "Ağaç dalı sarkıyor"),
    "Other": ("Gürültü şikayeti", "Sahipsiz araç", "Duvar yazısı"),
}
HOURS: dict[str, tuple[int, int]] = {
    "Infrastructure": (48, 14 * 24),
    "Traffic": (4, 48),
    "Lighting": (24, 72),
    "Waste Management": (12, 48),
    "Parks": (48, 10 * 24),
    "Other": (72, 21 * 24),
}
"""Category → promised hours to the first answer and to the resolution."""

NAMES = ("Ayşe", "Mehmet", "Zeynep", "Can", "Elif", "Emre", "Deniz", "Burak", "Selin", "Kerem")
SURNAMES = ("Yılmaz", "Demir", "Kaya", "Şahin", "Çelik", "Arslan", "Doğan", "Koç")
REMARKS = ("Bizim sokakta da aynı sorun var", "Çocuklar için tehlikeli", "Teşekkürler, bekliyoruz")
LIVES = (
    ((Status.NEW,), 12),
    ((Status.NEW, Status.IN_PROGRESS), 14),
    ((Status.NEW, Status.IN_PROGRESS, Status.ESCALATED), 4),
    ((Status.NEW, Status.IN_PROGRESS, Status.RESOLVED), 30),
    ((Status.NEW, Status.IN_PROGRESS, Status.RESOLVED, Status.CLOSED), 40),
)
"""Ways through the table of states, and how many of a hundred go each."""

WAYS_IN = (
    f"{MANAGER} decides, {OFFICER} repairs; their password is {PASSWORD}; pages: {{address}}/desk/tickets/",
    "a citizen: request and verify a code for " + PHONE.format(0) + ", the code lies in {address}/__sandbox/messages",
)


@dataclass
class City:
    """Who and what the samples are made of, and one source of chance."""

    citizens: list[Member]
    officers: dict[Any, Member]
    teams: dict[str, Team]
    kinds: list[Category]
    districts: list[District]
    dice: random.Random
    now: datetime


def seed() -> str:
    """Plant the city once. Returns what was done."""
    if Member.objects.filter(phone_number=PHONE.format(0)).exists():
        return "already there"
    with transaction.atomic():
        categories.ensure_reference()
        city = _found_the_city()
        _promise(city)
        drafts = [_draft(city, number) for number in range(settings.TICKETS.sample_tickets)]
        Ticket.objects.bulk_create((ticket for ticket, _life in drafts), batch_size=BATCH)
        for rows in (_lines, _clocks, _follows, _comments, _marks, _requests):
            _keep(row for ticket, life in drafts for row in rows(city, ticket, life))
        kept.forget()
    return f"{len(city.citizens) + len(city.officers) + 1} people, {len(city.teams)} teams, {len(drafts)} tickets"


def _keep(rows: Iterator[Any]) -> None:
    """Rows of one or more tables, each written in batches."""
    tables: dict[type[Any], list[Any]] = {}
    for row in rows:
        tables.setdefault(type(row), []).append(row)
    for table, found in tables.items():
        table.objects.bulk_create(found, batch_size=BATCH)


# People and teams -----------------------------------------------------------------------------------------------------


def _found_the_city() -> City:
    dice, kinds = random.Random("mahalla tickets"), list(Category.objects.filter(name__in=TROUBLES))
    districts = list(District.objects.order_by("name"))
    teams = {kind.name: _team(kind, districts) for kind in kinds if kind.name != categories.OTHER}
    if not Team.objects.filter(is_fallback=True).exists():
        teams[categories.OTHER] = Team.objects.create(name="City desk", is_fallback=True)
    citizens = [_person(number, _full_name(dice)) for number in range(CITIZENS)]
    officers = {
        team.pk: _person(100 + number, _full_name(dice), Role.SUPPORT, team, _address(name))
        for number, (name, team) in enumerate(teams.items())
    }
    manager = _person(200, "Mahalla Müdürü", Role.MANAGER, None, MANAGER)
    _open_the_desk([manager, *officers.values()])
    return City(citizens, officers, teams, kinds, districts, dice, timezone.now())


def _open_the_desk(staff: list[Member]) -> None:
    """One published password for all of them; hashed once, because that is slow on purpose."""
    User.objects.filter(pk__in=[member.user_id for member in staff]).update(password=make_password(PASSWORD))


def _team(kind: Category, districts: list[District]) -> Team:
    found, _is_new = Team.objects.get_or_create(name=f"{kind.name} team", defaults={"description": kind.description})
    found.categories.add(kind)
    found.districts.add(*districts)
    return found


def _full_name(dice: random.Random) -> str:
    return f"{dice.choice(NAMES)} {dice.choice(SURNAMES)}"


def _address(team: str) -> str:
    return f"{team.split()[0].lower()}@example.com"


def _person(number: int, name: str, role: str = Role.CITIZEN, team: Team | None = None, email: str = "") -> Member:
    """A verified member without a password: citizens come by a code."""
    user = User.objects.create_user(username=f"tickets-sample-{number}", language="tr")
    return Member.objects.create(
        user=user,
        name=name,
        phone_number=PHONE.format(number),
        email=email or None,
        role=role,
        team=team,
        is_verified=True,
        is_phone_proved=True,
        created_at=timezone.now() - timedelta(days=DAYS + 1),
    )


def _promise(city: City) -> None:
    for kind in city.kinds:
        first, whole = HOURS[kind.name]
        SlaPolicy.objects.get_or_create(
            category=kind, team=None, defaults={"first_response_minutes": first * 60, "resolution_minutes": whole * 60}
        )


# Tickets --------------------------------------------------------------------------------------------------------------

Life = list[tuple[str, datetime]]
"""Statuses with the moments in which they began."""


def _draft(city: City, number: int) -> tuple[Ticket, Life]:
    kind, district = city.dice.choice(city.kinds), city.dice.choice(city.districts)
    latitude = district.latitude + city.dice.gauss(0, 0.008)
    longitude = district.longitude + city.dice.gauss(0, 0.01)
    life = _life(city, HOURS[kind.name][1])
    status, team = life[-1][0], city.teams.get(kind.name)
    trouble = city.dice.choice(TROUBLES[kind.name])
    ticket = Ticket(
        title=f"{trouble} ({district.name})",
        description=f"{trouble}. Lütfen ilgilenin, {district.name} içinde. Kayıt {number + 1}.",
        status=status,
        category=kind,
        reporter=city.dice.choice(city.citizens),
        team=team,
        assignee=city.officers.get(team.pk) if team and len(life) > 1 else None,
        latitude=latitude,
        longitude=longitude,
        h9=geo.cell(latitude, longitude),
        address=f"{district.name}, {city.dice.randrange(1, 90)}. Sokak",
        district=district,
        city=district.city,
        resolved_at=dict(life).get(Status.RESOLVED),
        created_at=life[0][1],
        updated_at=life[-1][1],
    )
    return ticket, life


def _life(city: City, hours: int) -> Life:
    """What is not finished is mostly young; more has been reported lately than a year ago."""
    ways = [way for way, _share in LIVES]
    way = city.dice.choices(ways, weights=[share for _way, share in LIVES])[0]
    is_finished = Status.RESOLVED in way
    days = DAYS * city.dice.random() ** 1.6 if is_finished else 21 * city.dice.random() ** 2
    at = city.now - timedelta(days=days, minutes=5)
    life = [(str(way[0]), at)]
    for status in way[1:]:
        at = min(at + timedelta(hours=hours * city.dice.random() * 0.7 + 0.2), city.now - timedelta(minutes=1))
        life.append((str(status), at))
    return life


def _lines(city: City, ticket: Ticket, life: Life) -> Iterator[StatusLog | StepLog]:
    """The history, in both logs."""
    before: str | None = None
    for status, at in life:
        by = ticket.assignee if before else ticket.reporter
        yield StatusLog(ticket=ticket, old_status=before, new_status=status, changed_by=by, created_at=at)
        if before:
            yield StepLog(
                model=Ticket._meta.label,
                object_id=str(ticket.pk),
                from_status=before,
                to_status=status,
                by=f"tickets.member:{by.pk}" if by else "system",
                at=at,
            )
        before = status


def _clocks(city: City, ticket: Ticket, life: Life) -> Iterator[SlaClock]:
    first, whole = HOURS[ticket.category.name]
    answered = life[1][1] if len(life) > 1 else None
    for kind, hours, stopped in (
        (SlaClock.Kind.FIRST_RESPONSE, first, answered),
        (SlaClock.Kind.RESOLUTION, whole, ticket.resolved_at),
    ):
        due = ticket.created_at + timedelta(hours=hours)
        is_late = (stopped or city.now) > due
        yield SlaClock(
            ticket=ticket,
            kind=kind,
            started_at=ticket.created_at,
            due_at=due,
            stopped_at=stopped,
            breached_at=due if is_late else None,
        )


def _follows(city: City, ticket: Ticket, life: Life) -> Iterator[Follow]:
    others = city.dice.sample(city.citizens, city.dice.choice((0, 0, 0, 1, 3)))
    for member in {ticket.reporter, *others}:
        yield Follow(ticket=ticket, member=member, created_at=ticket.created_at)


def _comments(city: City, ticket: Ticket, life: Life) -> Iterator[Comment]:
    if city.dice.random() < 0.3:
        author = city.dice.choice(city.citizens)
        yield Comment(ticket=ticket, author=author, content=city.dice.choice(REMARKS), created_at=life[-1][1])
    if ticket.assignee and city.dice.random() < 0.1:
        yield Comment(
            ticket=ticket, author=ticket.assignee, content="Malzeme bekleniyor", is_internal=True, created_at=life[1][1]
        )


def _marks(city: City, ticket: Ticket, life: Life) -> Iterator[Feedback]:
    if ticket.resolved_at and city.dice.random() < 0.4:
        given = min(ticket.resolved_at + timedelta(hours=5), city.now)
        rating = city.dice.choice((5, 5, 4, 4, 3, 2, 1))
        yield Feedback(ticket=ticket, author=ticket.reporter, rating=rating, created_at=given)


def _requests(city: City, ticket: Ticket, life: Life) -> Iterator[Escalation]:
    if ticket.status == Status.ESCALATED:
        yield Escalation(
            ticket=ticket, requester=ticket.assignee, reason="Ek bütçe ve ekip gerekiyor", created_at=life[-1][1]
        )
