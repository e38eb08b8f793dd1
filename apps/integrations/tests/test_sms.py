"""Texts: console, fake, Eskiz, PlayMobile, Twilio – each real one over HTTP against its fake."""

from __future__ import annotations

import json
import logging
import threading
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from django.core.cache import cache

from apps.integrations import eskiz, twilio
from apps.integrations.eskiz import Eskiz, FakeEskizSms
from apps.integrations.http import Asked, Reply
from apps.integrations.playmobile import FakePlayMobileSms, PlayMobile
from apps.integrations.ports import SmsReport, VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import recorder, vendors
from apps.integrations.sandbox.vendor import ControlRefused
from apps.integrations.sms import ConsoleSms, FakeSms
from apps.integrations.tests import urls
from apps.integrations.twilio import FakeTwilioSms, Twilio

PHONE = "+998901234567"
TEXT = "Mahalla: code 482113"


@pytest.fixture(autouse=True)
def _no_token():
    cache.clear()
    urls.heard.clear()


class TestConsole:
    def test_the_text_is_kept_for_the_sandbox_and_not_printed(self, caplog):
        caplog.set_level(logging.DEBUG)
        assert ConsoleSms().send(to=PHONE, text=TEXT).vendor_id
        [kept] = recorder.messages(channel="sms", to=PHONE)
        assert kept["text"] == TEXT
        assert "+998*****4567" in caplog.text
        assert "482113" not in caplog.text
        assert PHONE not in caplog.text


class TestFakeSms:
    def test_it_remembers_and_fails_on_request(self):
        sms = FakeSms()
        sms.fail_with(VendorBusy("busy"), 2)
        for _ in range(2):
            with pytest.raises(VendorBusy):
                sms.send(to=PHONE, text=TEXT)
        sms.send(to=PHONE, text=TEXT, reference="r1")
        assert [(sent.to, sent.text, sent.reference) for sent in sms.sent] == [(PHONE, TEXT, "r1")]
        assert "482113" not in repr(sms.sent)
        assert len(recorder.messages(channel="sms")) == 1


