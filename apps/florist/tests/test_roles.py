"""Which role may do what, path by path (contract florist 1, columns of roles; 3.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from apps.florist.models import Employee, Shop
from apps.florist.tests import cast, world
from apps.florist.tests.cast import Caller, Role
from apps.florist.tests.test_tenancy import PRIVATE, ask

ALLOWED: dict[str, set[str]] = {
    "AMFC": {
        "get api/auth/me",
        "get api/auth/current-user",
        "post api/auth/logout",
        "get api/orders/<order_id>/comments",
        "post api/orders/<order_id>/comments",
        "get api/courier/day",
        "post api/courier/day/close",
        "get api/courier/days",
        "get api/notifications/",
        "post api/notifications/mark-all-read",
        "patch api/notifications/mark-all-read",
        "get api/orders/",
        "get api/orders/<order_id>",
        "patch api/orders/<order_id>/issue",
        "get api/orders/<order_id>/items",
        "get api/orders/<order_id>/payments",
        "post api/orders/<order_id>/payments",
        "get api/orders/<order_id>/photos",
        "post api/orders/<order_id>/photos",
        "get api/products/",
        "get api/products/<product_id>",
        "get api/products/<product_id>/variants",
        "get api/runs/",
        "post api/upload/image",
        "post api/upload/images",
    },
    "AMF": {
        "get api/calculator/materials",
        "get api/calculator/materials/<material_id>",
        "get api/calculator/settings",
        "post api/calculator/quote",
        "post api/calculator/create-product",
        "get api/customers/",
        "get api/customers/<customer_id>",
        "get api/production/tasks/",
        "get api/production/tasks/pending",
        "get api/production/tasks/overdue",
        "get api/production/tasks/<task_id>",
        "put api/production/tasks/<task_id>",
        "patch api/production/tasks/<task_id>",
        "get api/production/tasks/<task_id>/items",
        "post api/production/tasks/<task_id>/assign",
        "post api/production/tasks/<task_id>/start",
        "post api/production/tasks/<task_id>/complete",
        "get api/production/tasks/<task_id>/stems",
        "post api/production/tasks/<task_id>/stems",
        "post api/production/tasks/<task_id>/shortage",
        "post api/production/tasks/<task_id>/substitutions",
        "post api/production/tasks/<task_id>/photos",
        "put api/production/task-items/<item_id>",
        "post api/production/task-items/<item_id>/complete",
        "post api/products/<product_id>/toggle-active",
        "get api/products/<product_id>/ingredients",
        "get api/products/<product_id>/components",
        "get api/production/queue/stats",
        "get api/production/queue/workload",
        "get api/production/florists",
        "get api/production/florists/<florist_id>/stats",
        "get api/settings/",
        "get api/settings/shop",
        "get api/settings/delivery-zones",
        "get api/settings/slots",
        "get api/settings/special-days",
        "get api/warehouse/showcase",
        "post api/warehouse/showcase",
        "post api/warehouse/showcase/<bouquet_id>/take-apart",
        "get api/users/<user_id>",
        "patch api/users/<user_id>/shift",
        "get api/warehouse/",
        "post api/warehouse/inventory",
        "get api/warehouse/expiring",
        "get api/warehouse/<item_id>",
        "patch api/warehouse/<item_id>",
        "get api/warehouse/<item_id>/movements",
        "post api/warehouse/<item_id>/adjust-stock",
        "post api/warehouse/<item_id>/waste",
    },
    "AMC": {
        "get api/stops/<stop_id>",
        "post api/stops/<stop_id>/picked-up",
        "post api/stops/<stop_id>/delivered",
        "post api/stops/<stop_id>/failed",
        "post api/stops/<stop_id>/cash",
        "get api/runs/<run_id>",
        "put api/runs/<run_id>/stops",
        "post api/runs/<run_id>/accept",
        "post api/runs/<run_id>/start",
        "post api/runs/<run_id>/finish",
        "post api/runs/<run_id>/hand-over",
    },
    "AM": {
        "post api/calculator/materials",
        "patch api/calculator/materials/<material_id>",
        "delete api/calculator/materials/<material_id>",
        "patch api/calculator/settings",
        "post api/courier/days/<day_id>/accept",
        "post api/courier/days/<day_id>/reopen",
        "get api/courier/figures",
        "post api/customers/",
        "post api/customers/merge",
        "put api/customers/<customer_id>",
        "get api/customers/<customer_id>/orders",
        "post api/customers/<customer_id>/addresses",
        "post api/customers/<customer_id>/important-dates",
        "post api/customers/<customer_id>/update-stats",
        "post api/orders/",
        "post api/orders/with-items",
        "patch api/orders/<order_id>",
        "patch api/orders/<order_id>/status",
        "post api/orders/<order_id>/rollback-status",
        "post api/orders/<order_id>/cancel",
        "post api/orders/<order_id>/assign-florist",
        "post api/orders/<order_id>/assign-courier",
        "post api/orders/<order_id>/items",
        "patch api/orders/<order_id>/items/<item_id>",
        "delete api/orders/<order_id>/items/<item_id>",
        "post api/orders/<order_id>/pay",
        "post api/orders/<order_id>/refund",
        "post api/production/tasks/",
        "post api/production/tasks/<task_id>/quality-check",
        "post api/production/tasks/<task_id>/cancel",
        "post api/products/",
        "put api/products/<product_id>",
        "delete api/products/<product_id>",
        "put api/products/<product_id>/images",
        "put api/products/<product_id>/variants",
        "post api/products/<product_id>/ingredients",
        "put api/products/<product_id>/ingredients/<ingredient_id>",
        "delete api/products/<product_id>/ingredients/<ingredient_id>",
        "post api/products/<product_id>/components",
        "put api/products/<product_id>/components/<component_id>",
        "delete api/products/<product_id>/components/<component_id>",
        "post api/production/queue/create-from-order/<order_id>",
        "post api/production/queue/distribute",
        "post api/production/queue/check-overdue",
        "get api/production/florists/quality",
        "post api/runs/",
        "post api/runs/propose",
        "get api/runs/to-plan",
        "post api/runs/<run_id>/stops",
        "delete api/runs/<run_id>/stops/<stop_id>",
        "post api/runs/<run_id>/cancel",
        "patch api/settings/",
        "patch api/settings/shop",
        "post api/settings/delivery-zones",
        "patch api/settings/delivery-zones/<row_id>",
        "delete api/settings/delivery-zones/<row_id>",
        "post api/settings/slots",
        "patch api/settings/slots/<row_id>",
        "delete api/settings/slots/<row_id>",
        "post api/settings/special-days",
        "patch api/settings/special-days/<row_id>",
        "delete api/settings/special-days/<row_id>",
        "get api/warehouse/transfers",
        "post api/warehouse/showcase/<bouquet_id>/sell",
        "get api/standing-orders/",
        "post api/standing-orders/",
        "get api/standing-orders/<standing_id>",
        "patch api/standing-orders/<standing_id>",
        "get api/standing-orders/<standing_id>/invoice",
        "post api/standing-orders/<standing_id>/skip",
        "post api/standing-orders/<standing_id>/pause",
        "post api/standing-orders/<standing_id>/resume",
        "post api/standing-orders/<standing_id>/end",
        "get api/dashboard/",
        "get api/statistics/",
        "get api/warehouse/deliveries",
        "post api/warehouse/deliveries",
        "get api/supplies/categories",
        "post api/supplies/categories",
        "put api/supplies/categories/<category_id>",
        "post api/supplies/parse",
        "post api/supplies/import",
        "get api/supplies/prices",
        "get api/supplies/quality",
        "get api/supplies/plan",
        "get api/supplies/",
        "get api/supplies/<supply_id>",
        "put api/supplies/<supply_id>/archive",
        "put api/supplies/<supply_id>/receive",
        "post api/supplies/<supply_id>/invoice",
        "get api/users/",
        "post api/warehouse/",
        "get api/warehouse/stats",
        "get api/warehouse/waste",
    },
    "AF": {
        "patch api/users/<user_id>",
    },
    "A": {
        "patch api/comments/<comment_id>",
        "delete api/comments/<comment_id>",
        "post api/notifications/<notification_id>/read",
        "patch api/notifications/<notification_id>/read",
        "get api/health/db",
        "get ws/status",
        "get api/telegram/webhook/status",
        "post api/users/",
        "delete api/users/<user_id>",
        "patch api/users/<user_id>/permissions",
    },
    "F": {
        "post api/production/queue/get-next-task/<florist_id>",
    },
}
"""Letters of the roles (admin, manager, florist, courier) → what they may do with rows of their own shop that are

