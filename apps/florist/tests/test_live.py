"""Sockets of the shops: who hears what, and nothing is missed by a break (contract florist 3.10, defect 24)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from apps.accounts import tokens
from apps.core import events
from apps.core.testing import deliver
from apps.florist.actions import people
from apps.florist.conf import PRODUCT
from apps.florist.events import CommentAdded, OrderCreated, OrderEdited, OrderMoved, TaskAssigned, TaskMoved
from apps.florist.models import Comment, Employee, Order, OrderHistory, ProductionTask, Shop
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Caller, Role
from apps.florist.tests.rows import order
from apps.florist.tests.sockets import Ear, token_of
from apps.notifications import actions as notifications
from apps.notifications import switchboard

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def happened(*facts: Any) -> None:
    """The facts are published and their handlers run."""
    with transaction.atomic():
        events.publish(*facts)
    deliver()


def created(of: Order) -> OrderCreated:
    return OrderCreated(order_id=of.pk, shop_id=of.shop_id, source="crm")


def moved(of: Order) -> OrderMoved:
    return OrderMoved(order_id=of.pk, shop_id=of.shop_id, old_status="new", new_status="paid", by_id=None)


async def enter(employee: Employee, path: str = "/ws", query: str = "") -> Ear:
    ear = Ear(path, f"token={await sync_to_async(token_of)(employee)}{query}")
    hello = await ear.open()
    assert hello == {
        "type": "connection",
        "status": "connected",
        "timestamp": hello["timestamp"],
        "shop_id": employee.shop_id,
    }
    return ear


@pytest.mark.parametrize("base", ["", "/florist"])
@pytest.mark.parametrize("path", ["/ws", "/ws/", "/ws/orders/{}", "/ws/orders/{}/", "/ws/production/{}"])
async def test_the_desk_hears_orders_and_tasks(bek: Employee, rosa: Shop, base: str, path: str) -> None:
    mine = await sync_to_async(order)(rosa)
    task = await sync_to_async(ProductionTask.objects.create)(shop=rosa, order=mine)
    ear = await enter(bek, base + path.format(rosa.pk))
    await happened(created(mine), moved(mine))
    moved_task = TaskMoved(task_id=task.pk, shop_id=rosa.pk, order_id=mine.pk, status="completed", by_id=None)
    await happened(moved_task)
    kinds = [kind for kind in await ear.kinds() if kind != "notification"]
    orders = ["order_created", "status_changed", "order_update", "order_updated"]
    tasks = ["task_updated", "task_completed"]
    assert kinds == {"/ws": orders + tasks, "/ws/o": orders, "/ws/p": tasks}.get(path.rstrip("/")[:5])
    await ear.leave()


async def test_frames_hold_states_and_no_people(bek: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa, address="Abaya 1, 5", recipient_phone="+77019990000")
    ear = await enter(bek, f"/ws/orders/{rosa.pk}")
    await happened(created(mine))
    frame = next(frame for frame in await ear.heard() if frame["type"] == "order_created")
    assert set(frame) == {"type", "shop_id", "order_id", "data", "timestamp"}
    assert (frame["order_id"], frame["data"]["status"]) == (mine.pk, "new")
    assert "Abaya" not in str(frame)
    assert "+7701" not in str(frame)
    await ear.leave()


@pytest.mark.parametrize("path", ["/ws", "/ws/orders/{}", "/ws/production/{}", "/florist/ws"])
@pytest.mark.parametrize("query", ["", "token=", "token=nonsense", "since=2026-01-01T00:00:00Z"])
async def test_no_token_or_a_bad_one_is_1008(rosa: Shop, path: str, query: str) -> None:
    answer = await Ear(path.format(rosa.pk), query).open()
    assert (answer["type"], answer["code"]) == ("websocket.close", 1008)


async def test_a_token_of_another_product_or_kind_is_1008(aida: Employee) -> None:
    pair = await sync_to_async(tokens.issue)(aida.user, "florist", aida.pk)
    other = await sync_to_async(tokens.issue)(aida.user, "shop", aida.pk)
    for token in (pair.refresh, other.access):
        assert (await Ear("/ws", f"token={token}").open())["code"] == 1008


async def test_the_header_proves_too(bek: Employee) -> None:
    token = await sync_to_async(token_of)(bek)
    ear = Ear("/ws", headers=[(b"authorization", f"Bearer {token}".encode())])
    assert (await ear.open())["type"] == "connection"
    await ear.leave()


@pytest.mark.parametrize("path", ["/ws/orders/{}", "/ws/production/{}"])
async def test_another_shops_path_is_1008(dana: Employee, rosa: Shop, path: str) -> None:
    token = await sync_to_async(token_of)(dana)
    assert (await Ear(path.format(rosa.pk), f"token={token}").open())["code"] == 1008


async def test_another_shop_hears_nothing(dana: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa)
    ear = await enter(dana)
    await happened(created(mine), moved(mine))
    assert await ear.heard() == []
    await ear.leave()


async def test_a_courier_has_no_business_in_production(ruslan: Employee, rosa: Shop) -> None:
    token = await sync_to_async(token_of)(ruslan)
    assert (await Ear(f"/ws/production/{rosa.pk}", f"token={token}").open())["code"] == 1008


async def test_florist_and_courier_hear_their_own_only(
    aida: Employee, gulnar: Employee, ruslan: Employee, rosa: Shop
) -> None:
    hers = await sync_to_async(order)(rosa, assigned_florist=aida, courier=ruslan)
    others = await sync_to_async(order)(rosa, assigned_florist=gulnar)
    ears = [await enter(aida, f"/ws/orders/{rosa.pk}"), await enter(ruslan, f"/ws/orders/{rosa.pk}")]
    await happened(moved(hers), moved(others))
    for ear in ears:
        frames = [frame for frame in await ear.heard() if frame["type"] != "notification"]
        assert [frame["type"] for frame in frames] == ["status_changed", "order_update", "order_updated"]
        assert {frame["order_id"] for frame in frames} == {hers.pk}
        await ear.leave()


async def test_an_assigned_manager_hears_once(bek: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa, assigned_florist=bek)
    ear = await enter(bek)
    await happened(OrderEdited(order_id=mine.pk, shop_id=rosa.pk, what=("address",)))
    assert await ear.kinds() == ["order_update", "order_updated"]
    await ear.leave()


async def test_every_florist_hears_what_waits_and_what_is_taken(aida: Employee, gulnar: Employee, rosa: Shop) -> None:
    def taken() -> ProductionTask:
        made = workshop.task(rosa)
        ProductionTask.objects.filter(pk=made.pk).update(florist=gulnar, status="assigned")
        deliver()
        return made

    task = await sync_to_async(taken)()
    ears = {who: await enter(who, f"/ws/production/{rosa.pk}") for who in (aida, gulnar)}
    step = TaskMoved(task_id=task.pk, shop_id=rosa.pk, order_id=task.order_id, status="assigned", by_id=gulnar.pk)
    await happened(step, TaskAssigned(task_id=task.pk, shop_id=rosa.pk, florist_id=gulnar.pk, by_id=gulnar.pk))
    others = await ears[aida].heard()
    assert [(frame["type"], frame["status"], frame["updated_by"]) for frame in others] == [
        ("task_updated", "assigned", None)
    ]
    own = [frame for frame in await ears[gulnar].heard() if frame["type"] == "task_assigned"]
    assert [(frame["task_id"], frame["florist_id"]) for frame in own] == [(task.pk, gulnar.pk)]
    for ear in ears.values():
        await ear.leave()


async def test_subscribe_narrows_and_an_empty_list_widens(bek: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa)
    ear = await enter(bek)
    await ear.say({"type": "subscribe", "events": ["order_created", "nonsense"]})
    assert await ear.hear() == {"type": "subscribed", "events": ["order_created"]}
    await happened(created(mine), moved(mine))
    assert [kind for kind in await ear.kinds() if kind != "notification"] == ["order_created"]
    await ear.say({"type": "subscribe", "events": []})
    assert len((await ear.hear())["events"]) == 7
    await happened(moved(mine))
    assert await ear.kinds() == ["status_changed", "order_update", "order_updated"]
    await ear.leave()


async def test_junk_is_echoed_and_deeds_are_for_http(aida: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa)
    task = await sync_to_async(ProductionTask.objects.create)(shop=rosa, order=mine)
    ear = await enter(aida)
    await ear.say({"type": "hello", "x": 1})
    assert await ear.hear() == {"type": "echo", "data": {"type": "hello", "x": 1}}
    await ear.say({"type": "task_update", "task_id": task.pk, "status": "completed"})
    assert (await ear.hear())["code"] == "use_http"
    await sync_to_async(task.refresh_from_db)()
    assert task.status == "pending"
    await ear.leave()


async def test_what_moved_during_a_break_is_told_on_coming_back(bek: Employee, rosa: Shop, tulip: Shop) -> None:
    """Defect 24: nothing is lost between two connections, and only the own shop is told."""

    def move() -> tuple[Order, Order]:
        mine, foreign = order(rosa), order(tulip)
        long_ago = timezone.now() - timedelta(hours=1)
        Order.objects.filter(pk=order(rosa).pk).update(updated_at=long_ago)
        for one in (mine, foreign):
            OrderHistory.objects.create(order=one, event_type="status_changed", old_status="new", new_status="paid")
        return mine, foreign

    before = timezone.now().isoformat().replace("+00:00", "Z")
    mine, _ = await sync_to_async(move)()
    ear = await enter(bek, query=f"&since={before}")
    frames = await ear.heard()
    assert [frame["type"] for frame in frames] == ["status_changed", "order_update", "order_updated"]
    assert {frame["order_id"] for frame in frames} == {mine.pk}
    assert (frames[0]["old_status"], frames[0]["new_status"]) == ("new", "paid")
    await ear.leave()


async def test_a_florist_is_told_of_her_own_after_a_break(aida: Employee, gulnar: Employee, rosa: Shop) -> None:
    before = timezone.now().isoformat().replace("+00:00", "Z")
    hers = await sync_to_async(order)(rosa, assigned_florist=aida)
    await sync_to_async(order)(rosa, assigned_florist=gulnar)
    ear = await enter(aida, f"/ws/orders/{rosa.pk}", f"&since={before}")
    assert {frame["order_id"] for frame in await ear.heard()} == {hers.pk}
    await ear.leave()


@pytest.mark.parametrize(("area", "kinds"), [("orders", {"task_updated"}), ("production", {"order_update"})])
async def test_a_break_tells_nothing_of_a_switched_off_area(
    aida: Employee, rosa: Shop, area: str, kinds: set[str]
) -> None:
    def move() -> None:
        hers = order(rosa, assigned_florist=aida)
        ProductionTask.objects.create(shop=rosa, order=hers, florist=aida)
        OrderHistory.objects.create(order=hers, event_type="status_changed", old_status="new", new_status="paid")
        Employee.objects.filter(pk=aida.pk).update(permissions={area: False})

    before = timezone.now().isoformat().replace("+00:00", "Z")
    await sync_to_async(move)()
    ear = await enter(aida, query=f"&since={before}")
    assert set(await ear.kinds()) - {"status_changed", "order_updated"} == kinds
    await ear.leave()


async def test_too_much_is_a_resync(bek: Employee, rosa: Shop) -> None:
    def many() -> None:
        first = order(rosa)
        rows = [OrderHistory(order=first, event_type="status_changed", new_status="paid") for _ in range(101)]
        OrderHistory.objects.bulk_create(rows)

    before = timezone.now().isoformat().replace("+00:00", "Z")
    await sync_to_async(many)()
    ear = await enter(bek, query=f"&since={before}")
    assert await ear.kinds() == ["resync"]
    await ear.leave()


@pytest.mark.parametrize("since", ["nonsense", "", "2026-13-45T00:00:00Z"])
async def test_a_bad_since_is_no_since(bek: Employee, rosa: Shop, since: str) -> None:
    await sync_to_async(order)(rosa)
    ear = await enter(bek, query=f"&since={since}")
    assert await ear.heard() == []
    await ear.leave()


async def test_the_dismissed_are_hung_up_on(olga: Employee, bek: Employee) -> None:
    ear = await enter(bek)
    await sync_to_async(people.dismiss)(by=olga, employee_id=bek.pk)
    frame = await ear.hear()
    assert (frame["type"], frame["code"]) == ("websocket.close", 1008)


async def test_new_rights_change_what_is_heard(olga: Employee, bek: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa)
    ear = await enter(bek)
    await sync_to_async(people.set_permissions)(by=olga, employee_id=bek.pk, permissions={"orders": False})
    await ear.heard()
    await happened(OrderEdited(order_id=mine.pk, shop_id=rosa.pk, what=("address",)))
    assert await ear.heard() == []
    await ear.leave()


async def test_missed_notifications_come_first(bek: Employee, rosa: Shop) -> None:
    mine = await sync_to_async(order)(rosa)
    await happened(created(mine))
    ear = await enter(bek)
    frames = await ear.heard()
    assert [(frame["type"], frame["kind"], frame["data"]["order_id"]) for frame in frames] == [
        ("notification", "order_created", mine.pk)
    ]
    await ear.leave()


class TestTracking:
    """`/ws/track/{token}`."""

    async def test_the_buyer_hears_that_it_moved_and_nothing_more(self, rosa: Shop) -> None:
        mine = await sync_to_async(order)(rosa)
        ear = Ear(f"/ws/track/{mine.tracking_token}")
        hello = await ear.open()
        assert hello == {"type": "connection", "status": "connected", "order_status": "new"}
        secret, shown = await sync_to_async(self.comments)(mine)
        await happened(moved(mine), secret, shown)
        frames = await ear.heard()
        assert [frame["type"] for frame in frames] == ["status_changed", "comment_added"]
        assert all(set(frame) == {"type", "status", "updated_at"} for frame in frames)
        await ear.leave()

    def comments(self, of: Order) -> list[CommentAdded]:
        rows = [Comment.objects.create(order=of, text="x", is_public=is_public) for is_public in (False, True)]
        return [
            CommentAdded(order_id=of.pk, shop_id=of.shop_id, comment_id=row.pk, author_type="staff") for row in rows
        ]

    async def test_a_wrong_token_is_1008(self, rosa: Shop) -> None:
        assert (await Ear("/ws/track/nonsense").open())["code"] == 1008

    async def test_a_dead_link_is_1008(self, rosa: Shop) -> None:
        long_ago = timezone.now() - timedelta(days=31)
        mine = await sync_to_async(order)(rosa, status="completed", completed_at=long_ago)
        assert (await Ear(f"/ws/track/{mine.tracking_token}").open())["code"] == 1008

    async def test_strangers_are_counted_per_address(self, rosa: Shop, settings: Any) -> None:
        limit = settings.FLORIST.public_per_minute
        for _ in range(limit):
            await Ear("/ws/track/nonsense", client="10.9.9.9").open()
        mine = await sync_to_async(order)(rosa)
        assert (await Ear(f"/ws/track/{mine.tracking_token}", client="10.9.9.9").open())["code"] == 1008
        ear = Ear(f"/ws/track/{mine.tracking_token}", client="10.9.9.10")
        assert (await ear.open())["type"] == "connection"
        await ear.leave()


async def test_the_owner_sees_how_many_sockets_are_open(olga: Employee, bek: Employee, dana: Employee) -> None:
    ask = sync_to_async(lambda who: Caller(who)("GET", "/ws/status"))
    ears = [await enter(olga), await enter(bek), await enter(dana)]
    answer = await ask(olga)
    assert answer.json() == {"total_connections": 2, "shops_connected": 1, "shops": {str(olga.shop_id): 2}}
    for ear in ears:
        await ear.leave()
    assert (await ask(olga)).json() == {"total_connections": 0, "shops_connected": 0, "shops": {}}
    assert (await ask(bek)).status_code == 403


async def test_one_human_in_two_shops_hears_each_in_its_own_socket(aida: Employee, rosa: Shop, tulip: Shop) -> None:
    there = await sync_to_async(cast.employee)(tulip, Role.FLORIST, "Aida", phone=aida.phone, user=aida.user)
    mine = await sync_to_async(order)(rosa, assigned_florist=aida)
    ears = [await enter(aida), await enter(there)]
    await happened(OrderEdited(order_id=mine.pk, shop_id=rosa.pk, what=("address",)))
    assert [await ear.kinds() for ear in ears] == [["order_update", "order_updated"], []]
    for ear in ears:
        await ear.leave()


@sync_to_async
def said(employee: Employee, title: str, shop: Shop | None) -> None:
    payload = {"shop_id": shop.pk} if shop else {}
    notifications.tell(user=employee.user, product=PRODUCT, kind="order_created", title=title, payload=payload)


async def titles(ear: Ear) -> list[tuple[str, int | None]]:
    return [(frame["title"], frame["shop_id"]) for frame in await ear.heard()]


async def test_messages_of_two_shops_of_one_human_do_not_mix(aida: Employee, rosa: Shop, tulip: Shop) -> None:
    """Missed and live ones alike; what is for another shop waits for that one's socket, what no shop said, for all."""
    there = await sync_to_async(cast.employee)(tulip, Role.FLORIST, "Aida", phone=aida.phone, user=aida.user)
    for shop, title in ((rosa, "Rosa missed"), (tulip, "Tulip missed")):
        await said(aida, title, shop)
    here = await enter(aida)
    assert await titles(here) == [("Rosa missed", rosa.pk)]
    for shop, title in ((rosa, "Rosa"), (tulip, "Tulip"), (None, "House")):
        await said(aida, title, shop)
    assert await titles(here) == [("Rosa", rosa.pk), ("House", None)]
    await switchboard.here().settled()
    other = await enter(there)
    assert await titles(other) == [("Tulip missed", tulip.pk), ("Tulip", tulip.pk)]
    for ear in (here, other):
        await ear.leave()
