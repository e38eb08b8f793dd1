"""The sample staff as the tests meet them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from apps.portal import seeding


def hire() -> None:
    """The sample staff with their roles."""
    seeding.staff()


def at_the_desk(name: str) -> Client:
    """A browser in which this sample person is signed in to the back office."""
    browser = Client()
    browser.force_login(person(name))
    return browser


def person(name: str) -> Any:
    return get_user_model().objects.get(username=name)
