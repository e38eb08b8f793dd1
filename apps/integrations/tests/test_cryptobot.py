"""CryptoBot over HTTP against its fake; signature vector of contract integrations 0."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from apps.integrations import cryptobot
from apps.integrations.cryptobot import CryptoBot, FakeCrypto
from apps.integrations.http import Asked, Reply
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import ControlRefused
from apps.integrations.tests import urls

ORDER = {
    "amount": Decimal("100"),
    "fiat": "RUB",
    "description": "Top-up",
    "payload": "topup:7",
    "lifetime_seconds": 1800,
}


@pytest.fixture
def crypto(sandbox) -> CryptoBot:
    urls.heard.clear()
    return CryptoBot()


class TestSignature:
    BODY = b'{"update_id":1,"update_type":"invoice_paid"}'
    EXPECTED = "d3b6c6d547209bd1c343a3bd00cc9905ecc3c7aa4fbb06508a49c874cdad4726"

    def test_vector_of_the_contract(self, crypto):
        assert cryptobot.sign("123:AAtoken", self.BODY) == self.EXPECTED
        assert crypto.is_genuine(self.BODY, self.EXPECTED)

    @pytest.mark.parametrize("signature", ["", "0" * 64, EXPECTED[:-1], EXPECTED.upper(), "подпись"])
    def test_a_wrong_one(self, crypto, signature):
        assert not crypto.is_genuine(self.BODY, signature)

    def test_one_byte_of_the_raw_body_matters(self, crypto):
        assert not crypto.is_genuine(self.BODY + b" ", self.EXPECTED)

    def test_without_a_token_nothing_is_genuine(self, crypto, change):
        change(crypto_bot_api_token="")
        assert not crypto.is_genuine(self.BODY, cryptobot.sign("", self.BODY))
        assert not crypto.is_configured()


class TestInvoices:
    def test_create_and_ask(self, crypto, sandbox):
        made = crypto.create_invoice(**ORDER)
        assert made.status == "active"
        assert made.pay_url.startswith(f"{sandbox}/__sandbox/cryptobot/pay/IV")
        assert made.mini_app_url.startswith("https://t.me/")
        [kept] = vendors.cryptobot.invoices.values()
        assert (kept.amount, kept.currency, kept.payload) == (Decimal(100), "RUB", "topup:7")
        assert round((kept.expires_at - kept.created_at).total_seconds()) == 1800
        assert crypto.invoices([made.invoice_id]) == [made]
        assert crypto.invoices([made.invoice_id + 1]) == []
        assert crypto.invoices([]) == []

    def test_many_are_asked_for_in_pages(self, crypto):
        made = [crypto.create_invoice(**ORDER) for _ in range(3)]
        wanted = [invoice.invoice_id for invoice in made] + list(range(10**9, 10**9 + 198))
        assert {found.invoice_id for found in crypto.invoices(wanted)} == {invoice.invoice_id for invoice in made}
        assert len(vendors.cryptobot.requests) == 3 + 3

    def test_the_newest_ones_tell_what_we_gave_them(self, crypto):
        """How an invoice is found whose number never reached us."""
        for number in range(3):
            crypto.create_invoice(**{**ORDER, "payload": f"topup:{number}"})
        assert [found.payload for found in crypto.recent_invoices(count=2)] == ["topup:2", "topup:1"]

    def test_only_telegram_links_come_through(self, crypto):
        vendors.cryptobot.shows_mini_app = False
        assert crypto.create_invoice(**ORDER).mini_app_url is None

    def test_time_runs_out(self, crypto):
        made = crypto.create_invoice(**ORDER)
        with time_machine.travel(timezone.now() + timezone.timedelta(seconds=1801)):
            assert crypto.invoices([made.invoice_id])[0].status == "expired"
            with pytest.raises(ControlRefused):
                vendors.cryptobot.pay(made.invoice_id)
            vendors.cryptobot.pay(made.invoice_id, is_late=True)
            assert crypto.invoices([made.invoice_id])[0].status == "paid"

    @pytest.mark.parametrize(
        ("bad", "name"),
        [
            ({"amount": Decimal(0)}, "AMOUNT_INVALID"),
            ({"amount": Decimal("NaN")}, "AMOUNT_INVALID"),
            ({"fiat": "XXX"}, "FIAT_INVALID"),
            ({"lifetime_seconds": 0}, "EXPIRES_IN_INVALID"),
            ({"lifetime_seconds": 2_678_401}, "EXPIRES_IN_INVALID"),
            ({"payload": "x" * 5000}, "PAYLOAD_TOO_LONG"),
        ],
    )
    def test_a_bad_invoice_is_refused(self, crypto, bad, name):
        with pytest.raises(VendorRefused, match=f"cryptobot: 400 {name}"):
            crypto.create_invoice(**{**ORDER, **bad})
        assert not vendors.cryptobot.invoices

    def test_a_wrong_token(self, crypto, monkeypatch):
        refusal = Reply.json({"ok": False, "error": {"code": 401, "name": "UNAUTHORIZED"}}, 401)
        monkeypatch.setattr(vendors.cryptobot, "answer", lambda asked: refusal)
        with pytest.raises(VendorRefused, match="401 UNAUTHORIZED"):
            crypto.create_invoice(**ORDER)

    @pytest.mark.parametrize("token", ["", "123:AAtokem", "123:AAtoken ", "ключ"])
    def test_the_fake_takes_no_other_token(self, token):
        asked = Asked("POST", "/api/createInvoice", {}, {"crypto-pay-api-token": token}, b"")
        assert vendors.cryptobot.handle(asked).status == 401

    def test_not_configured(self, crypto, change):
        change(crypto_bot_api_token="")
        with pytest.raises(VendorRefused, match="not configured"):
            crypto.create_invoice(**ORDER)
        assert not vendors.cryptobot.requests

    @pytest.mark.parametrize(("status", "wait"), [(500, None), (503, None), (429, 5)])
    def test_busy(self, crypto, status, wait):
        vendors.cryptobot.fail_next(1, status, wait)
        with pytest.raises(VendorBusy) as caught:
            crypto.create_invoice(**ORDER)
        assert caught.value.retry_after == wait
        assert not vendors.cryptobot.invoices

    def test_a_lost_answer_is_unsure_and_asked_once(self, crypto):
        vendors.cryptobot.lose_next(5)
        with pytest.raises(VendorUnsure):
            crypto.create_invoice(**ORDER)
        assert len(vendors.cryptobot.invoices) == 1

    def test_asking_is_repeated(self, crypto):
        made = crypto.create_invoice(**ORDER)
        vendors.cryptobot.fail_next(2, 502)
        assert crypto.invoices([made.invoice_id]) == [made]


class TestWebhook:
    def test_a_payment_is_told_with_a_good_signature(self, crypto, sandbox, settings):
        settings.SANDBOX_WEBHOOKS = {"cryptobot": f"{sandbox}/webhook"}
        made = crypto.create_invoice(**ORDER)
        vendors.cryptobot.deliver(vendors.cryptobot.pay(made.invoice_id))
        [request] = urls.heard
        assert crypto.is_genuine(request.raw, request.headers["crypto-pay-api-signature"])
        told = json.loads(request.raw)
        assert told["update_type"] == "invoice_paid"
        assert told["payload"]["invoice_id"] == made.invoice_id
        assert told["payload"]["status"] == "paid"
        assert told["payload"]["paid_amount"] == "1.250000"
        assert crypto.invoices([made.invoice_id])[0].status == "paid"

    def test_a_broken_signature_is_noticed(self, crypto):
        vendors.cryptobot.break_signatures(1)
        notice = vendors.cryptobot.pay(crypto.create_invoice(**ORDER).invoice_id)
        assert not crypto.is_genuine(notice.body, notice.headers["crypto-pay-api-signature"])

    def test_paying_an_unknown_invoice(self, crypto):
        with pytest.raises(ControlRefused):
            vendors.cryptobot.pay(1)


class TestFake:
    def test_it_is_the_same_client_on_the_same_vendor(self):
        crypto = FakeCrypto()
        made = crypto.create_invoice(**ORDER)
        notice = crypto.vendor.pay(made.invoice_id)
        assert crypto.is_genuine(notice.body, notice.headers["crypto-pay-api-signature"])
        assert crypto.invoices([made.invoice_id])[0].status == "paid"
        crypto.vendor.fail_next(1, 500)
        with pytest.raises(VendorBusy):
            crypto.create_invoice(**ORDER)
