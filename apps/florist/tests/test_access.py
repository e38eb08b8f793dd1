"""Levels of roles, and switches that narrow or widen them (contract florist 3.2)."""

from __future__ import annotations

import pytest

from apps.florist import access
from apps.florist.models import Employee


@pytest.mark.parametrize(
    ("who", "area", "expected"),
    [
        ("olga", "users", "write"),
        ("bek", "users", "read"),
        ("bek", "orders", "write"),
        ("aida", "orders", "own"),
        ("aida", "warehouse", "read"),
        ("aida", "settings", "read"),
        ("ruslan", "orders", "own"),
        ("ruslan", "warehouse", "none"),
        ("ruslan", "settings", "none"),
    ],
)
def test_roles_give_levels(request: pytest.FixtureRequest, who: str, area: access.Area, expected: str) -> None:
    assert access.level(request.getfixturevalue(who), area) == expected


def test_a_switch_widens_and_narrows(aida: Employee, bek: Employee, olga: Employee) -> None:
    aida.permissions = {"warehouse": True, "orders": True}
    bek.permissions = {"customers": False}
    olga.permissions = {"orders": False}
    assert (access.level(aida, "warehouse"), access.level(aida, "orders")) == ("write", "own")
    assert access.level(bek, "customers") == "none"
    assert access.level(olga, "orders") == "write"


def test_rows_of_the_next_shop_are_not_there(aida: Employee, dana: Employee) -> None:
    assert list(Employee.objects.visible_to(dana)) == [dana]
    assert list(Employee.objects.visible_to(None)) == []