class TestEskiz:
    @pytest.fixture
    def sms(self, sandbox) -> Eskiz:
        return Eskiz()

    def test_a_text_goes_out(self, sms):
        receipt = sms.send(to=PHONE, text=TEXT)
        kept = vendors.eskiz.texts[receipt.vendor_id]
        assert (kept.to, kept.text, receipt.cost) == ("998901234567", TEXT, None)
        assert [entry["to"] for entry in recorder.messages(channel="sms", to=PHONE)] == [PHONE]

    def test_the_callback_address_carries_the_secret(self, sms, change):
        change(eskiz_callback_url="https://our.example/sms/eskiz")
        receipt = sms.send(to=PHONE, text=TEXT)
        assert vendors.eskiz.texts[receipt.vendor_id].callback_url == "https://our.example/sms/eskiz/eskiz-secret"

    def test_a_foreign_number_goes_by_the_global_call(self, sms):
        sms.send(to="+79161234567", text="код")
        assert vendors.eskiz.requests[-1]["path"].endswith("/message/sms/send-global")
        sent = parse_qs(vendors.eskiz.requests[-1]["body"])
        assert (sent["country_code"], sent["unicode"]) == (["RU"], ["1"])

    def test_one_token_serves_many_texts(self, sms):
        for _ in range(3):
            sms.send(to=PHONE, text=TEXT)
        Eskiz().send(to=PHONE, text=TEXT)
        assert vendors.eskiz.logins == 1

    def test_an_expired_token_is_refreshed_without_a_login(self, sms):
        sms.send(to=PHONE, text=TEXT)
        vendors.eskiz.expire_tokens()
        sms.send(to=PHONE, text=TEXT)
        assert vendors.eskiz.logins == 1
        assert [request["method"] for request in vendors.eskiz.requests] == ["POST", "POST", "POST", "PATCH", "POST"]
        assert len(vendors.eskiz.texts) == 2

    def test_a_dead_token_means_a_new_login(self, sms):
        sms.send(to=PHONE, text=TEXT)
        vendors.eskiz.expire_tokens(for_good=True)
        sms.send(to=PHONE, text=TEXT)
        assert vendors.eskiz.logins == 2

    def test_many_threads_make_one_login(self, sms):
        threads = [threading.Thread(target=sms.send, kwargs={"to": PHONE, "text": TEXT}) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert vendors.eskiz.logins == 1
        assert len(vendors.eskiz.texts) == 8

    def test_a_stuck_login_of_another_process_is_busy_in_the_end(self, sms, monkeypatch):
        monkeypatch.setattr(eskiz, "LOCK_PATIENCE_S", 0.1)
        cache.add(eskiz._key("lock"), 1, 30)
        with pytest.raises(VendorBusy):
            sms.send(to=PHONE, text=TEXT)
        assert not vendors.eskiz.requests

    def test_a_wrong_password_is_refused(self, sms, monkeypatch):
        monkeypatch.setattr(vendors.eskiz, "_log_in", lambda fields: vendors.eskiz._refresh("nothing"))
        with pytest.raises(VendorRefused, match="the login is refused"):
            sms.send(to=PHONE, text=TEXT)
        assert not vendors.eskiz.texts

    def test_the_fake_takes_no_other_login(self):
        for body in (b"", b"email=shop@example.com&password=x", b"email=&password="):
            asked = Asked("POST", "/auth/login", {}, {"content-type": "application/x-www-form-urlencoded"}, body)
            assert vendors.eskiz.handle(asked).status == 401
        assert vendors.eskiz.tokens == {}

    def test_a_text_that_was_not_moderated(self, sms):
        vendors.eskiz.templates = ["Bu Eskiz dan test"]
        with pytest.raises(VendorRefused, match="eskiz: Text is not moderated"):
            sms.send(to=PHONE, text=TEXT)
        sms.send(to=PHONE, text="Bu Eskiz dan test")
        assert len(vendors.eskiz.texts) == 1

    def test_a_number_that_is_none(self, sms):
        with pytest.raises(VendorRefused):
            sms.send(to="+99890", text=TEXT)

    @pytest.mark.parametrize(("status", "wait"), [(500, None), (503, 9), (429, 4)])
    def test_busy(self, sms, status, wait):
        sms.send(to=PHONE, text=TEXT)
        vendors.eskiz.fail_next(1, status, wait)
        with pytest.raises(VendorBusy) as caught:
            sms.send(to=PHONE, text=TEXT)
        assert caught.value.retry_after == wait
        assert len(vendors.eskiz.texts) == 1

    def test_after_a_500_the_token_is_fetched_afresh(self, sms):
        sms.send(to=PHONE, text=TEXT)
        vendors.eskiz.fail_next(1, 500)
        with pytest.raises(VendorBusy):
            sms.send(to=PHONE, text=TEXT)
        sms.send(to=PHONE, text=TEXT)
        assert vendors.eskiz.logins == 2

    def test_a_lost_answer_is_unsure_and_sent_once(self, sms):
        sms.send(to=PHONE, text=TEXT)
        vendors.eskiz.lose_next(1)
        with pytest.raises(VendorUnsure):
            sms.send(to=PHONE, text=TEXT)
        assert len(vendors.eskiz.texts) == 2

    def test_status(self, sms):
        receipt = sms.send(to=PHONE, text="x" * 161)
        assert (sms.status(receipt.vendor_id).status, sms.status(receipt.vendor_id).cost) == ("waiting", Decimal(230))
        vendors.eskiz.advance(receipt.vendor_id, "DELIVRD")
        report = sms.status(receipt.vendor_id)
        assert (report.status, report.word) == ("delivered", "DELIVERED")
        with pytest.raises(VendorRefused):
            sms.status("unknown")

    def test_the_callback_of_a_delivered_text(self, sms, sandbox, change):
        change(eskiz_callback_url=f"{sandbox}/webhook?")
        receipt = sms.send(to=PHONE, text=TEXT)
        assert vendors.eskiz.deliver(vendors.eskiz.advance(receipt.vendor_id, "DELIVRD"))["status"] == 200
        report = eskiz.read_callback(json.loads(urls.heard[0].raw))
        assert (report.vendor_id, report.status) == (receipt.vendor_id, "delivered")

    @pytest.mark.parametrize(
        "body", [{}, {"request_id": 1, "status": "NEW"}, {"request_id": "", "status": "NEW"}, {"request_id": "a"}]
    )
    def test_a_callback_that_is_none(self, body):
        assert eskiz.read_callback(body) is None

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("NEW", "waiting"),
            ("ENROUTE", "accepted"),
            ("accepted", "accepted"),
            ("DELIVRD", "delivered"),
            ("UNDELIV", "failed"),
            ("EXPIRED", "failed"),
            ("REJECTD", "failed"),
            ("SOMETHING", "waiting"),
        ],
    )
    def test_words(self, word, status):
        assert eskiz.read_callback({"request_id": "a", "status": word}).status == status

    def test_a_late_word_changes_nothing(self):
        order = ["", "waiting", "accepted", "failed", "delivered"]
        for at, new in enumerate(order[1:], start=1):
            assert SmsReport("a", new, "").overtakes == tuple(order[:at])

    def test_the_callback_secret(self, change):
        assert eskiz.is_genuine_callback("eskiz-secret")
        assert not eskiz.is_genuine_callback("eskiz-secre")
        change(eskiz_callback_secret="")
        assert not eskiz.is_genuine_callback("")

    def test_advancing_what_is_not_there(self):
        with pytest.raises(ControlRefused):
            vendors.eskiz.advance("none", "DELIVRD")

    def test_the_fake_is_the_same_client(self):
        sms = FakeEskizSms()
        sms.send(to=PHONE, text=TEXT)
        assert len(sms.vendor.texts) == 1


