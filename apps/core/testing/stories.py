"""Golden stories: requests with their exact answers, kept as JSON beside the tests of a product.

A file is a list of `{"title": …, "steps": [{"as", "method", "path", "body" or "raw", "headers", "status", "answer",
"keep"}]}`. In a golden answer `<time>` stands for an ISO moment in UTC with `Z`, `<int>` for any whole number,
`<words>` for any text, and `<name>` for the value that a step kept under that name (`"keep": {"order": "id"}`); paths
and bodies may use kept names too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.http import HttpResponse

Story = dict[str, Any]
Call = Callable[..., HttpResponse]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def read(folder: Path) -> dict[str, Story]:
    """Every story of a folder by `file: title`."""
    return {
        f"{path.stem}: {story['title']}": story
        for path in sorted(folder.glob("*.json"))
        for story in json.loads(path.read_text("utf-8"))
    }


def play(story: Story, callers: Mapping[str, Call]) -> None:
    """Ask step by step as the people of the story (`call(method, path, body, **headers)`); the first answer that does
    not fit fails.
    """
    kept: dict[str, Any] = {}
    got: Any
    for number, step in enumerate(story["steps"], start=1):
        body = step["raw"].encode() if "raw" in step else filled(step.get("body"), kept)
        answer = callers[step["as"]](step["method"], filled(step["path"], kept), body, **step.get("headers", {}))
        got = json.loads(answer.content) if answer.content else None
        where = f"{story['title']}, step {number}: {answer.status_code} {got}"
        assert answer.status_code == step["status"], where
        kept.update({name: got[field] for name, field in step.get("keep", {}).items()})
        assert fits(step["answer"], got, kept), where


def fits(wanted: Any, got: Any, kept: Mapping[str, Any]) -> bool:
    """Equal, types included, where the golden file does not leave room."""
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


def filled(given: Any, kept: Mapping[str, Any]) -> Any:
    """Kept values put in; a text that is nothing but a name becomes the value with its type."""
    if isinstance(given, dict):
        return {key: filled(value, kept) for key, value in given.items()}
    if isinstance(given, list):
        return [filled(value, kept) for value in given]
    if not isinstance(given, str):
        return given
    if given[:1] == "<" and given[1:-1] in kept:
        return kept[given[1:-1]]
    return re.sub(r"<(\w+)>", lambda found: str(kept.get(found[1], found[0])), given)
