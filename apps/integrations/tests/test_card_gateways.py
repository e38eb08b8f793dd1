"""OCTO, Payme and Click over HTTP against their fakes; signature vectors of contract integrations 0."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from apps.integrations import click, conf, octo
from apps.integrations.click import ClickMerchant
from apps.integrations.http import Answer
from apps.integrations.octo import Octo
from apps.integrations.payme import PaymeCheckout
from apps.integrations.ports import BasketLine, CardNotice, CardOrder, VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors
from apps.integrations.tests import urls

UUID = "4556a13e-f763-4b91-9387-92395fd51ccf"
SIGNED = "0524239601F1F9D7164654397AF63E065FF364AD"
LEGACY = "C083EFB72A992F390F872EEBDF5EE24848741406"
HASH_KEY = "e27d3f79-3189-44e9-8a66-566a141025df"
ORDER = CardOrder(
    transaction_id="t-1",
    amount=Decimal("1000.50"),
    currency="UZS",
    description="Order #1",
    return_url="https://shop.example/back?a=1&b=2",
    asked_at=datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
)


@pytest.fixture
def gateway(sandbox: str) -> Octo:
    urls.heard.clear()
    return Octo()


def charge():
    (only,) = vendors.octo.charges.values()
    return only


def notice(**changes: str) -> CardNotice:
    return replace(CardNotice("t-1", UUID, "succeeded", signature=SIGNED, hash_key=HASH_KEY), **changes)


class TestOctoSignature:
    def test_vectors_of_the_contract(self, gateway, change):
        assert octo.sign("unique-key-123", UUID, "succeeded") == SIGNED
        assert octo.sign_legacy("unique-key-123", HASH_KEY, UUID, "succeeded") == LEGACY
        assert gateway.is_genuine(notice())
        assert gateway.is_genuine(notice(signature=SIGNED.lower()))
        change(octo_signature_scheme="hash_key")
        assert gateway.is_genuine(notice(signature=LEGACY))
        assert not gateway.is_genuine(notice())

    @pytest.mark.parametrize(
        "changes",
        [
            {"signature": ""},
            {"signature": "0" * 40},
            {"signature": "подпись"},
            {"word": "canceled"},
            {"vendor_id": "x"},
        ],
    )
    def test_a_wrong_one(self, gateway, changes):
        assert not gateway.is_genuine(notice(**changes))

    def test_without_a_key_nothing_is_genuine(self, gateway, change):
        change(octo_unique_key="")
        assert not gateway.is_genuine(notice(signature=octo.sign("", UUID, "succeeded")))

    def test_pull_trusts_nothing(self, gateway, change):
        assert gateway.trusts_notices()
        change(octo_signature_scheme="pull")
        assert not gateway.trusts_notices()


class TestOctoPrepare:
    def test_the_body(self, gateway, change):
        line = BasketLine("Slipper", 2, Decimal("500.25"), spic="064", package_code="9", vat_percent=12, inn="1")
        gateway.start(replace(ORDER, basket=(line,), payer_phone="+998901234567", payer_id="5", language="tr"))
        sent = json.loads(vendors.octo.requests[-1]["body"])
        assert sent == {
            "octo_shop_id": 77,
            "octo_secret": "octo-secret",
            "shop_transaction_id": "t-1",
            "auto_capture": True,
            "init_time": "2026-11-21 15:00:00",
            "test": True,
            "total_sum": 1000.5,
            "currency": "UZS",
            "description": "Order #1",
            "notify_url": sent["notify_url"],
            "return_url": "https://shop.example/back?a=1&b=2",
            "language": "ru",
            "ttl": 15,
            "user_data": {"user_id": "5", "phone": "998901234567", "email": ""},
            "basket": [
                {
                    "position_desc": "Slipper",
                    "count": 2,
                    "price": 500.25,
                    "spic": "064",
                    "inn": "1",
                    "package_code": "9",
                    "nds": 12,
                }
            ],
        }

    def test_extra_fields_cannot_touch_the_money(self, gateway, change):
        """Contract shop 4.4.1."""
        extra = {"total_sum": 1, "octo_shop_id": 1, "notify_url": "x", "test": False, "tsp_id": 18, "ttl": 30}
        change(octo_extra_params=json.dumps(extra))
        gateway.start(ORDER)
        sent = json.loads(vendors.octo.requests[-1]["body"])
        assert (sent["total_sum"], sent["octo_shop_id"], sent["test"]) == (1000.5, 77, True)
        assert (sent["tsp_id"], sent["ttl"]) == (18, 30)

    @pytest.mark.parametrize("top_level", [False, True])
    def test_the_answer_in_both_places(self, gateway, sandbox, top_level):
        vendors.octo.top_level = top_level
        made = gateway.start(ORDER)
        assert (made.state, made.word, made.amount) == ("open", "created", Decimal("1000.5"))
        assert made.vendor_id == charge().uuid
        assert made.pay_url == f"{sandbox}/__sandbox/octo/pay/{charge().uuid}"

    def test_the_first_call_fixes_the_rest(self, gateway):
        first = gateway.start(ORDER)
        again = gateway.start(replace(ORDER, amount=Decimal(5)))
        assert (again.vendor_id, again.amount) == (first.vendor_id, Decimal("1000.5"))

    def test_refusals_keep_the_words(self, gateway, change):
        with pytest.raises(VendorRefused, match="Format error: currency"):
            gateway.start(replace(ORDER, currency="KZT"))
        change(octo_secret="")
        with pytest.raises(VendorRefused, match="not configured"):
            gateway.start(ORDER)

    def test_trouble(self, gateway):
        vendors.octo.lose_next()
        with pytest.raises(VendorUnsure):
            gateway.start(ORDER)
        assert len(vendors.octo.charges) == 1
        vendors.octo.fail_next(1, 500)
        with pytest.raises(VendorBusy):
            gateway.start(ORDER)

    @pytest.mark.parametrize(
        ("status", "body", "problem"),
        [
            (200, b"<html>", VendorUnsure),
            (200, b"[]", VendorUnsure),
            (200, b'{"error":null}', VendorUnsure),
            (200, b'{"error":"0"}', VendorUnsure),
            (200, b'{"error":7}', VendorRefused),
            (404, b"", VendorRefused),
            (429, b"", VendorBusy),
            (502, b"", VendorBusy),
        ],
    )
    def test_odd_answers(self, status, body, problem):
        with pytest.raises(problem):
            Octo(lambda call: Answer(status, {}, body)).start(ORDER)

    @pytest.mark.parametrize("given", ["javascript:alert(1)", "ftp://x", None, 5, ""])
    def test_only_web_pages_are_pages(self, given):
        body = json.dumps({"error": 0, "data": {"status": "created", "octo_pay_url": given}}).encode()
        assert Octo(lambda call: Answer(200, {}, body)).start(ORDER).pay_url == ""

    @pytest.mark.parametrize("given", [True, None, "", "x", "nan", [], 1e30])
    def test_amounts_that_are_none(self, given):
        body = json.dumps({"error": 0, "data": {"status": "created", "total_sum": given}}).encode()
        assert Octo(lambda call: Answer(200, {}, body)).start(ORDER).amount is None


class TestOctoLater:
    def test_every_word_has_a_state(self, gateway):
        gateway.start(ORDER)
        for word, state in (
            ("wait_user_action", "open"),
            ("waiting_for_capture", "held"),
            ("succeeded", "paid"),
            ("canceled", "over"),
            ("FAILED", "failed"),
            ("something_new", "open"),
        ):
            charge().status = word
            assert gateway.ask(transaction_id="t-1").state == state

    def test_the_six_old_words_of_success(self):
        """Contract shop K9."""
        for word in ("paid", "captured", "completed", "succeeded", "success", "paid_and_captured"):
            assert octo.STATES[word] == "paid"

    def test_an_unknown_payment(self, gateway):
        assert gateway.ask(transaction_id="nobody").state == "unknown"

    def test_wrong_keys_say_nothing_about_a_payment(self, gateway):
        gateway.start(ORDER)
        vendors.octo.is_locked_out = True
        with pytest.raises(VendorRefused, match="Wrong secret"):
            gateway.ask(transaction_id="t-1")

    def test_error_11_is_waited_out_once(self, gateway, monkeypatch):
        pauses: list[float] = []
        monkeypatch.setattr(octo.time, "sleep", pauses.append)
        gateway.start(ORDER)
        vendors.octo.too_often(1)
        assert gateway.ask(transaction_id="t-1").state == "open"
        vendors.octo.too_often(2)
        with pytest.raises(VendorBusy) as caught:
            gateway.ask(transaction_id="t-1")
        assert (pauses, caught.value.retry_after) == ([1.1, 1.1], 2)

    def test_hold_and_take(self, gateway):
        made = gateway.start(replace(ORDER, is_two_stage=True))
        vendors.octo.pay("t-1")
        assert gateway.ask(transaction_id="t-1").state == "held"
        assert gateway.capture(vendor_id=made.vendor_id, amount=Decimal("900.25")).state == "paid"
        assert charge().captured == Decimal("900.25")
        with pytest.raises(VendorRefused):
            gateway.capture(vendor_id=made.vendor_id, amount=Decimal(1))

    def test_hold_and_let_go(self, gateway):
        made = gateway.start(replace(ORDER, is_two_stage=True))
        vendors.octo.pay("t-1")
        with pytest.raises(VendorRefused):
            gateway.capture(vendor_id=made.vendor_id, amount=Decimal(5000))
        assert gateway.cancel(vendor_id=made.vendor_id, amount=ORDER.amount).state == "over"

    def test_refund_is_filtered_by_its_id(self, gateway):
        made = gateway.start(ORDER)
        with pytest.raises(VendorRefused):
            gateway.refund(vendor_id=made.vendor_id, refund_id="r", amount=Decimal(1))
        vendors.octo.pay("t-1")
        for _time in range(2):
            assert gateway.refund(vendor_id=made.vendor_id, refund_id="r", amount=Decimal(600)).state == "done"
        with pytest.raises(VendorRefused, match="Wrong amount to refund"):
            gateway.refund(vendor_id=made.vendor_id, refund_id="r2", amount=Decimal(600))
        assert charge().refunded == Decimal(600)

    @pytest.mark.parametrize(
        ("word", "state"),
        [("new", "pending"), ("pending", "pending"), ("unknown", "pending"), ("", "pending")]
        + [("failed", "failed"), ("error", "failed"), ("canceled", "failed"), ("succeeded", "done")],
    )
    def test_refund_words(self, word, state):
        body = json.dumps({"error": 0, "data": {"status": word, "refund_id": "5"}}).encode()
        told = Octo(lambda call: Answer(200, {}, body)).refund(vendor_id="u", refund_id="r", amount=Decimal(1))
        assert (told.state, told.vendor_id) == (state, "5")

    def test_a_5xx_on_money_is_unsure(self):
        broken = Octo(lambda call: Answer(502, {}, b""))
        with pytest.raises(VendorUnsure):
            broken.refund(vendor_id="u", refund_id="r", amount=Decimal(1))
        with pytest.raises(VendorUnsure):
            broken.capture(vendor_id="u", amount=Decimal(1))

    def test_the_secret_is_in_no_repr(self, gateway):
        seen = []
        with pytest.raises(VendorUnsure):
            Octo(lambda call: seen.append(call) or Answer(200, {}, b"")).start(ORDER)
        assert "octo-secret" not in repr(seen)


class TestOctoSandbox:
    def test_the_page_pays_and_tells(self, gateway, sandbox):
        gateway.start(ORDER)
        client = Client()
        path = f"/__sandbox/octo/pay/{charge().uuid}"
        page = client.get(path).content.decode()
        assert "1000.5 UZS" in page and "Order #1" in page and "shop.example" not in page
        page = client.post(path, {"do": "pay"}).content.decode()
        assert "200" in page and 'href="https://shop.example/back?a=1&amp;b=2"' in page
        assert charge().status == "succeeded"
        told = json.loads(urls.heard[-1].raw)
        assert (told["shop_transaction_id"], told["status"]) == ("t-1", "succeeded")
        assert Octo().is_genuine(Octo().read_notice(urls.heard[-1].raw, "application/json"))

    def test_three_wrong_codes_cancel(self, gateway):
        gateway.start(ORDER)
        for _time in range(3):
            Client().post(f"/__sandbox/octo/pay/{charge().uuid}", {"do": "wrong"})
        assert (charge().status, len(urls.heard)) == ("canceled", 1)

    def test_silence_repeats_and_buttons_that_are_gone(self, gateway):
        gateway.start(ORDER)
        path = f"/__sandbox/octo/pay/{charge().uuid}"
        Client().post(path, {"do": "silent"})
        assert (charge().status, urls.heard) == ("succeeded", [])
        Client().post(path, {"do": "cancel"})
        assert charge().status == "succeeded"
        Client().post("/__sandbox/octo/control/repeat", {"count": "3"})
        Client().post(path, {"do": "again"})
        assert len(urls.heard) == 3

    def test_control_calls(self, gateway):
        def control(verb, **body):
            answer = Client().post(f"/__sandbox/octo/control/{verb}", json.dumps(body), content_type="application/json")
            return answer.status_code, answer.json()

        assert control("pay", shop_transaction_id="nobody")[0] == 404
        control("overtake", count=1)
        gateway.start(replace(ORDER, is_two_stage=True))
        assert (charge().status, len(urls.heard)) == ("waiting_for_capture", 1)
        control("forge", shop_transaction_id="t-1", status="succeeded", total_sum=5)
        assert json.loads(urls.heard[-1].raw)["signature"] == "0" * 40
        control("lie", total_sum=5)
        assert gateway.ask(transaction_id="t-1").amount == Decimal(5)
        assert gateway.ask(transaction_id="t-1").amount == Decimal("1000.5")
        assert control("expire", shop_transaction_id="t-1", silent=True) == (200, {"ok": True})
        assert control("pay", shop_transaction_id="t-1")[0] == 400
        assert control("pay", shop_transaction_id="t-1", late=True)[0] == 200
        assert len(control("state")[1]["payments"]) == 1

    def test_the_front_page_lists_it(self, gateway):
        gateway.start(ORDER)
        assert f"octo/pay/{charge().uuid}" in Client().get("/__sandbox/").content.decode()

    def test_no_such_page(self, gateway):
        for path in ("octo/pay/x", "payme/checkout/x", "payme/checkout/bT0x", "click/services/pay"):
            assert Client().get(f"/__sandbox/{path}").status_code == 404


class TestPayme:
    def test_the_link(self, sandbox):
        made = PaymeCheckout().start(ORDER)
        read = vendors.payme.read_link(made.pay_url.partition("/checkout/")[2])
        assert (read.account, read.amount, read.return_url) == ("t-1", 100_050, "https://shop.example/back?a=1&b=2")

    def test_only_soum(self):
        with pytest.raises(VendorRefused):
            PaymeCheckout().start(replace(ORDER, currency="USD"))
        with pytest.raises(VendorRefused):
            ClickMerchant().start(replace(ORDER, currency="USD"))

    def test_the_key(self, change):
        payme = PaymeCheckout()
        assert payme.key_of("Basic UGF5Y29tOnBheW1lLWtleQ==") == "payme-key"
        assert payme.is_key("payme-key") and not payme.is_key("payme-keyx") and not payme.is_key("")
        change(payme_key="")
        assert not payme.is_key("") and not payme.is_configured()

    def test_the_page_of_a_shop_that_is_silent(self, sandbox):
        path = urlsplit(PaymeCheckout().start(ORDER).pay_url).path
        assert "1000.50 UZS" in Client().get(path).content.decode()
        assert Client().post(path, {"do": "pay"}).status_code == 200


class TestClick:
    FIELDS = {
        "click_trans_id": "123456",
        "service_id": "777",
        "merchant_trans_id": "order-1",
        "amount": "1000.00",
        "action": "0",
        "sign_time": "2026-11-21 10:00:00",
    }

    def test_vectors_of_the_contract(self):
        prepare = {**self.FIELDS, "sign_string": "c2aee0e3b5389722292fa4274c90701d"}
        assert click.sign(self.FIELDS, "SECRET") == prepare["sign_string"]
        complete = {**self.FIELDS, "action": "1", "merchant_prepare_id": "55"}
        assert click.sign(complete, "SECRET") == "df43458d8e482e1f0a8fb2e20e2bfc23"
        assert click.auth("1", "SECRET", 1519051543) == "1:c094893e07700c6cbdc7c74b6745596fb1750183:1519051543"
        assert ClickMerchant().is_signed(prepare)
        assert ClickMerchant().is_signed({**prepare, "sign_string": prepare["sign_string"].upper()})

    @pytest.mark.parametrize("field", FIELDS)
    def test_every_field_is_signed(self, field):
        changed = {**self.FIELDS, "sign_string": "c2aee0e3b5389722292fa4274c90701d", field: "1000.0"}
        assert not ClickMerchant().is_signed(changed)

    def test_without_a_secret_nothing_is_signed(self, change):
        change(click_secret_key="")
        assert not ClickMerchant().is_signed({**self.FIELDS, "sign_string": click.sign(self.FIELDS, "")})

    def test_the_link_and_its_page(self, sandbox):
        made = ClickMerchant().start(ORDER)
        asked = parse_qs(urlsplit(made.pay_url).query)
        assert asked == {
            "service_id": ["777"],
            "merchant_id": ["778"],
            "amount": ["1000.50"],
            "transaction_param": ["t-1"],
            "return_url": ["https://shop.example/back?a=1&b=2"],
        }
        path = made.pay_url.removeprefix(sandbox)
        assert "1000.50 UZS" in Client().get(path).content.decode()
        assert Client().post(path, {"do": "pay"}).status_code == 200

    def test_status_and_reversal(self, sandbox, change):
        merchant, day = ClickMerchant(), datetime(2026, 11, 21, tzinfo=UTC)
        assert merchant.ask(transaction_id="t-1", on=day).state == "unknown"
        payment = vendors.click.begin("t-1", "1000.50")
        number = str(payment.number)
        assert merchant.ask(transaction_id="t-1", on=day).state == "open"
        with pytest.raises(VendorRefused, match="cannot be reversed"):
            merchant.refund(vendor_id=number, refund_id="r", amount=ORDER.amount)
        payment.status = 2
        assert merchant.ask(transaction_id="t-1", on=day).vendor_id == number
        for _time in range(2):
            assert merchant.refund(vendor_id=number, refund_id="r", amount=ORDER.amount).state == "done"
        assert payment.status == -99
        assert merchant.ask(transaction_id="t-1", vendor_id=number, on=day).state == "over"
        change(click_merchant_user_id="")
        assert merchant.ask(transaction_id="t-1", on=day).state == "unknown"
        assert merchant.refund(vendor_id=number, refund_id="r", amount=ORDER.amount).state == "pending"

    def test_a_lost_reversal_is_found_done(self, sandbox):
        merchant = ClickMerchant()
        payment = vendors.click.begin("t-1", "1000.50")
        payment.status = -99
        assert merchant.refund(vendor_id=str(payment.number), refund_id="r", amount=ORDER.amount).state == "done"


class TestConf:
    def test_defaults_are_the_real_vendors(self, monkeypatch):
        for name in ("OCTO_API_BASE", "PAYME_CHECKOUT_BASE", "CLICK_API_BASE", "CLICK_PAY_BASE"):
            monkeypatch.delenv(name, raising=False)
        loaded = conf.load()
        assert (loaded.octo_api_base, loaded.payme_checkout_base) == (
            "https://secure.octo.uz",
            "https://checkout.paycom.uz",
        )
        assert (loaded.click_pay_base, loaded.click_api_base) == (
            "https://my.click.uz",
            "https://api.click.uz/v2/merchant",
        )
        assert loaded.octo_test is True

    @pytest.mark.parametrize(("given", "scheme"), [("legacy", "hash_key"), ("PULL", "pull"), ("hash_key", "hash_key")])
    def test_schemes(self, monkeypatch, given, scheme):
        monkeypatch.setenv("OCTO_SIGNATURE_SCHEME", given)
        assert conf.load().octo_signature_scheme == scheme

    def test_an_unknown_scheme(self, monkeypatch):
        monkeypatch.setenv("OCTO_SIGNATURE_SCHEME", "none")
        with pytest.raises(ValueError, match="none"):
            conf.load()

    @pytest.mark.parametrize("given", ["[]", "5", "{"])
    def test_extra_params_are_an_object(self, monkeypatch, given):
        monkeypatch.setenv("OCTO_EXTRA_PARAMS", given)
        with pytest.raises(ValueError):
            conf.load()

    def test_secrets_are_in_no_repr(self):
        shown = repr(conf.load(embedded=True))
        for secret in (conf.DEMO_OCTO_SECRET, conf.DEMO_OCTO_UNIQUE_KEY, conf.DEMO_PAYME_KEY, conf.DEMO_CLICK_SECRET):
            assert secret not in shown