class TestPlayMobile:
    @pytest.fixture
    def sms(self, sandbox) -> PlayMobile:
        return PlayMobile()

    def test_a_text_goes_out_under_our_id(self, sms):
        assert sms.send(to=PHONE, text=TEXT, reference="note-7").vendor_id == "note-7"
        assert vendors.playmobile.texts == {"note-7": {"to": "998901234567", "text": TEXT}}
        assert json.loads(vendors.playmobile.requests[0]["body"])["messages"][0]["sms"]["originator"] == "3700"

    def test_refused(self, sms):
        with pytest.raises(VendorRefused, match="playmobile: 401 Empty text"):
            sms.send(to=PHONE, text="")
        with pytest.raises(VendorRefused, match="playmobile: 202"):
            sms.send(to="+99890x", text=TEXT)
        assert vendors.playmobile.texts == {}

    def test_a_wrong_login(self, sms, monkeypatch):
        monkeypatch.setattr("apps.integrations.sandbox.playmobile.is_basic", lambda *a: False)
        with pytest.raises(VendorRefused, match="playmobile: 102 Account lock"):
            sms.send(to=PHONE, text=TEXT)

    @pytest.mark.parametrize("status", [400, 429, 500])
    def test_busy(self, sms, status):
        """Their own "internal server error" (100) comes as a 400."""
        vendors.playmobile.fail_next(1, status)
        with pytest.raises(VendorBusy):
            sms.send(to=PHONE, text=TEXT)

    def test_a_lost_answer_is_unsure(self):
        sms = FakePlayMobileSms()
        sms.vendor.lose_next(1)
        with pytest.raises(VendorUnsure):
            sms.send(to=PHONE, text=TEXT, reference="a")
        assert list(sms.vendor.texts) == ["a"]


