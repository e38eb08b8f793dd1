"""Managers hire, change and dismiss (contract loyalty 1.1 rows 6, 7; 1.4 rows 27 to 31; 1.7; 3.7)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.core import texts
from apps.core.testing import assert_refused, query_budget
from apps.loyalty import errors
from apps.loyalty.actions import staff
from apps.loyalty.models import Client, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db

NEW = {"name": "Nodira", "phone": "+998901110042", "password": "secret1"}


def words_of(refusal: Any) -> dict[str, Any]:
    return {"detail": texts.in_languages(refusal.message, ("ru", "uz"))}


def log_in(phone: str, password: str) -> int:
    return Caller().post("auth/staff/login", {"phone": phone, "password": password}).status_code


@pytest.mark.parametrize(("role", "has_code"), [("WAITER", True), ("MANAGER", False)])
def test_a_manager_hires(role: str, has_code: bool, malika: Staff) -> None:
    answer = Caller(malika).post("auth/staff", {**NEW, "role": role, "branch_id": 139350})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["phone"], body["role"], body["branch_id"]) == ("Nodira", NEW["phone"], role, 139350)
    assert (re.fullmatch("[A-Z0-9]{6}", body["referral_code"] or "") is not None) == has_code
    assert log_in(NEW["phone"], "secret1") == 200


@pytest.mark.parametrize("path", ["auth/staff", "waiters"])
def test_a_phone_in_another_spelling_is_taken_too(path: str, malika: Staff, vali: Staff) -> None:
    answer = Caller(malika).post(path, {**NEW, "phone": "90 111 00 02", "role": "WAITER"})
    assert (answer.status_code, answer.json()) == (409, words_of(errors.StaffPhoneTaken))
    assert (Staff.objects.count(), User.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    ("field", "value"), [("phone", "abc"), ("password", "five5"), ("role", "COOK"), ("branch_id", 1), ("name", "")]
)
def test_malformed_staff_are_422(field: str, value: object, malika: Staff) -> None:
    answer = Caller(malika).post("auth/staff", {**NEW, "role": "WAITER", field: value})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])
    assert Staff.objects.count() == 1


def test_hiring_does_not_touch_whoever_has_that_phone(malika: Staff, jasur: Client) -> None:
    before = User.objects.values().get(pk=jasur.user_id)
    assert Caller(malika).post("auth/staff", {**NEW, "phone": jasur.phone, "role": "MANAGER"}).status_code == 201
    assert User.objects.values().get(pk=jasur.user_id) == before
    assert Staff.objects.get(phone=jasur.phone).user_id != jasur.user_id


def test_the_staff_list_and_the_waiters(malika: Staff, vali: Staff, umid: Staff, gulnora: Client) -> None:
    Staff.objects.filter(pk=umid.pk).update(branch_id=139458)
    gone = cast.guest("Gone", "+998901110077", of=vali)
    Caller(gone).delete("users/me")
    caller = Caller(malika)
    body = caller.get("auth/staff").json()
    assert body["pagination"] == {"page": 1, "size": 20, "total": 3}
    assert [row["id"] for row in body["items"]] == [umid.pk, vali.pk, malika.pk]
    waiters = caller.get("waiters").json()["items"]
    assert [(row["id"], row["clients_count"]) for row in waiters] == [(umid.pk, 0), (vali.pk, 1)]
    assert [row["id"] for row in caller.get("waiters?branch_id=139458").json()["items"]] == [umid.pk]
    assert [row["id"] for row in caller.get("waiters?search=val").json()["items"]] == [vali.pk]
    assert [row["id"] for row in caller.get("auth/staff?search=0001&size=1").json()["items"]] == [malika.pk]
    assert caller.get("auth/staff?search=").status_code == 422


def test_the_number_of_queries_does_not_grow(malika: Staff) -> None:
    for number in range(10):
        cast.waiter(f"W{number}", f"+9989022200{number:02}", f"CODE{number}")
    caller = Caller(malika)
    with query_budget(4):  # session, staff, waiters with counts, total
        assert len(caller.get("waiters").json()["items"]) == 10


@pytest.mark.parametrize("given", [{}, {"referral_code": ""}, {"referral_code": None}])
def test_a_waiter_without_a_code_gets_one(given: dict[str, Any], malika: Staff) -> None:
    body = Caller(malika).post("waiters", {**NEW, **given}).json()
    assert re.fullmatch("[A-Z0-9]{6}", body["referral_code"])
    assert body["role"] == "WAITER"


def test_a_code_of_the_managers_choice_is_kept_and_taken_once(malika: Staff, vali: Staff) -> None:
    caller = Caller(malika)
    assert caller.post("waiters", {**NEW, "referral_code": "NODI1234"}).json()["referral_code"] == "NODI1234"
    answer = caller.post("waiters", {**NEW, "phone": "+998901110043", "referral_code": "VALI01"})
    assert (answer.status_code, answer.json()) == (409, words_of(errors.ReferralCodeTaken))
    assert caller.post("waiters", {**NEW, "referral_code": "X" * 13}).status_code == 422


def test_ten_taken_codes_are_a_refusal(vali: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "CODE_LENGTH", 1)
    monkeypatch.setattr(staff, "CODE_LETTERS", "A")
    Staff.objects.filter(pk=vali.pk).update(referral_code="A")
    given = {**NEW, "by": None}
    assert_refused(errors.NoReferralCode, lambda: staff.hire(**given), unchanged=[Staff.objects.all()])


def test_a_waiter_is_read_and_a_manager_is_none(malika: Staff, vali: Staff) -> None:
    caller = Caller(malika)
    assert caller.get(f"waiters/{vali.pk}").json()["referral_code"] == "VALI01"
    for staff_id in (malika.pk, 999_999):
        for method, body in (("GET", None), ("PUT", {"name": "X"}), ("DELETE", None)):
            answer = caller(method, f"waiters/{staff_id}", body)
            assert (answer.status_code, answer.json()) == (404, words_of(errors.WaiterNotFound))


def test_a_waiter_is_changed_field_by_field(malika: Staff, vali: Staff) -> None:
    caller, path = Caller(malika), f"waiters/{vali.pk}"
    told = {"name": "Vali B.", "phone": "901110052", "branch_id": 139350, "referral_code": "NEW1"}
    body = caller.put(path, told).json()
    assert {name: body[name] for name in told} == {**told, "phone": "+998901110052"}
    assert caller.put(path, {"branch_id": None}).json()["branch_id"] is None
    assert caller.put(path, {"referral_code": ""}).json()["referral_code"] is None
    assert caller.put(path, {"name": None, "phone": None}).json()["name"] == "Vali B."


def test_a_new_password_signs_the_waiter_out(malika: Staff, vali: Staff) -> None:
    his = Caller(vali)
    assert Caller(malika).put(f"waiters/{vali.pk}", {"password": "brand new 3"}).status_code == 200
    assert his.get("auth/me").status_code == 401
    assert (log_in(vali.phone, cast.PASSWORD), log_in(vali.phone, "brand new 3")) == (401, 200)


def test_a_change_without_a_field_is_422(malika: Staff, vali: Staff) -> None:
    assert Caller(malika).put(f"waiters/{vali.pk}", {}).status_code == 422
    assert Caller(malika).put(f"waiters/{vali.pk}", {"nonsense": 1}).status_code == 422


@pytest.mark.parametrize(
    ("told", "refusal"),
    [({"phone": "901110003"}, errors.StaffPhoneTaken), ({"referral_code": "UMID02"}, errors.ReferralCodeTaken)],
)
def test_what_another_has_is_409_and_nothing_changes(
    told: dict[str, str], refusal: Any, malika: Staff, vali: Staff, umid: Staff
) -> None:
    before = Staff.objects.values().get(pk=vali.pk)
    answer = Caller(malika).put(f"waiters/{vali.pk}", {"name": "X", **told})
    assert (answer.status_code, answer.json()) == (409, words_of(refusal))
    assert Staff.objects.values().get(pk=vali.pk) == before


def test_a_dismissed_waiter_leaves_the_guests_the_phone_and_the_code(
    malika: Staff, vali: Staff, gulnora: Client
) -> None:
    his, caller = Caller(vali), Caller(malika)
    assert caller.delete(f"waiters/{vali.pk}").status_code == 204
    gulnora.refresh_from_db()
    assert gulnora.waiter_id is None
    assert his.get("auth/me").status_code == 401
    assert log_in(cast.PHONES["vali"], cast.PASSWORD) == 401
    assert caller.get(f"waiters/{vali.pk}").status_code == 404
    again = {**NEW, "phone": cast.PHONES["vali"], "referral_code": "VALI01"}
    assert caller.post("waiters", again).status_code == 201


def test_a_waiter_who_stands_in_the_books_stays(malika: Staff, vali: Staff, gulnora: Client) -> None:
    cast.earn(gulnora, 5, by=malika)
    Staff.objects.filter(pk=malika.pk).update(role=Staff.Role.WAITER)
    other = cast.manager("Other", "+998901110088")
    answer = Caller(other).delete(f"waiters/{malika.pk}")
    assert (answer.status_code, answer.json()) == (409, words_of(errors.WaiterHasRecords))
    assert Staff.objects.living().filter(pk=malika.pk).exists()


def test_the_web_clients_buttons_for_staff(malika: Staff, vali: Staff) -> None:
    caller = Caller(malika)
    body = caller.patch(f"auth/staff/{vali.pk}", {"name": "V", "role": "MANAGER"}).json()
    assert (body["name"], body["role"]) == ("V", "MANAGER")
    assert caller.delete(f"auth/staff/{vali.pk}").status_code == 204
    assert caller.patch(f"auth/staff/{vali.pk}", {"name": "V"}).status_code == 404


def test_a_manager_does_not_lock_himself_out(malika: Staff) -> None:
    caller, path = Caller(malika), f"auth/staff/{malika.pk}"
    for answer in (caller.delete(path), caller.patch(path, {"role": "WAITER"})):
        assert (answer.status_code, answer.json()) == (409, words_of(errors.NotYourself))
    assert caller.get("waiters").status_code == 200


def test_a_fresh_referral_code_replaces_the_old_one(malika: Staff, vali: Staff) -> None:
    body = Caller(malika).post(f"auth/staff/{vali.pk}/referral/regenerate").json()
    vali.refresh_from_db()
    assert (body, vali.referral_code != "VALI01") == ({"referral_code": vali.referral_code}, True)


# The first manager ------------------------------------------------------------------------------------------------


@pytest.fixture
def named(settings: Settings) -> None:
    settings.LOYALTY = replace(
        settings.LOYALTY,
        default_admin_name="First",
        default_admin_phone="901110060",
        default_admin_password="first password 1",
    )


def test_a_migration_makes_the_first_manager_once(named: None) -> None:
    for _ in range(2):
        call_command("migrate", verbosity=0)
    row = Staff.objects.get()
    assert (row.name, row.phone, row.role) == ("First", "+998901110060", "MANAGER")


def test_a_changed_password_stays_changed(named: None) -> None:
    first = staff.ensure_first_manager()
    assert first is not None
    body = {"old_password": "first password 1", "new_password": "second password 2"}
    assert Caller(first).post("auth/staff/change-password", body).status_code == 204
    assert staff.ensure_first_manager() is None
    assert log_in("901110060", "second password 2") == 200


def test_without_a_password_nobody_is_made(named: None, settings: Settings) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, default_admin_password="")
    assert staff.ensure_first_manager() is None
    assert not Staff.objects.exists()
