"""The back office of tasks, runs and couriers' days: lists in constant queries, every button is one action."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.florist.actions import courier_day, runs, stops
from apps.florist.actions.runs import StopWish
from apps.florist.models import CourierDay, DeliveryRun, Employee, ProductionTask, Shop
from apps.florist.tests import workshop

LISTS = ("productiontask", "deliveryrun", "deliveryattempt", "courierday")


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


def at_work(*rights: str, **more: Any) -> Client:
    person = User.objects.create_user(username=f"clerk{User.objects.count()}", is_staff=True, **more)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="florist", codename__in=rights))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    """A superuser at work."""
    return at_work(is_superuser=True)


def url(model: str, deed: str, *args: Any) -> str:
    return reverse(f"admin:florist_{model}_{deed}", args=args)


def a_day(where: Shop, boss: Employee, courier: Employee) -> DeliveryRun:
    """A run with a failed attempt and a delivery, and one that is still planned."""
    made = [workshop.assembled(where) for _ in range(2)]
    run = runs.plan(by=boss, courier_id=courier.pk, stops=[StopWish(order.pk) for order in made])
    for stop in run.stops.all():
        stops.fail(by=courier, stop_id=stop.pk, reason="no_answer", next_step="retry")
    return run


@pytest.mark.parametrize("model", LISTS)
def test_lists_and_pages_open_in_constant_queries(
    desk: Client, rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee, model: str
) -> None:
    workshop.started(rosa, aida)
    courier_day.close(by=ruslan, cash_handed=Decimal(0), day=workshop.ago(days=9).date())
    a_day(rosa, bek, ruslan)
    counts = []
    for _ in range(2):
        desk.get(url(model, "changelist"))
        with CaptureQueriesContext(connection) as seen:
            answer = desk.get(url(model, "changelist"))
        assert answer.status_code == 200
        counts.append(len(seen))
        workshop.task(rosa)
        a_day(rosa, bek, ruslan)
    assert counts[0] == counts[1]
    for filters in ("?late=yes", "?late=no", "?cash=short", "?cash=over", "?cash=even", "?q=7"):
        assert desk.get(url(model, "changelist") + filters).status_code in (200, 302)
    newest = {
        "productiontask": ProductionTask,
        "deliveryrun": DeliveryRun,
        "deliveryattempt": stops.DeliveryAttempt,
        "courierday": CourierDay,
    }[model].objects.latest("pk")
    assert desk.get(url(model, "change", newest.pk)).status_code == 200


def test_a_task_is_freed_and_cancelled(desk: Client, rosa: Shop, aida: Employee) -> None:
    task = workshop.started(rosa, aida)
    desk.post(url("productiontask", "free", task.pk), {"reason": "went home"})
    task.refresh_from_db()
    assert (task.status, task.florist) == ("pending", None)
    desk.post(url("productiontask", "give_up", task.pk), {"reason": "not needed"})
    task.refresh_from_db()
    assert task.status == "cancelled"
    last = StepLog.objects.filter(model="florist.ProductionTask").latest("pk")
    assert (last.reason, last.by.split(":")[0]) == ("not needed", "accounts.user")
    page = desk.get(url("productiontask", "change", task.pk)).content.decode()
    assert "went home" in page and url("productiontask", "give_up", task.pk) not in page


def test_a_planned_run_is_cancelled(desk: Client, rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = a_day(rosa, bek, ruslan)
    desk.post(url("deliveryrun", "give_up", run.pk), {"reason": "snow"})
    run.refresh_from_db()
    assert (run.status, set(run.stops.values_list("status", flat=True))) == ("cancelled", {"removed"})


def test_cash_is_accepted_by_one_click(desk: Client, ruslan: Employee) -> None:
    day = courier_day.close(by=ruslan, cash_handed=Decimal(0))
    address = url("courierday", "accept", day.pk)
    assert desk.get(address).status_code == 405
    desk.post(address)
    day.refresh_from_db()
    assert day.accepted_at is not None and day.accepted_by is None


def test_a_day_is_opened_again_with_a_reason(desk: Client, ruslan: Employee) -> None:
    day = courier_day.close(by=ruslan, cash_handed=Decimal(0))
    address = url("courierday", "open_again", day.pk)
    assert address in desk.get(url("courierday", "change", day.pk)).content.decode()
    desk.post(address, {"reason": ""})
    day.refresh_from_db()
    assert day.reopened_at is None
    desk.post(address, {"reason": "too early"})
    day.refresh_from_db()
    assert (day.reopen_reason, day.reopened_by) == ("too early", None)
    page = desk.get(url("courierday", "change", day.pk)).content.decode()
    assert "too early" in page and address not in page


def test_looking_is_not_touching(rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee) -> None:
    clerk = at_work("view_productiontask", "view_deliveryrun", "view_courierday", "view_stop", "view_taskitem")
    task, run = workshop.started(rosa, aida), a_day(rosa, bek, ruslan)
    day = courier_day.close(by=ruslan, cash_handed=Decimal(0), day=workshop.ago(days=9).date())
    for model, row, deed in (
        ("productiontask", task, "free"),
        ("productiontask", task, "give_up"),
        ("deliveryrun", run, "give_up"),
        ("courierday", day, "accept"),
        ("courierday", day, "open_again"),
    ):
        assert clerk.get(url(model, "change", row.pk)).status_code == 200
        assert clerk.post(url(model, deed, row.pk), {"reason": "because"}).status_code == 403
        row.refresh_from_db()
    assert (task.status, run.status) == ("in_progress", "planned")
    assert (day.accepted_at, day.reopened_at) == (None, None)
