"""The bot over HTTP against the fake Telegram, and the fake bot of other apps' tests."""

from __future__ import annotations

import json
import threading

import pytest
from django.utils import timezone

from apps.integrations.http import Asked
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure, WebhookState
from apps.integrations.sandbox import recorder, vendors
from apps.integrations.sandbox.telegram import DEMO_PERSON
from apps.integrations.sandbox.vendor import ControlRefused
from apps.integrations.telegram import FakeBot, TelegramBot
from apps.integrations.tests import urls

INVOICE = {"title": "Balance", "description": "100 RUB", "payload": "topup:7", "stars": 60}


@pytest.fixture
def bot(sandbox) -> TelegramBot:
    return TelegramBot()


class TestMessages:
    def test_a_message_arrives_with_its_button(self, bot):
        assert bot.send_message(chat_id=42, text="Новый заказ", button=("Открыть", "https://t.me/b?startapp=1")) == 1
        assert list(vendors.telegram.messages) == [
            {"chat_id": 42, "text": "Новый заказ", "button": ("Открыть", "https://t.me/b?startapp=1")}
        ]
        [kept] = recorder.messages(channel="bot", to="42")
        assert kept["text"] == "Новый заказ"

    def test_a_long_message_is_cut_to_what_telegram_takes(self, bot):
        bot.send_message(chat_id=42, text="x" * 5000)
        assert len(vendors.telegram.messages[0]["text"]) == 4096

    def test_a_blocked_bot_is_a_dead_address(self, bot):
        vendors.telegram.blocked.add(42)
        with pytest.raises(VendorRefused) as caught:
            bot.send_message(chat_id=42, text="a")
        assert caught.value.dead is True
        assert caught.value.reason == "telegram: Forbidden: bot was blocked by the user"
        assert not vendors.telegram.messages

    def test_a_stranger_is_a_dead_address(self, bot):
        vendors.telegram.strangers.add(42)
        with pytest.raises(VendorRefused) as caught:
            bot.send_message(chat_id=42, text="a")
        assert caught.value.dead is True

    def test_an_empty_text_is_refused_but_the_person_lives(self, bot):
        with pytest.raises(VendorRefused) as caught:
            bot.send_message(chat_id=42, text=" ")
        assert caught.value.dead is False

    def test_too_many_requests_say_how_long(self, bot):
        vendors.telegram.fail_next(1, 429, retry_after=17)
        with pytest.raises(VendorBusy) as caught:
            bot.send_message(chat_id=42, text="a")
        assert caught.value.retry_after == 17
        assert bot.send_message(chat_id=42, text="b") == 1

    def test_a_fault_of_theirs_is_busy(self, bot):
        vendors.telegram.fail_next(1, 500)
        with pytest.raises(VendorBusy):
            bot.send_message(chat_id=42, text="a")
        assert len(vendors.telegram.requests) == 1

    def test_a_lost_answer_is_unsure_and_never_sent_twice(self, bot):
        vendors.telegram.lose_next(1)
        with pytest.raises(VendorUnsure):
            bot.send_message(chat_id=42, text="a")
        assert [message["text"] for message in vendors.telegram.messages] == ["a"]

    def test_a_wrong_token_is_refused_without_naming_it(self, bot, monkeypatch):
        """Ours and the sandbox's are one setting, so the vendor is made to answer as to a stranger."""
        monkeypatch.setattr(vendors.telegram, "answer", lambda asked: vendors.telegram.failure(401, None))
        with pytest.raises(VendorRefused) as caught:
            bot.send_message(chat_id=42, text="a")
        assert caught.value.dead is False
        assert "TEST" not in str(caught.value)

    @pytest.mark.parametrize("path", ["/bot123456:OTHER/getMe", "/bot/getMe", "/getMe"])
    def test_the_fake_takes_no_other_token(self, path):
        assert vendors.telegram.handle(Asked("POST", path, {}, {}, b"")).status == 401

    def test_without_a_token_nothing_leaves(self, bot, change):
        change(telegram_bot_token="")
        with pytest.raises(VendorRefused, match="not configured"):
            bot.send_message(chat_id=42, text="a")
        assert not vendors.telegram.requests


