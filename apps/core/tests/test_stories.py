"""The runner of golden stories can fail: what does not fit is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse

from apps.core.testing import stories

STEP = {"as": "aida", "method": "GET", "path": "things", "status": 200, "answer": {"id": "<int>"}}


def calling(*answers: Any) -> tuple[stories.Call, list[Any]]:
    """A caller that gives these answers in turn, and what it was asked."""
    asked: list[Any] = []
    left = list(answers)

    def call(method: str, path: str, body: Any, **headers: str) -> HttpResponse:
        asked.append((method, path, body, headers))
        status, content = left.pop(0)
        return HttpResponse(json.dumps(content), status=status)

    return call, asked


@pytest.mark.parametrize(
    ("wanted", "got", "is_fitting"),
    [
        ("<time>", "2026-11-21T06:00:00.5Z", True),
        ("<time>", "2026-11-21T06:00:00+05:00", False),
        ("<int>", 5, True),
        ("<int>", True, False),
        ("<words>", "", False),
        (1, 1.0, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [1], False),
        ("<order>", 41, True),
        ("<order>", "41", False),
        ("/orders/<order>/x", "/orders/41/x", True),
        ("<unknown> tag", "<unknown> tag", True),
    ],
)
def test_what_fits(wanted: Any, got: Any, is_fitting: bool) -> None:
    assert stories.fits(wanted, got, {"order": 41}) is is_fitting


def test_kept_values_travel_to_paths_and_bodies() -> None:
    call, asked = calling((200, {"id": 7}), (201, {"id": 7}))
    second = {**STEP, "method": "PUT", "path": "things/<thing>", "body": {"id": "<thing>"}, "headers": {"X-A": "b"}}
    story = {"title": "t", "steps": [{**STEP, "keep": {"thing": "id"}}, {**second, "status": 201}]}
    stories.play(story, {"aida": call})
    assert asked == [("GET", "things", None, {}), ("PUT", "things/7", {"id": 7}, {"X-A": "b"})]


def test_raw_bytes_go_out_as_they_are() -> None:
    call, asked = calling((200, {"id": 1}))
    stories.play({"title": "t", "steps": [{**STEP, "raw": "{broken"}]}, {"aida": call})
    assert asked[0][2] == b"{broken"


@pytest.mark.parametrize("answer", [(500, {"id": 1}), (200, {"id": "1"}), (200, {})])
def test_another_status_or_answer_fails(answer: Any) -> None:
    call, _asked = calling(answer)
    with pytest.raises(AssertionError, match="t, step 1"):
        stories.play({"title": "t", "steps": [STEP]}, {"aida": call})


def test_stories_are_named_by_file_and_title(tmp_path: Path) -> None:
    (tmp_path / "cart.json").write_text(json.dumps([{"title": "adds up", "steps": []}]))
    assert list(stories.read(tmp_path)) == ["cart: adds up"]
