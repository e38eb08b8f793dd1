"""Every production path: shape, status code, role, stranger (contract florist 1.6; defects 19, 20)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.core.testing import query_budget
from apps.florist.actions import production, workbench
from apps.florist.models import Employee, ProductionTask, Shop
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Caller, Role

BASE = "/api/production"
ITEM = {
    *("id", "task_id", "order_item_id", "quantity", "is_completed", "completed_at"),
    *("quality_approved", "quality_notes"),
}
ROW = {
    *("id", "order_id", "task_type", "priority", "estimated_minutes", "deadline", "instructions", "florist_id"),
    *("status", "created_at", "assigned_at", "started_at", "completed_at", "actual_minutes", "quality_score"),
    *("work_photos", "result_photos", "florist_notes", "quality_notes", "is_overdue", "time_spent"),
}
TASK = ROW | {"items"}


def body(answer: Any) -> Any:
    return json.loads(answer.content)


def shown(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return body(answer)


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_lists_hold_rows_and_one_holds_lines(rosa: Shop, bek: Employee) -> None:
    task = workshop.task(rosa)
    call = Caller(bek)
    for path in ("/tasks/", "/tasks", "/tasks/pending"):
        found = shown(call("GET", f"{BASE}{path}"))
        assert (found.keys(), found["total"], [row.keys() for row in found["items"]]) == (
            {"items", "total"},
            1,
            [ROW],
        )
    one = shown(call("GET", f"{BASE}/tasks/{task.pk}"))
    assert one.keys() == TASK
    assert [item.keys() for item in one["items"]] == [ITEM]
    assert shown(call("GET", f"{BASE}/tasks/{task.pk}/items")) == one["items"]
    assert (one["priority"], one["status"], one["is_overdue"], one["time_spent"]) == ("normal", "pending", False, 0)


def test_urgent_goes_before_high_normal_and_low(rosa: Shop, bek: Employee) -> None:
    for priority in (3, 1, 0, 2):
        task = workshop.task(rosa)
        ProductionTask.objects.filter(pk=task.pk).update(priority=priority)
    found = shown(Caller(bek)("GET", f"{BASE}/tasks/"))
    assert [row["priority"] for row in found["items"]] == ["urgent", "high", "normal", "low"]


def test_filters_and_pages(rosa: Shop, bek: Employee, aida: Employee) -> None:
    mine, free = workshop.started(rosa, aida), workshop.task(rosa)
    call = Caller(bek)
    for query, expected in [
        ("status=in_progress", [mine.pk]),
        ("status=pending", [free.pk]),
        (f"florist_id={aida.pk}", [mine.pk]),
        (f"order_id={free.order_id}", [free.pk]),
        ("priority=normal", [mine.pk, free.pk]),
        ("priority=urgent", []),
        ("skip=1&limit=1", [free.pk]),
    ]:
        found = shown(call("GET", f"{BASE}/tasks/?{query}"))
        assert [row["id"] for row in found["items"]] == expected, query
    for wrong in ("status=done", "priority=1", "skip=-1", "limit=101", "florist_id=x"):
        assert call("GET", f"{BASE}/tasks/?{wrong}").status_code == 422, wrong


def test_florists_see_their_own_and_free_tasks(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee, ruslan: Employee, dana: Employee
) -> None:
    mine, free, handed = workshop.started(rosa, aida), workshop.task(rosa), workshop.handed_in(rosa, aida)
    seen = {
        who.name: {row["id"] for row in shown(Caller(who)("GET", f"{BASE}/tasks/"))["items"]}
        for who in (bek, aida, gulnar, dana)
    }
    assert seen == {
        "Bek": {mine.pk, free.pk, handed.pk},
        "Aida": {mine.pk, free.pk, handed.pk},
        "Gulnar": {free.pk},
        "Dana": set(),
    }
    assert Caller(ruslan)("GET", f"{BASE}/tasks/").status_code == 403
    assert Caller(gulnar)("GET", f"{BASE}/tasks/{mine.pk}").status_code == 404
    assert Caller(gulnar)("GET", f"{BASE}/tasks/{handed.pk}").status_code == 200
    assert Caller(dana)("GET", f"{BASE}/tasks/{mine.pk}").status_code == 404


def test_overdue_is_a_bare_list(rosa: Shop, bek: Employee) -> None:
    late, over, _ = workshop.task(rosa), workshop.task(rosa), workshop.task(rosa)
    ProductionTask.objects.filter(pk__in=[late.pk, over.pk]).update(deadline=workshop.ago(hours=1))
    production.cancel(by=bek, task_id=over.pk)
    [row] = shown(Caller(bek)("GET", f"{BASE}/tasks/overdue"))
    assert (row["id"], row["is_overdue"], row.keys()) == (late.pk, True, TASK)


def test_lists_cost_the_same_however_long(rosa: Shop, bek: Employee) -> None:
    for _ in range(6):
        workshop.task(rosa)
    ProductionTask.objects.update(deadline=workshop.ago(hours=1))
    call = Caller(bek)
    for path, most in (("/tasks/", 5), ("/tasks/pending", 5), ("/tasks/overdue", 5), ("/queue/stats", 6)):
        with query_budget(most):
            shown(call("GET", f"{BASE}{path}"))


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_bouquet_from_the_queue_to_the_check(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    task = workshop.task(rosa)
    hers, boss, path = Caller(aida), Caller(bek), f"{BASE}/tasks/{task.pk}"
    assert shown(hers("POST", f"{path}/assign", {"florist_id": aida.pk}), 201)["status"] == "assigned"
    assert shown(hers("POST", f"{path}/start", {"florist_notes": "on it"}), 201)["florist_notes"] == "on it"
    refused = hers("POST", f"{path}/complete")
    assert (refused.status_code, body(refused)["code"]) == (400, "result_photo_missing")
    sent = hers.client.post(f"/florist{path}/photos", {"file": workshop.picture()}, headers=hers.headers)
    assert sent.status_code == 201 and "sig=" in body(sent)["url"]
    done = shown(hers("POST", f"{path}/complete", {"actual_minutes": 12}), 201)
    assert (done["status"], done["actual_minutes"], len(done["result_photos"])) == ("quality_check", 12, 1)
    verdict = {"quality_score": 5, "quality_approved": True, "quality_notes": "lovely"}
    assert body(hers("POST", f"{path}/quality-check", verdict))["code"] == "own_work"
    checked = shown(boss("POST", f"{path}/quality-check", verdict), 201)
    assert (checked["status"], checked["quality_score"], checked["quality_notes"]) == ("completed", 5, "lovely")
    assert [item["quality_approved"] for item in checked["items"]] == [True]
    task.order.refresh_from_db()
    assert task.order.status == "assembled"


def test_steps_out_of_turn_are_400(rosa: Shop, bek: Employee) -> None:
    path, call = f"{BASE}/tasks/{workshop.task(rosa).pk}", Caller(bek)
    verdict = {"quality_score": 5, "quality_approved": True}
    for step, sent in (
        ("start", None),
        ("complete", {"result_photos": ["https://x.kz/a.jpg"]}),
        ("quality-check", verdict),
    ):
        answer = call("POST", f"{path}/{step}", sent)
        assert (answer.status_code, body(answer)["code"]) == (400, "illegal_task_step"), step
    assert shown(call("POST", f"{path}/cancel"), 201)["status"] == "cancelled"
    assert call("POST", f"{path}/cancel").status_code == 400


def test_malformed_steps_are_422(rosa: Shop, bek: Employee) -> None:
    path, call = f"{BASE}/tasks/{workshop.task(rosa).pk}", Caller(bek)
    for step, sent in (
        ("assign", {}),
        ("assign", {"florist_id": "x"}),
        ("complete", {"actual_minutes": -1}),
        ("quality-check", {"quality_score": 6, "quality_approved": True}),
        ("quality-check", {"quality_score": 0, "quality_approved": True}),
        ("quality-check", {"quality_score": 5}),
        ("start", {"unknown": 1}),
    ):
        assert call("POST", f"{path}/{step}", sent).status_code == 422, (step, sent)


def test_tasks_by_hand(rosa: Shop, bek: Employee, aida: Employee, dana: Employee) -> None:
    order = workshop.order(rosa)
    line = order.items.get().pk
    new = {"order_id": order.pk, "items": [{"order_item_id": line, "quantity": 1}], "task_type": "decoration"}
    made = shown(Caller(bek)("POST", f"{BASE}/tasks/", {**new, "priority": "high"}), 201)
    assert (made["task_type"], made["priority"], made["estimated_minutes"]) == ("decoration", "high", 30)
    call = Caller(bek)
    for changed, status in [
        ({}, 409),
        ({"order_id": 10**9}, 404),
        ({"items": []}, 400),
        ({"items": [{"order_item_id": line, "quantity": 0}]}, 422),
        ({"estimated_minutes": 4}, 422),
        ({"estimated_minutes": 481}, 422),
        ({"priority": "now"}, 422),
        ({"task_type": "other"}, 422),
        ({"deadline": "0001-01-01T00:00:00+05:00"}, 422),
    ]:
        assert call("POST", f"{BASE}/tasks/", {**new, **changed}).status_code == status, changed
    assert Caller(aida)("POST", f"{BASE}/tasks/", new).status_code == 403
    assert Caller(dana)("POST", f"{BASE}/tasks/", new).status_code == 404


# ── Changing ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_manager_changes_a_task(rosa: Shop, bek: Employee, method: str) -> None:
    task = workshop.task(rosa)
    changes = {"priority": "low", "instructions": "pink ribbon", "deadline": "2026-12-01T10:00:00"}
    found = shown(Caller(bek)(method, f"{BASE}/tasks/{task.pk}", changes))
    assert {name: found[name] for name in changes} == {**changes, "deadline": "2026-12-01T10:00:00Z"}


def test_a_card_dropped_on_a_column_takes_the_step(rosa: Shop, bek: Employee, aida: Employee) -> None:
    path = f"{BASE}/tasks/{workshop.task(rosa).pk}"
    hers, boss = Caller(aida), Caller(bek)
    found = shown(hers("PATCH", path, {"status": "in_progress"}))
    assert (found["status"], found["florist_id"]) == ("in_progress", aida.pk)
    assert hers("PATCH", path, {"status": "quality_check"}).status_code == 400
    done = shown(hers("PATCH", path, {"status": "quality_check", "result_photos": ["https://x.kz/a.jpg"]}))
    assert done["status"] == "quality_check"
    assert body(boss("PATCH", path, {"status": "completed"}))["code"] == "mark_missing"
    back = shown(boss("PATCH", path, {"status": "in_progress", "quality_score": 2, "quality_notes": "too loose"}))
    assert (back["status"], back["quality_score"]) == ("in_progress", 2)
    shown(hers("PATCH", path, {"status": "quality_check", "result_photos": ["https://x.kz/b.jpg"]}))
    assert hers("PATCH", path, {"status": "completed", "quality_score": 5}).status_code == 403
    assert shown(boss("PATCH", path, {"status": "completed", "quality_score": 5}))["status"] == "completed"
    for status in ("pending", "assigned", "in_progress", "quality_check", "cancelled"):
        assert boss("PATCH", path, {"status": status, "quality_score": 1, "quality_notes": "x"}).status_code == 400


def test_a_status_is_no_free_text(rosa: Shop, bek: Employee) -> None:
    task = workshop.task(rosa)
    path, call = f"{BASE}/tasks/{task.pk}", Caller(bek)
    assert call("PUT", path, {"status": "finished"}).status_code == 422
    for status in ("assigned", "in_progress", "quality_check"):
        assert body(call("PUT", path, {"status": status}))["code"] == "illegal_task_step"
    assert call("PUT", path, {"status": "completed", "quality_score": 5}).status_code == 400
    task.refresh_from_db()
    assert task.status == "pending"


def test_a_task_is_given_to_another_florist(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    task = workshop.started(rosa, aida)
    path = f"{BASE}/tasks/{task.pk}"
    found = shown(Caller(bek)("PUT", path, {"florist_id": gulnar.pk}))
    assert (found["florist_id"], found["status"]) == (gulnar.pk, "assigned")
    assert Caller(aida)("PUT", path, {"florist_id": aida.pk}).status_code == 404
    assert Caller(gulnar)("PUT", path, {"florist_id": aida.pk}).status_code == 403
    assert shown(Caller(gulnar)("PUT", path, {"florist_id": None}))["status"] == "pending"


def test_a_florist_writes_notes_and_nothing_else(rosa: Shop, aida: Employee, gulnar: Employee) -> None:
    task = workshop.started(rosa, aida)
    path, call = f"{BASE}/tasks/{task.pk}", Caller(aida)
    assert shown(call("PUT", path, {"florist_notes": "three broken"}))["florist_notes"] == "three broken"
    for word in ({"priority": "low"}, {"deadline": None}, {"instructions": "x"}, {"quality_score": 5}):
        assert call("PUT", path, word).status_code == 403, word
    assert Caller(gulnar)("PUT", path, {"florist_notes": "x"}).status_code == 404
    task.refresh_from_db()
    assert (task.priority, task.quality_score) == (2, None)


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_lines_are_ticked_and_judged(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    item = workshop.started(rosa, aida).items.get()
    path = f"{BASE}/task-items/{item.pk}"
    assert shown(Caller(aida)("PUT", path, {"is_completed": True})).keys() == ITEM
    done = shown(Caller(bek)("POST", f"{path}/complete?quality_approved=true&quality_notes=fine"), 201)
    assert (done["is_completed"], done["quality_approved"], done["quality_notes"]) == (True, True, "fine")
    assert Caller(aida)("POST", f"{path}/complete?quality_approved=true").status_code == 403
    assert Caller(gulnar)("PUT", path, {"is_completed": False}).status_code == 404
    assert Caller(bek)("PUT", f"{BASE}/task-items/{10**9}", {"is_completed": True}).status_code == 404
    assert Caller(bek)("PUT", path, {"is_completed": "perhaps"}).status_code == 422


def test_the_stem_list_knows_batches_and_no_prices(rosa: Shop, bek: Employee, aida: Employee) -> None:
    bouquet = cast.product(rosa)
    cast.recipe(bouquet, stems=11)
    lot = cast.batch(rosa, qty=20)
    task = ProductionTask.objects.get(order=workshop.order(rosa, (bouquet, 1)))
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    path, call = f"{BASE}/tasks/{task.pk}", Caller(aida)
    [stem] = shown(call("GET", f"{path}/stems"))["items"]
    assert (stem["variety"], stem["height_cm"], stem["qty"], stem["missing"]) == ("Red Naomi", 60, 11, 0)
    assert stem["batches"] == [{"id": lot.pk, "sku": lot.sku, "qty": 11}]
    assert not {"cost", "price", "unit_cost"} & stem.keys()
    [ticked] = shown(call("POST", f"{path}/stems", {"key": stem["key"]}))["items"]
    assert ticked["is_ticked"] is True
    assert call("POST", f"{path}/stems", {"key": "1:x:1"}).status_code == 400
    shown(call("POST", f"{path}/shortage", {"note": "three are broken"}), 201)
    other = cast.batch(rosa, variety="Explorer", qty=5)
    swap = {
        "order_item_id": stem["order_item_id"],
        "from_batch_id": lot.pk,
        "to_batch_id": other.pk,
        "qty": 3,
        "reason": "broken",
    }
    made = shown(call("POST", f"{path}/substitutions", swap), 201)
    assert (made["qty"], made["reason"], made["to_batch_id"]) == (3, "broken", other.pk)
    short = call("POST", f"{path}/substitutions", {**swap, "qty": 6})
    assert short.status_code == 409
    for wrong in ({"reason": " "}, {"missing_key": "x"}, {"from_batch_id": None}):
        assert call("POST", f"{path}/substitutions", {**swap, **wrong}).status_code == 422


def test_a_missing_flower_is_replaced(rosa: Shop, aida: Employee) -> None:
    bouquet = cast.product(rosa)
    cast.recipe(bouquet, stems=11)
    task = ProductionTask.objects.get(order=workshop.order(rosa, (bouquet, 1)))
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    path, call = f"{BASE}/tasks/{task.pk}", Caller(aida)
    [stem] = shown(call("GET", f"{path}/stems"))["items"]
    other = cast.batch(rosa, variety="Explorer", qty=20)
    swap = {
        "order_item_id": stem["order_item_id"],
        "missing_key": stem["key"],
        "to_batch_id": other.pk,
        "qty": 11,
        "reason": "none came",
    }
    made = shown(call("POST", f"{path}/substitutions", swap), 201)
    assert (made["from_batch_id"], made["for_variety"], made["for_height_cm"]) == (None, "Red Naomi", 60)
    [stem] = shown(call("GET", f"{path}/stems"))["items"]
    assert (stem["variety"], stem["qty"], stem["missing"]) == ("Explorer", 11, 0)
    assert call("POST", f"{path}/substitutions", swap).status_code == 409


# ── The queue ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_next_task_or_null(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    task = workshop.task(rosa)
    path = f"{BASE}/queue/get-next-task"
    taken = shown(Caller(aida)("POST", f"{path}/{aida.pk}"), 201)
    assert (taken["id"], taken["status"], taken["florist_id"], taken.keys()) == (task.pk, "assigned", aida.pk, TASK)
    for who in (aida, gulnar):
        again = Caller(who)("POST", f"{path}/{who.pk}")
        assert (again.status_code, again.content) == (201, b"null")
    assert Caller(aida)("POST", f"{path}/{gulnar.pk}").status_code == 403
    assert Caller(bek)("POST", f"{path}/{aida.pk}").status_code == 403
    assert Caller(bek)("POST", f"{path}/{bek.pk}").status_code == 400


def test_tasks_of_an_order_are_made_once(rosa: Shop, bek: Employee, aida: Employee, dana: Employee) -> None:
    order = workshop.order(rosa)
    path = f"{BASE}/queue/create-from-order/{order.pk}"
    first = shown(Caller(bek)("POST", path), 201)
    assert [row.keys() for row in first] == [TASK]
    assert shown(Caller(bek)("POST", path), 201) == first
    assert Caller(aida)("POST", path).status_code == 403
    assert Caller(dana)("POST", path).status_code == 404
    made = workshop.assembled(rosa)
    assert Caller(bek)("POST", f"{BASE}/queue/create-from-order/{made.pk}").status_code == 400


def test_distribute_and_check_overdue(rosa: Shop, bek: Employee, aida: Employee) -> None:
    workshop.task(rosa)
    ProductionTask.objects.update(deadline=workshop.ago(hours=1))
    boss = Caller(bek)
    assert shown(boss("POST", f"{BASE}/queue/check-overdue"), 201) == {"updated_tasks": 1}
    dealt = shown(boss("POST", f"{BASE}/queue/distribute"), 201)
    assert dealt == {"distributed": 1, "skipped": 0, "total_pending": 1}
    for path in ("distribute", "check-overdue"):
        assert Caller(aida)("POST", f"{BASE}/queue/{path}").status_code == 403


def test_figures_of_the_queue(rosa: Shop, tulip: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    begun, free = workshop.started(rosa, aida), workshop.task(rosa)
    workshop.task(tulip)
    ProductionTask.objects.filter(pk=free.pk).update(deadline=workshop.ago(hours=1), priority=0)
    call = Caller(bek)
    assert shown(call("GET", f"{BASE}/queue/stats")) == {
        "pending_tasks": 1,
        "assigned_tasks": 0,
        "in_progress_tasks": 1,
        "overdue_tasks": 1,
        "urgent_tasks": 1,
        "tasks_by_type": {"bouquet": 2, "composition": 0, "decoration": 0},
        "tasks_by_priority": {"urgent": 1, "high": 0, "normal": 1, "low": 0},
    }
    idle = {"active_tasks": 0, "completed_today": 0, "estimated_minutes_remaining": 0, "current_task": None}
    busy = {"active_tasks": 1, "completed_today": 0, "estimated_minutes_remaining": 20, "current_task": begun.pk}
    assert shown(call("GET", f"{BASE}/queue/workload")) == {str(aida.pk): busy, str(gulnar.pk): idle}


def test_real_florists_with_their_tasks(
    rosa: Shop, tulip: Shop, bek: Employee, aida: Employee, gulnar: Employee
) -> None:
    off = cast.employee(rosa, Role.FLORIST, "Zarina", is_on_shift=False)
    cast.employee(tulip, Role.FLORIST)
    workshop.started(rosa, aida)
    found = shown(Caller(bek)("GET", f"{BASE}/florists"))
    assert found == {
        "items": [
            {"id": aida.pk, "name": "Aida", "status": "busy", "current_tasks": 1},
            {"id": gulnar.pk, "name": "Gulnar", "status": "available", "current_tasks": 0},
            {"id": off.pk, "name": "Zarina", "status": "off", "current_tasks": 0},
        ],
        "total": 3,
    }


def test_figures_of_a_florist(rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee) -> None:
    for score, minutes in ((5, 10), (4, 20)):
        task = workshop.started(rosa, aida)
        workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
        production.complete(by=aida, task_id=task.pk, actual_minutes=minutes)
        production.check(by=bek, task_id=task.pk, quality_score=score, quality_approved=True)
    workshop.started(rosa, aida)
    path = f"{BASE}/florists/{aida.pk}/stats"
    assert shown(Caller(bek)("GET", path)) == {
        "florist_id": aida.pk,
        "total_tasks": 3,
        "completed_tasks": 2,
        "in_progress_tasks": 1,
        "average_quality_score": 4.5,
        "average_completion_time": 15,
        "overdue_tasks": 0,
        "returned_tasks": 0,
    }
    assert Caller(dana)("GET", path).status_code == 404
    assert Caller(bek)("GET", f"{BASE}/florists/{ruslan.pk}/stats").status_code == 404
    today = timezone.now().date()
    span = f"date_from={today - timedelta(days=1)}&date_to={today + timedelta(days=1)}"
    [row] = shown(Caller(bek)("GET", f"{BASE}/florists/quality?{span}"))["items"]
    assert (row["completed"], row["on_time"], row["minutes"], row["average_score"]) == (2, 2, 30, 4.5)
    assert Caller(aida)("GET", f"{BASE}/florists/quality?{span}").status_code == 403
    assert Caller(bek)("GET", f"{BASE}/florists/quality?date_from=2026-01-02&date_to=2026-01-01").status_code == 422


def test_nobody_without_a_token_and_no_switched_off_florist(rosa: Shop, aida: Employee) -> None:
    task = workshop.task(rosa)
    assert Caller()("GET", f"{BASE}/tasks/{task.pk}").status_code == 401
    aida.permissions = {"production": False}
    aida.save()
    assert Caller(aida)("GET", f"{BASE}/tasks/{task.pk}").status_code == 403
    assert Caller(aida)("POST", f"{BASE}/queue/get-next-task/{aida.pk}").status_code == 403
