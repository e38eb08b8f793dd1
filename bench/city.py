"""A city in numbers: 39 districts full of tickets, their people and followers, as actions would leave them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from apps.accounts import tokens
from apps.accounts.models import User
from apps.core import geo
from apps.tickets.actions import categories
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Category, District, Member, Team
from bench import people

CITIZENS, OFFICERS, MANAGERS = 2_000, 80, 30
DAYS = 365
SPREAD_DEGREES = 0.02
"""Standard deviation of a district's tickets around its centre: about two kilometres."""
TABLES = ("tickets_ticket", "tickets_follow", "tickets_member", "tickets_category", "tickets_team", "tickets_district")

_POINTS = "CREATE TEMPORARY TABLE point (n int, district_id uuid, latitude float8, longitude float8, h9 bigint)"
_TICKETS = """
INSERT INTO tickets_ticket (id, title, description, status, category_id, reporter_id, team_id, latitude, longitude, h9,
    district_id, city, resolved_at, created_at, updated_at)
SELECT gen_random_uuid(), 'Sokak lambası yanmıyor ' || n, 'Köşedeki lamba bir haftadır yanmıyor, akşam çok karanlık',
    state, %(categories)s[1 + n %% 6], %(citizens)s[1 + n %% %(people)s], %(teams)s[1 + n %% 6], latitude, longitude,
    h9, district_id, 'Istanbul', CASE WHEN state IN ('RESOLVED', 'CLOSED') THEN moment + interval '2 days' END,
    moment, moment
FROM point, LATERAL (SELECT now() - random() * %(days)s * interval '1 day' AS moment,
    (ARRAY['NEW','IN_PROGRESS','ESCALATED','RESOLVED','CLOSED'])
        [CASE WHEN n %% 100 < 12 THEN 1 WHEN n %% 100 < 26 THEN 2 WHEN n %% 100 < 30 THEN 3
              WHEN n %% 100 < 60 THEN 4 ELSE 5 END] AS state WHERE n >= 0) life
"""
_FOLLOWS = """
INSERT INTO tickets_follow (ticket_id, member_id, created_at) SELECT id, reporter_id, created_at FROM tickets_ticket
"""


@dataclass
class City:
    """Who lives and works here; members with a team come first to it by their place in `officers`."""

    citizens: list[Member]
    officers: list[Member]
    managers: list[Member]


def build(count: int) -> City:
    """`count` tickets of a year, a quarter of them open, more in busy districts."""
    categories.ensure_reference()
    teams = Team.objects.bulk_create(Team(name=f"Team {number}") for number in range(6))
    city = City(
        _people(1, CITIZENS, Member.Role.CITIZEN),
        _people(10_000, OFFICERS, Member.Role.SUPPORT, teams[0]),
        _people(20_000, MANAGERS, Member.Role.MANAGER),
    )
    # Asked for before the connection is busy with the copy.
    districts = list(District.objects.order_by("name"))
    with connection.cursor() as cursor:
        # A million rows take longer than a request may; triggers would look up parents that are surely there.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_POINTS)
        with cursor.copy("COPY point FROM STDIN") as copy:
            for row in _points(count, districts):
                copy.write_row(row)
        cursor.execute(
            _TICKETS,
            {
                "categories": list(Category.objects.order_by("name").values_list("pk", flat=True)[:6]),
                "citizens": [member.pk for member in city.citizens],
                "people": CITIZENS,
                "teams": [team.pk for team in teams],
                "days": DAYS,
            },
        )
        cursor.execute(_FOLLOWS)
        cursor.execute("DROP TABLE point")
        cursor.execute("SET session_replication_role = origin")
    people.settle_tables(*TABLES)
    return city


def _people(first: int, count: int, role: str, team: Team | None = None) -> list[Member]:
    users = User.objects.bulk_create(User(username=f"city-{first + n}") for n in range(count))
    return Member.objects.bulk_create(
        Member(user=user, name=f"{role} {n}", phone_number=f"+90532{first + n:07d}", role=role, team=team,
               is_verified=True)
        for n, user in enumerate(users)
    )  # fmt: skip


def _points(count: int, districts: list[District]) -> Iterator[tuple[int, object, float, float, int]]:
    dice = random.Random("mahalla bench")
    weights = [1 + number % 5 for number in range(len(districts))]
    for number, district in enumerate(dice.choices(districts, weights, k=count)):
        latitude, longitude = around(dice, district)
        yield number, district.pk, latitude, longitude, geo.cell(latitude, longitude)


def around(dice: random.Random, district: District) -> tuple[float, float]:
    """A place near the centre of a district."""
    return dice.gauss(district.latitude, SPREAD_DEGREES), dice.gauss(district.longitude, SPREAD_DEGREES)


def places(count: int) -> list[tuple[float, float]]:
    """Where somebody stands who asks what is near."""
    dice = random.Random("mahalla places")
    districts = list(District.objects.order_by("name"))
    return [around(dice, dice.choice(districts)) for _ in range(count)]


def token(member: Member) -> str:
    """A sign-in."""
    return tokens.bare(PRODUCT, str(member.pk)).access
