"""Who may call what (contract loyalty 1, column "Who"; 3.9): every path, every role, and nothing moves when refused."""

from __future__ import annotations

import pytest
from django.test import Client as Http

from apps.accounts.models import User
from apps.loyalty import access, errors
from apps.loyalty.api.urls import urlpatterns
from apps.loyalty.models import CashbackTransaction, Client, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db

PUBLIC = {
    *("health", "auth/client/request-otp", "auth/client/verify-otp", "auth/staff/login", "auth/refresh"),
    *("files/profile-photo/<str:name>", "files/news_images/<str:name>", "files/news-image/<str:name>"),
    *("news", "news/<str:news_id>", "catalog/categories", "catalog/products", "catalog/live"),
    *("iiko/webhook", "iiko/check-user"),
}
"""Paths that answer somebody nobody knows, at least to read."""

MANAGERS = [
    ("GET", "auth/staff"),
    ("POST", "auth/staff"),
    ("PATCH", "auth/staff/{staff}"),
    ("DELETE", "auth/staff/{staff}"),
    ("POST", "auth/staff/{staff}/referral/regenerate"),
    ("GET", "users/{guest}"),
    ("PATCH", "users/{guest}"),
    ("POST", "users/{guest}/status"),
    ("POST", "cashback/add"),
    ("POST", "cashback/use"),
    ("GET", "cashback"),
    ("GET", "cashback/loyalty-analytics"),
    ("GET", "cashback/waiter-stats"),
    ("GET", "cashback/top-users"),
    ("GET", "stats/waiters"),
    ("GET", "stats/users/top"),
    ("GET", "dashboard/metrics"),
    ("GET", "dashboard/activity"),
    ("GET", "waiters"),
    ("POST", "waiters"),
    ("GET", "waiters/{staff}"),
    ("PUT", "waiters/{staff}"),
    ("DELETE", "waiters/{staff}"),
    ("GET", "admin/auth-logs"),
    ("GET", "logs/auth"),
    ("GET", "logs/otp"),
    ("GET", "logs/validation"),
    ("GET", "logs/audit"),
]
STAFF = [("GET", "users"), ("POST", "auth/staff/change-password")]
GUESTS = [("PUT", "users/me"), ("DELETE", "users/me"), ("DELETE", "user/delete")]


def call(who: Client | Staff | None, method: str, path: str, guest: Client, staff: Staff) -> int:
    filled = path.format(guest=guest.pk, staff=staff.pk)
    body = {} if method in ("POST", "PUT", "PATCH") else None
    return Caller(who)(method, filled, body).status_code


@pytest.mark.parametrize(("method", "path"), MANAGERS)
def test_managers_only(method: str, path: str, malika: Staff, vali: Staff, umid: Staff, gulnora: Client) -> None:
    before = list(Client.objects.values()), list(Staff.objects.values())
    assert call(None, method, path, gulnora, umid) == 401
    assert call(gulnora, method, path, gulnora, umid) == 403
    assert call(vali, method, path, gulnora, umid) == 403
    assert (list(Client.objects.values()), list(Staff.objects.values())) == before
    assert call(malika, method, path, gulnora, umid) in (200, 201, 204, 422)


@pytest.mark.parametrize(("method", "path"), STAFF)
def test_staff_only(method: str, path: str, malika: Staff, vali: Staff, gulnora: Client) -> None:
    assert call(None, method, path, gulnora, vali) == 401
    assert call(gulnora, method, path, gulnora, vali) == 403
    assert {call(who, method, path, gulnora, vali) for who in (vali, malika)} <= {200, 422}


@pytest.mark.parametrize(("method", "path"), GUESTS)
def test_guests_only(method: str, path: str, malika: Staff, vali: Staff, gulnora: Client) -> None:
    assert call(None, method, path, gulnora, vali) == 401
    assert [call(who, method, path, gulnora, vali) for who in (vali, malika)] == [403, 403]
    assert Client.objects.living().count() == 1
    assert call(gulnora, method, path, gulnora, vali) in (200, 204)


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: str(pattern.pattern))
def test_nothing_else_answers_without_a_sign_in(pattern: object) -> None:
    route = str(pattern.pattern)  # type: ignore[attr-defined]
    path = "".join("1" if "<" in part else part for part in route.replace("<", "\0<").replace(">", ">\0").split("\0"))
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = Http().generic(method, f"/loyalty/{path}", b"{}", content_type="application/json")
        if route.removeprefix("api/v1/") in PUBLIC:
            assert answer.status_code in (200, 304, 400, 401, 404, 405, 415, 422), (method, route)
        else:
            assert answer.status_code in (401, 405), (method, route, answer.status_code)


@pytest.mark.parametrize("path", ["/loyalty/api/v1/nowhere", "/loyalty/api/v1/auth/nowhere"])
def test_an_unknown_path_is_404_in_plain_words(path: str) -> None:
    answer = Http().get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_an_unknown_verb_is_405_in_plain_words() -> None:
    answer = Http().delete("/loyalty/api/v1/auth/me")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})


@pytest.mark.parametrize(("sent", "echoed"), [("abc-1", True), ("", False), ("x" * 65, False), ("a b", False)])
def test_every_answer_carries_a_correlation_id(sent: str, echoed: bool, jasur: Client) -> None:
    for caller in (Caller(jasur), Caller()):
        got = caller.get("auth/me", **{"X-Correlation-ID": sent})["X-Correlation-ID"]
        assert (got == sent) is echoed and len(got) in (5, 32)


def test_the_right_comes_before_the_shape(vali: Staff) -> None:
    assert Caller(vali).post("cashback/add", {"amount": "nonsense"}).status_code == 403
    assert Caller().post("cashback/add", {"amount": "nonsense"}).status_code == 401


def test_staff_of_the_back_office_act_with_their_rights(jasur: Client) -> None:
    nobody = User.objects.create_user(username="clerk", is_staff=True)
    boss = User.objects.create_superuser(username="boss")
    assert (access.is_manager(boss, "loyalty.change_client"), access.is_manager(boss)) == (True, False)
    assert access.is_manager(nobody, "loyalty.change_client") is False
    with pytest.raises(errors.ManagersOnly):
        access.ensure_manager(nobody, "loyalty.change_client")
    assert not CashbackTransaction.objects.exists()


def test_visible_to_shows_each_what_is_theirs(malika: Staff, vali: Staff, gulnora: Client, jasur: Client) -> None:
    seen = {who: set(Client.objects.visible_to(who)) for who in (malika, vali, jasur)}
    assert seen == {malika: {gulnora, jasur}, vali: {gulnora}, jasur: {jasur}}
    assert set(Client.objects.visible_to(None)) == {gulnora, jasur}
    assert set(Client.objects.visible_to(cast.guest("X", "+998901110066").user)) == set()
    assert set(Staff.objects.visible_to(vali)) == {vali}
    assert set(Staff.objects.visible_to(malika)) == {malika, vali}
    assert set(Staff.objects.visible_to(jasur)) == set()
