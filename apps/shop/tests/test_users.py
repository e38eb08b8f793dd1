"""Customers through the API: oneself and the admin's paths (contract shop 1.2, D3, D16, D17)."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.core.testing import query_budget
from apps.shop.models import Customer, Order
from apps.shop.tests import cast
from apps.shop.tests.cast import PASSWORD, Caller

pytestmark = pytest.mark.django_db
ADMIN_CALLS = [
    ("GET", "users", None),
    ("GET", "users/1", None),
    ("PUT", "users/1", {"surname": "Another"}),
    ("DELETE", "users/1", None),
    ("GET", "admin/db-pool-status", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ADMIN_CALLS)
def test_only_an_admin_enters(bobur: Customer, method: str, path: str, body: object) -> None:
    before = list(Customer.objects.values())
    assert Caller()(method, path, body).status_code == 401
    assert Caller(bobur)(method, path, body).status_code == 403
    assert list(Customer.objects.values()) == before


def test_rights_are_read_from_the_row_not_the_token(anora: Customer) -> None:
    caller = Caller(anora)
    assert caller.get("users").status_code == 200
    Customer.objects.filter(pk=anora.pk).update(is_admin=False)
    assert caller.get("users").status_code == 403


def test_the_list_is_newest_first_and_paged(anora: Customer, bobur: Customer, dilya: Customer) -> None:
    caller = Caller(anora)
    with query_budget(4):
        body = caller.get("users/?limit=2").json()
    assert [row["name"] for row in body["items"]] == ["Dilya", "Bobur"]
    assert set(body["items"][0]) == {"id", "name", "surname", "phone_number", "is_admin", "created_at"}
    assert {key: body[key] for key in ("total", "page", "pages", "has_next", "has_prev")} == {
        "total": 3,
        "page": 1,
        "pages": 2,
        "has_next": True,
        "has_prev": False,
    }
    second = caller.get("users?skip=2&limit=2").json()
    assert ([row["name"] for row in second["items"]], second["page"], second["has_prev"]) == (["Anora"], 2, True)
    beyond = caller.get("users?skip=90").json()
    assert (beyond["items"], beyond["total"]) == ([], 3)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=BOB", ["Bobur"]),
        ("search=%2B9989033", ["Dilya"]),
        ("search=karim", ["Dilya", "Bobur", "Anora"]),
        ("is_admin=true", ["Anora"]),
        ("is_admin=false&search=d", ["Dilya"]),
        ("search=%25", []),
    ],
)
def test_the_filters(anora: Customer, bobur: Customer, dilya: Customer, query: str, names: list[str]) -> None:
    assert [row["name"] for row in Caller(anora).get(f"users?{query}").json()["items"]] == names


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "skip=-1", "is_admin=perhaps", "skip=99999999999999999999"])
def test_bad_filters_are_422(anora: Customer, query: str) -> None:
    assert Caller(anora).get(f"users?{query}").status_code == 422


def test_me(bobur: Customer) -> None:
    assert Caller(bobur).get("users/me").json() == {
        "name": "Bobur",
        "surname": "Karimov",
        "phone_number": "+998902222222",
        "is_admin": False,
    }


def test_i_change_my_words(bobur: Customer) -> None:
    answer = Caller(bobur).put("users/me", {"name": "Bek", "surname": "Saidov", "phone_number": "", "is_admin": False})
    assert answer.status_code == 200
    assert answer.json() == {
        "name": "Bek",
        "surname": "Saidov",
        "phone_number": "+998902222222",
        "is_admin": False,
    }
    assert Caller().post("auth/login", {"name": "bek", "password": PASSWORD}).status_code == 200
    assert Caller().post("auth/login", {"name": "Bobur", "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"is_admin": True}, 403, "own_rights_fixed"),
        ({"name": "ANORA"}, 400, "name_taken"),
        ({"phone_number": "+998901111111"}, 400, "phone_taken"),
        ({"surname": "New", "new_password": "another password"}, 400, "current_password_wrong"),
        ({"new_password": "another password", "current_password": "no"}, 400, "current_password_wrong"),
    ],
)
def test_what_i_may_not_change(
    anora: Customer, bobur: Customer, body: dict[str, object], status: int, code: str
) -> None:
    before = list(Customer.objects.order_by("pk").values())
    answer = Caller(bobur).put("users/me", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert list(Customer.objects.order_by("pk").values()) == before
    assert Caller().post("auth/login", {"name": "Anora", "password": PASSWORD}).status_code == 200


def test_a_name_of_the_house_is_taken_too(anora: Customer, bobur: Customer) -> None:
    """Whoever signs in with it on another product could not come in here any more (contract shop D16)."""
    User.objects.create_user(username="owner", password=PASSWORD)
    User.objects.filter(pk=bobur.user_id).update(username=None, phone="+998902222222")
    for caller, path in ((Caller(bobur), "users/me"), (Caller(anora), f"users/{bobur.pk}")):
        answer = caller.put(path, {"name": "Owner"})
        assert (answer.status_code, answer.json()["code"]) == (400, "name_taken")
    assert Caller().post("auth/login", {"name": "owner", "password": PASSWORD}).status_code == 200


def test_an_admin_reads_and_changes_another(anora: Customer, bobur: Customer) -> None:
    caller = Caller(anora)
    answer = caller.put(f"users/{bobur.pk}", {"is_admin": True, "surname": "Saidov"})
    assert (answer.status_code, answer.json()["is_admin"], answer.json()["surname"]) == (200, True, "Saidov")
    found = caller.get(f"users/{bobur.pk}/").json()
    assert set(found) == {
        *("id", "name", "surname", "phone_number", "is_admin", "email", "created_at", "updated_at"),
    }


def test_not_oneself_and_not_nobody(anora: Customer) -> None:
    caller = Caller(anora)
    assert caller.put(f"users/{anora.pk}", {"surname": "New"}).json()["code"] == "not_your_own_account"
    assert caller.delete(f"users/{anora.pk}").json()["code"] == "not_your_own_account"
    for method in ("GET", "PUT", "DELETE"):
        answer = caller(method, "users/999999", {} if method == "PUT" else None)
        assert (answer.status_code, answer.json()["detail"]) == (404, "User not found")
    assert caller.get("users/99999999999999999999").status_code == 422


def test_a_deleted_customer_is_out_and_his_name_is_free(anora: Customer, bobur: Customer) -> None:
    his = Caller(bobur)
    answer = Caller(anora).delete(f"users/{bobur.pk}")
    assert (answer.status_code, set(answer.json())) == (200, {"msg"})
    assert his.get("users/me").status_code == 401
    assert Caller().post("auth/login", {"name": "Bobur", "password": PASSWORD}).status_code == 401
    assert Caller().post("auth/login", {"phone_number": "+998902222222", "password": PASSWORD}).status_code == 401
    assert cast.customer("Bobur", phone="+998902222222").pk != bobur.pk


@pytest.mark.parametrize("status", ["confirmed", "preparing", "ready", "delivered", "refunded"])
def test_who_has_paid_is_not_deleted(anora: Customer, bobur: Customer, status: str) -> None:
    order = cast.order(bobur, (cast.slipper(), 1))
    Order.objects.filter(pk=order.pk).update(status=status)
    answer = Caller(anora).delete(f"users/{bobur.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "user_has_paid_orders")
    assert Customer.objects.get(pk=bobur.pk).deleted_at is None
