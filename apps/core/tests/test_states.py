"""The plumbing of life cycles, shown on a table that lives in core itself: a receipt's kind stands in for a status."""

from dataclasses import dataclass

import pytest
from django.db import connection, transaction

from apps.core import events, states
from apps.core.errors import NotAllowed
from apps.core.models import OutboxMessage, StepLog, WebhookReceipt
from apps.core.states import IllegalStep, Machine, Step
from apps.core.testing import assert_refused, outcomes, race

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class DoorOpened(events.Event):
    door: int


def only_the_porter(obj, by):
    if by is not None:
        raise NotAllowed()


MACHINE = Machine(
    status_field="kind",
    steps={
        ("shut", "open"): Step(stamp="received_at", event=lambda door, by, reason: DoorOpened(door=door.pk), who="all"),
        ("open", "locked"): Step(guard=only_the_porter, who="porter", note="at night"),
    },
)


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    monkeypatch.setattr(states, "_machines", {WebhookReceipt: MACHINE})


@pytest.fixture
def door():
    return WebhookReceipt.objects.create(vendor="door", external_id="1", kind="shut")


def test_a_step_writes_stamps_and_logs(door):
    before = door.received_at
    moved = states.step(door, "open", by=None, reason="morning")
    assert (moved.kind, moved.received_at > before) == ("open", True)
    log = states.history(door).get()
    assert (log.from_status, log.to_status, log.by, log.reason) == ("shut", "open", "system", "morning")


def test_a_long_reason_is_kept_as_far_as_the_column_reaches(door):
    states.step(door, "open", by=None, reason="why " * 500)
    assert len(states.history(door).get().reason) == 500


@pytest.fixture
def doors():
    rows = (WebhookReceipt(vendor="door", external_id=f"many-{number}", kind="shut") for number in range(3))
    return WebhookReceipt.objects.bulk_create(rows)


def test_many_step_together_and_each_leaves_its_trace(doors, django_assert_num_queries):
    states.step_all(doors[:1], "open", by=None)
    with django_assert_num_queries(4):  # a savepoint, the rows, their log, its release: nobody listens to this fact
        states.step_all(doors[1:], "open", by=None, reason="morning")
    assert {door.kind for door in doors} == {"open"}
    assert set(WebhookReceipt.objects.values_list("kind", flat=True)) == {"open"}
    assert [(log.from_status, log.to_status, log.by, log.reason) for log in states.history(doors[2])] == [
        ("shut", "open", "system", "morning")
    ]
    states.step_all([], "open", by=None)


def test_of_many_all_step_or_none(doors):
    WebhookReceipt.objects.filter(pk=doors[2].pk).update(kind="open")
    unchanged = [WebhookReceipt.objects.all(), StepLog.objects.all()]
    assert_refused(IllegalStep, lambda: states.step_all(doors, "open", by=None), unchanged=unchanged)
    assert_refused(IllegalStep, lambda: states.step_all(doors[:1], "locked", by=None), unchanged=unchanged)
    states.step_all(doors[:2], "open", by=None)
    assert_refused(NotAllowed, lambda: states.step_all(doors[:2], "locked", by=doors[0]), unchanged=unchanged)
    doors[2].kind = "shut"
    with pytest.raises(ValueError, match="one state"):
        states.step_all(doors, "open", by=None)


def test_a_step_that_is_not_in_the_table_is_refused(door):
    refused = assert_refused(
        IllegalStep,
        lambda: states.step(door, "locked", by=None),
        unchanged=[WebhookReceipt.objects.all(), StepLog.objects.all()],
    )
    assert (refused.status, str(refused)) == (409, "Cannot change status from shut to locked")


def test_a_guard_is_asked_with_the_fresh_row(door):
    states.step(door, "open", by=None)
    unchanged = [WebhookReceipt.objects.all(), StepLog.objects.all(), OutboxMessage.objects.all()]
    assert_refused(NotAllowed, lambda: states.step(door, "locked", by=door), unchanged=unchanged)
    assert states.step(door, "locked", by=None).kind == "locked"


def test_a_stale_copy_decides_nothing(door):
    stale = WebhookReceipt.objects.get(pk=door.pk)
    states.step(door, "open", by=None)
    assert_refused(IllegalStep, lambda: states.step(stale, "open", by=None))


def test_the_table_prints_itself():
    assert MACHINE.as_markdown().splitlines()[2:] == [
        "| shut | open | all |  |",
        "| open | locked | porter | at night |",
    ]
    assert MACHINE.allowed_from("shut") == ["open"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_wins(door):
    def open_it(_):
        with transaction.atomic():
            return states.step(door, "open", by=None)

    assert outcomes(race(8, open_it)) == {"ok": 1, "IllegalStep": 7}
    assert StepLog.objects.count() == 1
    assert connection.vendor == "postgresql"
