from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core import events
from apps.core.models import OutboxMessage
from apps.core.testing import deliver, race

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class KettleBoiled(events.Event):
    litres: int


heard: list[str] = []
mood = {"fails": 0, "later": 0.0}


@pytest.fixture(autouse=True)
def _listeners(monkeypatch):
    heard.clear()
    mood.update(fails=0, later=0.0)
    monkeypatch.setattr(events, "_now", defaultdict(list))
    monkeypatch.setattr(events, "_later", defaultdict(dict))
    monkeypatch.setattr(events, "_types", {})

    @events.on(KettleBoiled)
    def pour(event):
        heard.append(f"poured {event.litres}")
        if event.litres < 0:
            raise ValueError("no such kettle")

    @events.after(KettleBoiled)
    def serve(event):
        if mood["later"]:
            raise events.RetryLater(mood["later"])
        if mood["fails"]:
            mood["fails"] -= 1
            raise RuntimeError("+998901234567 spilled")
        heard.append(f"served {event.litres}")


def boil(litres=1):
    with transaction.atomic():
        events.publish(KettleBoiled(litres=litres))


def test_the_one_kind_runs_at_once_and_the_other_after_delivery():
    boil(2)
    assert heard == ["poured 2"]
    assert deliver() == 1
    assert heard == ["poured 2", "served 2"]
    assert deliver() == 0


@pytest.mark.django_db(transaction=True)
def test_a_fact_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError):
        events.publish(KettleBoiled(litres=1))
    assert heard == []


def test_a_rollback_takes_the_message_along():
    with pytest.raises(ValueError, match="kettle"):
        boil(-1)
    assert not OutboxMessage.objects.exists()


def test_a_failure_is_tried_again_later_and_longer():
    mood["fails"] = 2
    boil()
    events.relay()
    message = OutboxMessage.objects.get()
    assert message.attempts == 1
    assert 3 < (message.due_at - timezone.now()).total_seconds() <= 5
    events.relay(now=timezone.now() + timedelta(seconds=6))
    message.refresh_from_db()
    assert 8 < (message.due_at - timezone.now()).total_seconds() <= 10
    events.relay(now=timezone.now() + timedelta(seconds=11))
    message.refresh_from_db()
    assert message.state == "delivered"
    assert heard[-1] == "served 1"


def test_an_error_text_never_reaches_the_row():
    mood["fails"] = 1
    boil()
    events.relay()
    assert "RuntimeError" in OutboxMessage.objects.get().last_error
    assert "998" not in OutboxMessage.objects.get().last_error


def test_after_the_last_attempt_it_is_a_dead_letter_until_revived():
    mood["fails"] = events.MAX_ATTEMPTS
    boil()
    for day in range(events.MAX_ATTEMPTS):
        events.relay(now=timezone.now() + timedelta(days=day + 1))
    message = OutboxMessage.objects.get()
    assert (message.state, message.attempts) == ("dead", events.MAX_ATTEMPTS)
    assert events.relay(now=timezone.now() + timedelta(days=99)) == 0
    assert events.revive(OutboxMessage.objects.all()) == 1
    assert deliver() == 1
    assert heard[-1] == "served 1"


def test_asking_for_later_is_not_a_failure():
    mood["later"] = 30.0
    boil()
    events.relay()
    message = OutboxMessage.objects.get()
    assert (message.attempts, message.last_error) == (0, "")
    assert 28 < (message.due_at - timezone.now()).total_seconds() <= 30


def test_a_message_for_a_handler_that_is_gone_is_kept():
    OutboxMessage.objects.create(event="core.Gone", handler="apps.core.gone", payload={})
    deliver(expect_failures=True)
    assert OutboxMessage.objects.get().last_error.startswith("LookupError")


def test_old_delivered_messages_are_pruned_and_dead_ones_stay():
    long_ago = timezone.now() - timedelta(days=30)
    OutboxMessage.objects.create(event="a", handler="b", payload={}, delivered_at=long_ago)
    OutboxMessage.objects.create(event="a", handler="b", payload={}, dead_at=long_ago)
    assert events.prune() == 1
    assert OutboxMessage.objects.get().state == "dead"


def age_the_claim(**changes):
    """As if the relay had been busy for longer than its claim."""
    OutboxMessage.objects.update(due_at=timezone.now() + timedelta(seconds=1), **changes)


def test_a_late_failure_does_not_undo_what_another_relay_delivered():
    boil()
    message = events._claim(1, timezone.now())[0]
    mood["fails"] = 1
    OutboxMessage.objects.update(delivered_at=timezone.now())
    events._deliver(message)
    assert OutboxMessage.objects.get().state == "delivered"


def test_a_late_failure_does_not_cut_short_the_claim_of_another_relay():
    boil()
    message = events._claim(1, timezone.now())[0]
    mood["fails"] = 1
    age_the_claim(attempts=2)
    events._deliver(message)
    kept = OutboxMessage.objects.get()
    assert (kept.attempts, kept.last_error, kept.delivered_at) == (2, "", None)


def test_what_a_slow_handler_left_of_the_batch_is_for_the_next_relay(monkeypatch):
    for litres in range(3):
        boil(litres)
    monkeypatch.setattr(events, "CLAIM_SECONDS", 0)
    events.relay(limit=3)
    assert [words for words in heard if words.startswith("served")] == []
    monkeypatch.undo()


def test_a_relay_that_dies_leaves_its_messages_claimable():
    boil(4)
    assert len(events._claim(10, timezone.now())) == 1
    assert events.relay() == 0
    assert events.relay(now=timezone.now() + timedelta(seconds=events.CLAIM_SECONDS + 1)) == 1
    assert heard[-1] == "served 4"
    assert OutboxMessage.objects.get().attempts == 2


def test_a_message_that_kills_its_worker_is_tried_alone_and_ends_as_a_dead_letter():
    boil(1)
    boil(2)
    killer = OutboxMessage.objects.earliest("id")
    OutboxMessage.objects.filter(pk=killer.pk).update(attempts=events.SUSPICIOUS_ATTEMPTS)
    assert [message.pk for message in events._claim(50, timezone.now())] == [killer.pk]
    OutboxMessage.objects.filter(pk=killer.pk).update(attempts=events.MAX_ATTEMPTS, due_at=timezone.now())
    deliver(expect_failures=True)
    killer.refresh_from_db()
    assert (killer.state, killer.last_error) == ("dead", "its worker died each time")
    assert [words for words in heard if words.startswith("served")] == ["served 2"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_relays_deliver_each_message_once():
    for number in range(200):
        boil(number)
    race(8, lambda _: (events.relay(), connection.close()))
    served = [words for words in heard if words.startswith("served")]
    assert sorted(served) == sorted(f"served {number}" for number in range(200))
