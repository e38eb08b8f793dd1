"""Golden pairs: every file in `golden/` is a story of requests with their exact answers (contract tickets 1).

In a golden answer `<time>` stands for an ISO moment in UTC with `Z`, `<uuid>` for any id, `<words>` for any text,
`<int>` for a whole number, `<number>` for any number, and `<name>` for a value that is known under that name: people
and things of the cast (`<can>`, `<lighting>`, `<kadikoy>`…) and what a step kept (`"keep": {"ticket": "id"}`).
`<otp:phone>` and `<link:e-mail>` are read from the last text message or letter. A step with `"some"` in place of
`"answer"` names only some of the answer's fields.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from apps.core.testing import deliver
from apps.tickets.models import Category, District, Member, Team
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

GOLDEN = Path(__file__).parent / "golden"
STORIES = {
    f"{path.stem}: {story['title']}": story
    for path in sorted(GOLDEN.glob("*.json"))
    for story in json.loads(path.read_text("utf-8"))
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROOMY: dict[str, Any] = {
    "<time>": lambda got: isinstance(got, str) and MOMENT.fullmatch(got),
    "<uuid>": lambda got: isinstance(got, str) and UUID.fullmatch(got),
    "<words>": lambda got: isinstance(got, str) and got,
    "<int>": lambda got: isinstance(got, int) and not isinstance(got, bool),
    "<number>": lambda got: isinstance(got, int | float) and not isinstance(got, bool),
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
    if isinstance(wanted, str) and wanted in ROOMY:
        return bool(ROOMY[wanted](got))
    if isinstance(wanted, str) and wanted[:1] == "<":
        return bool(got == filled(wanted, kept))
    return type(wanted) is type(got) and bool(wanted == got)


def filled(value: Any, kept: dict[str, Any]) -> Any:
    """Names in angle brackets replaced by what they stand for, in paths and bodies alike."""
    if isinstance(value, dict):
        return {key: filled(item, kept) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, kept) for item in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"<otp:([^>]+)>", lambda found: cast.code_for(found[1]), value)
    value = re.sub(r"<link:([^>]+)>", lambda found: cast.link_for(found[1]), value)
    return re.sub(r"<(\w+)>", lambda found: str(kept.get(found[1], found[0])), value)


@pytest.fixture
def known(
    can: Member,
    zeynep: Member,
    selin: Member,
    sinan: Member,
    mehmet: Member,
    lighting: Category,
    kadikoy_team: Team,
    sisli_team: Team,
) -> dict[str, Any]:
    """Everybody and everything that a story may name."""
    people = {member.name.lower(): str(member.pk) for member in (can, zeynep, selin, sinan, mehmet)}
    phones = {f"{member.name.lower()}_phone": member.phone_number for member in (can, zeynep, selin, sinan, mehmet)}
    things = {"lighting": lighting, "kadikoy_team": kadikoy_team, "sisli_team": sisli_team}
    districts = {"kadikoy": District.objects.get(name="Kadıköy"), "sisli": District.objects.get(name="Şişli")}
    return {**people, **phones, **{name: str(row.pk) for name, row in {**things, **districts}.items()}}


UNDER_THE_BASE_ONLY = {
    "auth: by phone from the first code to signing out",
    "auth: by e-mail from registering to a new password",
    "auth: a manager invites an officer",
    "people: members as managers and as themselves see them",
    "people: the inbox",
}
"""They walk paths that loyalty answers at the root (`portal/tests/test_url_collisions.py`)."""


@pytest.mark.contract
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "base"),
    [(title, base) for title in STORIES for base in ("/tickets", "") if base or title not in UNDER_THE_BASE_ONLY],
)
def test_the_story_goes_as_written(title: str, base: str, known: dict[str, Any]) -> None:
    callers = {
        name: Caller(Member.objects.get(pk=known[name]), base=base)
        for name in ("can", "zeynep", "selin", "sinan", "mehmet")
    }
    callers["nobody"] = Caller(base=base)
    kept = dict(known)
    for number, step in enumerate(STORIES[title]["steps"], start=1):
        caller = Caller(base=base, token=kept[step["token"]]) if "token" in step else callers[step["as"]]
        body = step["raw"].encode() if "raw" in step else filled(step.get("body"), kept)
        answer = caller(step["method"], filled(step["path"], kept), body)
        deliver()
        got = json.loads(answer.content) if answer.content else None
        where = f"{title}, step {number}: {answer.status_code} {got}"
        assert answer.status_code == step["status"], where
        for name, field in step.get("keep", {}).items():
            kept[name] = got[field]
        if "some" in step:
            got = {name: got[name] for name in step["some"]}
        assert fits(step.get("some", step.get("answer")), got, kept), where


def test_every_path_answers_with_and_without_a_slash(mehmet: Member) -> None:
    """C10: no redirect, which would lose a body."""
    caller = Caller(mehmet)
    for path in ("users", "tickets", "categories", "districts", "teams", "escalations", "addresses", "notifications"):
        plain, slashed = caller.get(path), caller.get(f"{path}/")
        assert (plain.status_code, slashed.status_code) == (200, 200), path
        assert plain.content == slashed.content
    for path in ("tickets", "tickets/", "users", "users/", "categories/", "teams/"):
        assert caller.post(path, {}).status_code == 422, path
    assert caller.get(f"users/{mehmet.pk}/").json() == caller.get(f"users/{mehmet.pk}").json()


def test_errors_are_a_list_for_malformed_input_and_a_text_otherwise(can: Member) -> None:
    """C13."""
    malformed = Caller(can).post("addresses", {"name": ""})
    assert malformed.status_code == 422
    first = malformed.json()["detail"][0]
    assert set(first) >= {"type", "loc", "msg", "input"}
    assert first["loc"] == ["body", "name"]
    assert isinstance(Caller(can).get("tickets/").json()["detail"], str)
    broken = Caller(can).post("addresses", b'{"name": ')
    assert (broken.status_code, broken.json()["detail"][0]["type"]) == (422, "json_invalid")


def test_error_lists_do_not_repeat_secrets() -> None:
    body = {"email": "not an address", "password": "weakling-secret", "full_name": "Ayşe", "phone_number": "053212345"}
    for sent in (
        body,
        {**body, "email": "a@example.com"},
        {"password": "weakling-secret", "phone_number": "053212345"},
    ):
        answer = Caller().post("auth/register", sent)
        assert answer.status_code == 422
        assert b"weakling" not in answer.content and b"053212345" not in answer.content
    assert Caller().post("auth/register", body).json()["detail"][0]["loc"] == ["body", "phone_number"]


def test_the_front_end_on_a_laptop_may_call_and_read_what_a_refusal_says() -> None:
    """D21: no star with credentials, and Retry-After reaches the page."""
    ours = Caller()("GET", "auth/me", Origin="http://localhost:3000")
    assert (ours.status_code, ours["Access-Control-Allow-Origin"]) == (401, "http://localhost:3000")
    assert {"Retry-After", "WWW-Authenticate"} <= set(ours["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Origin" not in Caller()("GET", "auth/me", Origin="https://evil.example")
