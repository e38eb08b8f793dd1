"""The matrix of roles and deeds, walked through the API (contract urgent 3.2, 3.3)."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.core import states as house_states
from apps.urgent import access
from apps.urgent.access import MATRIX, Deed
from apps.urgent.api.urls import urlpatterns
from apps.urgent.models import Member, Order
from apps.urgent.states import ORDER
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller

REQUESTS: dict[Deed, tuple[str, str]] = {
    "see": ("GET", "orders/{id}"),
    "edit": ("PUT", "orders/{id}"),
    "delete": ("DELETE", "orders/{id}"),
    "take": ("POST", "orders/{id}/take"),
    "respond": ("POST", "orders/{id}/respond"),
    "close": ("POST", "orders/{id}/close"),
    "complete": ("POST", "orders/{id}/complete"),
}
REFUSED = {"edit": 404, "delete": 404, "take": 403, "respond": 403, "close": 403, "complete": 403}
FOR_ALL = {"api/orders", "api/orders/<str:order_id>", "api/reviews", "api/cities", "api/users/me/push"}
BY_SIGNATURE = {"api/balance/webhook/crypto-bot", "api/balance/webhook/yukassa", "api/bot/webhook"}


@pytest.mark.parametrize("deed", list(MATRIX))
def test_the_matrix_answers_for_every_role(deed: Deed, aziz: Member, bek: Member, farid: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    people = {"owner": aziz, "taker": bek, "stranger": farid, "anonymous": None}
    assert {role for role, who in people.items() if access.can(deed, who, order)} == set(MATRIX[deed])
    assert {role: access.role_of(who, order) for role, who in people.items()} == {role: role for role in people}


@pytest.mark.parametrize("deed", list(REQUESTS))
@pytest.mark.parametrize("role", ["taker", "stranger", "anonymous"])
def test_who_may_not_is_told_so_and_nothing_moves(
    deed: Deed, role: str, aziz: Member, bek: Member, farid: Member
) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    who = {"taker": bek, "stranger": farid, "anonymous": None}[role]
    method, path = REQUESTS[deed]
    before = Order.objects.values().get(pk=order.pk)
    answer = Caller(who)(method, path.format(id=order.pk), {} if method == "PUT" else None)
    if role == "anonymous" and deed != "see":
        assert answer.status_code == 401
    elif role not in MATRIX[deed]:
        assert answer.status_code == REFUSED[deed]
    else:
        assert answer.status_code in (200, 402)
    assert Order.objects.values().get(pk=order.pk) == before


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: str(pattern.pattern))
def test_nothing_personal_answers_without_a_sign_in(pattern: object, db: None) -> None:
    route = str(pattern.pattern)  # type: ignore[attr-defined]
    if route in BY_SIGNATURE:
        return
    path = "/urgent/" + route.replace("<str:order_id>", "x").replace("<int:payment_id>", "1").replace(
        "<str:payment_id>", "1"
    )
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = Client().generic(method, path, b"{}", content_type="application/json")
        if method == "GET" and route in FOR_ALL:
            assert answer.status_code in (200, 404)
        else:
            assert answer.status_code in (401, 405), (method, route, answer.status_code)


def test_the_life_of_an_order_is_what_the_table_says() -> None:
    assert {origin: sorted(ORDER.allowed_from(origin)) for origin in Order.Status.values} == {
        "active": ["closed_no_response", "completed", "deleted", "expired"],
        "expired": ["deleted"],
        "deleted": [],
        "closed_no_response": [],
        "completed": [],
    }


@pytest.mark.parametrize("origin", Order.Status.values)
@pytest.mark.parametrize("to", Order.Status.values)
def test_every_other_step_is_refused(origin: str, to: str, aziz: Member) -> None:
    order = cast.place(aziz)
    Order.objects.filter(pk=order.pk).update(status=origin)
    order.refresh_from_db()
    if (origin, to) in ORDER.steps:
        assert house_states.step(order, to, by=aziz).status == to
    else:
        with pytest.raises(ORDER.refusal):
            house_states.step(order, to, by=aziz)
        order.refresh_from_db()
        assert order.status == origin
