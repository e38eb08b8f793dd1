"""People and shops of the cast as fixtures."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from apps.florist.models import Employee, Shop
from apps.florist.tests import cast
from apps.florist.tests.cast import Role


@pytest.fixture
def rosa(db: None) -> Shop:
    """The shop where the cast works."""
    return cast.shop("Rosa")


@pytest.fixture
def tulip(db: None) -> Shop:
    """The shop next door."""
    return cast.shop("Tulip")


@pytest.fixture
def olga(rosa: Shop) -> Employee:
    """Owner of Rosa."""
    return cast.employee(rosa, Role.ADMIN, "Olga")


@pytest.fixture
def bek(rosa: Shop) -> Employee:
    """Manager of Rosa."""
    return cast.employee(rosa, Role.MANAGER, "Bek")


@pytest.fixture
def aida(rosa: Shop) -> Employee:
    """Florist of Rosa."""
    return cast.employee(rosa, Role.FLORIST, "Aida")


@pytest.fixture
def gulnar(rosa: Shop) -> Employee:
    """Second florist of Rosa."""
    return cast.employee(rosa, Role.FLORIST, "Gulnar")


@pytest.fixture
def ruslan(rosa: Shop) -> Employee:
    """Courier of Rosa."""
    return cast.employee(rosa, Role.COURIER, "Ruslan")


@pytest.fixture
def dana(tulip: Shop) -> Employee:
    """Owner of the shop next door: the stranger."""
    return cast.employee(tulip, Role.ADMIN, "Dana")


@pytest.fixture
def quiet() -> Iterator[None]:
    """For walks of hundreds of requests, whose lines nobody reads: errors only."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
