"""Notices of iiko: proved, posted once, in any order, parked for strangers (contract loyalty 4.6, 1.6 rows 65, 66)."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.testing import deliver, outcomes, race
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.iiko import Person
from apps.loyalty.actions import clients, iiko_notices, iiko_sync
from apps.loyalty.models import CashbackTransaction, Client, IikoNotice
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller
from apps.loyalty.tests.restaurant import drain, introduce, jobs, known, moment, post
from apps.notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(jasur: Client) -> Client:
    """Jasur, known to iiko, with an empty purse."""
    introduce(jasur)
    return jasur


def told(guest: Client, **changes: object) -> dict:
    """A well-formed notice of 1000 earned."""
    body = {
        "id": str(uuid4()),
        "uocId": "uoc-1",
        "customerId": guest.iiko_customer_id,
        "walletId": guest.iiko_wallet_id,
        "phone": guest.phone,
        "sum": 1000,
        "balance": 1000,
        "transactionType": "Accrual",
        "notificationType": 1,
        "changedOn": moment(timezone.now()),
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def history() -> list[tuple[str, Decimal]]:
    return list(CashbackTransaction.objects.order_by("pk").values_list("kind", "amount"))


class TestAnswers:
    def test_posted(self, guest):
        answer = post(told(guest, orderId="o-1", orderNumber=77))
        [moved] = CashbackTransaction.objects.all()
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "status": "processed",
                "transaction_id": str(moved.pk),
                "transactionType": "Accrual",
                "amount": "1000.00",
            },
        )
        assert cast.balance(guest) == Decimal(1000)
        assert (moved.source, moved.branch_id, moved.iiko_uoc_id, moved.order_id, moved.order_number) == (
            *("MANUAL", None, "uoc-1"),
            *("o-1", "77"),
        )

    def test_at_the_root_too(self, guest):
        assert post(told(guest), base="").json()["status"] == "processed"

    @pytest.mark.parametrize(
        ("kind", "amount", "moved"),
        [
            ("Accrual", 70, 70),
            ("Accrual", -70, 70),
            ("PayFromWallet", 70, -70),
            ("PayFromWallet", -70, -70),
            ("Correction", -70, -70),
            ("Correction", 70, 70),
            ("RefillWallet", 70, 70),
            ("RefillWalletFromOrder", 70, 70),
            ("WelcomeBonus", 70, 70),
        ],
    )
    def test_signs(self, guest, kind, amount, moved):
        answer = post(told(guest, transactionType=kind, sum=amount, balance=None))
        assert answer.json()["amount"] == f"{moved}.00"
        assert cast.balance(guest) == moved

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"transactionType": "SimplePush"}, None),
            ({"transactionType": "SimplePush", "sum": None, "customerId": None, "walletId": None}, None),
            ({"sum": 0}, "zero_sum"),
            ({"transactionType": "Surprise"}, "unsupported_type"),
        ],
    )
    def test_ignored(self, guest, changes, reason):
        answer = post(told(guest, **changes))
        wanted = {"status": "ignored", "transactionType": changes.get("transactionType", "Accrual")}
        assert (answer.status_code, answer.json()) == (200, {**wanted, **({"reason": reason} if reason else {})})
        assert IikoNotice.objects.count() == 0
        assert history() == []

    def test_a_duplicate(self, guest):
        body = told(guest)
        assert post(body).json()["status"] == "processed"
        assert (post(body).status_code, post(body).json()) == (
            200,
            {"status": "ignored", "transactionType": "Accrual", "reason": "duplicate"},
        )
        assert cast.balance(guest) == Decimal(1000)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"{",
            b"[]",
            b"7",
            b'{"sum": 5}',
            b'{"transactionType": null}',
            b'{"transactionType": "Accrual", "sum": "x"}',
            b'{"transactionType": "Accrual", "sum": 1e400}',
            b'{"transactionType": "Accrual", "sum": 10000000000}',
            b'{"transactionType": "Accrual", "walletId": [1], "sum": 5}',
            b'{"transactionType": "Accrual", "walletId": "\\u0000", "sum": 5}',
        ],
    )
    def test_unreadable(self, guest, raw):
        answer = post(raw)
        assert (answer.status_code, answer.json()) == (400, {"detail": "The notice cannot be read"})

    def test_whose(self, guest):
        answer = post(told(guest, customerId=None, walletId=None))
        assert (answer.status_code, answer.json()) == (400, {"detail": "walletId or customerId is required"})

    def test_how_much(self, guest):
        answer = post(told(guest, sum=None))
        assert (answer.status_code, answer.json()) == (400, {"detail": "sum is required"})
        assert IikoNotice.objects.count() == 0

    def test_the_password(self, guest, settings):
        settings.INTEGRATIONS = replace(settings.INTEGRATIONS, iiko_webhook_secret="till-password")
        for body in (told(guest), told(guest, subscriptionPassword="other")):
            assert (post(body).status_code, post(body).json()) == (403, {"detail": "Wrong subscription password"})
        assert history() == []
        assert post(told(guest, subscriptionPassword="till-password")).json()["status"] == "processed"
        answer = Caller().post("iiko/webhook", told(guest), **{"X-Iiko-Secret": "till-password"})
        assert answer.json()["status"] == "processed"

    @pytest.mark.parametrize("field", ["id", "uocId", "orderId", "orderNumber", "terminalGroupId"])
    def test_control_characters_say_nothing_and_stop_nothing(self, guest, field):
        answer = post(told(guest, **{field: "a\x0b\x1f7\x7f"}))
        assert (answer.status_code, answer.json()["status"]) == (200, "processed")
        assert cast.balance(guest) == Decimal(1000)
        assert "a7" in IikoNotice.objects.values_list("event_id", "uoc_id", "order_id", "order_number",
                                                      "terminal_group_id").get()  # fmt: skip

    def test_the_fakes_own_notices(self, guest):
        assert post(vendors.iiko.move(guest.phone, "Accrual", Decimal(250))).json()["amount"] == "250.00"
        assert cast.balance(guest) == Decimal(250)

    def test_a_terminal_group_says_the_branch(self, guest, settings):
        settings.LOYALTY = replace(settings.LOYALTY, iiko_terminals={"group-1": 139350})
        post(told(guest, terminalGroupId="group-1"))
        assert CashbackTransaction.objects.get().branch_id == 139350

    def test_points_and_gift(self, guest):
        post(told(guest, transactionType="RefillWalletFromOrder", sum=1000))
        guest.refresh_from_db()
        assert (guest.points, guest.giftget) == (0, False)
        post(told(guest, transactionType="Correction", sum=35000, balance=None))
        guest.refresh_from_db()
        assert guest.giftget is False
        post(told(guest, transactionType="PayFromWallet", sum=35000, balance=None))
        guest.refresh_from_db()
        assert guest.giftget is True


class TestOrder:
    def test_the_balance_told_goes_before_arithmetic(self, guest):
        post(told(guest, sum=1000, balance=1300))
        assert cast.balance(guest) == Decimal(1300)
        assert history() == [("levelling", Decimal(300)), ("accrual", Decimal(1000))]

    def test_an_older_balance_changes_nothing(self, guest):
        now = timezone.now()
        post(told(guest, sum=500, balance=1500, changedOn=moment(now)))
        post(told(guest, sum=1000, balance=1000, changedOn=moment(now - timedelta(minutes=1))))
        assert cast.balance(guest) == Decimal(1500)
        assert [amount for kind, amount in history() if kind == "accrual"] == [Decimal(500), Decimal(1000)]

    @pytest.mark.parametrize("seed", range(4))
    def test_a_storm_of_repeats_in_disorder(self, guest, seed):
        notices = vendors.iiko.storm(guest.phone, count=30, repeats=2, seed=seed)
        statuses = [post(notice).json()["status"] for notice in notices]
        assert (statuses.count("processed"), statuses.count("ignored")) == (30, 60)
        assert cast.balance(guest) == vendors.iiko.people[guest.phone].balance
        assert sum(kind in ("accrual", "payment") for kind, _ in history()) == 30

    def quiet_second(self, guest, *, holds):
        """The present second, with nothing proved for an hour, and what iiko will say when it is asked."""
        second = timezone.now().replace(microsecond=0)
        Client.objects.filter(pk=guest.pk).update(balance_as_of=second - timedelta(hours=1))
        vendors.iiko.people[guest.phone].balance = Decimal(holds)
        return second

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the later one first"])
    def test_two_notices_of_one_second_end_at_iikos_balance(self, guest, order):
        second = self.quiet_second(guest, holds=1500)
        story = [(1000, 1000), (500, 1500)]
        for number in order:
            amount, balance = story[number]
            post(told(guest, sum=amount, balance=balance, changedOn=moment(second)))
        asked = [job for job in jobs(guest) if job == ("sync_user", "pending")]
        assert len(asked) == (order == (1, 0))
        drain()
        assert cast.balance(guest) == 1500
        assert CashbackTransaction.objects.filter(kind="accrual").count() == 2

    def test_a_notice_of_the_second_of_a_reading(self, guest):
        """Told in whole seconds it looks older than the reading that it followed."""
        self.quiet_second(guest, holds=700)
        iiko_sync.read_guest(guest, creates=False)
        proved = Client.objects.get(pk=guest.pk).balance_as_of
        second = proved.replace(microsecond=0)
        vendors.iiko.people[guest.phone].balance = Decimal(900)
        post(told(guest, sum=200, balance=900, changedOn=moment(second)))
        drain()
        assert cast.balance(guest) == 900

    def test_many_doubts_are_one_question(self, guest):
        second = moment(self.quiet_second(guest, holds=1500))
        for balance in (1500, 900, 600, 300):
            post(told(guest, sum=300, balance=balance, changedOn=second))
        assert jobs(guest).count(("sync_user", "pending")) == 1
        drain()
        assert cast.balance(guest) == 1500

    def test_without_ids_the_words_are_the_key(self, guest):
        body = told(guest, id=None)
        assert [post(body).json()["status"] for _ in range(2)] == ["processed", "ignored"]
        assert post({**body, "uocId": "uoc-2"}).json()["status"] == "processed"

    def test_a_wrong_clock_means_the_order_of_arrival(self, guest):
        ahead = timezone.now() + timedelta(hours=5)
        post(told(guest, sum=1000, balance=1000, changedOn=moment(ahead + timedelta(minutes=1))))
        post(told(guest, sum=500, balance=1500, changedOn=moment(ahead)))
        assert cast.balance(guest) == Decimal(1500)

    @pytest.mark.parametrize(
        "changed_on",
        [None, "", "yesterday", 5, [], "2021-13-45", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"],
    )
    def test_a_time_that_is_none(self, guest, changed_on):
        assert post({**told(guest), "changedOn": changed_on}).json()["status"] == "processed"
        assert cast.balance(guest) == Decimal(1000)


class TestWhose:
    def test_by_the_purse_alone(self, guest):
        assert post(told(guest, customerId=None, phone=None)).json()["status"] == "processed"

    def test_by_the_guest_alone(self, guest):
        assert post(told(guest, walletId=None, phone=None)).json()["status"] == "processed"

    @pytest.mark.parametrize("spelling", ["998901110005", "901110005", "+998 90 111-00-05"])
    def test_spellings_of_the_number(self, guest, spelling):
        assert post(told(guest, phone=spelling)).json()["status"] == "processed"

    def test_a_number_that_is_another_guests(self, guest, gulnora):
        answer = post(told(guest, phone=gulnora.phone))
        assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})
        assert history() == []

    def test_by_the_number_only_where_we_have_no_ids(self, jasur):
        body = told(jasur, customerId="c-1", walletId="w-1")
        assert post(body).json()["status"] == "processed"
        Client.objects.filter(pk=jasur.pk).update(iiko_customer_id="other")
        assert post(told(jasur, customerId="c-2")).status_code == 404

    def test_a_deleted_account_hears_nothing(self, guest):
        body = told(guest)
        clients.delete(by=guest)
        assert post(body).status_code == 404
        assert history() == []


class TestParked:
    def test_a_stranger_is_404_and_heard_once_he_is_a_client(self, db):
        stranger = Person(str(uuid4()), cast.PHONES["newcomer"], str(uuid4()), Decimal(100))
        vendors.iiko.people[stranger.phone] = stranger
        notice = vendors.iiko.notice(stranger, "Accrual", Decimal(100))
        for _ in range(2):
            assert post(notice).status_code == 404
        [parked] = IikoNotice.objects.all()
        assert (parked.state, parked.client, parked.amount) == ("parked", None, Decimal(100))
        client = cast.guest("Nodir", stranger.phone)
        drain()
        parked.refresh_from_db()
        assert (parked.state, parked.client) == ("applied", client)
        assert cast.balance(client) == Decimal(100)
        assert post(notice).json()["reason"] == "duplicate"
        assert history() == [("accrual", Decimal(100))]
        deliver()
        assert Notification.objects.filter(user=client.user).count() == 1

    def test_a_long_parked_history_rings_for_nobody(self, db):
        stranger = Person(str(uuid4()), cast.PHONES["newcomer"], str(uuid4()), Decimal(0))
        vendors.iiko.people[stranger.phone] = stranger
        long_ago = timezone.now() - timedelta(days=400)
        for visit in range(5):
            stranger.balance += 100
            changed_on = moment(long_ago + timedelta(days=visit))
            assert post(vendors.iiko.notice(stranger, "Accrual", Decimal(100), changedOn=changed_on)).status_code == 404
        stranger.balance = Decimal(480)
        client = cast.guest("Nodir", stranger.phone)
        drain()
        assert history() == [*[("accrual", Decimal(100))] * 5, ("levelling", Decimal(-20))]
        deliver()
        assert not Notification.objects.filter(user=client.user).exists()

    def test_one_that_cannot_be_posted_stands_in_nobodys_way(self, jasur):
        person = known(jasur, 700)
        bad = IikoNotice.objects.create(
            key="bad", state="parked", kind="Accrual", amount=5, customer_id=person.id, order_number="7\x0b"
        )
        good = IikoNotice.objects.create(
            key="good", state="parked", kind="Accrual", amount=6, customer_id=person.id, changed_on=timezone.now()
        )
        drain()
        assert jobs(jasur) == [("sync_user", "success")]
        assert cast.balance(jasur) == Decimal(700)
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.state, bad.transaction_id, good.state) == ("parked", None, "applied")
        assert ("accrual", Decimal(6)) in history() and ("accrual", Decimal(5)) not in history()

    def test_a_repeat_posts_it_too(self, jasur):
        body = told(jasur, customerId="c-1", walletId=None, phone=None)
        assert post(body).status_code == 404
        Client.objects.filter(pk=jasur.pk).update(iiko_customer_id="c-1")
        assert post(body).json()["status"] == "processed"
        assert IikoNotice.objects.get().state == "applied"

    def test_another_guests_parked_notice_stays_parked(self, guest, gulnora):
        post(told(guest, customerId="somebody", walletId=None, phone=None))
        known(gulnora)
        drain()
        assert IikoNotice.objects.get().state == "parked"

    def test_old_ones_are_forgotten(self, guest):
        post(told(guest))
        assert iiko_notices.prune(now=timezone.now() + timedelta(days=364)) == 0
        assert iiko_notices.prune(now=timezone.now() + timedelta(days=366)) == 1
        assert len(history()) == 1


class TestCheckUser:
    def ask(self, **body):
        answer = Caller().post("iiko/check-user", body)
        return answer.status_code, answer.json()

    def test_who_is_it(self, guest):
        read = {"id": str(guest.pk), "phone": guest.phone, "customerId": guest.iiko_customer_id}
        for asked in (
            {"phone": guest.phone},
            {"customerId": guest.iiko_customer_id},
            {"walletId": guest.iiko_wallet_id, "phone": "901110005"},
        ):
            assert self.ask(**asked) == (200, read)

    def test_nobody(self, guest, gulnora):
        for asked in ({}, {"phone": cast.NOWHERE_PHONE}, {"phone": gulnora.phone, "walletId": guest.iiko_wallet_id}):
            assert self.ask(**asked) == (404, {"detail": "User not found"})

    def test_malformed(self, db):
        assert Caller().post("iiko/check-user", b"[").status_code == 400
        assert self.ask(phone={})[0] == 404
        assert self.ask(walletId=[])[0] == 400

    def test_the_password(self, guest, settings):
        settings.INTEGRATIONS = replace(settings.INTEGRATIONS, iiko_webhook_secret="till-password")
        assert self.ask(phone=guest.phone)[0] == 403
        assert self.ask(phone=guest.phone, subscriptionPassword="till-password")[0] == 200

    def test_it_is_no_way_to_try_numbers(self, guest):
        for _ in range(60):
            self.ask(phone=cast.NOWHERE_PHONE)
        assert self.ask(phone=guest.phone)[0] == 429


def test_no_secret_reaches_the_log(guest, settings, caplog):
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, iiko_webhook_secret="till-password")
    post(told(guest, subscriptionPassword="wrong-password"))
    post(told(guest, subscriptionPassword="till-password"))
    assert not any(word in caplog.text for word in ("till-password", "wrong-password", guest.phone))


@pytest.mark.race
class TestRaces:
    def test_the_same_notice_at_once_is_posted_once(self, guest):
        body = json.dumps(told(guest)).encode()
        answers = race(8, lambda number: post(body).json()["status"])
        assert sorted(answers) == ["ignored"] * 7 + ["processed"]
        assert cast.balance(guest) == Decimal(1000)

    def test_a_storm_from_many_sides_ends_at_iikos_balance(self, guest):
        notices = vendors.iiko.storm(guest.phone, count=40, repeats=1, seed=9)
        random.Random(3).shuffle(notices)
        answers = race(8, lambda number: [post(notice).status_code for notice in notices[number::8]])
        assert outcomes(answers) == {"ok": 8}
        assert {status for statuses in answers for status in statuses} == {200}
        assert cast.balance(guest) == vendors.iiko.people[guest.phone].balance
        assert IikoNotice.objects.filter(state="applied").count() == 40

    def test_a_notice_and_a_reading_at_once_do_not_lock_each_other_up(self, guest):
        person = vendors.iiko.people[guest.phone]
        parked = told(guest, customerId=person.id, walletId=None, phone=None, sum=5, balance=None)
        Client.objects.filter(pk=guest.pk).update(iiko_customer_id=None)
        assert post(parked).status_code == 404

        def deed(number: int) -> object:
            if number % 2:
                return post(parked).status_code
            return iiko_sync.read_guest(guest, creates=False).error

        answers = race(6, deed)
        assert outcomes(answers) == {"ok": 6}
        assert IikoNotice.objects.get().state == "applied"
        assert sum(kind == "accrual" for kind, _ in history()) == 1
