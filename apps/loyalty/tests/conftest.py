"""People of the cast as fixtures; every vendor behaves."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from apps.integrations.conf import FAKE_PORTS
from apps.loyalty.actions import menu
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests import cast


@pytest.fixture(autouse=True)
def _open_doors(settings: Settings) -> None:
    """Fakes behind every port."""
    settings.PORTS = FAKE_PORTS


@pytest.fixture(autouse=True)
def _no_menu_at_hand() -> None:
    """The cache is emptied between tests; the copy that a process keeps of the menu must go with it."""
    menu.put_away()


@pytest.fixture
def malika(db: None) -> Staff:
    """The manager."""
    return cast.manager()


@pytest.fixture
def vali(db: None) -> Staff:
    """A waiter with the code VALI01."""
    return cast.waiter()


@pytest.fixture
def umid(db: None) -> Staff:
    """Another waiter, with the code UMID02."""
    return cast.waiter("Umid", cast.PHONES["umid"], "UMID02")


@pytest.fixture
def gulnora(vali: Staff) -> Client:
    """A guest whom Vali brought."""
    return cast.guest(of=vali)


@pytest.fixture
def jasur(db: None) -> Client:
    """A guest without a waiter."""
    return cast.guest("Jasur", cast.PHONES["jasur"])