class TestStars:
    def test_a_link(self, bot):
        link = bot.stars_link(**INVOICE)
        assert link.startswith("https://t.me/$")
        [kept] = vendors.telegram.invoices.values()
        assert (kept.title, kept.description, kept.payload, kept.stars) == ("Balance", "100 RUB", "topup:7", 60)

    @pytest.mark.parametrize("bad", [{"stars": 0}, {"payload": ""}, {"payload": "x" * 129}, {"title": ""}])
    def test_a_bad_invoice_is_refused(self, bot, bad):
        with pytest.raises(VendorRefused):
            bot.stars_link(**{**INVOICE, **bad})
        assert not vendors.telegram.invoices

    def test_a_link_is_asked_for_again(self, bot):
        vendors.telegram.fail_next(2, 502)
        assert bot.stars_link(**INVOICE).startswith("https://t.me/$")
        assert len(vendors.telegram.requests) == 3

    def test_question_answer_money(self, bot):
        link = bot.stars_link(**INVOICE)
        query_id, question = vendors.telegram.pre_checkout(link, DEMO_PERSON)
        asked = json.loads(question.body)["pre_checkout_query"]
        assert asked == {
            "id": query_id,
            "from": DEMO_PERSON,
            "currency": "XTR",
            "total_amount": 60,
            "invoice_payload": "topup:7",
        }
        bot.answer_pre_checkout(query_id=query_id, ok=True)
        money = json.loads(vendors.telegram.successful_payment(query_id).body)["message"]["successful_payment"]
        assert (money["currency"], money["total_amount"], money["invoice_payload"]) == ("XTR", 60, "topup:7")
        [row] = bot.stars_payments()
        assert (row.charge_id, row.stars, row.payload, row.telegram_id) == (
            money["telegram_payment_charge_id"],
            60,
            "topup:7",
            DEMO_PERSON["id"],
        )

    def test_a_no_moves_nothing(self, bot):
        query_id, _ = vendors.telegram.pre_checkout(bot.stars_link(**INVOICE), DEMO_PERSON)
        bot.answer_pre_checkout(query_id=query_id, ok=False, error="Order is gone")
        assert vendors.telegram.checkouts[query_id].error == "Order is gone"
        with pytest.raises(ControlRefused):
            vendors.telegram.successful_payment(query_id)
        assert bot.stars_payments() == []

    def test_a_question_is_answered_once(self, bot):
        query_id, _ = vendors.telegram.pre_checkout(bot.stars_link(**INVOICE), DEMO_PERSON)
        bot.answer_pre_checkout(query_id=query_id, ok=True)
        with pytest.raises(VendorRefused, match="too old"):
            bot.answer_pre_checkout(query_id=query_id, ok=False)
        assert vendors.telegram.checkouts[query_id].is_allowed is True

    def test_refund_once(self, bot):
        charge = self.pay(bot)
        assert bot.refund_stars(telegram_id=DEMO_PERSON["id"], charge_id=charge) is True
        assert bot.refund_stars(telegram_id=DEMO_PERSON["id"], charge_id=charge) is False
        assert [row.stars for row in bot.stars_payments()] == [60, -60]

    def test_refund_to_somebody_else(self, bot):
        charge = self.pay(bot)
        with pytest.raises(VendorRefused, match="CHARGE_NOT_FOUND"):
            bot.refund_stars(telegram_id=1, charge_id=charge)
        assert [row.stars for row in bot.stars_payments()] == [60]

    def test_a_fault_during_a_refund_leaves_us_unsure(self, bot):
        charge = self.pay(bot)
        vendors.telegram.fail_next(1, 500)
        with pytest.raises(VendorUnsure):
            bot.refund_stars(telegram_id=DEMO_PERSON["id"], charge_id=charge)
        assert bot.refund_stars(telegram_id=DEMO_PERSON["id"], charge_id=charge) is True

    def pay(self, bot) -> str:
        query_id, _ = vendors.telegram.pre_checkout(bot.stars_link(**INVOICE), DEMO_PERSON)
        bot.answer_pre_checkout(query_id=query_id, ok=True)
        vendors.telegram.successful_payment(query_id)
        return vendors.telegram.checkouts[query_id].charge_id


