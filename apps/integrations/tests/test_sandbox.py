"""`/__sandbox/` over HTTP: messages, control calls, pay pages, and that none of it exists in production."""

from __future__ import annotations

import json

import pytest
from django.http import QueryDict
from django.test import Client

from apps.integrations import telegram, twilio
from apps.integrations.cryptobot import CryptoBot, FakeCrypto
from apps.integrations.ports import VendorBusy
from apps.integrations.sandbox import recorder, vendors
from apps.integrations.telegram import FakeBot, TelegramBot
from apps.integrations.tests import urls
from apps.integrations.tests.test_cryptobot import ORDER
from apps.integrations.tests.test_telegram_bot import INVOICE
from apps.integrations.twilio import FakeTwilioSms


@pytest.fixture
def client() -> Client:
    urls.heard.clear()
    return Client(raise_request_exception=False)


def control(client: Client, path: str, **body):
    response = client.post(f"/__sandbox/{path}", json.dumps(body), content_type="application/json")
    return response.status_code, response.json()


PATHS = [
    "",
    "messages",
    "clear",
    "telegram/bot123456:TEST/getMe",
    "telegram/control/state",
    "telegram/init-data",
    "telegram/pay/x",
    "cryptobot/pay/x",
    "cryptobot/api/getMe",
    "yukassa/pay/x",
    "yukassa/v3/payments",
    "webpush/x",
    "eskiz/auth/login",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_of_it_exists_outside_the_sandbox(client, settings, path, method):
    settings.SANDBOX_ENABLED = False
    assert getattr(client, method)(f"/__sandbox/{path}").status_code == 404


class TestMessages:
    def test_newest_first_by_channel_and_address(self, client):
        recorder.record("sms", "+998901234567", "one")
        recorder.record("mail", "ali@example.com", "two")
        recorder.record("sms", "+998901234567", "three")
        everything = client.get("/__sandbox/messages").json()
        assert [message["text"] for message in everything] == ["three", "two", "one"]
        assert list(everything[0]) == ["channel", "to", "text", "at"]
        for to in ("+998901234567", "998901234567", "%2B998901234567"):
            found = client.get(f"/__sandbox/messages?channel=sms&to={to}").json()
            assert [message["text"] for message in found] == ["three", "one"]
        assert client.get("/__sandbox/messages?channel=mail&to=+998901234567").json() == []

    def test_clear(self, client):
        recorder.record("bot", 42, "one")
        assert client.get("/__sandbox/clear").status_code == 405
        assert client.post("/__sandbox/clear").json() == {"ok": True}
        assert client.get("/__sandbox/messages").json() == []

    def test_an_unknown_channel(self, client):
        assert client.get("/__sandbox/messages?channel=pigeon").status_code == 400

    def test_memory_has_an_end(self, monkeypatch):
        for number in range(recorder.KEPT_MESSAGES + 5):
            recorder.record("bot", 1, f"{number}" + "x" * 20_000)
        kept = recorder.messages()
        assert len(kept) == recorder.KEPT_MESSAGES
        assert kept[-1]["text"].startswith("5x")
        assert len(kept[0]["text"]) == recorder.KEPT_CHARACTERS

    def test_vendors_have_an_end_too(self, monkeypatch):
        monkeypatch.setattr("apps.integrations.sandbox.vendor.KEPT_THINGS", 3)
        crypto = FakeCrypto()
        ids = [crypto.create_invoice(**ORDER).invoice_id for _ in range(5)]
        assert list(vendors.cryptobot.invoices) == ids[2:]


class TestControls:
    def test_unknown_things(self, client):
        assert client.post("/__sandbox/pigeon/control/fail").status_code == 404
        assert client.post("/__sandbox/pigeon/api").status_code == 404
        status, told = control(client, "telegram/control/dance")
        assert status == 404
        assert "break-signature" in told["detail"]

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 5000, b'"a"'])
    def test_rubbish(self, client, body):
        for path in ("telegram/control/fail", "telegram/init-data"):
            response = client.post(f"/__sandbox/{path}", body, content_type="application/json")
            assert response.status_code == 400

    @pytest.mark.parametrize(
        "given",
        [
            {"count": "x"},
            {"count": True},
            {"count": 1.5},
            {"status": 200},
            {"status": 99999},
            {"retry_after": None},
            {"count": 10**30},
        ],
    )
    def test_fail_checks_its_figures(self, client, given):
        assert control(client, "telegram/control/fail", **given)[0] == 400

    def test_fail_next_n(self, client, sandbox):
        bot = TelegramBot()
        assert control(client, "telegram/control/fail", count=2, status=429, retry_after=3) == (200, {"ok": True})
        for _ in range(2):
            with pytest.raises(VendorBusy) as caught:
                bot.send_message(chat_id=1, text="a")
            assert caught.value.retry_after == 3
        assert bot.send_message(chat_id=1, text="a") == 1

    def test_delay_is_done_but_late(self, client, sandbox, monkeypatch):
        naps = []
        monkeypatch.setattr("apps.integrations.sandbox.views.time.sleep", naps.append)
        assert control(client, "telegram/control/delay", seconds=3) == (200, {"ok": True})
        TelegramBot().send_message(chat_id=1, text="a")
        assert naps == [3.0]
        control(client, "telegram/control/delay", seconds=10**6)
        TelegramBot().send_message(chat_id=1, text="b")
        assert naps == [3.0, 30.0]

    def test_the_log_of_requests(self, client, sandbox):
        TelegramBot().send_message(chat_id=1, text="salom")
        [logged] = client.get("/__sandbox/telegram/control/log").json()["requests"]
        assert logged["method"] == "POST"
        assert json.loads(logged["body"]) == {"chat_id": 1, "text": "salom"}
        assert logged["status"] == 200

    def test_clear_forgets_the_state(self, client, sandbox):
        TelegramBot().send_message(chat_id=1, text="salom")
        assert len(client.get("/__sandbox/telegram/control/state").json()["messages"]) == 1
        control(client, "telegram/control/clear")
        assert client.get("/__sandbox/telegram/control/state").json()["messages"] == []

    @pytest.mark.parametrize("vendor", list(vendors.BY_NAME))
    def test_every_vendor_has_the_common_ones(self, client, vendor):
        for verb in ("state", "log"):
            assert client.get(f"/__sandbox/{vendor}/control/{verb}").status_code == 200
        for verb in ("fail", "delay", "lose", "break-signature", "clear"):
            assert control(client, f"{vendor}/control/{verb}") == (200, {"ok": True})
        assert control(client, f"{vendor}/control/resend")[0] == 404

    @pytest.mark.parametrize("vendor", list(vendors.BY_NAME))
    @pytest.mark.parametrize(
        "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    )
    def test_rubbish_to_a_vendor_is_no_server_error(self, client, vendor, kind):
        for body in (
            b"",
            b"{",
            b"[1]",
            b"\xff\x00",
            b"--x\r\n\r\nrubbish",
            b'{"messages":[{"sms":1}],"message":{"data":3}}',
        ):
            for rest in (
                "",
                "api/createInvoice",
                "bot123456:TEST/sendMessage",
                "auth/login",
                "message/sms/send",
                "token",
            ):
                response = client.post(f"/__sandbox/{vendor}/{rest}".rstrip("/"), body, content_type=kind)
                assert response.status_code < 500


class TestCryptoControls:
    @pytest.fixture
    def invoice(self, sandbox, settings):
        settings.SANDBOX_WEBHOOKS = {"cryptobot": f"{sandbox}/webhook"}
        return CryptoBot().create_invoice(**ORDER)

    def test_pay_and_resend(self, client, invoice):
        status, told = control(client, "cryptobot/control/pay", invoice_id=invoice.invoice_id)
        assert (status, told["delivery"]["status"]) == (200, 200)
        control(client, "cryptobot/control/resend")
        assert len(urls.heard) == 2
        assert urls.heard[0].raw == urls.heard[1].raw

    def test_pay_in_silence(self, client, invoice):
        assert control(client, "cryptobot/control/pay", invoice_id=invoice.invoice_id, silent=True) == (
            200,
            {"ok": True},
        )
        assert urls.heard == []
        assert CryptoBot().invoices([invoice.invoice_id])[0].status == "paid"

    def test_expire_and_pay_late(self, client, invoice):
        control(client, "cryptobot/control/expire", invoice_id=invoice.invoice_id)
        assert control(client, "cryptobot/control/pay", invoice_id=invoice.invoice_id)[0] == 400
        assert control(client, "cryptobot/control/pay", invoice_id=invoice.invoice_id, late=True)[0] == 200
        assert len(urls.heard) == 1

    def test_a_webhook_that_is_down(self, client, invoice, settings):
        settings.SANDBOX_WEBHOOKS = {"cryptobot": "http://127.0.0.1:1/none"}
        status, told = control(client, "cryptobot/control/pay", invoice_id=invoice.invoice_id)
        assert (status, told["delivery"]["status"]) == (200, 0)

    def test_mini_app_links_can_be_hidden(self, client, invoice):
        control(client, "cryptobot/control/mini-app", shown=False)
        assert CryptoBot().create_invoice(**ORDER).mini_app_url is None

    @pytest.mark.parametrize("verb", ["pay", "expire"])
    @pytest.mark.parametrize(("body", "status"), [({}, 400), ({"invoice_id": 1}, 404), ({"invoice_id": "x"}, 400)])
    def test_what_is_not_there(self, client, verb, body, status):
        assert control(client, f"cryptobot/control/{verb}", **body)[0] == status

    def test_the_page_of_an_invoice(self, client, invoice):
        page = "/__sandbox/" + invoice.pay_url.partition("/__sandbox/")[2]
        shown = client.get(page).content.decode()
        assert "100 RUB" in shown
        assert 'value="pay"' in shown
        answer = client.post(page, {"do": "pay"})
        assert answer.status_code == 200
        assert "Paid. The shop answered 200." in answer.content.decode()
        assert 'value="pay"' not in answer.content.decode()
        assert len(urls.heard) == 1
        client.post(page, {"do": "pay"})
        client.post(page, {"do": "expire"})
        assert len(urls.heard) == 1
        client.post(page, {"do": "again"})
        assert len(urls.heard) == 2
        assert CryptoBot().invoices([invoice.invoice_id])[0].status == "paid"

    def test_the_page_lets_it_expire(self, client, invoice):
        page = "/__sandbox/" + invoice.pay_url.partition("/__sandbox/")[2]
        assert "Expired" in client.post(page, {"do": "expire"}).content.decode()
        assert CryptoBot().invoices([invoice.invoice_id])[0].status == "expired"
        assert urls.heard == []

    def test_the_page_escapes_what_it_shows(self, client):
        made = FakeCrypto().create_invoice(**{**ORDER, "description": "<script>alert(1)</script>"})
        response = client.get("/__sandbox/" + made.pay_url.partition("/__sandbox/")[2])
        assert b"<script>" not in response.content
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["Cache-Control"] == "no-store"

    def test_no_such_page(self, client):
        assert client.get("/__sandbox/cryptobot/pay/none").status_code == 404
        assert client.get("/__sandbox/telegram/pay/none").status_code == 404


class TestTelegramControls:
    def test_init_data_of_anybody(self, client):
        status, told = control(client, "telegram/init-data", user={"id": 77, "first_name": "Zuhra"})
        assert status == 200
        assert telegram.read_init_data(told["init_data"]).id == 77
        assert told["authorization"] == f"Bearer {told['init_data']}"
        _, old = control(client, "telegram/init-data", age_seconds=7200)
        with pytest.raises(telegram.InitDataRefused):
            telegram.read_init_data(old["init_data"])

    @pytest.mark.parametrize("body", [{"user": 1}, {"age_seconds": "x"}, {"age_seconds": 10**20}])
    def test_bad_wishes(self, client, body):
        assert control(client, "telegram/init-data", **body)[0] == 400

    def test_block_and_unblock(self, client):
        bot = FakeBot()
        control(client, "telegram/control/block", chat_id=5)
        with pytest.raises(Exception, match="blocked"):
            bot.send_message(chat_id=5, text="a")
        control(client, "telegram/control/unblock", chat_id="5")
        bot.send_message(chat_id=5, text="a")
        assert len(bot.sent) == 1

    def test_a_person_writes(self, client, sandbox, settings):
        settings.SANDBOX_WEBHOOKS = {"telegram": f"{sandbox}/webhook"}
        status, told = control(client, "telegram/control/say", text="/start", user={"id": 9})
        assert (status, told["delivery"]["status"]) == (200, 200)
        message = json.loads(urls.heard[0].raw)["message"]
        assert (message["text"], message["from"]["id"], message["chat"]["id"]) == ("/start", 9, 9)

    @pytest.mark.parametrize("user", [1, {"id": "x"}, [], None])
    def test_a_person_that_is_none(self, client, user):
        assert control(client, "telegram/control/say", text="a", user=user)[0] == 400

    def test_paying_an_unknown_link(self, client):
        assert control(client, "telegram/control/pay", link="https://t.me/$none")[0] == 404

    def test_the_stars_page(self, client):
        """Nobody listens to this bot, so the shop does not agree."""
        slug = FakeBot().stars_link(**INVOICE).rpartition("$")[2]
        assert "60 ⭐" in client.get(f"/__sandbox/telegram/pay/{slug}").content.decode()
        told = client.post(f"/__sandbox/telegram/pay/{slug}", {"do": "pay"}).content.decode()
        assert "The shop did not agree to the payment" in told


class TestSmsControls:
    def test_eskiz_moves_a_text_on(self, client, sandbox, settings):
        from apps.integrations.eskiz import FakeEskizSms

        settings.SANDBOX_WEBHOOKS = {"eskiz": f"{sandbox}/webhook"}
        receipt = FakeEskizSms().send(to="+998901234567", text="a")
        status, told = control(client, "eskiz/control/advance", id=receipt.vendor_id, status="DELIVRD")
        assert (status, told["delivery"]["status"]) == (200, 200)
        assert json.loads(urls.heard[0].raw)["status"] == "DELIVRD"
        assert control(client, "eskiz/control/advance", id=receipt.vendor_id, status="EATEN")[0] == 400
        assert control(client, "eskiz/control/moderate", templates="x")[0] == 400

    def test_twilio_moves_a_text_on_and_signs_it(self, client, sandbox, change):
        change(twilio_status_callback_url=f"{sandbox}/webhook")
        receipt = FakeTwilioSms().send(to="+905321234567", text="a")
        status, told = control(client, "twilio/control/advance", sid=receipt.vendor_id, status="delivered")
        assert (status, told["delivery"]["status"]) == (200, 200)
        fields = QueryDict(urls.heard[0].raw)
        assert (fields["MessageSid"], fields["MessageStatus"]) == (receipt.vendor_id, "delivered")
        assert twilio.is_genuine_callback(f"{sandbox}/webhook", fields, urls.heard[0].headers["X-Twilio-Signature"])
        assert control(client, "twilio/control/advance", sid=receipt.vendor_id, status="eaten")[0] == 400

    def test_web_push_issues_subscriptions(self, client):
        status, made = control(client, "webpush/control/subscribe")
        assert status == 200
        assert set(made["keys"]) == {"p256dh", "auth"}
        assert control(client, "webpush/control/leave", endpoint=made["endpoint"]) == (200, {"ok": True})
        assert control(client, "webpush/control/leave", endpoint="x")[0] == 404


def test_the_front_page(client):
    made = FakeCrypto().create_invoice(**ORDER)
    FakeBot().send_message(chat_id=5, text="<b>salom</b>")
    shown = client.get("/__sandbox/").content.decode()
    assert made.pay_url.rpartition("/")[2] in shown
    assert "&lt;b&gt;salom&lt;/b&gt;" in shown
