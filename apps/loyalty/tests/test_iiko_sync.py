"""Reading guests from iiko and writing profiles there (contract loyalty 4.1, 4.4, 4.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.integrations.sandbox import vendors
from apps.loyalty.actions import clients, iiko_audit, iiko_jobs, iiko_sync, iiko_sync_now
from apps.loyalty.models import Card, CashbackTransaction, Client, IikoJob, IikoReconciliation
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller
from apps.loyalty.tests.restaurant import State, calls, drain, hide, introduce, jobs, known, written

pytestmark = pytest.mark.django_db


def again(client: Client) -> Client:
    """The guest is read once more."""
    iiko_jobs.ask(by=None, client_id=client.pk, operation=IikoJob.Operation.SYNC_USER)
    drain()
    client.refresh_from_db()
    return client


class TestReading:
    def test_a_guest_whom_iiko_does_not_know_is_made(self, jasur):
        drain()
        person = vendors.iiko.people[jasur.phone]
        assert person.profile["name"] == "Jasur"
        jasur.refresh_from_db()
        assert (jasur.iiko_customer_id, jasur.iiko_wallet_id) == (person.id, person.wallet_id)
        assert jobs(jasur) == [("sync_user", "success")]

    def test_one_who_shows_a_moment_later_is_ours(self, jasur, monkeypatch):
        monkeypatch.setattr(iiko_sync, "MAKING_PAUSE_SECONDS", 0)
        hide(jasur, monkeypatch, times=2)  # the look before, and the first one after
        drain()
        jasur.refresh_from_db()
        assert jasur.iiko_customer_id == vendors.iiko.people[jasur.phone].id
        assert (len(written()), jobs(jasur)) == (2, [("sync_user", "success")])

    def test_one_who_is_known_brings_purse_and_profile(self, db):
        client = cast.guest("", cast.PHONES["newcomer"])
        person = known(client, "1500.50")
        person.profile = {"name": "Nodira", "surname": "Aliyeva", "birthday": "1990-05-17 00:00:00.000", "sex": 2}
        introduce(client, "1500.50")
        assert (client.name, client.surname, client.date_of_birth, client.gender) == (
            *("Nodira", "Aliyeva"),
            date(1990, 5, 17),
            "female",
        )
        assert cast.balance(client) == Decimal("1500.50")
        [moved] = CashbackTransaction.objects.all()
        assert (moved.kind, moved.amount, moved.balance_after) == ("levelling", Decimal("1500.50"), Decimal("1500.50"))

    def test_what_the_guest_told_us_stays(self, jasur):
        known(jasur).profile = {"name": "Other", "email": "other@example.com"}
        introduce(jasur)
        assert (jasur.name, jasur.email) == ("Jasur", "other@example.com")

    def test_a_taken_email_is_left(self, jasur, gulnora):
        Client.objects.filter(pk=gulnora.pk).update(email="other@example.com")
        known(jasur).profile = {"email": "other@example.com"}
        introduce(jasur)
        assert jasur.email is None

    def test_the_balance_is_iikos_whatever_we_had(self, jasur):
        person = introduce(jasur, 1000)
        person.balance = Decimal("-250.00")
        again(jasur)
        assert cast.balance(jasur) == Decimal("-250.00")
        assert [moved.amount for moved in CashbackTransaction.objects.order_by("pk")] == [Decimal(1000), Decimal(-1250)]

    def test_the_same_again_writes_nothing(self, jasur):
        introduce(jasur, 1000)
        for _ in range(3):
            again(jasur)
        assert CashbackTransaction.objects.count() == 1
        assert Card.objects.count() == 1
        assert len(calls("/card/add")) == 1

    def test_a_notice_that_overtook_the_reading_wins(self, jasur):
        person = introduce(jasur, 1000)
        person.balance = Decimal(1000)
        real = vendors.iiko.answer

        def slowly(asked):
            reply = real(asked)
            if asked.path.endswith("/customer/info"):
                cast.iiko(jasur, 500, at=timezone.now(), balance=Decimal(1500))
            return reply

        vendors.iiko.answer = slowly
        try:
            again(jasur)
        finally:
            del vendors.iiko.answer
        assert cast.balance(jasur) == Decimal(1500)

    def test_the_bonus_purse_before_the_first(self, jasur):
        person = known(jasur)
        real = person.to_json
        person.to_json = lambda: {
            **real(),
            "walletBalances": [
                {"id": "deposit", "type": 0, "balance": 7},
                {"id": "bonus", "type": 1, "balance": 9},
            ],
        }
        introduce(jasur)
        assert (jasur.iiko_wallet_id, cast.balance(jasur)) == ("bonus", Decimal(9))

    def test_ids_move_to_whom_iiko_says(self, jasur, gulnora):
        person = known(jasur)
        Client.objects.filter(pk=gulnora.pk).update(iiko_customer_id=person.id, iiko_wallet_id=person.wallet_id)
        IikoJob.objects.filter(client=gulnora).update(due_at=timezone.now() + timedelta(hours=1))
        introduce(jasur)
        gulnora.refresh_from_db()
        assert (gulnora.iiko_customer_id, gulnora.iiko_wallet_id) == (None, None)
        assert jasur.iiko_customer_id == person.id

    def test_a_struck_off_guest_of_a_living_account_is_brought_back(self, jasur):
        person = known(jasur, 300)
        person.is_deleted = True
        introduce(jasur, 300)
        assert not person.is_deleted
        assert cast.balance(jasur) == Decimal(300)

    def test_without_leave_to_make_nobody_is_made(self, jasur):
        introduce(jasur)
        vendors.iiko.people.clear()
        again(jasur)
        assert vendors.iiko.people == {}
        assert IikoJob.objects.first().outcome == "iiko_customer_not_found"

    def test_looking_at_the_account_asks_once_in_five_minutes(self, jasur):
        introduce(jasur)
        caller = Caller(jasur)
        for _ in range(3):
            assert caller.get("auth/me").status_code == 200
        assert jobs(jasur) == [("sync_user", "success"), ("sync_user", "pending")]
        assert IikoJob.objects.first().asked_count == 1


class TestCards:
    def test_a_guest_gets_one(self, jasur):
        person = introduce(jasur)
        card = Card.objects.get(client=jasur)
        assert (card.card_number[:4], len(card.card_number), len(card.card_track)) == ("8600", 16, 20)
        assert card.attached_at is not None
        assert [told["number"] for told in person.cards] == [card.card_number]

    def test_one_that_iiko_did_not_take_is_brought_again(self, jasur):
        known(jasur)
        real = vendors.iiko._add_card
        vendors.iiko._add_card = lambda body: vendors.iiko.failure(422, None)
        try:
            drain()
            card = Card.objects.get(client=jasur)
            assert card.attached_at is None
            assert jobs(jasur) == [("sync_user", "failed")]
        finally:
            vendors.iiko._add_card = real
        drain(later=60)
        card.refresh_from_db()
        assert card.attached_at is not None
        assert Card.objects.count() == 1

    def test_iikos_own_are_kept_by_their_digits(self, jasur):
        known(jasur).cards = [{"id": "k1", "number": "8600 0000-0000 0007", "track": "t1"}]
        introduce(jasur)
        card = Card.objects.get(client=jasur)
        assert (card.card_number, card.card_track, card.iiko_card_id) == ("8600000000000007", "t1", "k1")
        assert calls("/card/add") == []

    def test_a_card_moves_to_its_guest(self, jasur, gulnora):
        Card.objects.create(client=gulnora, card_number="8600000000000007", card_track="t1")
        known(jasur).cards = [{"id": "k1", "number": "8600000000000007", "track": "t1"}]
        known(gulnora)
        IikoJob.objects.filter(client=gulnora).update(due_at=timezone.now() + timedelta(hours=1))
        introduce(jasur)
        assert Card.objects.get(card_number="8600000000000007").client == jasur


class TestProfile:
    def test_a_change_is_pushed_as_it_is_now(self, jasur):
        introduce(jasur)
        clients.update_me(by=jasur, changes={"name": "J", "gender": "male", "date_of_birth": date(1988, 1, 2)})
        clients.update_me(by=jasur, changes={"name": "Jasurbek"})
        assert jobs(jasur)[-1] == ("flush_profile", "pending")
        before = len(written())
        drain()
        [told] = written()[before:]
        assert (told["name"], told["sex"], told["birthday"]) == ("Jasurbek", 1, "1988-01-02 00:00:00.000")
        assert told["id"] == jasur.iiko_customer_id
        assert "email" not in told

    def test_what_failed_stays_to_be_pushed(self, jasur):
        introduce(jasur)
        clients.update_me(by=jasur, changes={"email": "j@example.com"})
        vendors.iiko.lose_next(1)
        drain()
        job = IikoJob.objects.get(operation="flush_profile")
        assert (job.state, list(job.payload)) == ("failed", ["email"])
        drain(later=60)
        job.refresh_from_db()
        assert job.state == "success"
        assert vendors.iiko.people[jasur.phone].profile["email"] == "j@example.com"

    def test_a_cleared_field_is_cleared_there(self, jasur):
        introduce(jasur)
        clients.update_me(by=jasur, changes={"surname": "A"})
        drain()
        clients.update_me(by=jasur, changes={"surname": ""})
        drain()
        assert vendors.iiko.people[jasur.phone].profile["surname"] == ""


class TestReconciliation:
    def test_what_differed_is_in_the_report(self, jasur, gulnora):
        known(jasur, 1000)
        known(gulnora, 500)
        stranger = cast.guest("Nodir", cast.PHONES["newcomer"])
        introduce(stranger)
        vendors.iiko.people[jasur.phone].balance = Decimal(900)
        del vendors.iiko.people[stranger.phone]
        report = iiko_audit.reconcile()
        assert report.asked_count == 3
        drain()
        report.refresh_from_db()
        assert (report.checked_count, report.differing_count, report.missing_count, report.levelled_total) == (
            *(3, 1, 1),
            Decimal(100),
        )
        assert cast.balance(jasur) == Decimal(900)

    def test_the_longest_unproved_first_and_no_more_than_agreed(self, jasur, gulnora, settings):
        settings.LOYALTY = replace(settings.LOYALTY, iiko_reconcile_per_night=1)
        introduce(jasur)
        introduce(gulnora)
        Client.objects.filter(pk=gulnora.pk).update(iiko_read_at=timezone.now() - timedelta(days=9))
        iiko_audit.reconcile()
        assert IikoJob.objects.filter(state=State.PENDING).get().client == gulnora

    def nights(self, count: int) -> list[int]:
        """Whom each night read, a guest a night."""
        read = []
        for _ in range(count):
            iiko_audit.reconcile()
            read += IikoJob.objects.filter(state=State.PENDING).values_list("client_id", flat=True)
            drain()
        return read

    @pytest.mark.parametrize("told", ["no purse", "nobody"])
    def test_who_has_no_balance_takes_nobodys_turn(self, jasur, gulnora, settings, told):
        settings.LOYALTY = replace(settings.LOYALTY, iiko_reconcile_per_night=1)
        person = introduce(gulnora)
        introduce(jasur)
        Client.objects.update(balance_as_of=None, iiko_read_at=None)
        if told == "nobody":
            vendors.iiko.people.pop(gulnora.phone)
        else:
            real = person.to_json
            person.to_json = lambda: {**real(), "walletBalances": []}
        first, second = sorted([gulnora.pk, jasur.pk])
        assert self.nights(4) == [first, second, first, second]

    def test_a_paused_reading_takes_nobodys_turn_and_is_reported(self, jasur, gulnora, settings):
        settings.LOYALTY = replace(settings.LOYALTY, iiko_reconcile_per_night=1)
        introduce(jasur)
        introduce(gulnora)
        Client.objects.filter(pk=gulnora.pk).update(iiko_read_at=None)
        iiko_jobs.ask(by=None, client_id=gulnora.pk, operation=IikoJob.Operation.SYNC_USER)
        IikoJob.objects.filter(client=gulnora, state=State.PENDING).update(state=State.PAUSED)
        report = iiko_audit.reconcile()
        assert IikoJob.objects.filter(state=State.PENDING).get().client == jasur
        assert (report.asked_count, report.paused_count) == (1, 1)
        assert IikoJob.objects.get(client=gulnora, state=State.PAUSED).asked_count == 1

    def test_old_reports_go(self, db):
        iiko_audit.reconcile(now=timezone.now() - timedelta(days=91))
        iiko_audit.reconcile()
        assert IikoReconciliation.objects.count() == 1


class TestByHand:
    def test_a_manager_reads_a_guest_at_once(self, jasur, malika):
        person = known(jasur, 700)
        answer = Caller(malika).post(f"admin/sync/users/{jasur.pk}")
        assert answer.status_code == 200
        told = answer.json()
        assert len(told.pop("correlation_id")) == 36
        assert told == {
            "success": True,
            "updated": True,
            "changed_fields": ["iiko_customer_id", "iiko_wallet_id", "cashback_balance", "cards"],
            "warnings": [],
            "error": None,
            "operations": [
                {"operation": "read", "status": "success"},
                {"operation": "merge", "status": "success"},
                {"operation": "card", "status": "success"},
            ],
            "user_id": jasur.pk,
            "phone": jasur.phone,
            "iiko_customer_id": person.id,
            "iiko_wallet_id": person.wallet_id,
        }
        assert jobs(jasur) == [("sync_user", "success")]
        assert cast.balance(jasur) == Decimal(700)

    def test_failures_are_told_with_200(self, jasur, malika):
        introduce(jasur)
        vendors.iiko.people.clear()
        told = Caller(malika).post(f"admin/sync/users/{jasur.pk}").json()
        assert (told["success"], told["error"]) == (False, "iiko_customer_not_found")
        vendors.iiko.go_down(60)
        told = Caller(malika).post(f"admin/sync/users/{jasur.pk}").json()
        assert (told["success"], told["error"]) == (False, "service_error")

    def test_one_whom_iiko_takes_and_does_not_show(self, jasur, malika, monkeypatch):
        monkeypatch.setattr(iiko_sync, "MAKING_PAUSE_SECONDS", 0)
        hide(jasur, monkeypatch)
        told = Caller(malika).post(f"admin/sync/users/{jasur.pk}").json()
        assert (told["success"], told["error"]) == (False, "iiko_customer_create_failed")
        assert IikoJob.objects.get().attempts == 1

    @pytest.mark.parametrize(
        ("wallets", "reason"),
        [
            ([], "wallets_empty"),
            ([{"id": "w", "type": 1}], "balance_missing"),
            ([{"id": "w", "type": 1, "balance": "x"}], "balance_parse_error"),
        ],
    )
    def test_without_a_balance_nothing_is_written(self, jasur, malika, wallets, reason):
        person = introduce(jasur, 500)
        real = person.to_json
        person.to_json = lambda: {**real(), "walletBalances": wallets}
        told = Caller(malika).post(f"admin/sync/users/{jasur.pk}").json()
        assert (told["success"], told["error"]) == (False, f"cashback_not_refreshed:{reason}")
        assert cast.balance(jasur) == Decimal(500)

    def test_another_worker_is_at_the_guest(self, jasur, malika, monkeypatch):
        monkeypatch.setattr(iiko_sync_now, "PATIENCE_SECONDS", 0.2)
        assert iiko_jobs.claim().client == jasur
        told = Caller(malika).post(f"admin/sync/users/{jasur.pk}").json()
        assert (told["success"], told["error"]) == (False, "admin_sync_lock_busy")

    def test_a_paused_job_is_resumed_by_it(self, jasur, malika):
        known(jasur)
        IikoJob.objects.update(state=State.PAUSED)
        assert Caller(malika).post(f"admin/sync/users/{jasur.pk}").json()["success"] is True

    def test_older_jobs_of_the_guest_go_first(self, jasur, malika):
        introduce(jasur)
        clients.update_me(by=jasur, changes={"name": "Jasurbek"})
        Caller(malika).post(f"admin/sync/users/{jasur.pk}")
        assert jobs(jasur)[1:] == [("flush_profile", "success"), ("sync_user", "success")]

    def test_not_for_waiters_nor_for_nobody(self, jasur, malika, vali):
        assert Caller(vali).post(f"admin/sync/users/{jasur.pk}").status_code == 403
        assert Caller().post(f"admin/sync/users/{jasur.pk}").status_code == 401
        assert Caller(malika).post("admin/sync/users/999999").status_code == 404
        assert not vendors.iiko.requests
