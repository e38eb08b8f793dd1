"""Where it is hot: points as clients read them, hexagons, limits, caching (contract tickets 4, design 3.25)."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.core import geo
from apps.core.testing import query_budget
from apps.tickets.actions import feedback, tickets
from apps.tickets.models import Category, Member, Ticket
from apps.tickets.queries import maps
from apps.tickets.tests import cast, city
from apps.tickets.tests.city import KADIKOY, Phone, Role, north_of

pytestmark = pytest.mark.django_db


def wanted(days: int = 30, **more: Any) -> maps.Wanted:
    return maps.Wanted(timezone.now() - timedelta(days=days), **more)


def scattered(count: int, spread: float = 0.2) -> list[Ticket]:
    dice = random.Random(11)
    kind, who = city.category(), city.member()
    now = timezone.now()
    rows = []
    for _ in range(count):
        lat, lon = KADIKOY[0] + dice.uniform(-spread, spread), KADIKOY[1] + dice.uniform(-spread, spread)
        rows.append(
            Ticket(
                title="Lamp", description="Dark", category=kind, reporter=who, city="Istanbul", created_at=now,
                latitude=lat, longitude=lon, h9=geo.cell(lat, lon),
            )
        )  # fmt: skip
    return Ticket.objects.bulk_create(rows)


def test_without_tickets_there_is_nothing() -> None:
    answer = Phone(city.member(Role.SUPPORT)).get("analytics/heatmap")
    assert (answer.status_code, answer.json()) == (200, {"points": [], "total_tickets": 0, "max_count": 0})


def test_points_are_counted_by_cell_around_their_own_centre() -> None:
    for metres in (0, 10, 20):
        city.ticket(north_of((40.9808, 29.0217), metres))
    city.ticket((41.1, 29.2))
    answer = Phone(city.member(Role.MANAGER)).get("analytics/heatmap").json()
    assert (answer["total_tickets"], answer["max_count"]) == (4, 3)
    hot, cold = answer["points"]
    assert hot == {
        "latitude": pytest.approx(north_of((40.9808, 29.0217), 10)[0], abs=2e-6),
        "longitude": pytest.approx(29.0217),
        "count": 3,
        "intensity": 1.0,
    }
    assert cold == {"latitude": 41.1, "longitude": 29.2, "count": 1, "intensity": 0.3333}


def test_the_filters() -> None:
    lighting, waste = city.category(), city.category()
    city.ticket((40.98, 29.02), of=lighting)
    city.ticket((40.99, 29.03), of=waste, status=Ticket.Status.RESOLVED)
    city.ticket((41.0, 29.04), of=waste, days_ago=8)
    city.ticket((41.0, 29.05), of=waste, deleted_at=timezone.now())
    phone = Phone(city.member(Role.SUPPORT))

    def total(**query: Any) -> int:
        answer = phone.get("analytics/heatmap", **query)
        assert answer.status_code == 200, answer.content
        hexagons = phone.get("analytics/heatmap/hexagons", **query).json()
        assert hexagons["total_tickets"] == answer.json()["total_tickets"]
        found: int = hexagons["total_tickets"]
        return found

    assert total() == 3
    assert total(days=7) == 2
    assert total(category_id=lighting.pk) == 1
    assert total(category_id="", status="") == 3
    assert total(status="resolved") == 1
    assert total(bbox="29.015,40.97,29.035,40.995") == 2


@pytest.mark.parametrize(
    "query",
    [
        {"days": 0}, {"days": 366}, {"status": "OPEN"}, {"category_id": "x"}, {"cell_m": 19},
        {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": "29.1,41,29,40"}, {"bbox": "nan,40,29,41"},
        {"bbox": "1,-91,2,3"},
    ],
)  # fmt: skip
def test_out_of_range_is_422(query: dict[str, Any]) -> None:
    answer = Phone(city.member(Role.SUPPORT)).get("analytics/heatmap", **query)
    assert answer.status_code == 422, answer.content
    assert isinstance(answer.json()["detail"], list)


@pytest.mark.parametrize("path", ["analytics/heatmap", "analytics/heatmap/hexagons"])
def test_citizens_see_no_heat(path: str) -> None:
    assert Phone(city.member()).get(path).status_code == 403
    assert Phone().get(path).status_code == 401


@pytest.mark.parametrize("zoom", [4, 11, 13, 18])
def test_hexagons_are_what_brute_force_counts(zoom: int, settings: Any) -> None:
    made = scattered(400)
    found = Phone(city.member(Role.SUPPORT)).get("analytics/heatmap/hexagons", zoom=zoom).json()
    resolution = geo.heat_resolution(zoom)
    counted = Counter(geo.parent(geo.cell(ticket.latitude, ticket.longitude), resolution) for ticket in made)
    assert (found["resolution"], found["total_tickets"]) == (resolution, 400)
    assert found["max_count"] == max(counted.values())
    assert [feature["properties"]["count"] for feature in found["features"]] == sorted(counted.values(), reverse=True)
    hottest = found["features"][0]
    assert hottest["properties"]["intensity"] == 1.0
    ring = hottest["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert len(ring) == 7


def test_a_city_fits_into_200_kilobytes() -> None:
    scattered(3000, spread=0.6)
    for zoom in (10, 11, 12, 16):
        assert len(maps.heat_hexagons(wanted(), zoom=zoom)) < 200_000
    body = maps.heat_points(wanted())
    assert len(body) < 200_000
    assert b'"total_tickets":3000' in body


def test_the_hottest_stay_when_there_are_too_many_cells() -> None:
    scattered(3000, spread=0.6)
    for _ in range(3):
        city.ticket(KADIKOY)
    body = json.loads(maps.heat_points(wanted(), cell_metres=20))
    assert (len(body["points"]), body["total_tickets"]) == (maps.MOST_POINTS, 3003)
    assert body["points"][0]["count"] >= 3


def test_one_query_for_a_map_and_none_for_a_kept_one() -> None:
    scattered(50)
    with query_budget(1):
        first = maps.heat_hexagons(wanted(), zoom=11)
    with query_budget(0):
        assert maps.heat_hexagons(wanted(), zoom=11) == first


@pytest.mark.django_db(transaction=True)
def test_everybody_sees_his_own_change_in_the_figures(
    can: Member, selin: Member, mehmet: Member, lighting: Category, parks: Category
) -> None:
    def figures() -> tuple[int, int, float | None, int]:
        city_wide = Phone(mehmet).get("analytics/dashboard").json()
        kinds = Phone(mehmet).get("analytics/categories").json()["items"]
        of_parks = next(row["total_tickets"] for row in kinds if row["category_name"] == "Parks")
        return city_wide["total_tickets"], city_wide["resolved_tickets"], city_wide["average_rating"], of_parks

    assert figures() == (0, 0, None, 0)
    ticket = cast.report(can, lighting)
    assert figures() == (1, 0, None, 0)
    for status in ("IN_PROGRESS", "RESOLVED"):
        tickets.change_status(by=selin, ticket_id=ticket.pk, status=status)
    assert figures() == (1, 1, None, 0)
    feedback.give(by=can, ticket_id=ticket.pk, rating=4)
    assert figures() == (1, 1, 4.0, 0)
    feedback.change(by=can, ticket_id=ticket.pk, changes={"rating": 2})
    assert figures() == (1, 1, 2.0, 0)
    tickets.edit(by=selin, ticket_id=ticket.pk, changes={"category_id": parks.pk})
    assert figures() == (1, 1, 2.0, 1)
    other = cast.report(can, parks)
    assert figures() == (2, 1, 2.0, 2)
    tickets.delete(by=can, ticket_id=other.pk)
    assert figures() == (1, 1, 2.0, 1)


def test_figures_need_not_be_kept(settings: Any) -> None:
    settings.TICKETS = type(settings.TICKETS)(**{**vars(settings.TICKETS), "figures_seconds": 0})
    city.ticket(KADIKOY)
    assert b'"total_tickets":1' in maps.heat_points(wanted())
    city.ticket(KADIKOY)
    assert b'"total_tickets":2' in maps.heat_points(wanted())


@pytest.mark.race  # plans differ: PostgreSQL only
def test_postgresql_finds_what_is_near_by_its_cell() -> None:
    scattered(3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tickets_ticket")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM tickets_ticket WHERE h9 = ANY(%s) AND deleted_at IS NULL AND status = 'NEW'",
            [geo.disk(*KADIKOY, 500)],
        )
        assert "tickets_in_cell" in str(cursor.fetchall())
