"""Twilio tells what became of a text: `POST /sms/twilio`, signed (contract integrations 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Http
from pytest_django.fixtures import Settings

from apps.accounts import actions as accounts
from apps.accounts.kit import CodeFigures
from apps.accounts.models import OneTimeCode
from apps.core.testing import race
from apps.integrations import ports
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import Notice
from apps.notifications import actions
from apps.notifications.models import Delivery
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "+998901230001"
PATH = "/sms/twilio"
ADDRESS = f"https://mahalla.example{PATH}"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _twilio(settings: Settings) -> None:
    """The true client before a fake Twilio that is told our address."""
    settings.PORTS = {**settings.PORTS, "sms": "apps.integrations.twilio.FakeTwilioSms"}
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, twilio_status_callback_url=ADDRESS)
    ports.reset()
    vendors.reset()


@pytest.fixture
def code() -> OneTimeCode:
    """A code that was texted."""
    return accounts.request_code(phone=PHONE, purpose="login", figures=CodeFigures(product="loyalty"))


@pytest.fixture
def delivery(office: object, settings: Settings) -> Delivery:
    """A message that was texted."""
    settings.PORTS = {**settings.PORTS, "sms": "apps.integrations.twilio.FakeTwilioSms"}
    ports.reset()
    actions.tell(user=person(phone=PHONE), product=PRODUCT, kind="note", title="T", body="B", channels=("sms",))
    actions.deliver_due()
    return Delivery.objects.get()


def post(notice: Notice, path: str = PATH, **more: Any) -> HttpResponse:
    """A callback as it arrives behind the proxy: under a host of the inner network."""
    signature = {"HTTP_X_TWILIO_SIGNATURE": notice.headers["X-Twilio-Signature"], **more}
    answer: HttpResponse = Http().post(path, notice.body, content_type=FORM, HTTP_HOST="web:8000", **signature)
    return answer


def tell(text_id: str, word: str) -> HttpResponse:
    """The fake Twilio's own callback, for the address that it was given with the text."""
    notice = vendors.twilio.advance(text_id, word)
    assert notice.url == ADDRESS
    return post(notice)


def progress(row: OneTimeCode | Delivery) -> str:
    row.refresh_from_db()
    return row.progress


def test_a_code_and_a_message_come_to_their_end(code: OneTimeCode, delivery: Delivery) -> None:
    for row in (code, delivery):
        assert (bool(row.vendor_id), row.progress, row.reported_at) == (True, "", None)
        answer = tell(row.vendor_id, "delivered")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert progress(row) == "delivered"
        assert row.reported_at is not None
    assert code.vendor_id != delivery.vendor_id


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (["accepted", "queued", "sending"], "waiting"),
        (["queued", "sent", "delivered"], "delivered"),
        (["delivered", "sent", "queued"], "delivered"),
        (["sent", "sending"], "accepted"),
        (["undelivered", "sent"], "failed"),
        (["failed", "queued"], "failed"),
        (["canceled"], "failed"),
        (["undelivered", "delivered"], "delivered"),
        (["delivered", "failed"], "delivered"),
    ],
)
def test_words_only_lead_onwards(words: list[str], end: str, code: OneTimeCode) -> None:
    assert {tell(code.vendor_id, word).status_code for word in words} == {200}
    assert progress(code) == end


def test_a_repeat_changes_nothing(code: OneTimeCode) -> None:
    tell(code.vendor_id, "delivered")
    before = OneTimeCode.objects.values().get()
    answer = tell(code.vendor_id, "delivered")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert OneTimeCode.objects.values().get() == before


def test_a_text_that_is_not_ours_is_taken_and_ignored(code: OneTimeCode, delivery: Delivery) -> None:
    OneTimeCode.objects.update(vendor_id="SM" + "0" * 32)
    answer = tell(code.vendor_id, "delivered")
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    assert (progress(code), progress(delivery)) == ("", "")


def test_a_forged_one_changes_nothing(code: OneTimeCode) -> None:
    vendors.twilio.break_signatures(1)
    assert tell(code.vendor_id, "delivered").status_code == 403
    notice = vendors.twilio.advance(code.vendor_id, "delivered")
    changed = replace(notice, body=notice.body.replace(b"=delivered", b"=failed"))
    assert post(changed).status_code == 403
    for signature in ("", "x", "подпись", notice.headers["X-Twilio-Signature"].lower()):
        assert post(notice, HTTP_X_TWILIO_SIGNATURE=signature).status_code == 403
    assert Http().post(PATH, notice.body, content_type=FORM).status_code == 403
    assert progress(code) == ""


def test_one_signed_for_another_address_is_forged(code: OneTimeCode, settings: Settings) -> None:
    notice = vendors.twilio.advance(code.vendor_id, "delivered")
    settings.INTEGRATIONS = replace(
        settings.INTEGRATIONS, twilio_status_callback_url="https://other.example/sms/twilio"
    )
    assert post(notice, HTTP_X_FORWARDED_HOST="mahalla.example").status_code == 403
    assert progress(code) == ""


def test_without_a_token_nobody_is_believed(code: OneTimeCode, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, twilio_auth_token="")
    assert tell(code.vendor_id, "delivered").status_code == 403
    assert progress(code) == ""


@pytest.mark.parametrize("fields", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}, {"MessageSid": "\0"}])
def test_a_signed_form_without_a_report_is_400(fields: dict[str, str], code: OneTimeCode) -> None:
    told = {"MessageStatus": "sent", **fields} if fields.get("MessageSid") == "\0" else fields
    assert post(vendors.twilio._signed(ADDRESS, told)).status_code == 400
    assert progress(code) == ""


def test_other_bodies_prove_nothing(code: OneTimeCode) -> None:
    notice = vendors.twilio.advance(code.vendor_id, "delivered")
    signature = notice.headers["X-Twilio-Signature"]
    for kind, body in (("application/json", b"{}"), ("text/plain", notice.body), (FORM, b"\xff=\xff")):
        answer = Http().post(PATH, body, content_type=kind, HTTP_X_TWILIO_SIGNATURE=signature)
        assert answer.status_code == 403
    assert progress(code) == ""


def test_it_is_posted_and_nothing_else() -> None:
    for method in ("get", "put", "patch", "delete"):
        assert getattr(Http(), method)(PATH).status_code == 405


def test_the_slash_at_the_end_is_free(code: OneTimeCode) -> None:
    assert post(vendors.twilio.advance(code.vendor_id, "delivered"), f"{PATH}/").status_code == 200
    assert progress(code) == "delivered"


def test_the_sandbox_posts_it(live_server: Any, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(
        settings.INTEGRATIONS, sandbox_url=live_server.url, twilio_status_callback_url=f"{live_server.url}{PATH}"
    )
    row = accounts.request_code(phone=PHONE, purpose="login", figures=CodeFigures(product="loyalty"))
    moved = {"sid": row.vendor_id, "status": "delivered"}
    told = Http().post("/__sandbox/twilio/control/advance", moved).json()
    assert (told["delivery"]["url"], told["delivery"]["status"]) == (f"{live_server.url}{PATH}", 200)
    assert progress(row) == "delivered"


@pytest.mark.race
def test_reports_at_once_end_at_the_last_word(code: OneTimeCode) -> None:
    words = ["queued", "sent", "delivered", "undelivered", "sending", "delivered"]
    notices = [vendors.twilio.advance(code.vendor_id, word) for word in words]
    answers = race(6, lambda number: post(notices[number]).status_code)
    assert (answers, progress(code)) == ([200] * 6, "delivered")
