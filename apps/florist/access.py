"""Who may see and do what in a shop: levels by role and area, narrowed and widened by switches (contract 3.2)."""

from __future__ import annotations

from typing import Any, Literal, get_args

from apps.core.access import ensure
from apps.florist import errors
from apps.florist.models import Employee

Role = Employee.Role
Area = Literal["orders", "warehouse", "customers", "production", "settings", "users", "catalogue"]
Level = Literal["none", "own", "read", "write"]

RANK: tuple[Level, ...] = get_args(Level)
"""Each level contains those before it; `own` is what is assigned to oneself or to nobody."""

SWITCHES: tuple[Area, ...] = ("orders", "warehouse", "customers", "production", "settings", "users")
"""Areas that `Employee.permissions` may switch; the words that clients know."""

LEVELS: dict[str, dict[Area, Level]] = {
    Role.ADMIN: dict.fromkeys(get_args(Area), "write"),
    Role.MANAGER: {**dict.fromkeys(get_args(Area), "write"), "users": "read"},
    Role.FLORIST: {
        "orders": "own",
        "warehouse": "read",
        "customers": "read",
        "production": "own",
        "settings": "read",
        "users": "none",
        "catalogue": "read",
    },
    Role.COURIER: {
        "orders": "own",
        "warehouse": "none",
        "customers": "none",
        "production": "none",
        "settings": "none",
        "users": "none",
        "catalogue": "read",
    },
}
"""Role → area → level, before switches. Waste and showcase marks are deeds that `warehouse: read` includes."""

DEFAULTS: dict[str, dict[Area, bool]] = {
    Role.ADMIN: dict.fromkeys(SWITCHES, True),
    Role.MANAGER: {**dict.fromkeys(SWITCHES, True), "users": False},
    Role.FLORIST: {**dict.fromkeys(SWITCHES, False), "orders": True, "production": True},
    Role.COURIER: {**dict.fromkeys(SWITCHES, False), "orders": True},
}
"""What clients see as a role's switches (contract 3.2)."""

OFFICE = "florist.handle_order"
"""Right of the platform's staff, who need no membership."""


def switches(employee: Employee) -> dict[Area, bool]:
    """The six switches as clients see them: the role's, with this person's own laid over."""
    own = {} if employee.role == Role.ADMIN else employee.permissions
    return {area: bool(own.get(area, DEFAULTS[employee.role][area])) for area in SWITCHES}


def level(by: Any, area: Area) -> Level:
    """What `by` may in `area`; `None` is the system and may everything.

    A switch against the role's default widens to `write` or narrows to `none`; one that repeats the default is no word.
    """
    if by is None:
        return "write"
    if not isinstance(by, Employee):
        return "write" if by.is_active and by.has_perm(OFFICE) else "none"
    usual = DEFAULTS[by.role].get(area)
    if usual is None or switches(by)[area] == usual:
        return LEVELS[by.role][area]
    return "none" if usual else "write"


def may(by: Any, area: Area, least: Level = "write") -> bool:
    """Whether `by` has at least this level."""
    return RANK.index(level(by, area)) >= RANK.index(least)


def ensure_may(by: Any, area: Area, least: Level = "write") -> None:
    """Raises `NotEnoughPermissions` below this level."""
    ensure(may(by, area, least), errors.NotEnoughPermissions)


def ensure_own(by: Any, area: Area, owner_id: int | None) -> None:
    """For those with level `own`: only what is assigned to them. Raises `NotEnoughPermissions`."""
    ensure_may(by, area, "own")
    if level(by, area) == "own":
        ensure(owner_id == by.pk, errors.NotEnoughPermissions)


def employee_of(by: Any) -> Employee | None:
    """The employee who did it, for columns that name one; nobody for the back office and the system."""
    return by if isinstance(by, Employee) else None