assigned to them. Whoever is not named gets 403, or 404 for rows that he does not see.
"""

ELSEWHERE = {"get api/auth/otp-status/<phone>", "post api/warehouse/transfers"}
"""Of one's own phone, to a second shop of the owner: looked at where those are made."""

BUSINESS: dict[str, dict[str, str]] = {
    "post api/stops/<stop_id>/picked-up": {"AMC": "409 illegal_transition"},
    "post api/stops/<stop_id>/delivered": {"AMC": "422 proof_missing"},
    "get api/courier/day": {"AMF": "400 not_a_courier"},
    "post api/courier/day/close": {"AMF": "400 not_a_courier"},
    "post api/orders/<order_id>/pay": {"AM": "409 currency_not_taken"},
    "post api/orders/<order_id>/refund": {"AM": "409 nothing_to_pay_back"},
    "post api/orders/with-items": {"AM": "409 stock_short"},
    "patch api/orders/<order_id>/status": {"AM": "409 illegal_transition"},
    "post api/orders/<order_id>/rollback-status": {"AM": "409 stock_short"},
    "post api/orders/<order_id>/items": {"AM": "409 stock_short"},
    "delete api/orders/<order_id>/items/<item_id>": {"AM": "409 last_line"},
    "post api/production/tasks/": {"AM": "409 task_kind_open"},
    "post api/production/tasks/<task_id>/assign": {"AMF": "400 illegal_task_step"},
    "post api/production/tasks/<task_id>/start": {"AMF": "400 illegal_task_step"},
    "post api/production/tasks/<task_id>/complete": {"AMF": "400 result_photo_missing"},
    "post api/production/tasks/<task_id>/quality-check": {"AM": "400 illegal_task_step"},
    "post api/production/tasks/<task_id>/stems": {"AMF": "400 nothing_to_make"},
    "post api/production/tasks/<task_id>/substitutions": {"AMF": "409 nothing_to_substitute"},
    "post api/products/<product_id>/ingredients": {"AM": "400 ingredient_exists"},
    "post api/runs/": {"AM": "409 order_on_a_run"},
    "post api/runs/<run_id>/stops": {"AM": "409 day_closed"},
    "post api/runs/<run_id>/finish": {"AMC": "409 open_stops_left"},
    "post api/runs/<run_id>/hand-over": {"AMC": "400 not_a_courier"},
    "post api/settings/special-days": {"AM": "400 already_exists"},
    "post api/warehouse/showcase": {"AMF": "409 stock_short"},
    "post api/warehouse/showcase/<bouquet_id>/take-apart": {"AMF": "400 not_enough_stems"},
    "post api/standing-orders/<standing_id>/resume": {"AM": "409 illegal_standing_step"},
    "put api/supplies/<supply_id>/receive": {"AM": "409 illegal_supply_step"},
}
"""Deed → letters → what those hear who may do it: the row is not ready for it. All else has the success it promises."""


