"""Shops and people in the back office: lists that cost the same, buttons that call actions (contract florist 3.2)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import User
from apps.core.testing import query_budget
from apps.florist.models import Employee, EmployeeChange, Shop
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(username="root"))
    return client


@pytest.fixture
def clerk(db: None) -> Client:
    """May look, not act."""
    user = User.objects.create_user(username="clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_shop", "view_employee")))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("model", ["shop", "employee"])
def test_lists_cost_the_same_for_many(root: Client, model: str) -> None:
    for _ in range(20):
        cast.employee(cast.shop(), Role.ADMIN)
    root.get(f"/admin/florist/{model}/")
    with query_budget(16):
        answer = root.get(f"/admin/florist/{model}/")
    assert answer.status_code == 200


def test_pages_of_rows_open(root: Client, olga: Employee, clerk: Client) -> None:
    for client in (root, clerk):
        for path in (f"shop/{olga.shop_id}", f"employee/{olga.pk}"):
            assert client.get(f"/admin/florist/{path}/change/").status_code == 200


def test_the_platform_changes_plan_papers_and_closes(root: Client, rosa: Shop, olga: Employee) -> None:
    caller = Caller(olga)
    for button, form, expected in (
        ("change_plan", {"plan": "premium"}, {"plan": "premium"}),
        ("verify", {}, {"is_verified": True}),
        ("doubt", {}, {"is_verified": False}),
        ("close", {}, {"is_active": False}),
    ):
        url = f"/admin/florist/shop/{rosa.pk}/{button}/"
        answer = root.post(url, {"reason": "because", **form})
        assert answer.status_code == 302, button
        rosa.refresh_from_db()
        assert {name: getattr(rosa, name) for name in expected} == expected
    assert caller("GET", "/api/auth/me").status_code == 401
    assert LogEntry.objects.filter(object_id=str(rosa.pk)).count() == 4


def test_the_forms_open_with_what_is_there(root: Client, rosa: Shop, aida: Employee) -> None:
    ends = datetime(2027, 3, 4, 9, 30, tzinfo=UTC)
    Shop.objects.filter(pk=rosa.pk).update(plan="premium", trial_ends_at=ends)
    plan = f"/admin/florist/shop/{rosa.pk}/change_plan/"
    page = root.get(plan).content.decode()
    assert re.search(r'value="premium" selected', page) and 'value="2027-03-04"' in page
    root.post(plan, {"reason": "because", "plan": "basic", "trial_ends_at": "2027-03-04"})
    rosa.refresh_from_db()
    assert (rosa.plan, rosa.trial_ends_at) == ("basic", ends)
    root.post(plan, {"reason": "because", "plan": "basic", "trial_ends_at": "2027-03-05"})
    rosa.refresh_from_db()
    assert rosa.trial_ends_at and rosa.trial_ends_at > ends
    page = root.get(f"/admin/florist/employee/{aida.pk}/switch/").content.decode()
    boxes = {
        name: bool(re.search(r"\schecked[\s>]", box))
        for box, name in re.findall(r'(<input[^>]*name="(\w+)"[^>]*>)', page)
    }
    assert {name for name, is_on in boxes.items() if is_on} == {"orders", "production"}


def test_a_reason_is_wanted_and_a_right(root: Client, clerk: Client, rosa: Shop) -> None:
    url = f"/admin/florist/shop/{rosa.pk}/close/"
    root.post(url, {"reason": ""})
    assert clerk.post(url, {"reason": "because"}).status_code in (302, 403)
    rosa.refresh_from_db()
    assert rosa.is_active is True


def test_people_are_changed_by_the_same_rules(root: Client, olga: Employee, aida: Employee) -> None:
    base = "/admin/florist/employee"
    root.post(f"{base}/{aida.pk}/set_role/", {"reason": "because", "role": "manager"})
    root.post(f"{base}/{aida.pk}/switch/", {"reason": "because", "orders": "on", "users": "on"})
    root.post(f"{base}/{aida.pk}/dismiss/", {"reason": "because"})
    aida.refresh_from_db()
    assert (aida.role, aida.permissions["users"], aida.permissions["customers"], aida.is_active) == (
        "manager",
        True,
        False,
        False,
    )
    root.post(f"{base}/{aida.pk}/let_in/", {"reason": "because"})
    root.post(f"{base}/{olga.pk}/set_role/", {"reason": "because", "role": "courier"})
    aida.refresh_from_db()
    olga.refresh_from_db()
    assert (aida.is_active, olga.role) == (True, "admin"), "the last owner stays one"
    assert list(EmployeeChange.objects.order_by("id").values_list("what", flat=True)) == [
        *("role", "permissions", "dismissed", "returned")
    ]