class TestTwilio:
    @pytest.fixture
    def sms(self, sandbox) -> Twilio:
        return Twilio()

    def test_a_text_goes_out(self, sms):
        receipt = sms.send(to="+905321234567", text=TEXT)
        kept = vendors.twilio.texts[receipt.vendor_id]
        assert (kept["to"], kept["from"], kept["body"]) == ("+905321234567", "+15005550006", TEXT)

    def test_by_messaging_service_with_a_callback(self, sms, change):
        change(twilio_from_number="MG0001", twilio_status_callback_url="https://our.example/sms/twilio")
        receipt = sms.send(to="+905321234567", text=TEXT)
        kept = vendors.twilio.texts[receipt.vendor_id]
        assert (kept["from"], kept["callback_url"]) == ("MG0001", "https://our.example/sms/twilio")

    @pytest.mark.parametrize(
        ("to", "code", "dead"),
        [
            ("+15005550001", 21211, True),
            ("+15005550002", 21612, False),
            ("+15005550003", 21408, False),
            ("+15005550004", 21610, True),
            ("+15005550009", 21614, True),
        ],
    )
    def test_the_magic_numbers(self, sms, to, code, dead):
        with pytest.raises(VendorRefused, match=f"twilio: {code}") as caught:
            sms.send(to=to, text=TEXT)
        assert caught.value.dead is dead
        assert not vendors.twilio.texts

    @pytest.mark.parametrize(("sender", "code"), [("+15005550001", 21212), ("+15005550007", 21606)])
    def test_the_magic_senders(self, sms, change, sender, code):
        change(twilio_from_number=sender)
        with pytest.raises(VendorRefused, match=f"twilio: {code}"):
            sms.send(to="+905321234567", text=TEXT)

    @pytest.mark.parametrize(("status", "wait"), [(429, 3), (500, None), (503, None)])
    def test_busy(self, sms, status, wait):
        vendors.twilio.fail_next(1, status, wait)
        with pytest.raises(VendorBusy) as caught:
            sms.send(to="+905321234567", text=TEXT)
        assert caught.value.retry_after == wait

    def test_a_lost_answer_is_unsure_and_sent_once(self, sms):
        vendors.twilio.lose_next(1)
        with pytest.raises(VendorUnsure):
            sms.send(to="+905321234567", text=TEXT)
        assert len(vendors.twilio.texts) == 1

    def test_not_configured(self, sms, change):
        change(twilio_auth_token="")
        with pytest.raises(VendorRefused, match="not configured"):
            sms.send(to="+905321234567", text=TEXT)

    def test_an_answer_that_makes_no_sense_is_unsure(self, sms, monkeypatch):
        monkeypatch.setattr(vendors.twilio, "answer", lambda asked: Reply(201, b"<html>"))
        with pytest.raises(VendorUnsure):
            sms.send(to="+905321234567", text=TEXT)

    VECTOR_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
    VECTOR = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }

    def test_signature_vector_of_the_contract(self):
        assert twilio.is_genuine_callback(self.VECTOR_URL, self.VECTOR, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")
        with_port = self.VECTOR_URL.replace("mycompany.com", "mycompany.com:443")
        assert twilio.is_genuine_callback(with_port, self.VECTOR, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")

    @pytest.mark.parametrize("signature", ["", "0/KCTR6DLpKmkAf8muzZqo1nDgR=", "подпись"])
    def test_a_wrong_signature(self, signature):
        assert not twilio.is_genuine_callback(self.VECTOR_URL, self.VECTOR, signature)

    def test_changed_fields_or_no_token(self, change):
        good = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
        assert not twilio.is_genuine_callback(self.VECTOR_URL, {**self.VECTOR, "Digits": "1"}, good)
        change(twilio_auth_token="")
        assert not twilio.is_genuine_callback(self.VECTOR_URL, self.VECTOR, good)

    def test_the_fakes_callbacks_are_signed(self, change):
        change(twilio_status_callback_url="https://our.example/sms/twilio")
        sms = FakeTwilioSms()
        receipt = sms.send(to="+905321234567", text=TEXT)
        for forged in (False, True):
            sms.vendor.break_signatures(int(forged))
            notice = sms.vendor.advance(receipt.vendor_id, "undelivered", "30003")
            fields = {name: values[0] for name, values in parse_qs(notice.body.decode()).items()}
            assert (fields["MessageStatus"], fields["ErrorCode"]) == ("undelivered", "30003")
            genuine = twilio.is_genuine_callback(notice.url, fields, notice.headers["X-Twilio-Signature"])
            assert genuine is not forged
