"""Golden pairs: every file in `golden/` is a story of requests with their exact answers (contract shop 1).

In a golden answer `<time>` stands for an ISO moment in UTC with `Z`, `<int>` for any whole number, `<words>` for any
text, and `<name>` for the value that a step kept under that name (`"keep": {"slipper": "id"}`); paths and bodies may
use it too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from apps.shop.models import Customer
from apps.shop.tests.cast import Caller

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
    return re.sub(r"<(\w+)>", lambda found: str(kept[found[1]]), given)


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("base", ["/shop", ""])
@pytest.mark.parametrize("title", list(STORIES))
def test_the_story_goes_as_written(
    title: str, base: str, anora: Customer, bobur: Customer, dilya: Customer, farid: Customer
) -> None:
    people = {"anora": anora, "bobur": bobur, "dilya": dilya, "farid": farid}
    callers = {name: Caller(member, base=base) for name, member in people.items()}
    callers["anonymous"] = Caller(base=base)
    kept: dict[str, Any] = {}
    for number, step in enumerate(STORIES[title]["steps"], start=1):
        caller = callers[step["as"]]
        if step["as"] == "anonymous":
            caller.client.cookies.clear()  # a golden step is signed in by nothing but its name
        answer = caller(
            step["method"], filled(step["path"], kept), filled(step.get("body"), kept), **step.get("headers", {})
        )
        got = json.loads(answer.content) if answer.content else None
        where = f"{title}, step {number}: {answer.status_code} {got}"
        assert answer.status_code == step["status"], where
        for name, field in step.get("keep", {}).items():
            kept[name] = got[field]
        assert fits(step["answer"], got, kept), where
