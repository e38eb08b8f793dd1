"""The login log (contract loyalty 1.4 rows 32, 34, 35; 7.25, 7.40)."""

from __future__ import annotations

import pytest

from apps.accounts import actions as accounts
from apps.accounts.actions import Caller as From
from apps.accounts.models import AuthLog
from apps.core.testing import query_budget
from apps.loyalty.actions import codes
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def night(malika: Staff, jasur: Client) -> None:
    """Jasur asks for a code, mistypes it, gets in; Malika mistypes her password."""
    AuthLog.objects.all().delete()
    caller = Caller(address="10.0.0.7")
    caller.post("auth/client/request-otp", {"phone": jasur.phone})
    code = cast.texted_code()
    caller.post("auth/client/verify-otp", {"phone": jasur.phone, "code": f"{(int(code) + 1) % 10**6:06d}"})
    caller.post("auth/client/verify-otp", {"phone": jasur.phone, "code": code})
    caller.post("auth/staff/login", {"phone": malika.phone, "password": "not this"})


def test_every_try_at_the_door_with_who_it_was(night: None, malika: Staff, jasur: Client) -> None:
    body = Caller(malika).get("logs/auth").json()
    assert body["pagination"] == {"page": 1, "size": 20, "total": 5}
    seen = [(line["event"], line["action"], line["status"], line["actor_type"]) for line in body["items"]]
    assert seen == [
        ("login_failed", "FAILED_LOGIN", "failed", "staff"),
        ("login_success", "LOGIN", "success", "user"),
        ("otp_verification", "OTP_VERIFICATION", "success", "user"),
        ("otp_verification", "OTP_VERIFICATION", "failed", None),
        ("otp_request", "OTP_REQUEST", "success", "user"),
    ]
    failed, entered = body["items"][0], body["items"][1]
    assert set(failed) == {
        *("id", "actor_type", "actor_id", "event", "status", "phone", "action", "ip", "user_agent", "meta"),
        *("metadata", "user", "created_at"),
    }
    assert failed["user"] == {
        "id": malika.pk,
        "type": "staff",
        "name": "Malika",
        "phone": malika.phone,
        "role": "MANAGER",
    }
    assert (entered["actor_id"], entered["phone"], entered["ip"]) == (jasur.pk, jasur.phone, "10.0.0.7")
    assert body["items"][4]["meta"] == body["items"][4]["metadata"]
    assert sorted(body["items"][4]["meta"]) == ["channel", "otp_id", "purpose"]
    assert body["items"][4]["meta"]["purpose"] == "login"


def test_the_older_shape(night: None, malika: Staff, jasur: Client) -> None:
    body = Caller(malika).get("admin/auth-logs?size=2").json()
    assert body["pagination"] == {"page": 1, "size": 2, "total": 5}
    first, second = body["items"]
    assert set(first) == {
        *("id", "actor_type", "actor_id", "phone", "action", "ip", "user_agent", "meta", "created_at")
    }
    assert (first["actor_type"], first["actor_id"], first["action"]) == ("STAFF", malika.pk, "FAILED_LOGIN")
    assert (second["actor_type"], second["actor_id"], second["action"]) == ("CLIENT", jasur.pk, "LOGIN")


def test_codes_of_all_and_of_one(night: None, malika: Staff, jasur: Client, gulnora: Client) -> None:
    caller = Caller(malika)
    assert caller.get("logs/otp").json()["pagination"]["total"] == 3
    his = caller.get(f"logs/otp?user_id={jasur.pk}").json()["items"]
    assert [line["event"] for line in his] == ["otp_verification", "otp_request"]
    assert caller.get(f"logs/otp?user_id={gulnora.pk}").json()["items"] == []
    assert caller.get("logs/otp?user_id=999999").status_code == 404


def test_codes_from_before_the_account_are_found_by_the_phone(malika: Staff) -> None:
    phone = cast.PHONES["newcomer"]
    neighbour = "+998905550009"  # masked like the newcomer's
    codes.request_code(phone=neighbour, purpose="register")
    codes.request_code(phone=phone, purpose="register")
    codes.prove_code(phone=phone, purpose="register", code=cast.texted_code())
    client = Client.objects.get()
    items = Caller(malika).get(f"logs/otp?user_id={client.pk}").json()["items"]
    assert [line["event"] for line in items].count("otp_request") == 1


def test_other_products_doors_are_not_told(malika: Staff, jasur: Client) -> None:
    AuthLog.objects.all().delete()
    accounts.admit(user=jasur.user, caller=From(product="shop"))
    assert Caller(malika).get("logs/auth").json()["items"] == []


def test_a_page_costs_the_same_however_many_people(malika: Staff) -> None:
    for number in range(10):
        guest = cast.guest(f"G{number}", f"+9989022200{number:02}")
        accounts.admit(user=guest.user, caller=From(product="loyalty"))
    caller = Caller(malika)
    with query_budget(6):  # session, staff, entries, total, guests, staff of the page
        assert len(caller.get("logs/auth").json()["items"]) == 10


def test_what_was_refused_at_the_doors(night: None, malika: Staff) -> None:
    body = Caller(malika).get("logs/validation").json()
    assert body["pagination"]["total"] == 2
    assert [line["event"] for line in body["items"]] == ["login_failed", "otp_verification"]
    assert "not this" not in str(body)


def test_cashback_that_staff_gave(malika: Staff, jasur: Client) -> None:
    cast.iiko(jasur, 500)
    given = cast.earn(jasur, 700, by=malika)
    body = Caller(malika).get("logs/audit").json()
    assert body["pagination"] == {"page": 1, "size": 20, "total": 1}
    (line,) = body["items"]
    assert line.pop("created_at")
    assert line == {
        "id": given.pk,
        "actor": "Malika",
        "actor_id": malika.pk,
        "action": "added",
        "entity": "user",
        "entity_id": jasur.pk,
        "amount": 700.0,
    }
