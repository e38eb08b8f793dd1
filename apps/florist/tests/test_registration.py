"""Opening a shop by a proved phone, and what it begins with (contract florist 1.1, 3.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import tokens
from apps.accounts.models import User
from apps.core.testing import deliver, outcomes, race
from apps.florist.actions import registration, sessions
from apps.florist.actions.registration import Application
from apps.florist.models import (
    DeliverySlot,
    DeliveryZone,
    Employee,
    FlowerCategory,
    Product,
    RegistrationSession,
    Shop,
)
from apps.florist.tests.cast import Caller
from apps.florist.tests.test_sessions import TOKEN_KEYS, ask, last_code, prove
from apps.notifications.models import Notification

PHONE = "+77017654321"


@pytest.fixture
def pending(db: None) -> str:
    """The token of a proved phone that nobody knows."""
    ask(PHONE)
    return str(prove(PHONE, last_code()).json()["access_token"])


def complete(token: str, **body: Any) -> Any:
    given = {"name": "Tulpan", **body}
    return Caller()("POST", "/api/auth/complete-registration", given, Authorization=f"Bearer {token}")


def test_a_proved_phone_opens_a_furnished_shop(pending: str) -> None:
    answer = complete(pending, city="Астана")
    body = answer.json()
    assert (answer.status_code, set(body)) == (201, TOKEN_KEYS)
    assert (body["shop_name"], body["user_role"], body["is_new_user"]) == ("Tulpan", "admin", True)
    shop = Shop.objects.get()
    assert (shop.phone, shop.city, shop.currency, shop.timezone) == (PHONE, "Астана", "KZT", "Asia/Almaty")
    assert shop.owner == Employee.objects.get().user
    prices = Product.objects.filter(shop=shop).order_by("id").values_list("cost_price", "retail_price", "sale_price")
    assert [tuple(map(int, row)) for row in prices] == [
        (10_000, 25_000, 22_000),
        (8_000, 18_000, 16_000),
        (15_000, 35_000, 32_000),
    ]
    zones = DeliveryZone.objects.filter(shop=shop).values_list("price", flat=True)
    assert [int(price) for price in zones] == [2000, 2500, 2500, 3000, 3500, 5000]
    assert DeliverySlot.objects.filter(shop=shop).count() == 6
    markups = dict(FlowerCategory.objects.filter(shop=shop).values_list("name", "markup_percentage"))
    assert {name: int(markup) for name, markup in markups.items()} == {
        "Розы": 100,
        "Хризантемы": 80,
        "Тюльпаны": 120,
        "Альстромерии": 90,
        "Экзотика": 150,
        "Зелень": 70,
    }
    me = Caller()("GET", "/api/auth/me", Authorization=f"Bearer {body['access_token']}")
    assert me.json()["id"] == shop.pk


def test_the_city_is_almaty_unless_told(pending: str) -> None:
    complete(pending)
    assert Shop.objects.get().city == "Алматы"


def test_the_owner_may_choose_a_password(pending: str) -> None:
    assert complete(pending, password="correct horse 7").status_code == 201
    answer = Caller()("POST", "/api/auth/login", {"phone": PHONE, "password": "correct horse 7"})
    assert answer.status_code == 200


def test_the_owner_is_welcomed(pending: str) -> None:
    complete(pending)
    deliver()
    assert Notification.objects.get(kind="welcome").payload == {"shop_id": Shop.objects.get().pk}


def test_a_session_serves_once(pending: str) -> None:
    complete(pending)
    again = complete(pending)
    assert (again.status_code, again.json()["code"]) == (400, "registration_expired")
    assert Shop.objects.count() == 1


def test_a_session_lives_an_hour(pending: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        answer = complete(pending)
    assert (answer.status_code, answer.json()["code"]) == (400, "registration_token_invalid")
    RegistrationSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = complete(pending)
    assert (answer.status_code, answer.json()["code"]) == (400, "registration_expired")
    assert not Shop.objects.exists()


def test_a_phone_has_one_shop(pending: str) -> None:
    Shop.objects.create(name="Old", phone=PHONE)
    answer = complete(pending)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Shop with this phone already exists")
    assert Employee.objects.count() == 0
    assert RegistrationSession.objects.get().used_at is None


@pytest.mark.parametrize("body", [{"name": "T"}, {"name": " T "}, {"name": "x" * 101}, {"name": "Tulpan", "role": "x"}])
def test_malformed_is_422(pending: str, body: dict[str, str]) -> None:
    assert complete(pending, **body).status_code == 422
    assert not Shop.objects.exists()


def test_without_a_token_401_and_with_another_one_400(olga: Employee) -> None:
    assert Caller()("POST", "/api/auth/complete-registration", {"name": "Tulpan"}).status_code == 401
    for token in ("nonsense", sessions.open_session(olga).access):
        assert complete(token).status_code == 400


def test_a_person_of_the_house_opens_a_shop_under_his_own_name(pending: str) -> None:
    person = User.objects.create_user(phone=PHONE, username="known")
    assert complete(pending).status_code == 201
    assert Shop.objects.get().owner == person


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_session_opens_one_shop_however_often_it_is_sent() -> None:
    session = sessions._begin_registration(PHONE)
    results = race(5, lambda _: registration.complete(token=session.access, name="Tulpan"))
    assert outcomes(results) == {"ok": 1, "RegistrationExpired": 4}
    assert (Shop.objects.count(), Product.objects.count()) == (1, 3)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_phone_gets_one_shop_from_two_sessions() -> None:
    pairs = [sessions._begin_registration(PHONE) for _ in range(4)]
    results = race(4, lambda number: registration.complete(token=pairs[number].access, name="Tulpan"))
    ended = outcomes(results)
    assert ended["ok"] == 1
    assert set(ended) <= {"ok", "ShopExists", "PhoneTaken"}
    assert Shop.objects.count() == 1


def test_the_registration_token_is_nobody_elsewhere(pending: str, rosa: Shop) -> None:
    """As-is 500 on every other route."""
    assert tokens.audience_of(pending) == "florist-registration"
    for path in ("/api/orders/", "/api/users/", "/api/auth/logout"):
        answer = Caller()("POST", path, {}, Authorization=f"Bearer {pending}")
        assert answer.status_code in (401, 405), path


@pytest.mark.django_db
def test_a_blocked_person_opens_nothing() -> None:
    User.objects.create_user(phone=PHONE, username="known", is_active=False)
    with pytest.raises(sessions.accounts.PersonBlocked):
        registration.open_shop(Application(phone=PHONE, name="Tulpan"))
    assert not Shop.objects.exists()
