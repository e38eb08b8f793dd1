"""The guest's inbox, cashback told, messages to some, devices (contract loyalty 1.6, rows 60 to 63; 3.10)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.core.testing import assert_refused, deliver, query_budget
from apps.integrations.sandbox import recorder
from apps.loyalty import errors
from apps.loyalty.actions import clients, messages
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller, Kind
from apps.notifications import actions as notifications
from apps.notifications.models import Device, Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(malika) -> Caller:
    return Caller(malika)


def inbox(client, query: str = "") -> dict:
    return Caller(client).get(f"notifications/clients{query}").json()


class TestCashback:
    def test_earned_and_spent(self, gulnora):
        earned = cast.iiko(gulnora, "1500.50")
        spent = cast.iiko(gulnora, "-300", Kind.PAYMENT)
        deliver()
        told = inbox(gulnora)
        assert told["unread_count"] == 2
        out, came = told["items"]
        row = Notification.objects.get(key=f"cashback:{earned.pk}")
        assert came == {
            "id": row.pk,
            "title": came["title"],
            "description": came["description"],
            "type": "cashback_accrual",
            "payload": {"type": "cashback_accrual", "amount": "1500.50"},
            "language": "ru",
            "is_read": False,
            "is_sent": False,
            "sent_at": None,
            "created_at": came["created_at"],
        }
        assert "1500.50" in came["description"]
        assert (out["type"], out["payload"]) == ("cashback_spent", {"type": "cashback_spent", "amount": "-300.00"})
        assert "300.00" in out["description"] and "-300" not in out["description"]
        assert came["description"] != out["description"]
        assert spent.pk != earned.pk

    def test_in_the_guests_language(self, gulnora):
        accounts.speak(user=gulnora.user, language="uz")
        cast.iiko(gulnora, 100)
        deliver()
        assert inbox(gulnora)["items"][0]["language"] == "uz"

    def test_by_a_manager_too(self, gulnora, malika):
        cast.earn(gulnora, 100, by=malika)
        deliver()
        assert [row["type"] for row in inbox(gulnora)["items"]] == ["cashback_accrual"]

    def test_levelling_is_no_news(self, gulnora):
        cast.iiko(gulnora, 100, balance=Decimal(150))
        deliver()
        assert [row["payload"]["amount"] for row in inbox(gulnora)["items"]] == ["100.00"]

    @pytest.mark.parametrize(("hours", "told"), [(23, 1), (25, 0)])
    def test_what_is_older_than_a_day_is_no_news(self, gulnora, hours, told):
        cast.iiko(gulnora, 100, at=timezone.now() - timedelta(hours=hours))
        deliver()
        assert len(inbox(gulnora)["items"]) == told

    def test_news_that_waited_in_the_outbox_stays_news(self, gulnora):
        moved = cast.iiko(gulnora, 100)
        with time_machine.travel(timezone.now() + timedelta(days=2)):
            assert messages.tell_of_cashback(transaction_id=moved.pk) is not None

    def test_told_once(self, gulnora):
        moved = cast.iiko(gulnora, 100)
        for _ in range(3):
            messages.tell_of_cashback(transaction_id=moved.pk)
        assert len(inbox(gulnora)["items"]) == 1

    def test_who_left_hears_nothing(self, gulnora):
        cast.iiko(gulnora, 100)
        clients.delete(by=gulnora)
        deliver()
        assert Notification.objects.count() == 0


class TestInbox:
    def test_both_addresses(self, gulnora):
        cast.iiko(gulnora, 100)
        cast.iiko(gulnora, 200)
        deliver()
        told = inbox(gulnora)
        assert Caller(gulnora).get("notifications/me").json() == told["items"]
        assert [row["payload"]["amount"] for row in inbox(gulnora, "?limit=1")["items"]] == ["200.00"]

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x"])
    def test_malformed(self, gulnora, query):
        assert Caller(gulnora).get(f"notifications/clients?{query}").status_code == 422

    def test_read_and_read_again(self, gulnora):
        cast.iiko(gulnora, 100)
        deliver()
        [row] = inbox(gulnora)["items"]
        for _ in range(2):
            assert Caller(gulnora).post(f"notifications/clients/{row['id']}/read").status_code == 204
        told = inbox(gulnora)
        assert (told["unread_count"], told["items"][0]["is_read"]) == (0, True)

    def test_anothers_message_is_not_there(self, gulnora, jasur):
        cast.iiko(gulnora, 100)
        deliver()
        [row] = inbox(gulnora)["items"]
        answer = Caller(jasur).post(f"notifications/clients/{row['id']}/read")
        assert (answer.status_code, set(answer.json()["detail"])) == (404, {"ru", "uz"})
        assert inbox(gulnora)["unread_count"] == 1
        assert inbox(jasur) == {"unread_count": 0, "items": []}

    def test_another_products_message_is_not_there(self, gulnora):
        row = notifications.tell(user=gulnora.user, product="urgent", kind="x", title="t")
        assert inbox(gulnora)["items"] == []
        assert Caller(gulnora).post(f"notifications/clients/{row.pk}/read").status_code == 404

    def test_guests_only(self, vali, malika):
        for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(malika), 403)):
            assert caller.get("notifications/clients").status_code == status
            assert caller.get("notifications/me").status_code == status
            assert caller.post("notifications/clients/1/read").status_code == status
            assert caller.post("notifications/register-token", {"deviceType": "ios"}).status_code == status

    def test_whoever_comes_back_begins_with_an_empty_one(self, gulnora):
        cast.iiko(gulnora, 100)
        deliver()
        messages.register_device(by=gulnora, token="t1", platform="ios")
        clients.delete(by=gulnora)
        again = cast.guest("Gulnora", cast.PHONES["gulnora"])
        assert inbox(again)["items"] == []
        assert Device.objects.count() == 0

    def test_constant_queries(self, gulnora):
        caller = Caller(gulnora)
        for number in range(40):
            notifications.tell(user=gulnora.user, product="loyalty", kind="broadcast", title=f"{number}")
        with query_budget(4):
            assert len(caller.get("notifications/clients").json()["items"]) == 40


class TestSend:
    def send(self, boss: Caller, **changes: object):
        body = {"userIds": [], "title": "Hello", "description": "d", **changes}
        return boss.post("notifications/send", body)

    def test_to_some(self, boss, gulnora, jasur):
        ids = [gulnora.pk, gulnora.pk, 999999]
        assert (
            self.send(boss, userIds=ids, notificationType="gift", payload={"a": [1]}, language="uz").status_code == 204
        )
        [row] = inbox(gulnora)["items"]
        assert (row["title"], row["type"], row["payload"], row["language"]) == ("Hello", "gift", {"a": [1]}, "uz")
        assert inbox(jasur)["items"] == []

    def test_without_a_type(self, boss, gulnora):
        assert self.send(boss, userIds=[gulnora.pk]).status_code == 204
        [row] = inbox(gulnora)["items"]
        assert (row["type"], row["payload"], row["language"]) == (None, None, "ru")

    def test_braces_in_what_people_write_are_letters(self, boss, gulnora):
        assert self.send(boss, userIds=[gulnora.pk], title="{x}", description="{0} {amount}").status_code == 204
        assert inbox(gulnora)["items"][0]["description"] == "{0} {amount}"

    def test_nobody(self, boss):
        assert self.send(boss, userIds=[999999]).status_code == 204
        assert Notification.objects.count() == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"userIds": None},
            {"userIds": [0]},
            {"userIds": ["x"]},
            {"userIds": [1] * 5001},
            {"title": ""},
            {"title": "x" * 256},
            {"notificationType": "x" * 65},
            {"language": "x" * 9},
            {"payload": []},
        ],
    )
    def test_malformed(self, boss, gulnora, changes):
        assert self.send(boss, **{"userIds": [gulnora.pk], **changes}).status_code == 422
        assert Notification.objects.count() == 0

    def test_managers_only(self, vali, gulnora):
        for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(gulnora), 403)):
            assert self.send(caller, userIds=[gulnora.pk]).status_code == status
        assert_refused(
            errors.ManagersOnly,
            lambda: messages.send(by=vali, client_ids=[gulnora.pk], title="t", description="d"),
            unchanged=[Notification.objects.all()],
        )

    def test_few_statements_however_many(self, boss, malika):
        guests = [cast.guest(f"G{n}", f"+99890444{n:04d}") for n in range(30)]
        with query_budget(16):
            assert self.send(boss, userIds=[guest.pk for guest in guests]).status_code == 204
        assert Notification.objects.count() == 30


class TestDevices:
    def register(self, client, **body: object):
        return Caller(client).post("notifications/register-token", {"deviceType": "ios", **body})

    def kept(self) -> list[tuple[int, str, str]]:
        return list(Device.objects.order_by("pk").values_list("user_id", "platform", "address"))

    def test_one_per_type(self, gulnora):
        for token in ("t1", "t2", "t2"):
            assert self.register(gulnora, deviceToken=token).status_code == 204
        assert self.register(gulnora, deviceToken="t3", deviceType="android").status_code == 204
        assert self.kept() == [(gulnora.user_id, "ios", "t2"), (gulnora.user_id, "android", "t3")]

    def test_a_token_moves_to_who_holds_the_phone_now(self, gulnora, jasur):
        self.register(gulnora, deviceToken="t1")
        self.register(jasur, deviceToken="t1")
        assert self.kept() == [(jasur.user_id, "ios", "t1")]

    def test_without_a_token_only_the_language(self, gulnora):
        assert self.register(gulnora, deviceToken=None, language="uz").status_code == 204
        gulnora.user.refresh_from_db()
        assert (gulnora.user.language, self.kept()) == ("uz", [])
        assert self.register(gulnora, language="xx").status_code == 204
        gulnora.user.refresh_from_db()
        assert gulnora.user.language == "uz"

    @pytest.mark.parametrize(
        "body",
        [
            {"deviceType": "web"},
            {"deviceType": None},
            {"deviceToken": ""},
            {"deviceToken": "x" * 2049},
            {"language": "x" * 9},
        ],
    )
    def test_malformed(self, gulnora, body):
        assert self.register(gulnora, **body).status_code == 422
        assert self.kept() == []

    def test_a_push_goes_out(self, gulnora):
        self.register(gulnora, deviceToken="t1")
        cast.iiko(gulnora, 100)
        deliver()
        notifications.deliver_due()
        [push] = recorder.messages(channel="push", to="t1")
        assert "100.00" in push["text"]
