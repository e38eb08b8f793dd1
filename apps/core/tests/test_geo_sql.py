"""Cells in SQL against brute force in Python, on whichever database the run uses."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from apps.core import geo, geo_sql

LATITUDES = st.floats(40.95, 41.06)
LONGITUDES = st.floats(28.90, 29.05)


@pytest.fixture(scope="module")
def places(django_db_setup: None, django_db_blocker: object) -> Iterator[list[tuple[int, float, float, int]]]:
    """Two thousand points of one town in a table of their own."""
    dice = random.Random(5)
    rows = [(number, dice.uniform(40.95, 41.06), dice.uniform(28.90, 29.05)) for number in range(2000)]
    full = [(number, lat, lon, geo.cell(lat, lon)) for number, lat, lon in rows]
    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("CREATE TABLE geo_trial (id int, lat double precision, lon double precision, h9 bigint)")
        cursor.executemany("INSERT INTO geo_trial VALUES (%s, %s, %s, %s)", full)
        yield full
        cursor.execute("DROP TABLE geo_trial")


NEAR = """
    SELECT id, chord FROM (SELECT id, {chord} AS chord FROM geo_trial WHERE {among}) found
    WHERE chord <= %s ORDER BY chord, id
"""
GROUPED = "SELECT {cell}, COUNT(*) FROM geo_trial GROUP BY 1"
WINDOW = "SELECT id, lat, lon FROM geo_trial WHERE {among}"


def near(lat: float, lon: float, metres: float) -> list[tuple[int, float]]:
    sql = NEAR.format(chord=geo_sql.chord("lat", "lon"), among=geo_sql.among("h9"))
    values = [*geo_sql.chord_values(lat, lon), geo_sql.cells(geo.disk(lat, lon, metres)), geo_sql.chord_of(metres)]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [(number, geo_sql.metres_of(chord)) for number, chord in cursor.fetchall()]


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lat=LATITUDES, lon=LONGITUDES, metres=st.sampled_from([100, 389, 500, 2000, 5000]))
def test_the_radius_finds_what_brute_force_finds(
    places: list[tuple[int, float, float, int]], lat: float, lon: float, metres: int
) -> None:
    measured = [(number, geo.distance_metres(lat, lon, y, x)) for number, y, x, _ in places]
    wanted = sorted((pair for pair in measured if pair[1] <= metres), key=lambda pair: pair[1])
    found = near(lat, lon, metres)
    assert [number for number, _ in found] == [number for number, _ in wanted]
    assert [distance for _, distance in found] == pytest.approx([distance for _, distance in wanted], abs=0.01)


@pytest.mark.django_db
@pytest.mark.parametrize("resolution", [4, 6, 8, 9])
def test_grouping_by_a_coarser_cell_is_counting_parents(
    places: list[tuple[int, float, float, int]], resolution: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GROUPED.format(cell=geo_sql.coarser("h9", resolution)))
        found = dict(cursor.fetchall())
    assert found == Counter(geo.parent(cell, resolution) for *_, cell in places)


@pytest.mark.django_db
def test_a_window_finds_what_brute_force_finds(places: list[tuple[int, float, float, int]]) -> None:
    south, west, north, east = 40.99, 28.95, 41.02, 29.0
    with connection.cursor() as cursor:
        cells = geo_sql.cells(geo.viewport(south, west, north, east, 9))
        cursor.execute(WINDOW.format(among=geo_sql.among("h9")), [cells])
        found = {number for number, lat, lon in cursor.fetchall() if south <= lat <= north and west <= lon <= east}
    assert found == {number for number, lat, lon, _ in places if south <= lat <= north and west <= lon <= east}


@settings(deadline=None)
@given(lat=LATITUDES, lon=LONGITUDES)
def test_every_point_of_a_polygon_lies_in_its_cover(lat: float, lon: float) -> None:
    area = Polygon([(28.92, 40.96), (29.03, 40.97), (28.99, 41.05), (28.97, 41.0), (28.91, 41.04)])
    if area.covers(Point(lon, lat)):
        assert geo.cell(lat, lon, 8) in geo.cover(area, 8)
