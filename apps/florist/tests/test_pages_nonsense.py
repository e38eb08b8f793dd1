"""Whatever is typed into an address or a form: an answer, never a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django import forms
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from apps.florist.actions import runs
from apps.florist.actions.runs import StopWish
from apps.florist.models import CourierDay, Employee
from apps.florist.pages import buyers, courier, florist, orders, stock
from apps.florist.pages import forms as typed
from apps.florist.pages import runs as boards
from apps.florist.queries.windows import today_of
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role
from apps.florist.tests.seats import seated

pytestmark = pytest.mark.django_db
HUGE = "9" * 30
NAMES = (
    *("to", "reason", "comment", "version", "issue_type", "person", "courier_id", "phone", "name", "text", "file"),
    *("photo_type", "amount", "key", "address", "recipient_phone", "day", "begins", "ends", "product_id", "quantity"),
    *("item_id", "is_ticked", "order_item_id", "instead_of", "to_batch_id", "qty", "note", "florist_notes"),
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
        *((bek, f"/desk/manager/cash/{HUGE}/{name}") for name in boards.DAY_DEEDS),
        (bek, "/desk/manager/runs/plan"),
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


@dataclass(frozen=True)
class Button:
    """Who presses it where, and what he may fill in."""

    who: Employee
    path: str
    form: type[forms.Form]


@pytest.fixture
def filled_in(bek: Employee, aida: Employee, ruslan: Employee) -> tuple[list[Button], dict[str, Any]]:
    """Every button on rows that are there, and for each field something that fits."""
    shop = bek.shop
    rose = cast.product(shop)
    cast.recipe(rose)
    batch, other = cast.batch(shop), cast.batch(shop, "White rose")
    task = workshop.started(shop, aida)
    order, item = task.order, task.items.get().order_item
    rides = [workshop.assembled(shop) for _ in range(3)]
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(ride.pk) for ride in rides[:2]])
    buyer, twin = cast.customer(shop), cast.customer(shop)
    day = CourierDay.objects.create(
        shop=shop, courier=cast.employee(shop, Role.COURIER), day=today_of(shop), **dict.fromkeys(DAY_FIGURES, 0)
    )
    stop = run.stops.order_by("pk")[0]
    places = [
        (bek, f"/desk/manager/orders/{order.pk}", orders.DEEDS),
        (aida, f"/desk/florist/tasks/{task.pk}", florist.DEEDS),
        (bek, f"/desk/florist/stock/{batch.pk}", stock.DEEDS),
        (ruslan, f"/desk/courier/stops/{stop.pk}", courier.STOP_DEEDS),
        (ruslan, f"/desk/courier/runs/{run.pk}", courier.RUN_DEEDS),
        (ruslan, "/desk/courier/day", courier.DAY_DEEDS),
        (bek, f"/desk/manager/runs/{run.pk}", boards.DEEDS),
        (bek, "/desk/manager/runs", boards.PLAN),
        (bek, f"/desk/manager/cash/{day.pk}", boards.DAY_DEEDS),
        (bek, f"/desk/manager/buyers/{buyer.pk}", buyers.DEEDS),
    ]
    buttons = [Button(who, f"{path}/{name}", deed.form) for who, path, deeds in places for name, deed in deeds.items()]
    buttons += [Button(bek, f"/desk/florist/showcase/{name}", typed.Subject) for name in stock.BOUQUETS]
    buttons.append(Button(bek, "/desk/manager/orders/new", typed.NewOrder))
    fits = {
        "product_id": rose.pk, "product-0": rose.pk, "pieces-0": "1", "subject": rose.pk,
        "item_id": item.pk, "order_item_id": item.pk, "instead_of": batch.pk, "to_batch_id": other.pk,
        "person": aida.pk, "courier_id": ruslan.pk, "stop_id": stop.pk, "orders": rides[2].pk, "other_id": twin.pk,
        "version": "", "zone_id": "", "date": "03-08",
    }  # fmt: skip
    return buttons, fits


DAY_FIGURES = ("delivered", "failed", "cash_expected", "cash_handed")


def fitting(name: str, field: forms.Field, fits: dict[str, Any]) -> Any:
    """Something that this field takes."""
    if name in fits:
        return fits[name]
    if isinstance(field, forms.ChoiceField):
        return next(value for value, _title in field.choices if value)  # type: ignore[union-attr]
    kinds: tuple[tuple[Any, str], ...] = (
        *((typed.PhoneField, "+77015550101"), (forms.BooleanField, "on"), (forms.EmailField, "a@example.com")),
        *((forms.DateField, timezone.localdate().isoformat()), (forms.TimeField, "12:00"), (typed.Moment, "")),
        *((forms.FileField, ""), (forms.IntegerField, "1"), (forms.DecimalField, "1"), (forms.FloatField, "1")),
    )
    return next((value for kind, value in kinds if isinstance(field, kind)), "x")


@pytest.mark.parametrize("kind", [*RUBBISH, "early", "late"])
def test_rubbish_in_one_field_of_a_form_that_fits(filled_in: tuple[list[Button], dict[str, Any]], kind: str) -> None:
    """With the rest in order the value comes as far as it can, into the database at worst."""
    rubbish = {**RUBBISH, "early": "0001-01-01", "late": "9999-12-31"}[kind]
    buttons, fits = filled_in
    browsers = {button.who.pk: seated(button.who) for button in buttons}
    bad = []
    for button in buttons:
        fields = {name: fitting(name, field, fits) for name, field in button.form.base_fields.items()}
        fields |= {name: value for name, value in fits.items() if "-" in name}
        browser = browsers[button.who.pk]
        browser.raise_request_exception = False
        for name in fields:
            with transaction.atomic():
                answer = browser.post(button.path, {**fields, name: rubbish})
                transaction.set_rollback(True)
            if answer.status_code >= 500:
                bad.append((button.path, name, answer.status_code))
    assert bad == []


def test_what_fits_is_taken(filled_in: tuple[list[Button], dict[str, Any]]) -> None:
    """Else the test above would never come past the forms."""
    buttons, fits = filled_in
    wrong = {}
    for button in buttons:
        fields = {name: fitting(name, field, fits) for name, field in button.form.base_fields.items()}
        data = QueryDict(mutable=True)
        data.update({name: str(value) for name, value in fields.items()})
        form = button.form(data, {"file": workshop.picture()})
        if not form.is_valid():
            wrong[button.path] = form.errors
    assert wrong == {}


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
