import h3.api.basic_int as h3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from apps.core import geo

latitudes = st.floats(min_value=-70, max_value=70)
longitudes = st.floats(min_value=-179, max_value=179)


@given(latitudes, longitudes, st.integers(min_value=0, max_value=9))
def test_a_parent_by_arithmetic_is_the_librarys_parent(lat, lon, resolution):
    assert geo.parent(geo.cell(lat, lon), resolution) == h3.cell_to_parent(geo.cell(lat, lon), resolution)


@given(latitudes, longitudes, st.floats(-0.01, 0.01), st.floats(-0.01, 0.01), st.sampled_from([50, 500, 1500]))
def test_no_point_within_the_radius_is_outside_the_disk(lat, lon, up, right, metres):
    if geo.distance_metres(lat, lon, lat + up, lon + right) <= metres:
        assert geo.cell(lat + up, lon + right) in geo.disk(lat, lon, metres)


def test_a_known_distance():
    assert geo.distance_metres(41.2995, 69.2401, 39.6270, 66.9750) == pytest.approx(268_000, rel=0.01)
    assert geo.distance_metres(41.0, 69.0, 41.0, 69.0) == 0


@pytest.mark.parametrize(("lat", "lon"), [(91, 0), (0, 181), (float("nan"), 0)])
def test_points_off_the_globe_are_refused(lat, lon):
    with pytest.raises(ValueError, match="range"):
        geo.cell(lat, lon)


@given(st.floats(41.25, 41.35), st.floats(69.2, 69.3))
def test_every_point_of_a_window_lies_in_its_cells(lat, lon):
    assert geo.cell(lat, lon, 8) in geo.viewport(41.25, 69.2, 41.35, 69.3, 8)


def test_a_hexagon_is_a_closed_ring():
    ring = geo.hexagon(geo.cell(41.3, 69.24))
    assert len(ring) == 7
    assert ring[0] == ring[-1]


def test_the_district_is_the_polygon_that_covers_the_point():
    west, east = geo.polygon(mapping(box(69, 41, 69.5, 42))), geo.polygon(mapping(box(69.5, 41, 70, 42)))
    districts = [("west", west), ("east", east)]
    assert geo.district_of(41.5, 69.2, districts) == "west"
    assert geo.district_of(41.5, 69.5, districts) == "west"
    assert geo.district_of(41.5, 69.9, districts) == "east"
    assert geo.district_of(50, 69.9, districts) is None
    assert geo.parent(geo.cell(41.5, 69.2), 9) == geo.cell(41.5, 69.2)


def test_a_child_is_not_a_parent():
    with pytest.raises(ValueError, match="coarser"):
        geo.parent(geo.cell(41.5, 69.2, 7), 9)
