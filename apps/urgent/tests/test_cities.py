"""The town picker and the distance filter's arithmetic (contract urgent 1.1 row 24, 2.2, 10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.testing import query_budget
from apps.urgent.models import City
from apps.urgent.queries import cities
from apps.urgent.tests.cast import Caller

TEN = ("Москва", "Санкт-Петербург", "Новосибирск", "Екатеринбург", "Казань") + (
    "Нижний Новгород",
    "Челябинск",
    "Самара",
    "Омск",
    "Ростов-на-Дону",
)
SOURCE = Path(__file__).resolve().parent.parent / "data" / "cities.tsv"


@pytest.fixture
def few(db: None) -> None:
    City.objects.all().delete()
    City.objects.create(name="Москва", latitude=55.7522, longitude=37.6156, position=2)
    City.objects.create(name="Орёл", latitude=52.9651, longitude=36.0785, position=1)
    City.objects.create(name="Химки", latitude=55.897, longitude=37.4297, position=3)
    City.objects.create(name="Нигде", position=4)
    City.objects.create(name="Закрытый", latitude=55.75, longitude=37.61, position=5, is_active=False)
    cities.forget()


@pytest.mark.django_db
def test_the_list_has_every_russian_town_and_the_ten_of_the_picker() -> None:
    names = [
        line.split("\t")[0] for line in SOURCE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    assert len(names) == len(set(names)) == 1073
    assert all(3 <= len(name) <= 25 for name in names)
    assert set(TEN) <= set(names)


@pytest.mark.contract
def test_anybody_gets_all_names_in_their_order(few: None) -> None:
    answer = Caller().get("cities")
    assert (answer.status_code, answer.json()) == (200, ["Орёл", "Москва", "Химки", "Нигде"])


@pytest.mark.contract
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("моск", ["Москва"]),
        ("МОСК", ["Москва"]),
        ("ки", ["Химки"]),
        ("орел", ["Орёл"]),
        ("ОРЁЛ", ["Орёл"]),
        ("xyz", []),
    ],
)
def test_a_search_is_a_part_of_the_name_in_any_case(few: None, search: str, found: list[str]) -> None:
    assert Caller().get(f"cities?search={search}").json() == found


@pytest.mark.contract
@pytest.mark.parametrize(("search", "kind"), [("", "string_too_short"), ("x" * 101, "string_too_long")])
def test_an_empty_or_endless_search_is_malformed(few: None, search: str, kind: str) -> None:
    answer = Caller().get(f"cities?search={search}")
    assert answer.status_code == 422
    assert [(error["type"], error["loc"]) for error in answer.json()["detail"]] == [(kind, ["query", "search"])]


def test_the_picker_asks_the_database_once(few: None) -> None:
    with query_budget(1):
        cities.names()
        cities.names("мос")
        cities.unknown(["Москва"])


def test_unknown_names_come_with_their_places(few: None) -> None:
    assert cities.unknown(["Москва", "Атлантида", "Закрытый"]) == [(1, "Атлантида"), (2, "Закрытый")]


def test_towns_within_a_radius_come_nearest_first_in_whole_kilometres(few: None) -> None:
    near = cities.within(latitude=55.7522, longitude=37.6156, radius_km=50)
    assert near == {"Москва": 1.0, "Химки": 20.0}


def test_a_town_without_coordinates_is_in_no_radius(few: None) -> None:
    assert "Нигде" not in cities.within(latitude=55.7522, longitude=37.6156, radius_km=25_000)
