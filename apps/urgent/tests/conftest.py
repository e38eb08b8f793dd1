"""People of the cast as fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from apps.integrations.conf import FAKE_PORTS
from apps.integrations.sandbox import vendors
from apps.urgent.models import Member
from apps.urgent.tests import cast


@pytest.fixture(autouse=True)
def _fake_vendors(settings: Settings) -> Iterator[None]:
    """Every vendor behaves, in this process, and starts at its first day."""
    settings.PORTS = FAKE_PORTS
    vendors.reset()
    yield
    vendors.reset()


@pytest.fixture
def aziz(db: None) -> Member:
    """The client."""
    return cast.member(cast.AZIZ, "Азиз")


@pytest.fixture
def bek(db: None) -> Member:
    """An executor with 100 roubles."""
    return cast.member(cast.BEK, "Бек", roubles=100)


@pytest.fixture
def dina(db: None) -> Member:
    """An executor with 100 roubles."""
    return cast.member(cast.DINA, "Дина", roubles=100)


@pytest.fixture
def emil(db: None) -> Member:
    """An executor with 100 roubles."""
    return cast.member(cast.EMIL, "Эмиль", roubles=100)


@pytest.fixture
def farid(db: None) -> Member:
    """A stranger without money."""
    return cast.member(cast.FARID, "Фарид")
