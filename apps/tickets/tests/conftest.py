"""People of the cast as fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apps.integrations.conf import FAKE_PORTS
from apps.tickets.models import Category, District, Member, Team, Ticket
from apps.tickets.tests import cast

TABLE = Path(__file__).resolve().parents[1] / "data" / "districts.tsv"


@pytest.fixture(autouse=True)
def _fake_vendors(settings: Settings) -> None:
    """Every vendor behaves."""
    settings.PORTS = FAKE_PORTS


@pytest.fixture
def city_districts(db: None) -> None:
    """The districts, which a transactional test before this one may have emptied away."""
    if not District.objects.exists():
        lines = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if line and line[0] != "#"]
        District.objects.bulk_create(
            District(name=name, city=city, latitude=float(lat), longitude=float(lon)) for name, city, lat, lon in lines
        )


@pytest.fixture
def lighting(db: None) -> Category:
    """Street lamps."""
    return Category.objects.create(name="Lighting")


@pytest.fixture
def parks(db: None) -> Category:
    """Nobody's category."""
    return Category.objects.create(name="Parks")


@pytest.fixture
def kadikoy_team(lighting: Category, city_districts: None) -> Team:
    """Lamps in Kadıköy."""
    return cast.team("Kadikoy Lights", [lighting], ["Kadıköy"])


@pytest.fixture
def sisli_team(lighting: Category, city_districts: None) -> Team:
    """Lamps in Şişli."""
    return cast.team("Sisli Lights", [lighting], ["Şişli"])


@pytest.fixture
def can(db: None) -> Member:
    """A citizen."""
    return cast.person("Can")


@pytest.fixture
def zeynep(db: None) -> Member:
    """Another citizen, a stranger to Can."""
    return cast.person("Zeynep")


@pytest.fixture
def selin(kadikoy_team: Team) -> Member:
    """Support in Kadıköy."""
    return cast.person("Selin", cast.Role.SUPPORT, kadikoy_team)


@pytest.fixture
def sinan(sisli_team: Team) -> Member:
    """Support in Şişli."""
    return cast.person("Sinan", cast.Role.SUPPORT, sisli_team)


@pytest.fixture
def mehmet(db: None) -> Member:
    """A manager without a team."""
    return cast.person("Mehmet", cast.Role.MANAGER)


@pytest.fixture
def lamp(can: Member, lighting: Category, kadikoy_team: Team) -> Ticket:
    """A new ticket of Can in Kadıköy."""
    return cast.report(can, lighting)


@pytest.fixture
def free_lamp(can: Member, parks: Category) -> Ticket:
    """A new ticket of Can that no team covers."""
    return cast.report(can, parks)