def test_every_path_has_its_roles() -> None:
    listed = [name for names in ALLOWED.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) | ELSEWHERE == {deed.name for deed in PRIVATE}


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet")
def test_roles_may_what_the_contract_says(rosa: Shop) -> None:
    """Each deed by each role, as if it were the first of the day."""
    mine = world.build(rosa, "own")
    people = {
        "A": mine.admin,
        "M": cast.employee(rosa, Role.MANAGER),
        "F": Employee.objects.get(pk=mine.ids["florist_id"]),
        "C": Employee.objects.get(pk=mine.ids["courier_id"]),
    }
    callers = {letter: Caller(who) for letter, who in people.items()}
    roles_of = {name: roles for roles, names in ALLOWED.items() for name in names}
    wrong = {}
    for deed in PRIVATE:
        if deed.name in ELSEWHERE:
            continue
        found = {letter: _answer(caller, deed, mine.ids) for letter, caller in callers.items()}
        expected = {letter: _expected(deed, letter) for letter in roles_of[deed.name]}
        refused = {letter: answer[:3] for letter, answer in found.items() if letter not in expected}
        if not set(refused.values()) <= {"403", "404"} or any(found[who] != said for who, said in expected.items()):
            wrong[deed.name] = (found, expected)
    assert not wrong, "\n" + "\n".join(f"{name}: {found}" for name, found in wrong.items())


def _expected(deed: Any, letter: str) -> str:
    others = BUSINESS.get(deed.name, {})
    return next((said for letters, said in others.items() if letter in letters), str(deed.handler.endpoint.success))


def _answer(caller: Caller, deed: Any, ids: dict[str, Any]) -> str:
    """Its status, and the code of a refusal."""
    with transaction.atomic():
        answer = ask(caller, deed, deed.path(ids), deed.body(ids))
        transaction.set_rollback(True)
    if answer.status_code < 400:
        return str(answer.status_code)
    return f"{answer.status_code} {json.loads(answer.content).get('code')}"
