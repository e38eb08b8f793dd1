"""Golden pairs: every file in `golden/` is a story of requests with their exact answers (contract shop 1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse

from apps.core.testing import stories
from apps.shop.models import Customer
from apps.shop.tests.cast import Caller

STORIES = stories.read(Path(__file__).parent / "golden")


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("base", ["/shop", ""])
@pytest.mark.parametrize("title", list(STORIES))
def test_the_story_goes_as_written(
    title: str, base: str, anora: Customer, bobur: Customer, dilya: Customer, farid: Customer
) -> None:
    def nobody(*given: Any, **headers: str) -> HttpResponse:
        """A golden step is signed in by nothing but its name: no cookie of an earlier one."""
        return Caller(base=base)(*given, **headers)

    people = {"anora": anora, "bobur": bobur, "dilya": dilya, "farid": farid}
    callers = {name: Caller(member, base=base) for name, member in people.items()}
    stories.play(STORIES[title], {**callers, "anonymous": nobody})
