"""What these tests need of the products' samples."""

from __future__ import annotations

import pytest

from apps.florist.seeding import samples


@pytest.fixture(autouse=True)
def _small_flower_shops(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few days show every screen as well as sixty; the whole shops have a test of their own."""
    for name, value in (("DAYS", 3), ("CUSTOMERS", 6), ("ORDERS_A_DAY", (3, 1))):
        monkeypatch.setattr(samples, name, value)
