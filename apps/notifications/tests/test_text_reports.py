"""Eskiz tells what became of a text: `POST /sms/eskiz/<secret>` (contract integrations 5)."""

from __future__ import annotations

import json
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
from apps.notifications import actions
from apps.notifications.models import Delivery
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "+998901230001"
SECRET = "a-secret-of-the-callback"
ADDRESS = f"/sms/eskiz/{SECRET}"


@pytest.fixture(autouse=True)
def _eskiz(settings: Settings) -> None:
    """The true client before a fake Eskiz that is told our address."""
    settings.PORTS = {**settings.PORTS, "sms": "apps.integrations.eskiz.FakeEskizSms"}
    settings.INTEGRATIONS = replace(
        settings.INTEGRATIONS, eskiz_callback_url="http://testserver/sms/eskiz", eskiz_callback_secret=SECRET
    )
    ports.reset()
    vendors.reset()


@pytest.fixture
def code() -> OneTimeCode:
    """A code that was texted."""
    return accounts.request_code(phone=PHONE, purpose="login", figures=CodeFigures(product="loyalty"))


@pytest.fixture
def delivery(office: object, settings: Settings) -> Delivery:
    """A message that was texted."""
    settings.PORTS = {**settings.PORTS, "sms": "apps.integrations.eskiz.FakeEskizSms"}
    ports.reset()
    actions.tell(user=person(phone=PHONE), product=PRODUCT, kind="note", title="T", body="B", channels=("sms",))
    actions.deliver_due()
    return Delivery.objects.get()


def tell(text_id: str, word: str) -> HttpResponse:
    """The fake Eskiz's own callback, posted to the address that it was given."""
    notice = vendors.eskiz.advance(text_id, word)
    return post(notice.body, notice.url.removeprefix("http://testserver"))


def post(body: Any, address: str = ADDRESS) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer: HttpResponse = Http().post(address, raw, content_type="application/json")
    return answer


def progress(row: OneTimeCode | Delivery) -> str:
    row.refresh_from_db()
    return row.progress


def test_a_code_and_a_message_come_to_their_end(code: OneTimeCode, delivery: Delivery) -> None:
    for row in (code, delivery):
        assert (bool(row.vendor_id), row.progress, row.reported_at) == (True, "", None)
        answer = tell(row.vendor_id, "DELIVRD")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert progress(row) == "delivered"
        assert row.reported_at is not None
    assert code.vendor_id != delivery.vendor_id


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (["ACCEPTED", "DELIVRD"], "delivered"),
        (["DELIVRD", "ACCEPTED"], "delivered"),
        (["UNDELIV", "ENROUTE"], "failed"),
        (["UNDELIV", "DELIVRD"], "delivered"),
        (["NEW", "SOMETHING NEW"], "waiting"),
    ],
)
def test_words_only_lead_onwards(words: list[str], end: str, code: OneTimeCode) -> None:
    body = {"request_id": code.vendor_id}
    assert [post({**body, "status": word}).status_code for word in words] == [200, 200]
    assert progress(code) == end


def test_a_repeat_changes_nothing(code: OneTimeCode) -> None:
    tell(code.vendor_id, "DELIVRD")
    before = OneTimeCode.objects.values().get()
    assert tell(code.vendor_id, "DELIVRD").status_code == 200
    assert OneTimeCode.objects.values().get() == before


def test_a_form_is_read_too(code: OneTimeCode) -> None:
    answer = Http().post(ADDRESS, {"request_id": code.vendor_id, "status": "UNDELIV", "sms_count": "1"})
    assert (answer.status_code, progress(code)) == (200, "failed")


@pytest.mark.parametrize(
    "address", ["/sms/eskiz/another", "/sms/eskiz/", "/sms/eskiz", f"{ADDRESS}x", "/sms/eskiz/%00"]
)
def test_whoever_does_not_know_the_address_changes_nothing(address: str, code: OneTimeCode) -> None:
    assert post({"request_id": code.vendor_id, "status": "DELIVRD"}, address).status_code == 404
    assert progress(code) == ""


def test_without_a_secret_nobody_is_believed(settings: Settings, code: OneTimeCode) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, eskiz_callback_secret="")
    for address in (ADDRESS, "/sms/eskiz/None"):
        assert post({"request_id": code.vendor_id, "status": "DELIVRD"}, address).status_code == 404
    assert progress(code) == ""


@pytest.mark.parametrize("text_id", ["nobody's", "x" * 5000, "1"])
def test_a_text_that_is_not_ours_is_404(text_id: str, code: OneTimeCode, delivery: Delivery) -> None:
    assert post({"request_id": text_id, "status": "DELIVRD"}).status_code == 404
    assert (progress(code), progress(delivery)) == ("", "")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b'{"request_id": "\\u0000", "status": "DELIVRD"}'),
        *(b'{"request_id": 1, "status": "DELIVRD"}', b'{"request_id": "a"}', b'{"a": "' + b"x" * 20_000 + b'"}'),
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_what_is_no_report_is_400(body: bytes, code: OneTimeCode) -> None:
    assert post(body).status_code == 400
    assert progress(code) == ""


def test_it_is_posted_and_nothing_else(code: OneTimeCode) -> None:
    for method in ("get", "put", "patch", "delete"):
        assert getattr(Http(), method)(ADDRESS).status_code == 405


def test_a_telegram_code_has_no_text(code: OneTimeCode) -> None:
    """Rows without a vendor's id are nobody's text."""
    OneTimeCode.objects.update(vendor_id="")
    assert post({"request_id": "", "status": "DELIVRD"}).status_code == 400
    assert progress(code) == ""


def test_the_secret_does_not_reach_the_log(code: OneTimeCode, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        tell(code.vendor_id, "DELIVRD")
    told = str([record.msg for record in caplog.records])
    assert "POST [redacted]" in told
    assert SECRET not in told


@pytest.mark.race
def test_reports_at_once_end_at_the_last_word(code: OneTimeCode) -> None:
    words = ["NEW", "ACCEPTED", "DELIVRD", "UNDELIV", "ENROUTE", "DELIVRD"]
    answers = race(6, lambda number: post({"request_id": code.vendor_id, "status": words[number]}).status_code)
    assert (answers, progress(code)) == ([200] * 6, "delivered")
