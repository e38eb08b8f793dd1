"""Keys of Open311: made by managers, shown once, kept as a hash (contract integrations 11)."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from apps.core.testing import assert_refused
from apps.tickets import errors
from apps.tickets.actions import open311
from apps.tickets.models import ApiKey, Member
from apps.tickets.tests import city

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(db: None) -> Member:
    """The member in whose name a city app reports."""
    return city.member(name="City app")


@pytest.fixture
def words(app: Member) -> str:
    """Its key."""
    return open311.issue_key(by=None, name="City app", member=app)[1]


def test_a_key_is_shown_once_and_kept_as_a_hash(app: Member, mehmet: Member) -> None:
    key, words = open311.issue_key(by=mehmet, name="App", member=app)
    assert words.startswith("o311_") and len(words) > 40
    assert words not in str(ApiKey.objects.values().get())
    assert open311.prove_key(words) == key
    assert_refused(
        errors.KeyNameTaken,
        lambda: open311.issue_key(by=mehmet, name="App", member=app),
        unchanged=[ApiKey.objects.all()],
    )


def test_keys_are_the_managers(app: Member, selin: Member, words: str) -> None:
    assert_refused(
        errors.ManagersOnly,
        lambda: open311.issue_key(by=selin, name="App", member=app),
        unchanged=[ApiKey.objects.all()],
    )
    key_id = ApiKey.objects.get().pk
    assert_refused(
        errors.ManagersOnly,
        lambda: open311.revoke_key(by=selin, key_id=key_id),
        unchanged=[ApiKey.objects.all()],
    )


def test_the_command_prints_a_key(app: Member, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("open311_key", "Command", "--member", str(app.pk))
    assert open311.prove_key(capsys.readouterr().out.strip()).name == "Command"
    with pytest.raises(CommandError, match="already exists"):
        call_command("open311_key", "Command", "--member", str(app.pk))
    with pytest.raises(CommandError, match="no such member"):
        call_command("open311_key", "Other", "--member", "nobody")
