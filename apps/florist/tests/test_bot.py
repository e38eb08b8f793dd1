"""Telegram: linking by one's own contact, opening a shop, signing in from the Mini App (contract 3.3, 3.17)."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.core.models import WebhookReceipt
from apps.florist.actions import bot
from apps.florist.models import Employee, Shop
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller, Role
from apps.integrations.ports import port
from apps.integrations.telegram import sign_init_data

pytestmark = pytest.mark.django_db

SECRET = "florist-webhook-secret"
TOKEN = "123456:TEST"
_updates = itertools.count(1)


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    settings.FLORIST = dataclasses.replace(
        settings.FLORIST, telegram_webhook_secret=SECRET, mini_app_url="https://app.rosa.kz/"
    )
    settings.INTEGRATIONS = dataclasses.replace(settings.INTEGRATIONS, telegram_bot_token=TOKEN)


def post(update: Any, secret: str = SECRET) -> Any:
    return Caller()("POST", "/api/telegram/webhook", update, **{"X-Telegram-Bot-Api-Secret-Token": secret})


def say(text: str = "", telegram_id: int = 42, **more: Any) -> dict[str, Any]:
    """What the bot answers."""
    sender = {"id": telegram_id, "first_name": "A", "language_code": "en"}
    message = {"from": sender, "chat": {"id": telegram_id, "type": "private"}, "text": text, **more}
    answer = post({"update_id": next(_updates), "message": message})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def share(phone: str, telegram_id: int = 42, owner: int | None = None) -> dict[str, Any]:
    contact = {"phone_number": phone.lstrip("+"), "user_id": telegram_id if owner is None else owner}
    return say(telegram_id=telegram_id, contact=contact)


class TestLinking:
    def test_start_asks_for_the_contact_by_a_button(self) -> None:
        answer = say("/start")
        assert (answer["method"], answer["chat_id"]) == ("sendMessage", 42)
        assert answer["reply_markup"]["keyboard"] == [[{"text": "Share my phone", "request_contact": True}]]

    def test_ones_own_contact_links(self, aida: Employee) -> None:
        answer = share(aida.phone)
        aida.refresh_from_db()
        aida.user.refresh_from_db()
        assert (aida.telegram_id, aida.user.telegram_id, aida.user.can_message_bot) == (42, 42, True)
        button = answer["reply_markup"]["inline_keyboard"][0][0]["web_app"]["url"]
        assert button == f"https://app.rosa.kz/?phone=%2B{aida.phone[1:]}"

    @pytest.mark.parametrize("owner", [43, 0])
    def test_somebody_elses_contact_links_nothing(self, aida: Employee, owner: int) -> None:
        """Defect 5: as-is a foreign contact redirected that person's codes to the attacker's chat."""
        answer = share(aida.phone, owner=owner)
        assert "somebody else" in answer["text"]
        assert not User.objects.filter(telegram_id=42).exists()

    def test_a_contact_without_an_owner_links_nothing(self, aida: Employee) -> None:
        say(contact={"phone_number": aida.phone})
        assert not User.objects.filter(telegram_id=42).exists()

    def test_a_typed_number_links_nothing(self, aida: Employee) -> None:
        """Defect 5: as-is typed numbers were accepted."""
        say(aida.phone)
        assert not User.objects.filter(telegram_id=42).exists()

    def test_the_next_owner_of_a_number_is_nobody_here(self, aida: Employee) -> None:
        accounts.set_identifier(user=aida.user, phone="+77018887766")
        assert "No shop has this phone" in share(aida.phone)["text"]
        assert not User.objects.filter(telegram_id=42).exists()

    def test_a_telegram_of_somebody_with_another_phone_is_refused(self, aida: Employee) -> None:
        User.objects.create_user(phone="+77010009999", telegram_id=42)
        assert "somebody with another phone" in share(aida.phone)["text"]
        assert User.objects.get(telegram_id=42).phone == "+77010009999"

    def test_a_telegram_only_person_is_the_same_human(self, aida: Employee) -> None:
        gone = User.objects.create_user(telegram_id=42)
        share(aida.phone)
        gone.refresh_from_db()
        assert gone.merged_into == aida.user
        assert User.objects.get(telegram_id=42) == aida.user


class TestCommands:
    def test_status_and_shop_of_a_stranger_ask_for_the_contact(self) -> None:
        for command in ("/status", "/shop", "/shop@rosa_bot"):
            assert "not linked" in say(command)["text"]

    def test_of_an_employee(self, aida: Employee) -> None:
        share(aida.phone)
        assert say("/status")["text"] == "Aida, florist at Rosa."
        assert say("/shop")["reply_markup"]["inline_keyboard"][0][0]["text"] == "Open the app"
        assert "Hello Aida" in say("/start")["text"]
        assert "/status" in say("/help")["text"]
        assert "/status" in say("what?")["text"]

    def test_groups_and_channels_are_not_answered(self) -> None:
        message = {"from": {"id": 42}, "chat": {"id": -1, "type": "group"}, "text": "/start"}
        assert post({"update_id": next(_updates), "message": message}).json() == {"ok": True}


class TestOpeningAShop:
    def test_question_by_question(self) -> None:
        assert "what is it called" in share("+77017654321")["text"]
        assert "2 to 100" in say("R")["text"]
        asked = say("Rosa <b>Nova</b>")
        assert [row[0]["text"] for row in asked["reply_markup"]["keyboard"]] == [
            "Алматы",
            "Астана",
            "Шымкент",
            "Другой",
        ]
        opened = say("Астана")
        shop = Shop.objects.get()
        assert (shop.name, shop.city, shop.phone) == ("Rosa <b>Nova</b>", "Астана", "+77017654321")
        assert Employee.objects.get(shop=shop).user.telegram_id == 42
        assert "parse_mode" not in opened, "names are never read as markup"
        assert "You work at" in say("/start")["text"]

    def test_a_phone_that_opened_one_meanwhile_is_refused(self) -> None:
        share("+77017654321")
        say("Rosa")
        Shop.objects.create(name="Other", phone="+77017654321")
        assert "already" in say("Астана")["text"]
        assert Shop.objects.count() == 1

    def test_the_bots_own_path_needs_the_secret(self) -> None:
        body = {"telegram_id": 77, "phone": "87017654321", "shop_name": "Rosa", "city": "Астана", "first_name": "Ali"}
        path = "/api/auth/telegram-register"
        assert Caller()("POST", path, body).status_code == 403
        assert Shop.objects.count() == 0
        answer = Caller()("POST", path, body, **{"X-Telegram-Bot-Api-Secret-Token": SECRET})
        assert (answer.status_code, answer.json()["is_new_user"]) == (201, True)
        employee = Employee.objects.get()
        assert (employee.name, employee.phone, employee.user.telegram_id) == ("Ali", "+77017654321", 77)
        again = Caller()("POST", path, body, **{"X-Telegram-Bot-Api-Secret-Token": SECRET})
        assert (again.status_code, again.json()["code"]) == (400, "shop_exists")

    def test_malformed_is_422(self) -> None:
        body = {"telegram_id": 77, "phone": "12", "shop_name": "R"}
        answer = Caller()("POST", "/api/auth/telegram-register", body, **{"X-Telegram-Bot-Api-Secret-Token": SECRET})
        assert answer.status_code == 422


class TestTheWebhook:
    def test_without_the_secret_nothing_is_heard(self, aida: Employee) -> None:
        contact = {"phone_number": aida.phone, "user_id": 42}
        update = {"update_id": 1, "message": {"from": {"id": 42}, "contact": contact}}
        for secret in ("", "wrong"):
            answer = post(update, secret)
            assert (answer.status_code, answer.json()["code"]) == (403, "forged")
        assert not User.objects.filter(telegram_id=42).exists()
        assert not WebhookReceipt.objects.exists()

    def test_a_repeat_changes_nothing_and_is_not_answered(self) -> None:
        update = {"update_id": 5, "message": {"from": {"id": 42}, "text": "/start"}}
        assert "method" in post(update).json()
        assert post(update).json() == {"ok": True}

    @pytest.mark.parametrize("update", [{}, [], {"update_id": "1"}, {"update_id": True}, "x"])
    def test_what_is_no_update_is_400(self, update: Any) -> None:
        assert post(update).status_code == 400

    @pytest.mark.parametrize(
        "update",
        [
            {"update_id": 1},
            {"update_id": 2, "message": {"from": {"id": "42"}}},
            {"update_id": 3, "message": {"from": {"id": 42}, "contact": {"user_id": 42, "phone_number": "abc"}}},
            {"update_id": 4, "message": {"from": {"id": 42}, "text": 7}},
            {"update_id": 6, "message": 7},
            {"update_id": 7, "message": {"from": {"id": 42}, "text": "/\x00"}},
        ],
    )
    def test_odd_updates_do_no_harm(self, update: Any) -> None:
        assert post(update).status_code == 200

    def test_the_owner_sees_its_state(self, olga: Employee, bek: Employee, settings: Any) -> None:
        body = Caller(olga)("GET", "/api/telegram/webhook/status").json()
        assert (body["status"], body["url"]) == ("active", settings.PUBLIC_URL + bot.PATH)
        assert Caller(bek)("GET", "/api/telegram/webhook/status").status_code == 403

    def test_telegram_is_asked_whether_updates_get_through(self, olga: Employee) -> None:
        telegram = port("bot").vendor
        seen = lambda: Caller(olga)("GET", "/api/telegram/webhook/status").json()  # noqa: E731
        assert [seen()[name] for name in bot.TOLD] == [0, None, None]
        port("bot").set_webhook(url="http://127.0.0.1:9/nobody", secret=SECRET)
        telegram.deliver(telegram.text_from({"id": 42, "first_name": "A"}, "hi"))
        waiting, failed_at, words = (seen()[name] for name in bot.TOLD)
        assert (waiting, words) == (1, "Wrong response from the webhook: no connection")
        assert abs(timezone.now().timestamp() - failed_at) < 60
        for status in (500, 401, 429):
            telegram.fail_next(1, status)
            body = seen()
            assert (body["status"], *(body[name] for name in bot.TOLD)) == ("active", None, None, None)

    def test_nobody_is_asked_about_a_bot_that_is_not_there(self, olga: Employee, settings: Any) -> None:
        settings.INTEGRATIONS = dataclasses.replace(settings.INTEGRATIONS, telegram_bot_token="")
        body = Caller(olga)("GET", "/api/telegram/webhook/status").json()
        assert (body["status"], body["url"], *(body[name] for name in bot.TOLD)) == ("not_configured", *[None] * 4)

    def test_the_command_tells_telegram(self, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
        settings.PUBLIC_URL = "https://rosa.kz"
        call_command("connect_florist_bot")
        assert "https://rosa.kz/florist/api/telegram/webhook" in capsys.readouterr().out
        settings.INTEGRATIONS = dataclasses.replace(settings.INTEGRATIONS, telegram_bot_token="")
        with pytest.raises(CommandError):
            call_command("connect_florist_bot")


class TestTheMiniApp:
    """Defect 4: as-is a phone in the body opened any shop for any Telegram user."""

    def init(self, telegram_id: int = 42, age: timedelta = timedelta(seconds=10), token: str = TOKEN) -> str:
        return sign_init_data(token, {"id": telegram_id, "first_name": "A"}, timezone.now() - age)

    def enter(self, init_data: str, path: str = "telegram-login", **more: Any) -> Any:
        return Caller()("POST", f"/api/auth/{path}", {"initData": init_data, **more})

    @pytest.fixture
    def linked(self, aida: Employee) -> Employee:
        accounts.set_identifier(user=aida.user, telegram_id=42)
        return aida

    def test_the_linked_employee_gets_in(self, linked: Employee) -> None:
        for path in ("telegram-login", "florist-login"):
            body = self.enter(self.init(), path).json()
            assert (body["user_role"], body["user_name"], body["shop_id"]) == ("florist", "Aida", linked.shop_id)

    def test_a_phone_in_the_body_opens_nothing(self, olga: Employee, linked: Employee) -> None:
        answer = self.enter(self.init(telegram_id=99), phoneNumber=olga.phone)
        assert (answer.status_code, answer.json()["detail"]) == (404, "Shop not found")
        body = self.enter(self.init(), phoneNumber=olga.phone).json()
        assert body["user_role"] == "florist"

    def test_an_id_that_an_owner_typed_in_opens_nothing(self, olga: Employee, bek: Employee) -> None:
        Caller(olga)("PATCH", f"/api/users/{bek.pk}", {"telegram_id": 4242})
        assert self.enter(self.init(telegram_id=4242)).status_code == 404

    def test_old_and_forged_proofs_are_401(self, linked: Employee) -> None:
        assert self.enter(self.init(age=timedelta(seconds=299))).status_code == 200
        for raw in (self.init(age=timedelta(seconds=301)), self.init(token="9:OTHER"), self.init() + "&x=1"):
            assert self.enter(raw).status_code == 401

    @pytest.mark.parametrize("raw", ["nonsense", "user=1", "hash=1&hash=2"])
    def test_what_is_no_init_data_is_400(self, rosa: Shop, raw: str) -> None:
        assert self.enter(raw).status_code == 400

    def test_missing_is_422(self, rosa: Shop) -> None:
        assert Caller()("POST", "/api/auth/telegram-login", {}).status_code == 422

    def test_the_florists_door_is_for_florists(self, olga: Employee) -> None:
        accounts.set_identifier(user=olga.user, telegram_id=42)
        assert self.enter(self.init(), "florist-login").status_code == 404
        assert self.enter(self.init()).json()["user_role"] == "admin"

    def test_of_several_jobs_the_owners_goes_first(self, linked: Employee, tulip: Shop) -> None:
        cast.employee(tulip, Role.ADMIN, "Aida", phone=linked.phone, user=linked.user)
        cast.employee(cast.shop("Third"), Role.COURIER, "Aida", phone=linked.phone, user=linked.user)
        assert self.enter(self.init()).json()["shop_id"] == tulip.pk

    def test_the_dismissed_stay_out(self, linked: Employee) -> None:
        Employee.objects.update(is_active=False)
        assert self.enter(self.init()).status_code == 404
