"""The queue of deeds at iiko: asked once, tried in order, put off, given up, resumed (contract loyalty 4.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.core.testing import assert_refused, outcomes, race
from apps.integrations.http import Reply
from apps.integrations.ports import port
from apps.integrations.sandbox import vendors
from apps.loyalty import errors
from apps.loyalty.actions import clients, iiko_jobs, iiko_sync
from apps.loyalty.models import Client, IikoJob
from apps.loyalty.tests import cast
from apps.loyalty.tests.restaurant import State, calls, drain, hide, introduce, jobs, known, written

Operation = IikoJob.Operation
pytestmark = pytest.mark.django_db


def ask(client: Client, operation: str = Operation.SYNC_USER, **payload: object) -> IikoJob:
    return iiko_jobs.ask(by=None, client_id=client.pk, operation=operation, payload=payload)


class TestAsking:
    def test_a_registration_asks_for_the_guest(self, jasur):
        [job] = IikoJob.objects.all()
        assert (job.client, job.phone, job.operation, job.payload) == (
            *(jasur, jasur.phone, "sync_user"),
            {"create": True},
        )
        assert not vendors.iiko.requests

    def test_wishes_become_one(self, jasur):
        first = ask(jasur, Operation.FLUSH_PROFILE, name="1", email="1")
        second = ask(jasur, Operation.FLUSH_PROFILE, name="2")
        assert first.pk == second.pk
        assert (second.payload, second.asked_count) == ({"name": "2", "email": "1"}, 2)
        assert ask(jasur).payload == {"create": True}

    def test_a_done_job_is_no_obstacle(self, jasur):
        introduce(jasur)
        ask(jasur)
        assert jobs(jasur) == [("sync_user", "success"), ("sync_user", "pending")]

    def test_asking_again_gives_no_attempts_back(self, jasur):
        IikoJob.objects.update(attempts=5, state=State.FAILED)
        ask(jasur)
        assert IikoJob.objects.get().attempts == 5


class TestOrder:
    def test_a_guests_jobs_wait_for_each_other(self, jasur, gulnora):
        flush = ask(jasur, Operation.FLUSH_PROFILE, name="1")
        first = iiko_jobs.claim(phone=jasur.phone)
        assert first.operation == "sync_user"
        assert iiko_jobs.claim(phone=jasur.phone) is None
        assert iiko_jobs.claim().client == gulnora
        iiko_jobs.attempt(first)
        assert iiko_jobs.claim(phone=jasur.phone).pk == flush.pk

    def test_a_failed_one_holds_the_next_back_until_its_time(self, jasur):
        ask(jasur, Operation.FLUSH_PROFILE, name="1")
        IikoJob.objects.filter(operation="sync_user").update(
            state=State.FAILED, due_at=timezone.now() + timedelta(seconds=60)
        )
        assert iiko_jobs.claim() is None
        assert iiko_jobs.claim(now=timezone.now() + timedelta(seconds=61)).operation == "sync_user"

    def test_a_paused_one_holds_nobody_back(self, jasur):
        ask(jasur, Operation.FLUSH_PROFILE, name="1")
        IikoJob.objects.filter(operation="sync_user").update(state=State.PAUSED)
        assert iiko_jobs.claim().operation == "flush_profile"


class TestTrouble:
    def test_down_uses_no_attempt_and_drains_exactly_once(self, db):
        guests = [cast.guest(f"G{n}", f"+99890222{n:04d}") for n in range(12)]
        vendors.iiko.go_down(3600)
        for later in (0, 2, 10, 60):
            drain(later=later, rounds=1)
        assert {job.attempts for job in IikoJob.objects.all()} == {0}
        assert {job.state for job in IikoJob.objects.all()} == {"pending"}
        vendors.iiko.down_until = 0
        assert drain(later=4000) == 12
        assert {job.state for job in IikoJob.objects.all()} == {"success"}
        assert sorted(vendors.iiko.people) == sorted(guest.phone for guest in guests)
        assert len(written()) == 12
        assert drain(later=9000) == 0

    def test_pauses_grow_while_iiko_is_down(self, jasur):
        vendors.iiko.go_down(3600)
        now = timezone.now()
        pauses = []
        for _ in range(12):
            cache.delete(iiko_jobs.RESTING)
            iiko_jobs.run_due(now=now)
            due = IikoJob.objects.get().due_at
            pauses.append(round((due - now).total_seconds()))
            now = due
        assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]

    def test_iiko_naming_a_time_lets_everybody_rest(self, jasur, gulnora):
        vendors.iiko.fail_next(count=3, status=429, retry_after=30)
        assert iiko_jobs.run_due() == 1
        assert IikoJob.objects.filter(delays=1).count() == 1
        assert iiko_jobs.run_due() == 0
        cache.delete(iiko_jobs.RESTING)
        assert iiko_jobs.run_due() == 1

    def test_failures_back_off_and_pause(self, jasur):
        vendors.iiko.failure = lambda status, retry_after: Reply.json({"errorDescription": "no"}, status)
        vendors.iiko.fail_next(count=1000, status=422)
        now, pauses = timezone.now(), []
        try:
            while (job := IikoJob.objects.get()).state in ("pending", "failed"):
                now = max(job.due_at, now)
                assert iiko_jobs.run_due(now=now) == 1
                pauses.append(round((IikoJob.objects.get().due_at - now).total_seconds()))
        finally:
            del vendors.iiko.failure
        assert pauses == [15, 30, 60, 120, 240, 480, 960, 1800]
        assert (job.state, job.attempts, job.outcome) == (
            *("paused", 8),
            "iiko: the sign-in is refused with status 422",
        )
        assert iiko_jobs.run_due(now=now + timedelta(days=1)) == 0

    def test_a_guest_who_never_shows_comes_to_rest_and_holds_nobody_up(self, jasur, gulnora, monkeypatch):
        monkeypatch.setattr(iiko_sync, "MAKING_PAUSE_SECONDS", 0)
        hide(jasur, monkeypatch)
        assert iiko_jobs.run_due() == 2
        assert jobs(gulnora) == [("sync_user", "success")]
        now = timezone.now()
        while (job := IikoJob.objects.get(client=jasur)).state == "failed":
            now = max(job.due_at, now)
            assert iiko_jobs.run_due(now=now) == 1
        assert (job.state, job.attempts, job.delays, job.outcome) == (
            *("paused", 8, 0),
            "iiko_customer_create_failed",
        )
        made = [told for told in written() if told["phone"] == jasur.phone]
        assert len(made) == 8 * iiko_sync.MAKING_TRIES

    def test_one_who_stays_struck_off_comes_to_rest_too(self, jasur, monkeypatch):
        monkeypatch.setattr(iiko_sync, "MAKING_PAUSE_SECONDS", 0)
        person = known(jasur)
        real = person.to_json
        person.to_json = lambda: {**real(), "isDeleted": True}
        drain()
        job = IikoJob.objects.get()
        assert (job.state, job.attempts, job.outcome) == ("failed", 1, "iiko_customer_create_failed")

    def test_our_own_mistake_stops_nobody_else(self, jasur, gulnora, monkeypatch):
        def stumble(job: IikoJob) -> str:
            raise ZeroDivisionError

        first = iiko_jobs.claim()
        assert iiko_jobs.attempt(first, deed=stumble)
        first.refresh_from_db()
        assert (first.state, first.attempts, first.outcome) == ("failed", 1, "ZeroDivisionError")
        assert drain() == 1

    def test_asked_again_while_it_runs_means_once_more(self, jasur):
        introduce(jasur)
        ask(jasur, Operation.FLUSH_PROFILE, name="1", email="1")
        job = iiko_jobs.claim()
        ask(jasur, Operation.FLUSH_PROFILE, name="2")
        iiko_jobs.attempt(job)
        job.refresh_from_db()
        assert (job.state, job.payload, job.attempts) == ("pending", {"name": "2"}, 0)
        assert drain() == 1
        job.refresh_from_db()
        assert job.state == "success"

    def test_a_dead_workers_job_comes_back_and_counts(self, jasur):
        job = iiko_jobs.claim()
        later = timezone.now() + timedelta(seconds=iiko_jobs.CLAIM_SECONDS + 1)
        assert iiko_jobs.run_due() == 0
        assert iiko_jobs.run_due(now=later) == 1
        job.refresh_from_db()
        assert (job.state, job.attempts) == ("success", 2)

    def test_a_job_that_kills_its_workers_comes_to_rest(self, jasur):
        IikoJob.objects.update(state=State.RUNNING, attempts=8, claimed_until=timezone.now() - timedelta(seconds=1))
        assert iiko_jobs.run_due() == 0
        assert jobs(jasur) == [("sync_user", "paused")]

    def test_a_worker_back_from_the_dead_writes_nothing(self, jasur):
        job = iiko_jobs.claim()
        IikoJob.objects.update(state=State.PENDING, claimed_by="", claimed_until=None)
        iiko_jobs.attempt(job)
        assert jobs(jasur) == [("sync_user", "pending")]

    def test_without_an_iiko_jobs_wait(self, jasur, settings):
        settings.INTEGRATIONS = replace(settings.INTEGRATIONS, iiko_api_login="")
        assert iiko_jobs.run_due() == 0
        assert jobs(jasur) == [("sync_user", "pending")]

    def test_two_runs_at_a_time(self, jasur):
        for seat in range(iiko_jobs.RUNNERS):
            cache.add(f"loyalty:iiko:runner:{seat}", 1)
        assert iiko_jobs.run_due() == 0
        cache.delete("loyalty:iiko:runner:1")
        assert iiko_jobs.run_due() == 1
        assert iiko_jobs.run_due() == 0


class TestStaff:
    def test_a_paused_job_is_resumed(self, jasur, malika):
        IikoJob.objects.update(state=State.PAUSED, attempts=8)
        job = iiko_jobs.resume(by=malika, job_id=IikoJob.objects.get().pk)
        assert (job.state, job.attempts) == ("pending", 0)
        assert drain() == 1

    @pytest.mark.parametrize("state", [state for state in State if state != State.PAUSED])
    def test_only_a_paused_one(self, jasur, malika, state):
        job = IikoJob.objects.get()
        rows = [IikoJob.objects.all()]
        IikoJob.objects.update(state=state)
        assert_refused(errors.JobNotPaused, lambda: iiko_jobs.resume(by=malika, job_id=job.pk), unchanged=rows)
        IikoJob.objects.update(state=State.PAUSED)
        assert iiko_jobs.resume(by=malika, job_id=job.pk).state == State.PENDING
        assert_refused(errors.JobNotPaused, lambda: iiko_jobs.resume(by=malika, job_id=job.pk), unchanged=rows)

    def test_a_waiter_may_not(self, jasur, vali):
        IikoJob.objects.update(state=State.PAUSED)
        job = IikoJob.objects.get()
        rows = [IikoJob.objects.all()]
        assert_refused(errors.ManagersOnly, lambda: iiko_jobs.resume(by=vali, job_id=job.pk), unchanged=rows)

    def test_old_ones_are_forgotten(self, jasur, gulnora):
        introduce(jasur)
        assert iiko_jobs.prune(now=timezone.now() + timedelta(days=29)) == 0
        IikoJob.objects.filter(client=gulnora).update(state=State.PAUSED)
        assert iiko_jobs.prune(now=timezone.now() + timedelta(days=31)) == 1
        assert jobs() == [("sync_user", "paused")]


class TestDeletion:
    def test_the_real_number_and_the_guests_id_are_struck_off(self, jasur):
        person = introduce(jasur)
        clients.delete(by=jasur)
        job = IikoJob.objects.get(operation="mark_deleted")
        assert (job.phone, job.payload) == (cast.PHONES["jasur"], {"guest_id": person.id})
        assert drain() == 1
        assert person.is_deleted
        assert written()[-1] == {
            "organizationId": calls("/customer/info")[-1]["organizationId"],
            "phone": cast.PHONES["jasur"],
            "id": person.id,
            "comment": "mahalla",
            "isDeleted": True,
        }

    def test_a_late_job_never_deletes_a_new_account(self, jasur):
        person = introduce(jasur)
        clients.delete(by=jasur)
        again = cast.guest("Jasur", cast.PHONES["jasur"])
        assert again.pk != jasur.pk
        drain()
        assert not person.is_deleted
        assert IikoJob.objects.get(operation="mark_deleted").outcome == "superseded by a new account"
        again.refresh_from_db()
        assert again.iiko_customer_id == person.id

    def test_even_resumed_much_later(self, jasur, malika):
        person = introduce(jasur)
        clients.delete(by=jasur)
        IikoJob.objects.filter(operation="mark_deleted").update(state=State.PAUSED)
        cast.guest("Jasur", cast.PHONES["jasur"])
        drain()
        iiko_jobs.resume(by=malika, job_id=IikoJob.objects.get(operation="mark_deleted").pk)
        assert drain() == 1
        assert not person.is_deleted

    def test_struck_off_in_the_last_moment_the_next_job_brings_back(self, jasur, monkeypatch):
        person = introduce(jasur)
        clients.delete(by=jasur)
        real, again = vendors.iiko._save, []

        def while_somebody_registers(body: dict) -> Reply:
            """Our last look is over, iiko is about to strike the guest off."""
            if body.get("isDeleted") is True:
                again.append(cast.guest("Jasur", cast.PHONES["jasur"]))
            return real(body)

        monkeypatch.setattr(vendors.iiko, "_save", while_somebody_registers)
        iiko_jobs.attempt(iiko_jobs.claim())
        assert person.is_deleted
        assert IikoJob.objects.get(operation="mark_deleted").outcome == "ok"
        assert drain() == 1
        assert not person.is_deleted
        [newcomer] = again
        newcomer.refresh_from_db()
        assert newcomer.iiko_customer_id == person.id

    def test_struck_off_later_the_next_account_brings_back(self, jasur):
        person = introduce(jasur)
        clients.delete(by=jasur)
        drain()
        assert person.is_deleted
        cast.guest("Jasur", cast.PHONES["jasur"])
        drain()
        assert not person.is_deleted

    def test_another_guest_has_the_number(self, jasur):
        introduce(jasur)
        clients.delete(by=jasur)
        del vendors.iiko.people[cast.PHONES["jasur"]]
        other = vendors.iiko.make(cast.PHONES["jasur"])
        drain()
        assert not other.is_deleted
        assert IikoJob.objects.get(operation="mark_deleted").outcome == "the number belongs to another guest"

    def test_nobody_there(self, jasur):
        introduce(jasur)
        clients.delete(by=jasur)
        vendors.iiko.people.clear()
        drain()
        assert IikoJob.objects.get(operation="mark_deleted").outcome == "nobody to strike off"
        assert vendors.iiko.people == {}

    def test_other_jobs_of_the_deleted_do_nothing(self, jasur):
        introduce(jasur)
        ask(jasur)
        ask(jasur, Operation.FLUSH_PROFILE, name="1")
        before = len(written())
        clients.delete(by=jasur)
        drain()
        outcomes_of = dict(IikoJob.objects.order_by("pk").values_list("operation", "outcome"))
        assert outcomes_of == {"sync_user": "user_deleted", "flush_profile": "user_deleted", "mark_deleted": "ok"}
        assert len(written()) == before + 1


@pytest.mark.race
class TestRaces:
    def test_a_job_is_claimed_once(self, jasur):
        results = race(8, lambda number: iiko_jobs.claim())
        assert sum(result is not None for result in results) == 1
        assert IikoJob.objects.get().attempts == 1

    def test_many_workers_do_every_job_once(self, db, monkeypatch):
        monkeypatch.setattr(iiko_jobs, "RUNNERS", 8)
        port("loyalty_system").find_guest(phone="+998900000000")  # the token is there: nobody has to wait for it
        for number in range(20):
            known(cast.guest(f"G{number}", f"+99890333{number:04d}"), number)
        results = race(6, lambda number: iiko_jobs.run_due())
        assert outcomes(results) == {"ok": 6}
        assert sum(results) == 20
        assert set(IikoJob.objects.values_list("state", "attempts")) == {("success", 1)}

    def test_asking_at_once_makes_one_row(self, jasur):
        IikoJob.objects.all().delete()
        results = race(8, lambda number: ask(jasur, **{f"key{number}": number}).pk)
        assert outcomes(results) == {"ok": 8}
        job = IikoJob.objects.get()
        assert (job.asked_count, len(job.payload)) == (8, 8)

    def test_one_guests_jobs_never_run_side_by_side(self, jasur):
        for number in range(3):
            ask(jasur, [Operation.SYNC_USER, Operation.FLUSH_PROFILE, Operation.MARK_DELETED][number], name="1")
        results = race(6, lambda number: iiko_jobs.claim(phone=jasur.phone))
        assert sum(result is not None for result in results) == 1
