"""YooKassa over HTTP against its fake (contract urgent 10; the wire is the vendor's public documentation)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import ControlRefused
from apps.integrations.tests import urls
from apps.integrations.tests.test_sandbox import control
from apps.integrations.yukassa import FakeYukassa, Yukassa

ORDER = {
    "amount": Decimal(100),
    "currency": "RUB",
    "description": "Top-up",
    "mark": "urgent-abc",
    "return_url": "https://t.me/mahalla_bot",
}


@pytest.fixture
def shop(sandbox, settings) -> Yukassa:
    urls.heard.clear()
    settings.SANDBOX_WEBHOOKS = {"yukassa": f"{sandbox}/webhook"}
    return Yukassa()


class TestPayments:
    def test_create_and_ask(self, shop, sandbox):
        made = shop.create_payment(**ORDER)
        assert (made.status, made.amount, made.currency, made.mark) == (
            "pending",
            Decimal("100.00"),
            "RUB",
            "urgent-abc",
        )
        assert made.pay_url == f"{sandbox}/__sandbox/yukassa/pay/{made.payment_id}"
        assert shop.payment(made.payment_id) == made
        assert vendors.yukassa.payments[made.payment_id].asked == {
            "amount": {"value": "100.00", "currency": "RUB"},
            "capture": True,
            "confirmation": {"type": "redirect", "return_url": "https://t.me/mahalla_bot"},
            "description": "Top-up",
            "metadata": {"invoice": "urgent-abc"},
        }

    def test_a_long_description_is_cut(self, shop):
        made = shop.create_payment(**{**ORDER, "description": "ж" * 200})
        assert vendors.yukassa.payments[made.payment_id].description == "ж" * 128

    def test_a_repeat_after_silence_is_the_same_payment(self, shop):
        vendors.yukassa.lose_next(1)
        with pytest.raises(VendorUnsure):
            shop.create_payment(**ORDER)
        [kept] = vendors.yukassa.payments
        assert shop.create_payment(**ORDER).payment_id == kept
        assert len(vendors.yukassa.payments) == 1

    def test_a_key_with_other_words_is_refused(self, shop):
        shop.create_payment(**ORDER)
        with pytest.raises(VendorRefused, match="yukassa: status 400 invalid_request"):
            shop.create_payment(**{**ORDER, "amount": Decimal(7)})

    @pytest.mark.parametrize("payment_id", ["nobody", "../me", "", "a" * 65])
    def test_an_unknown_payment(self, shop, payment_id):
        assert shop.payment(payment_id) is None

    @pytest.mark.parametrize("bad", [{"amount": Decimal(0)}, {"currency": "XXX"}, {"mark": ""}, {"return_url": ""}])
    def test_a_bad_payment_is_refused(self, shop, bad):
        with pytest.raises(VendorRefused, match="400 invalid_request"):
            shop.create_payment(**{**ORDER, **bad})
        assert not vendors.yukassa.payments

    def test_the_fake_takes_no_other_key(self):
        for given in ("", "Basic eDp5", "Bearer x"):
            asked = Asked("POST", "/v3/payments", {}, {"authorization": given, "idempotence-key": "k"}, b"{}")
            assert vendors.yukassa.handle(asked).status == 401

    @pytest.mark.parametrize("missing", ["yukassa_shop_id", "yukassa_secret_key"])
    def test_not_configured(self, shop, change, missing):
        change(**{missing: ""})
        assert not shop.is_configured()
        with pytest.raises(VendorRefused, match="not configured"):
            shop.create_payment(**ORDER)
        assert not vendors.yukassa.requests

    def test_busy_before_and_unsure_after(self, shop):
        vendors.yukassa.fail_next(1, 429, 5)
        with pytest.raises(VendorBusy) as caught:
            shop.create_payment(**ORDER)
        assert caught.value.retry_after == 5
        vendors.yukassa.fail_next(1, 500)
        with pytest.raises(VendorUnsure):
            shop.create_payment(**ORDER)
        assert len(vendors.yukassa.requests) == 2

    def test_asking_is_repeated(self, shop):
        made = shop.create_payment(**ORDER)
        vendors.yukassa.fail_next(2, 502)
        assert shop.payment(made.payment_id) == made

    @pytest.mark.parametrize("body", [{}, [], {"id": "a/b", "status": "x"}, {"id": "a", "status": "x", "amount": "1"}])
    def test_an_answer_that_cannot_be_read_is_unsure(self, shop, monkeypatch, body):
        monkeypatch.setattr(vendors.yukassa, "answer", lambda asked: Reply.json(body))
        with pytest.raises(VendorUnsure):
            shop.create_payment(**ORDER)

    def test_still_processing_is_unsure(self, shop, monkeypatch):
        monkeypatch.setattr(vendors.yukassa, "answer", lambda asked: Reply.json({"type": "processing"}, 202))
        with pytest.raises(VendorUnsure):
            shop.create_payment(**ORDER)

    def test_time_runs_out(self, shop):
        made = shop.create_payment(**ORDER)
        with time_machine.travel(timezone.now() + timezone.timedelta(seconds=3601)):
            assert shop.payment(made.payment_id).status == "canceled"
            with pytest.raises(ControlRefused):
                vendors.yukassa.pay(made.payment_id)
            vendors.yukassa.pay(made.payment_id, is_late=True)
            assert shop.payment(made.payment_id).status == "succeeded"


class TestSandbox:
    def test_a_payment_is_told_without_a_signature(self, shop):
        made = shop.create_payment(**ORDER)
        status, told = control(Client(), "yukassa/control/pay", payment_id=made.payment_id)
        assert (status, told["delivery"]["status"]) == (200, 200)
        [request] = urls.heard
        said = json.loads(request.raw)
        assert (said["type"], said["event"], said["object"]["id"]) == (
            "notification",
            "payment.succeeded",
            made.payment_id,
        )
        assert (said["object"]["paid"], said["object"]["amount"]["value"]) == (True, "100.00")
        assert shop.payment(made.payment_id).status == "succeeded"

    def test_silence_another_sum_and_a_lie(self, shop):
        first, second = (shop.create_payment(**{**ORDER, "mark": mark}) for mark in ("one", "two"))
        pay = "yukassa/control/pay"
        told = control(Client(), pay, payment_id=first.payment_id, silent=True, amount="7.50")
        assert told == (200, {"ok": True})
        assert shop.payment(first.payment_id).amount == Decimal("7.50")
        assert urls.heard == []
        assert control(Client(), "yukassa/control/forge", payment_id=second.payment_id)[0] == 200
        assert json.loads(urls.heard[0].raw)["object"]["status"] == "succeeded"
        assert shop.payment(second.payment_id).status == "pending"

    def test_cancel_and_pay_late(self, shop):
        made = shop.create_payment(**ORDER)
        assert control(Client(), "yukassa/control/cancel", payment_id=made.payment_id)[0] == 200
        assert control(Client(), "yukassa/control/pay", payment_id=made.payment_id)[0] == 400
        assert control(Client(), "yukassa/control/pay", payment_id=made.payment_id, late=True)[0] == 200
        assert control(Client(), "yukassa/control/cancel", payment_id=made.payment_id)[0] == 400

    @pytest.mark.parametrize("verb", ["pay", "cancel", "forge"])
    @pytest.mark.parametrize(("body", "status"), [({}, 400), ({"payment_id": "x"}, 404), ({"payment_id": 1}, 400)])
    def test_what_is_not_there(self, shop, verb, body, status):
        assert control(Client(), f"yukassa/control/{verb}", **body)[0] == status

    @pytest.mark.parametrize("amount", ["x", "NaN", "0", "1.005", None])
    def test_a_sum_that_is_none(self, shop, amount):
        made = shop.create_payment(**ORDER)
        assert control(Client(), "yukassa/control/pay", payment_id=made.payment_id, amount=amount)[0] == 400

    def test_the_page_of_a_payment(self, shop):
        client, made = Client(), shop.create_payment(**ORDER)
        page = "/__sandbox/" + made.pay_url.partition("/__sandbox/")[2]
        assert "100.00 RUB" in client.get(page).content.decode()
        assert f"yukassa/pay/{made.payment_id}" in client.get("/__sandbox/").content.decode()
        assert "Paid. The shop answered 200." in client.post(page, {"do": "pay"}).content.decode()
        client.post(page, {"do": "pay"})
        client.post(page, {"do": "expire"})
        assert len(urls.heard) == 1
        client.post(page, {"do": "again"})
        assert len(urls.heard) == 2
        assert shop.payment(made.payment_id).status == "succeeded"
        assert client.get("/__sandbox/yukassa/pay/none").status_code == 404

    def test_the_page_lets_it_expire(self, shop):
        made = shop.create_payment(**ORDER)
        page = "/__sandbox/" + made.pay_url.partition("/__sandbox/")[2]
        assert "Expired" in Client().post(page, {"do": "expire"}).content.decode()
        assert shop.payment(made.payment_id).status == "canceled"
        assert [json.loads(request.raw)["event"] for request in urls.heard] == ["payment.canceled"]

    def test_the_fake_adapter_is_the_same_client(self):
        shop = FakeYukassa()
        made = shop.create_payment(**ORDER)
        shop.vendor.pay(made.payment_id)
        assert shop.payment(made.payment_id).status == "succeeded"
