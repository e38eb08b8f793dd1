"""People of the cast as fixtures; no request limit unless a test sets one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from apps.integrations.conf import FAKE_PORTS
from apps.shop.models import Customer
from apps.shop.tests import cast


@pytest.fixture(autouse=True)
def _open_doors(settings: Settings) -> None:
    """Every vendor behaves; the global limit is off."""
    settings.PORTS = FAKE_PORTS
    settings.SHOP = replace(settings.SHOP, rate_limit_requests=0)


@pytest.fixture
def anora(db: None) -> Customer:
    """The administrator."""
    return cast.customer("Anora", phone=cast.PHONES["anora"], is_admin=True)


@pytest.fixture
def bobur(db: None) -> Customer:
    """A buyer."""
    return cast.customer("Bobur", phone=cast.PHONES["bobur"])


@pytest.fixture
def dilya(db: None) -> Customer:
    """Another buyer."""
    return cast.customer("Dilya", phone=cast.PHONES["dilya"])


@pytest.fixture
def farid(db: None) -> Customer:
    """A stranger."""
    return cast.customer("Farid", phone=cast.PHONES["farid"])
