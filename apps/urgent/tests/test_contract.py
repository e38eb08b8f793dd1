"""Golden pairs: every file in `golden/` is a story of requests with their exact answers (contract urgent 1).

In a golden answer `<time>` stands for an ISO moment in UTC with `Z`, `<int>` for any whole number, `<words>` for any
text, and `<name>` for the value that a step kept under that name (`"keep": {"order": "id"}`); paths may use it too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from apps.urgent.models import City, Member
from apps.urgent.tests.cast import Caller

GOLDEN = Path(__file__).parent / "golden"
STORIES = {
    f"{path.stem}: {story['title']}": story
    for path in sorted(GOLDEN.glob("*.json"))
    for story in json.loads(path.read_text("utf-8"))
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def fits(wanted: Any, got: Any, kept: dict[str, Any]) -> bool:
    """Equal, where the golden file does not leave room."""
    if isinstance(wanted, dict):
        return (
            isinstance(got, dict) and wanted.keys() == got.keys() and all(fits(wanted[k], got[k], kept) for k in wanted)
        )
    if isinstance(wanted, list):
        same_length = isinstance(got, list) and len(wanted) == len(got)
        return same_length and all(fits(one, other, kept) for one, other in zip(wanted, got, strict=True))
    if wanted == "<time>":
        return isinstance(got, str) and MOMENT.fullmatch(got) is not None
    if wanted == "<int>":
        return isinstance(got, int) and not isinstance(got, bool)
    if wanted == "<words>":
        return isinstance(got, str) and got != ""
    if isinstance(wanted, str) and wanted[:1] == "<" and wanted[1:-1] in kept:
        return bool(got == kept[wanted[1:-1]])
    return type(wanted) is type(got) and bool(wanted == got)


def filled(path: str, kept: dict[str, Any]) -> str:
    return re.sub(r"<(\w+)>", lambda found: str(kept[found[1]]), path)


@pytest.mark.contract
@pytest.mark.parametrize("base", ["/urgent", ""])
@pytest.mark.parametrize("title", list(STORIES))
def test_the_story_goes_as_written(
    title: str, base: str, aziz: Member, bek: Member, dina: Member, emil: Member, farid: Member
) -> None:
    City.objects.get_or_create(name="Москва")
    people = {"aziz": aziz, "bek": bek, "dina": dina, "emil": emil, "farid": farid}
    callers = {name: Caller(member, base=base) for name, member in people.items()}
    callers["anonymous"] = Caller(base=base)
    kept: dict[str, Any] = {}
    for number, step in enumerate(STORIES[title]["steps"], start=1):
        body = step["raw"].encode() if "raw" in step else filled_body(step.get("body"), kept)
        answer = callers[step["as"]](step["method"], filled(step["path"], kept), body)
        got = json.loads(answer.content) if answer.content else None
        where = f"{title}, step {number}: {answer.status_code} {got}"
        assert answer.status_code == step["status"], where
        for name, field in step.get("keep", {}).items():
            kept[name] = got[field]
        assert fits(step["answer"], got, kept), where


def filled_body(body: Any, kept: dict[str, Any]) -> Any:
    """The request's body with kept values put in."""
    if isinstance(body, dict):
        return {key: filled_body(value, kept) for key, value in body.items()}
    if isinstance(body, str) and body[:1] == "<" and body[1:-1] in kept:
        return kept[body[1:-1]]
    return body


def test_every_path_answers_with_and_without_a_slash(aziz: Member) -> None:
    caller = Caller(aziz)
    assert caller.get("users/me/").json() == caller.get("users/me").json()
    assert caller.get("orders/").status_code == 200
    posted = caller.post("orders/", {"category": "Другое"})
    assert posted.status_code == 422
