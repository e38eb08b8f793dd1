"""What the pages of florists and couriers are filled with: who sees what, in constant queries (contract florist 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.testing import query_budget
from apps.florist import errors
from apps.florist.actions import production, runs, stops, workbench
from apps.florist.actions.runs import StopWish
from apps.florist.actions.stops import Proof
from apps.florist.models import Employee, ProductionTask, Shop
from apps.florist.queries import deliveries
from apps.florist.queries import production as making
from apps.florist.tests import cast, workshop


def test_a_florists_bench(rosa: Shop, tulip: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    begun, handed = workshop.started(rosa, aida), workshop.handed_in(rosa, gulnar)
    own_handed = workshop.handed_in(rosa, aida)
    later, late = workshop.task(rosa), workshop.task(rosa)
    ProductionTask.objects.filter(pk=late.pk).update(deadline=workshop.ago(hours=1), priority=0)
    workshop.task(tulip)
    done = workshop.handed_in(rosa, aida)
    production.check(by=bek, task_id=done.pk, quality_score=5, quality_approved=True)
    seen = making.bench(by=aida)
    assert (seen.current, seen.upcoming) == (begun, late)
    assert (seen.mine, seen.free, seen.overdue) == ([begun], [late, later], [late])
    assert (seen.to_check, seen.done_today) == ([handed], 1)
    assert making.to_check(by=gulnar) == [own_handed]
    assert {task.pk for task in making.to_check(by=bek)} == {handed.pk, own_handed.pk}


def test_a_bench_costs_the_same_however_full(rosa: Shop, aida: Employee) -> None:
    for _ in range(5):
        workshop.task(rosa)
    with query_budget(3):
        for task in making.bench(by=aida).free:
            assert task.order.pk and [item.order_item.product_name for item in task.items.all()]


def test_the_sheet_of_a_task(rosa: Shop, aida: Employee, dana: Employee) -> None:
    bouquet = cast.product(rosa, image_url="/uploads/roses.jpg")
    cast.recipe(bouquet, stems=7)
    cast.recipe(bouquet, "Eucalyptus", stems=3, height_cm=None)
    cast.batch(rosa, qty=20)
    buyer = cast.customer(rosa, preferences="no lilies")
    order = workshop.order(rosa, (bouquet, 1), customer_phone=buyer.phone, card_text="For mother")
    task = ProductionTask.objects.get(order=order)
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    [key] = [key for key in workbench.stem_keys(task) if "Naomi" in key]
    workbench.tick(by=aida, task_id=task.pk, key=key)
    with query_budget(10):
        sheet = making.sheet(by=aida, task_id=task.pk)
        [line] = sheet.lines
    assert (sheet.preferences, sheet.order.card_text, line.image_url) == (
        "no lilies",
        "For mother",
        "/uploads/roses.jpg",
    )
    assert {(row.stem.variety, row.stem.qty, row.is_ticked) for row in line.stems if not row.stem.missing} == {
        ("Red Naomi", 7, True)
    }
    assert [(stem.variety, stem.missing) for stem in sheet.missing] == [("Eucalyptus", 3)]
    with pytest.raises(errors.TaskNotFound):
        making.sheet(by=dana, task_id=task.pk)


def test_quality_of_florists_in_a_time(rosa: Shop, tulip: Shop, bek: Employee, aida: Employee) -> None:
    task = workshop.handed_in(rosa, aida)
    production.check(by=bek, task_id=task.pk, quality_score=2, quality_approved=False, quality_notes="loose")
    workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    production.complete(by=aida, task_id=task.pk, actual_minutes=30)
    production.check(by=bek, task_id=task.pk, quality_score=4, quality_approved=True)
    ProductionTask.objects.update(deadline=workshop.ago(hours=1))
    now = timezone.now()
    span = {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)}
    [row] = making.quality(shop=rosa, **span)
    assert (row.florist_id, row.completed, row.on_time, row.returned, row.average_score) == (aida.pk, 1, 0, 1, 4)
    assert row.minutes >= 30
    assert making.quality(shop=tulip, **span) == []


def test_what_a_courier_drives(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    orders = [workshop.assembled(rosa) for _ in range(3)]
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk) for order in orders])
    over = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(workshop.assembled(rosa).pk)])
    stops.deliver(by=ruslan, stop_id=over.stops.get().pk, proof=Proof(receiver_name="Asel"))
    with query_budget(4):
        [mine] = deliveries.driving(by=ruslan)
        seen = [stop.order.address for stop in mine.stops_in_order]  # type: ignore[attr-defined]
    assert (mine.pk, seen) == (run.pk, ["Abay 10"] * 3)
