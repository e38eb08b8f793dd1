"""People with money."""

import pytest

from apps.accounts.models import User
from apps.ledger.tests import cast


@pytest.fixture
def aida(db: None) -> User:
    """Has 100 roubles."""
    aida = cast.person("aida")
    cast.post(aida, 100, "first money", house="urgent:topup")
    return aida


@pytest.fixture
def bek(db: None) -> User:
    """Has no account yet."""
    return cast.person("bek")
