"""Golden pairs: every file in `golden/` is a story of requests with their exact answers (contract urgent 1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.testing import stories
from apps.urgent.models import City, Member
from apps.urgent.tests.cast import Caller

STORIES = stories.read(Path(__file__).parent / "golden")


@pytest.mark.contract
@pytest.mark.parametrize("base", ["/urgent", ""])
@pytest.mark.parametrize("title", list(STORIES))
def test_the_story_goes_as_written(
    title: str, base: str, aziz: Member, bek: Member, dina: Member, emil: Member, farid: Member
) -> None:
    City.objects.get_or_create(name="Москва")
    people = {"aziz": aziz, "bek": bek, "dina": dina, "emil": emil, "farid": farid}
    callers = {name: Caller(member, base=base) for name, member in people.items()}
    stories.play(STORIES[title], {**callers, "anonymous": Caller(base=base)})


def test_every_path_answers_with_and_without_a_slash(aziz: Member) -> None:
    caller = Caller(aziz)
    assert caller.get("users/me/").json() == caller.get("users/me").json()
    assert caller.get("orders/").status_code == 200
    posted = caller.post("orders/", {"category": "Другое"})
    assert posted.status_code == 422
