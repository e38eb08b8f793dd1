"""In and out of the pages, languages, one shop of several, and what makes them an app (contract florist 4)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone
from PIL import Image

from apps.accounts.actions import log_out_everywhere
from apps.accounts.models import OneTimeCode, Session
from apps.florist.models import Employee, Shop
from apps.florist.tests import cast
from apps.florist.tests.cast import Role
from apps.florist.tests.seats import seated, text, words
from apps.integrations.ports import port
from scripts import messages

pytestmark = pytest.mark.django_db
ENGLISH = {"Accept-Language": "en"}
DOOR = "/desk/florist/sign-in"
PASSWORD = "correct horse battery"


def guest(language: str = "en") -> Client:
    return Client(headers={"Accept-Language": language})


def texts() -> list[Any]:
    """Everything that went out by text message."""
    sandbox: Any = port("sms")
    return list(sandbox.sent)


def with_password(who: Employee) -> Employee:
    who.user.set_password(PASSWORD)
    who.user.phone, who.user.phone_verified_at = who.phone, timezone.now()
    who.user.save()
    return who


def test_by_password(bek: Employee) -> None:
    with_password(bek)
    browser = guest()
    answer = browser.post(DOOR, {"phone": bek.phone, "password": PASSWORD, "way": "password"})
    assert (answer.status_code, answer["Location"]) == (302, "/desk/florist/home")
    assert browser.get("/desk/florist/home")["Location"] == "/desk/manager/"
    assert "Bek · Rosa" in words(browser.get("/desk/manager/"))


def test_a_wrong_password_says_so_and_opens_nothing(bek: Employee) -> None:
    with_password(bek)
    browser = guest()
    answer = browser.post(DOOR, {"phone": bek.phone, "password": "nonsense", "way": "password"})
    assert answer.status_code == 422
    assert PASSWORD not in text(answer) and "nonsense" not in text(answer)
    assert browser.get("/desk/manager/")["Location"] == DOOR


def test_by_a_code_in_two_steps(aida: Employee) -> None:
    browser = guest()
    asked = browser.post(DOOR, {"phone": aida.phone, "way": "ask"})
    assert asked.status_code == 200 and 'name="code"' in text(asked)
    code = OneTimeCode.objects.get()
    assert code.phone == aida.phone
    sent = last_code(aida)
    wrong = browser.post(DOOR, {"phone": aida.phone, "code": "000000" if sent != "000000" else "111111", "way": "code"})
    assert wrong.status_code == 422 and 'name="code"' in text(wrong)
    right = browser.post(DOOR, {"phone": aida.phone, "code": sent, "way": "code"})
    assert right["Location"] == "/desk/florist/home"
    assert browser.get("/desk/florist/home")["Location"] == "/desk/florist/"


def last_code(who: Employee) -> str:
    """What came by text message."""
    [digits] = re.findall(r"\b\d{6}\b", next(one.text for one in reversed(texts()) if one.to == who.phone))
    return str(digits)


def test_a_phone_that_works_nowhere_gets_no_desk(db: None) -> None:
    browser, stranger = guest(), "+77079998877"
    browser.post(DOOR, {"phone": stranger, "way": "ask"})
    [digits] = re.findall(r"\b\d{6}\b", texts()[-1].text)
    answer = browser.post(DOOR, {"phone": stranger, "code": digits, "way": "code"})
    assert answer.status_code == 422
    assert "There is no such employee" in words(answer)
    assert browser.get("/desk/florist/")["Location"] == DOOR


@pytest.mark.parametrize("fields", [{}, {"phone": "x"}, {"phone": "+77010000001", "way": "code"}, {"way": "?"}])
def test_nonsense_at_the_door(fields: dict[str, str]) -> None:
    assert guest().post(DOOR, fields).status_code == 422


PAGES = [
    *("/desk/florist/home", "/desk/florist/", "/desk/florist/check/", "/desk/florist/stock/"),
    *("/desk/florist/stock/receive", "/desk/florist/calculator/", "/desk/florist/more", "/desk/florist/shop"),
    *("/desk/manager/", "/desk/manager/orders/", "/desk/manager/orders/new", "/desk/manager/runs/"),
    *("/desk/manager/cash/", "/desk/courier/", "/desk/courier/day/", "/desk/florist/live-token"),
    *("/desk/florist/tasks/1/", "/desk/manager/orders/1/", "/desk/courier/stops/1/"),
    "/desk/manager/orders/1/print/card",
]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_the_door(path: str) -> None:
    answer = guest().get(path)
    assert (answer.status_code, answer["Location"]) == (302, DOOR)


def test_htmx_is_led_there_as_a_whole_page() -> None:
    answer = guest().get("/desk/manager/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, DOOR)


def test_signing_out_ends_the_session_of_tokens_too(bek: Employee) -> None:
    browser = seated(bek)
    assert browser.get("/desk/florist/live-token").json()["token"]
    assert Session.objects.get(user=bek.user).ended_at is None
    assert browser.post("/desk/florist/sign-out")["Location"] == DOOR
    assert Session.objects.get(user=bek.user).ended_at is not None
    assert browser.get("/desk/manager/")["Location"] == DOOR


def test_one_session_of_tokens_however_often_a_page_asks(bek: Employee) -> None:
    browser = seated(bek)
    first, second = (browser.get("/desk/florist/live-token").json()["token"] for _ in range(2))
    assert first != second and Session.objects.filter(user=bek.user).count() == 1


@pytest.mark.parametrize("end", ["job", "shop", "person", "password", "everywhere"])
def test_whoever_works_there_no_more_sits_there_no_more(bek: Employee, end: str) -> None:
    browser = seated(bek)
    assert browser.get("/desk/manager/").status_code == 200
    if end == "job":
        Employee.objects.filter(pk=bek.pk).update(is_active=False)
    elif end == "shop":
        Shop.objects.filter(pk=bek.shop_id).update(is_active=False)
    elif end == "person":
        bek.user.is_active = False
        bek.user.save()
    elif end == "password":
        bek.user.set_password("something quite new")
        bek.user.save()
    else:
        log_out_everywhere(user=bek.user, now=timezone.now() + timedelta(seconds=1))
    assert browser.get("/desk/manager/")["Location"] == DOOR


def test_rights_are_read_anew_each_time(bek: Employee) -> None:
    browser = seated(bek)
    Employee.objects.filter(pk=bek.pk).update(role=Role.COURIER)
    assert browser.get("/desk/manager/").status_code == 403


def test_one_of_several_shops(bek: Employee, tulip: Shop) -> None:
    second = cast.employee(tulip, Role.FLORIST, "Bek", user=bek.user, phone=bek.phone)
    with_password(bek)
    browser = guest()
    entered = browser.post(DOOR, {"phone": bek.phone, "password": PASSWORD, "way": "password"})
    assert entered["Location"] == "/desk/florist/shop"
    page = words(browser.get("/desk/florist/shop"))
    assert "Rosa" in page and "Tulip" in page
    chosen = browser.post("/desk/florist/shop", {"employee": second.pk})
    assert (chosen.status_code, chosen["Location"]) == (302, "/desk/florist/")
    assert "Bek · Tulip" in words(browser.get("/desk/florist/"))
    assert browser.get("/desk/manager/").status_code == 403


def test_another_persons_place_is_no_place(bek: Employee, dana: Employee) -> None:
    browser = seated(bek)
    assert browser.post("/desk/florist/shop", {"employee": dana.pk}).status_code == 404
    assert "Bek · Rosa" in words(browser.get("/desk/manager/"))


@pytest.mark.parametrize("language", ["ru", "kk", "uz", "en"])
def test_pages_name_their_language(bek: Employee, language: str) -> None:
    browser = seated(bek, language="")
    assert browser.post("/desk/florist/language", {"language": language, "next": "/desk/manager/"}).status_code == 302
    answer = browser.get("/desk/manager/")
    assert f'<html lang="{language}">' in text(answer) and answer["Content-Language"] == language


def test_a_kazakh_shop_speaks_kazakh(bek: Employee) -> None:
    Shop.objects.filter(pk=bek.shop_id).update(language="kz")
    assert '<html lang="kk">' in text(seated(bek, language="").get("/desk/manager/"))


def test_kazakh_pages_have_kazakh_words(bek: Employee, tmp_path: Path, settings: Any) -> None:
    messages.compile_into(tmp_path)
    settings.LOCALE_PATHS = [tmp_path]
    page = words(seated(bek, language="kk").get("/desk/manager/"))
    for shown in ("Үстел", "Тапсырыстар", "Флористсіз", "Бұл күнге тапсырыс жоқ."):
        assert shown in page
    refused = seated(bek, language="kk").get("/desk/manager/orders/7777/")
    assert refused.status_code == 404 and "Мұндай тапсырыс жоқ" in words(refused)


def test_the_door_speaks_the_browsers_language() -> None:
    assert '<html lang="kk">' in text(guest("kk-KZ,ru;q=0.5").get(DOOR))
    assert '<html lang="ru">' in text(guest("fr").get(DOOR))


def test_nobody_is_led_away_by_the_choice_of_a_language() -> None:
    answer = guest().post("/desk/florist/language", {"language": "kk", "next": "https://evil.example/"})
    assert answer["Location"] == DOOR


MENUS = {
    Role.ADMIN: ["Desk", "Orders", "New order", "Runs", "More"],
    Role.MANAGER: ["Desk", "Orders", "New order", "Runs", "More"],
    Role.FLORIST: ["Today", "Check", "Stock", "Prices", "More"],
    Role.COURIER: ["My run", "My day", "More"],
}


@pytest.mark.parametrize("role", list(MENUS))
def test_each_role_has_its_menu(rosa: Shop, role: str) -> None:
    page = text(seated(cast.employee(rosa, role)).get("/desk/florist/more"))
    assert re.findall(r"</span>([^<]+)</a></li>", page) == MENUS[Role(role)]


NOT_FOR = {
    Role.FLORIST: [
        "/desk/manager/",
        "/desk/manager/orders/",
        "/desk/manager/orders/new",
        "/desk/florist/stock/receive",
    ],
    Role.COURIER: ["/desk/manager/", "/desk/florist/", "/desk/florist/check/", "/desk/florist/stock/"],
}


@pytest.mark.parametrize(("role", "path"), [(role, path) for role, paths in NOT_FOR.items() for path in paths])
def test_the_wrong_role_reads_a_plain_no(rosa: Shop, role: str, path: str) -> None:
    answer = seated(cast.employee(rosa, role)).get(path)
    assert answer.status_code == 403
    assert "Your role does not allow this" in words(answer)


def test_a_switch_opens_and_shuts_pages(rosa: Shop) -> None:
    helper = cast.employee(rosa, Role.FLORIST, permissions={"production": False, "warehouse": True})
    browser = seated(helper)
    assert browser.get("/desk/florist/").status_code == 403
    assert browser.get("/desk/florist/stock/receive").status_code == 200


def test_a_foreign_page_presses_no_button(bek: Employee) -> None:
    browser = seated(bek)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    for headers in ({}, {"X-Queued": "1"}):
        assert strict.post("/desk/florist/take", headers=headers).status_code == 403


# ── An app ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_manifest(db: None) -> None:
    answer = guest().get("/desk/florist/manifest.webmanifest")
    body = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert (body["start_url"], body["scope"], body["display"]) == ("/desk/florist/home", "/desk/", "standalone")
    for icon in body["icons"]:
        size = int(icon["sizes"].partition("x")[0])
        found = finders.find(icon["src"].removeprefix("/static/"))
        with Image.open(str(found)) as picture:
            assert (picture.size, picture.format) == ((size, size), "PNG")


def test_the_worker_keeps_to_our_pages(db: None) -> None:
    answer = guest().get("/desk/florist/worker.js")
    assert (answer["Content-Type"], answer["Service-Worker-Allowed"]) == ("text/javascript", "/desk/")
    assert "/desk/courier/" in text(answer) and "&#x27;" not in text(answer)


def test_pages_run_no_script_of_their_own(bek: Employee) -> None:
    """The content policy allows files of ours only."""
    answer = seated(bek).get("/desk/manager/")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not re.findall(r"<script(?! src=)|\son\w+=|javascript:", text(answer))
    assert answer["Cache-Control"] == "no-store, private"
