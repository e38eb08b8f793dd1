"""Golden pairs: every file in `golden/` is a story of requests with their exact answers (contract loyalty 1).

In a golden answer `<time>` stands for an ISO moment in UTC with `Z`, `<int>` for any whole number, `<words>` for any
text, `<both>` for a text in Russian and Uzbek, and `<name>` for the value that a step kept under that name
(`"keep": {"guest": "id"}`, a path of fields with dots); paths, headers and bodies may use it too. The code that guests
get is always 777777.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern
from pytest_django.fixtures import Settings

from apps.loyalty.api.urls import urlpatterns
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests.cast import Caller

GOLDEN = Path(__file__).parent / "golden"
STORIES = {
    f"{path.stem}: {story['title']}": story
    for path in sorted(GOLDEN.glob("*.json"))
    for story in json.loads(path.read_text("utf-8"))
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def is_words(got: Any) -> bool:
    return isinstance(got, str) and got != ""


WILD = {
    "<time>": lambda got: isinstance(got, str) and MOMENT.fullmatch(got) is not None,
    "<int>": lambda got: isinstance(got, int) and not isinstance(got, bool),
    "<words>": is_words,
    "<both>": lambda got: isinstance(got, dict) and sorted(got) == ["ru", "uz"] and all(map(is_words, got.values())),
}


def fits(wanted: Any, got: Any, kept: dict[str, Any]) -> bool:
    """Equal, where the golden file does not leave room."""
    if isinstance(wanted, dict):
        return (
            isinstance(got, dict) and wanted.keys() == got.keys() and all(fits(wanted[k], got[k], kept) for k in wanted)
        )
    if isinstance(wanted, list):
        same_length = isinstance(got, list) and len(wanted) == len(got)
        return same_length and all(fits(one, other, kept) for one, other in zip(wanted, got, strict=True))
    if isinstance(wanted, str) and wanted in WILD:
        return bool(WILD[wanted](got))
    wanted = filled(wanted, kept)
    return type(wanted) is type(got) and bool(wanted == got)


def filled(given: Any, kept: dict[str, Any]) -> Any:
    """Kept values put in: a value that is nothing but a name keeps its type."""
    if isinstance(given, dict):
        return {key: filled(value, kept) for key, value in given.items()}
    if isinstance(given, list):
        return [filled(value, kept) for value in given]
    if not isinstance(given, str):
        return given
    if given[:1] == "<" and given[1:-1] in kept:
        return kept[given[1:-1]]
    return re.sub(r"<(\w+)>", lambda found: str(kept.get(found[1], found[0])), given)


def found_at(answer: Any, place: str) -> Any:
    """The value at a path like `tokens.access_token` or `items.0.id`."""
    for part in place.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("base", ["/loyalty", ""])
@pytest.mark.parametrize("title", list(STORIES))
def test_the_story_goes_as_written(
    title: str, base: str, settings: Settings, malika: Staff, vali: Staff, gulnora: Client, jasur: Client
) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_static_code="777777")
    people = {"malika": malika, "vali": vali, "gulnora": gulnora, "jasur": jasur}
    callers = {name: Caller(member, base=base) for name, member in people.items()}
    kept: dict[str, Any] = {name: member.pk for name, member in people.items()}
    for number, step in enumerate(STORIES[title]["steps"], start=1):
        # Somebody who is not of the cast calls with a token that an earlier step kept under that name.
        caller = callers.get(step["as"]) or Caller(base=base, token=kept.get(step["as"], ""))
        headers = filled(step.get("headers", {}), kept)
        answer = caller(step["method"], filled(step["path"], kept), filled(step.get("body"), kept), **headers)
        got = json.loads(answer.content) if answer.content else None
        where = f"{title}, step {number}: {answer.status_code} {got}"
        assert answer.status_code == step["status"], where
        for name, place in step.get("keep", {}).items():
            kept[name] = found_at(got, place)
        assert fits(step["answer"], got, kept), where


ELSEWHERE = {
    "POST files/profile-photo": "test_files.TestPhoto.test_up_and_down_again",
    "GET files/profile-photo/<str:name>": "test_files.TestPhoto.test_up_and_down_again",
    "DELETE files/profile-photo": "test_files.TestPhoto.test_away_and_again_away",
    "POST files/news_images": "test_files.TestNewsImages.test_up",
    "POST files/news-images": "test_files.TestNewsImages.test_up",
    "POST files/news-image": "test_files.TestNewsImages.test_up",
    "POST files/news_image": "test_files.TestNewsImages.test_up",
    "GET files/news_images/<str:name>": "test_files.TestNewsImages.test_up",
    "GET files/news-image/<str:name>": "test_files.TestNewsImages.test_up",
    "DELETE files/news_images/<str:name>": "test_files.TestNewsImages.test_away",
    "DELETE files/news-image/<str:name>": "test_files.TestNewsImages.test_away",
    "GET files": "test_files.TestList.test_newest_first",
    "DELETE files/<int:file_id>": "test_files.TestList.test_a_row_is_deleted_by_its_id",
    "GET reports/users/export": "test_reports.test_guests_as_csv",
    "GET reports/cashback/export": "test_reports.test_movements_as_xlsx",
}
"""Paths whose bodies are no JSON: forms with files, pictures, tables."""


def told_in_stories() -> set[str]:
    """METHOD and route of every step, as the first route that takes it."""
    found = set()
    for story in STORIES.values():
        for step in (step for step in story["steps"] if step["status"] != 405):
            path = re.sub(r"<\w+>", "1", step["path"]).partition("?")[0]
            route = next(pattern for pattern in urlpatterns if pattern.resolve(f"api/v1/{path}"))
            found.add(f"{step['method']} {route_of(route)}")
    return found


def route_of(pattern: URLPattern) -> str:
    return str(pattern.pattern).removeprefix("api/v1/").removesuffix("/")


def answered() -> set[str]:
    """METHOD and route of everything that the product answers."""
    verbs = ("get", "post", "put", "patch", "delete")
    return {
        f"{verb.upper()} {route_of(pattern)}"
        for pattern in urlpatterns
        for verb in verbs
        if hasattr(pattern.callback.view_class, verb)  # type: ignore[attr-defined]
    }


def test_every_path_has_its_story() -> None:
    stories = told_in_stories()
    assert answered() - stories == set(ELSEWHERE)
    assert stories <= answered()


@pytest.mark.parametrize("path", ELSEWHERE)
def test_the_others_are_proved_where_it_says(path: str) -> None:
    module, _, name = ELSEWHERE[path].partition(".")
    assert callable(attrgetter(name)(import_module(f"apps.loyalty.tests.{module}")))