class TestWebhook:
    @pytest.fixture(autouse=True)
    def _ears(self):
        urls.heard.clear()

    def test_updates_go_where_set_webhook_said_with_its_secret(self, bot, sandbox):
        bot.set_webhook(url=f"{sandbox}/webhook", secret="agreed-secret")
        delivery = vendors.telegram.deliver(vendors.telegram.text_from(DEMO_PERSON, "/start"))
        assert delivery["status"] == 200
        [request] = urls.heard
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "agreed-secret"
        assert json.loads(request.raw)["message"]["text"] == "/start"

    @pytest.mark.parametrize(
        ("url", "secret"), [("http://example.com/h", "a"), ("https://example.com/h", "with space")]
    )
    def test_a_bad_webhook_is_refused(self, bot, url, secret):
        with pytest.raises(VendorRefused):
            bot.set_webhook(url=url, secret=secret)
        assert vendors.telegram.webhook["url"] == ""

    def test_its_state_tells_what_was_not_taken(self, bot, sandbox):
        bot.set_webhook(url=f"{sandbox}/nobody-here", secret="agreed-secret")
        assert bot.webhook_state() == WebhookState(url=f"{sandbox}/nobody-here", waiting=0)
        for _ in range(2):
            vendors.telegram.deliver(vendors.telegram.text_from(DEMO_PERSON, "/start"))
        state = bot.webhook_state()
        assert (state.waiting, state.error) == (2, "Wrong response from the webhook: 404")
        assert abs((timezone.now() - state.error_at).total_seconds()) < 60
        bot.set_webhook(url=f"{sandbox}/webhook", secret="agreed-secret")
        assert bot.webhook_state() == WebhookState(url=f"{sandbox}/webhook", waiting=0)

    def test_its_state_is_asked_once(self, bot, sandbox):
        vendors.telegram.fail_next(2, 500)
        with pytest.raises(VendorBusy):
            bot.webhook_state()
        with pytest.raises(VendorBusy):
            bot.webhook_state()
        assert bot.webhook_state().waiting == 0

    def test_a_broken_signature(self, bot, sandbox, settings):
        settings.SANDBOX_WEBHOOKS = {"telegram": f"{sandbox}/webhook"}
        vendors.telegram.break_signatures(1)
        for _ in range(2):
            vendors.telegram.deliver(vendors.telegram.text_from(DEMO_PERSON, "hi"))
        assert [request.headers["X-Telegram-Bot-Api-Secret-Token"] for request in urls.heard] == [
            "forged",
            "hook-secret",
        ]

    def test_a_whole_stars_payment(self, bot, sandbox, settings):
        """A bot that answers the question from another thread, as ours does after its transaction."""
        settings.SANDBOX_WEBHOOKS = {"telegram": f"{sandbox}/webhook"}
        link = bot.stars_link(**INVOICE)
        answering = threading.Timer(0.2, self.agree, args=[bot])
        answering.start()
        told = vendors.telegram.pay(link, DEMO_PERSON)
        assert told["ok"] is True
        assert told["successful_payment"]["status"] == 200
        assert json.loads(urls.heard[1].raw)["message"]["successful_payment"]["total_amount"] == 60
        [row] = bot.stars_payments()
        assert row.charge_id == told["charge_id"]

    def agree(self, bot) -> None:
        query = json.loads(urls.heard[0].raw)["pre_checkout_query"]
        bot.answer_pre_checkout(query_id=query["id"], ok=True)

    def test_nobody_listens(self, bot):
        told = vendors.telegram.pay(bot.stars_link(**INVOICE), DEMO_PERSON)
        assert told["ok"] is False
        assert told["pre_checkout"]["status"] == 0
        assert bot.stars_payments() == []


class TestFakeBot:
    def test_it_is_the_same_client_on_the_same_vendor(self):
        bot = FakeBot()
        bot.send_message(chat_id=7, text="salom", button=("a", "https://t.me/b"))
        assert bot.sent == [{"chat_id": 7, "text": "salom", "button": ("a", "https://t.me/b")}]
        bot.vendor.blocked.add(7)
        with pytest.raises(VendorRefused) as caught:
            bot.send_message(chat_id=7, text="salom")
        assert caught.value.dead
        bot.vendor.delay_next(10)
        with pytest.raises(VendorUnsure):
            bot.send_message(chat_id=8, text="late but there")
        assert bot.sent[-1]["text"] == "late but there"
