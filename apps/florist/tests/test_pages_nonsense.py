"""Whatever is typed into an address or a form: an answer, never a crash."""

from __future__ import annotations

from typing import Any

import pytest

from apps.florist.actions import runs
from apps.florist.actions.runs import StopWish
from apps.florist.models import Employee
from apps.florist.pages import courier, florist, orders, stock
from apps.florist.pages import runs as boards
from apps.florist.tests import cast, workshop
from apps.florist.tests.seats import seated

pytestmark = pytest.mark.django_db
HUGE = "9" * 30
NAMES = (
    *("to", "reason", "comment", "version", "issue_type", "person", "courier_id", "phone", "name", "text", "file"),
    *("photo_type", "amount", "key", "address", "recipient_phone", "day", "begins", "ends", "product_id", "quantity"),
    *("item_id", "is_ticked", "order_item_id", "from_batch_id", "to_batch_id", "qty", "note", "florist_notes"),
    *("quality_score", "verdict", "stop_id", "orders", "receiver_name", "latitude", "longitude", "next_step"),
    *("done_at", "cash_handed", "subject", "supplier", "labor_cost", "target_margin", "batch-1", "material-1"),
    *("product-0", "pieces-0", "customer_phone", "delivery_method", "slot", "zone_id", "payment_method", "next"),
    *("language", "employee", "way", "password", "code", "category", "product_name", "is_on", "bring"),
)
RUBBISH = {"huge": HUGE, "minus": "-1", "nul": "a\x00b", "nan": "NaN", "long": "x" * 3000, "tags": "<script>'\"%s{x}"}


@pytest.fixture
def paths(bek: Employee, aida: Employee, ruslan: Employee) -> list[tuple[Employee, str]]:
    """Every button with somebody who may press it, on rows that are there and on rows that are not."""
    task = workshop.started(bek.shop, aida)
    batch, order = cast.batch(bek.shop), workshop.assembled(bek.shop)
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk)])
    stop = run.stops.get()
    found: list[tuple[Employee, str]] = [
        *((bek, f"/desk/manager/orders/{pk}/{name}") for pk in (order.pk, HUGE) for name in orders.DEEDS),
        *((aida, f"/desk/florist/tasks/{pk}/{name}") for pk in (task.pk, HUGE) for name in florist.DEEDS),
        *((bek, f"/desk/florist/stock/{pk}/{name}") for pk in (batch.pk, HUGE) for name in stock.DEEDS),
        *((bek, f"/desk/florist/showcase/{name}") for name in stock.BOUQUETS),
        *((ruslan, f"/desk/courier/stops/{pk}/{name}") for pk in (stop.pk, HUGE) for name in courier.STOP_DEEDS),
        *((ruslan, f"/desk/courier/runs/{pk}/{name}") for pk in (run.pk, HUGE) for name in courier.RUN_DEEDS),
        *((bek, f"/desk/manager/runs/{pk}/{name}") for pk in (run.pk, HUGE) for name in boards.DEEDS),
        *((bek, path) for path in ("/desk/manager/runs/plan", f"/desk/manager/cash/{HUGE}/accept")),
        *((bek, path) for path in ("/desk/manager/orders/new", "/desk/florist/stock/receive", "/desk/florist/shop")),
        *((bek, path) for path in ("/desk/florist/calculator/", "/desk/florist/language", "/desk/florist/sign-in")),
        (ruslan, "/desk/courier/day/close"),
    ]
    return found


@pytest.mark.parametrize("kind", list(RUBBISH))
def test_rubbish_in_every_form(paths: list[tuple[Employee, str]], kind: str) -> None:
    fields: dict[str, Any] = dict.fromkeys(NAMES, RUBBISH[kind])
    browsers = {who.pk: seated(who) for who, _path in paths}
    bad = []
    for who, path in paths:
        browsers[who.pk].raise_request_exception = False
        answer = browsers[who.pk].post(path, fields)
        if answer.status_code >= 500:
            bad.append((path, answer.status_code))
    assert bad == []


@pytest.mark.parametrize(
    "path",
    [
        *(f"/desk/manager/orders/{HUGE}/", f"/desk/manager/orders/{HUGE}/print/card", f"/desk/florist/tasks/{HUGE}/"),
        *(
            f"/desk/florist/stock/{HUGE}/label",
            f"/desk/manager/orders/new?repeat={HUGE}",
            "/desk/florist/stock/0/label",
        ),
    ],
)
def test_rows_that_cannot_be(bek: Employee, path: str) -> None:
    assert seated(bek).get(path).status_code in (200, 404)


def test_a_stop_that_cannot_be(ruslan: Employee) -> None:
    assert seated(ruslan).get(f"/desk/courier/stops/{HUGE}/").status_code == 404


@pytest.mark.parametrize("value", [HUGE, "-1", "%00", "<b>", "x" * 500])
def test_rubbish_in_every_question(bek: Employee, value: str) -> None:
    names = ("day", "need", "search", "status", "page", "repeat", "product")
    query = "&".join(f"{name}={value}" for name in names)
    for path in ("/desk/manager/", "/desk/manager/orders/", "/desk/manager/orders/new", "/desk/manager/runs/"):
        assert seated(bek).get(f"{path}?{query}").status_code in (200, 404)
    assert seated(bek).get(f"/desk/florist/stock/?{query}").status_code == 200
