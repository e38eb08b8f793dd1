"""The people of a shop: hiring, roles, switches, dismissing (contract florist 1.6, 3.2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.core.testing import assert_refused, outcomes, query_budget, race
from apps.florist import errors
from apps.florist.actions import people
from apps.florist.actions.people import Newcomer
from apps.florist.models import Employee, EmployeeChange, Shop
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller, Role

pytestmark = pytest.mark.django_db

KEYS = {
    *("id", "phone", "name", "email", "role", "is_active", "telegram_id", "shop_id"),
    *("created_at", "updated_at", "permissions"),
}
NEW = {"phone": "+77017654321", "name": "Saule", "role": "florist"}


class TestListing:
    def test_by_name_with_total(self, olga: Employee, bek: Employee, aida: Employee, dana: Employee) -> None:
        body = Caller(olga)("GET", "/api/users/").json()
        assert (body["total"], [row["name"] for row in body["items"]]) == (3, ["Aida", "Bek", "Olga"])
        assert set(body["items"][0]) == KEYS
        switches = {"orders": True, "warehouse": False, "customers": False, "production": True}
        assert body["items"][0]["permissions"] == {**switches, "settings": False, "users": False}

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("search=aI", ["Aida"]),
            ("search=gulnar@", ["Gulnar"]),
            ("search=ЖА", ["Айжан"]),
            ("search=айж", ["Айжан"]),
            ("role=florist", ["Aida", "Gulnar"]),
            ("is_active=false", ["Gulnar"]),
            ("is_active=true&role=florist", ["Aida"]),
            ("limit=1&skip=1", ["Bek"]),
        ],
    )
    def test_filters(
        self, olga: Employee, bek: Employee, aida: Employee, gulnar: Employee, query: str, names: list[str]
    ) -> None:
        Employee.objects.filter(pk=gulnar.pk).update(is_active=False, email="gulnar@rosa.kz")
        cast.employee(olga.shop, Role.COURIER, "Айжан")
        assert [row["name"] for row in Caller(olga)("GET", f"/api/users/?{query}").json()["items"]] == names

    def test_a_phone_is_found_in_any_spelling(self, olga: Employee, aida: Employee) -> None:
        local = "8" + aida.phone[2:]
        assert Caller(olga)("GET", f"/api/users/?search={local}").json()["total"] == 1

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "skip=-1", "role=boss", "is_active=perhaps"])
    def test_malformed_is_422(self, olga: Employee, query: str) -> None:
        assert Caller(olga)("GET", f"/api/users/?{query}").status_code == 422

    def test_it_costs_the_same_for_many(self, olga: Employee, rosa: Shop) -> None:
        for _ in range(30):
            cast.employee(rosa, Role.FLORIST)
        caller = Caller(olga)
        with query_budget(4):
            assert len(caller("GET", "/api/users/").json()["items"]) == 31


class TestHiring:
    def test_the_role_gives_the_switches(self, olga: Employee) -> None:
        answer = Caller(olga)("POST", "/api/users/", {**NEW, "email": "Saule@rosa.kz", "telegram_id": 7})
        body = answer.json()
        assert (answer.status_code, set(body)) == (200, KEYS)
        assert (body["email"], body["shop_id"], body["telegram_id"]) == ("saule@rosa.kz", olga.shop_id, 7)
        assert body["permissions"]["production"] is True
        saule = Employee.objects.get(pk=body["id"])
        assert (saule.user.phone, saule.user.phone_verified_at, saule.user.has_usable_password()) == (
            "+77017654321",
            None,
            False,
        )
        assert EmployeeChange.objects.get().what == "hired"

    def test_the_same_phone_may_work_next_door(self, olga: Employee, dana: Employee) -> None:
        """As-is 400 for a phone taken in any shop."""
        first = Caller(olga)("POST", "/api/users/", NEW).json()
        second = Caller(dana)("POST", "/api/users/", NEW)
        assert second.status_code == 200
        rows = Employee.objects.filter(pk__in=(first["id"], second.json()["id"]))
        assert len({row.user_id for row in rows}) == 1

    def test_a_taken_phone_or_email_is_400(self, olga: Employee, aida: Employee) -> None:
        Employee.objects.filter(pk=aida.pk).update(email="aida@rosa.kz")
        for body in ({**NEW, "phone": aida.phone}, {**NEW, "email": "AIDA@rosa.kz"}):
            assert Caller(olga)("POST", "/api/users/", body).status_code == 400
        assert Employee.objects.count() == 2
        assert not User.objects.filter(phone=NEW["phone"]).exists()

    def test_the_person_who_works_here_under_another_phone_is_not_hired_twice(
        self, olga: Employee, aida: Employee
    ) -> None:
        accounts.set_identifier(user=aida.user, phone=NEW["phone"])
        assert Caller(olga)("POST", "/api/users/", NEW).status_code == 400

    @pytest.mark.parametrize(
        "more",
        [
            {"phone": "87017654321"},
            {"phone": "+998901234567"},
            {"name": ""},
            {"name": "x" * 101},
            {"role": "boss"},
            {"email": "no"},
            {"permissions": {"users": True}},
        ],
    )
    def test_malformed_is_422(self, olga: Employee, more: dict[str, Any]) -> None:
        assert Caller(olga)("POST", "/api/users/", {**NEW, **more}).status_code == 422
        assert Employee.objects.count() == 1

    def test_only_owners_hire(self, bek: Employee, aida: Employee, ruslan: Employee) -> None:
        for who in (bek, aida, ruslan):
            assert Caller(who)("POST", "/api/users/", NEW).status_code == 403

    def test_a_manager_who_may_hire_makes_no_owners(self, bek: Employee) -> None:
        Employee.objects.filter(pk=bek.pk).update(permissions={"users": True})
        assert Caller(bek)("POST", "/api/users/", {**NEW, "role": "admin"}).status_code == 403
        assert Caller(bek)("POST", "/api/users/", NEW).status_code == 200


class TestChanging:
    def test_an_owner_changes_everything(self, olga: Employee, aida: Employee) -> None:
        body = {"name": "Aida B", "email": "a@rosa.kz", "role": "manager", "is_active": True, "telegram_id": 5}
        shown = Caller(olga)("PATCH", f"/api/users/{aida.pk}", body).json()
        assert {name: shown[name] for name in body} == body
        assert shown["permissions"]["warehouse"] is True
        changes = EmployeeChange.objects.order_by("id").values_list("what", "before", "after", "by_id")
        assert list(changes) == [
            ("role", {"role": "florist"}, {"role": "manager"}, olga.user_id),
            ("edited", {}, {"fields": ["email", "name", "telegram_id"]}, olga.user_id),
        ]

    def test_everybody_changes_his_own_name_and_email_and_nothing_else(self, aida: Employee) -> None:
        caller = Caller(aida)
        assert caller("PATCH", f"/api/users/{aida.pk}", {"name": "A", "email": "a@rosa.kz"}).status_code == 200
        for body in ({"role": "admin"}, {"is_active": False}, {"telegram_id": 9}, {"name": "B", "role": "manager"}):
            assert caller("PATCH", f"/api/users/{aida.pk}", body).status_code == 403
        aida.refresh_from_db()
        assert (aida.name, aida.role, aida.is_active, aida.telegram_id) == ("A", "florist", True, None)

    def test_nobody_promotes_himself(self, bek: Employee) -> None:
        Employee.objects.filter(pk=bek.pk).update(permissions={"users": True})
        for body in ({"role": "admin"}, {"role": "florist"}):
            assert Caller(bek)("PATCH", f"/api/users/{bek.pk}", body).status_code == 403

    def test_others_are_not_to_be_touched(self, bek: Employee, aida: Employee, gulnar: Employee) -> None:
        for who in (bek, gulnar):
            assert Caller(who)("PATCH", f"/api/users/{aida.pk}", {"name": "X"}).status_code == 403

    def test_a_manager_who_may_write_users_leaves_owners_alone(self, bek: Employee, olga: Employee) -> None:
        Employee.objects.filter(pk=bek.pk).update(permissions={"users": True})
        assert Caller(bek)("PATCH", f"/api/users/{olga.pk}", {"role": "florist"}).status_code == 403

    def test_the_last_owner_stays_one(self, olga: Employee) -> None:
        answer = Caller(olga)("PATCH", f"/api/users/{olga.pk}", {"role": "manager"})
        assert (answer.status_code, answer.json()["code"]) == (400, "last_admin")

    def test_with_another_owner_he_may_step_down(self, olga: Employee, rosa: Shop) -> None:
        cast.employee(rosa, Role.ADMIN)
        assert Caller(olga)("PATCH", f"/api/users/{olga.pk}", {"role": "manager"}).status_code == 200
        assert Caller(olga)("POST", "/api/users/", NEW).status_code == 403

    def test_an_owner_who_left_does_not_count(self, olga: Employee, rosa: Shop) -> None:
        cast.employee(rosa, Role.ADMIN, is_active=False)
        assert Caller(olga)("PATCH", f"/api/users/{olga.pk}", {"role": "manager"}).status_code == 400

    def test_somebody_deactivated_is_out_at_once(self, olga: Employee, aida: Employee) -> None:
        caller = Caller(aida)
        Caller(olga)("PATCH", f"/api/users/{aida.pk}", {"is_active": False})
        assert caller("GET", "/api/auth/me").status_code == 401
        Caller(olga)("PATCH", f"/api/users/{aida.pk}", {"is_active": True})
        assert caller("GET", "/api/auth/me").status_code == 401, "the old token stays dead"
        assert Caller(aida)("GET", "/api/auth/me").status_code == 200

    def test_a_taken_email_is_400(self, olga: Employee, aida: Employee, bek: Employee) -> None:
        Employee.objects.filter(pk=bek.pk).update(email="b@rosa.kz")
        assert Caller(olga)("PATCH", f"/api/users/{aida.pk}", {"email": "b@rosa.kz"}).status_code == 400

    def test_anybody_of_the_next_shop_is_404(self, dana: Employee, aida: Employee) -> None:
        for method, path in (
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("PATCH", "/permissions"),
            ("PATCH", "/shift"),
        ):
            body = {"is_on_shift": False} if path == "/shift" else {"users": True} if path else {"name": "X"}
            answer = Caller(dana)(method, f"/api/users/{aida.pk}{path}", body)
            assert answer.status_code == 404, (method, path)

    def test_everybody_sees_himself(self, aida: Employee, bek: Employee) -> None:
        assert Caller(aida)("GET", f"/api/users/{aida.pk}").json()["id"] == aida.pk
        assert Caller(aida)("GET", f"/api/users/{bek.pk}").status_code == 403
        assert Caller(bek)("GET", f"/api/users/{aida.pk}").status_code == 200


class TestSwitches:
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_both_bodies_are_understood(self, olga: Employee, aida: Employee, wrapped: bool) -> None:
        given = {"warehouse": True, "orders": False}
        body = {"permissions": given} if wrapped else given
        shown = Caller(olga)("PATCH", f"/api/users/{aida.pk}/permissions", body).json()
        assert (shown["permissions"]["warehouse"], shown["permissions"]["orders"]) == (True, False)
        assert shown["permissions"]["production"] is True
        change = EmployeeChange.objects.get()
        assert (change.before["warehouse"], change.after["warehouse"]) == (False, True)

    def test_they_are_enforced_on_the_next_request(self, olga: Employee, aida: Employee) -> None:
        caller = Caller(aida)
        assert caller("GET", "/api/settings/").status_code == 200
        Caller(olga)("PATCH", f"/api/users/{aida.pk}/permissions", {"settings": True})
        assert caller("PATCH", "/api/settings/", {"name": "New name"}).status_code == 200
        Caller(olga)("PATCH", f"/api/users/{aida.pk}/permissions", {"settings": False})
        assert caller("PATCH", "/api/settings/", {"name": "Newer name"}).status_code == 403

    def test_another_role_takes_them_back_and_the_same_one_does_not(self, olga: Employee, aida: Employee) -> None:
        aida.permissions = {"settings": True, "warehouse": True}
        aida.save()
        for role, kept in (("florist", {"settings": True, "warehouse": True}), ("courier", {})):
            shown = Caller(olga)("PATCH", f"/api/users/{aida.pk}", {"role": role}).json()
            aida.refresh_from_db()
            assert (aida.permissions, shown["permissions"]["settings"]) == (kept, bool(kept))

    @pytest.mark.parametrize("body", [{"permissions": {"money": True}}, {"money": True}, {"users": "perhaps"}, []])
    def test_unknown_keys_are_422(self, olga: Employee, aida: Employee, body: Any) -> None:
        assert Caller(olga)("PATCH", f"/api/users/{aida.pk}/permissions", body).status_code == 422
        aida.refresh_from_db()
        assert aida.permissions == {}

    def test_owners_are_frozen_and_nobody_widens_himself(self, olga: Employee, bek: Employee) -> None:
        answer = Caller(olga)("PATCH", f"/api/users/{olga.pk}/permissions", {"users": False})
        assert (answer.status_code, answer.json()["code"]) == (400, "admin_frozen")
        Employee.objects.filter(pk=bek.pk).update(permissions={"users": True})
        answer = Caller(bek)("PATCH", f"/api/users/{bek.pk}/permissions", {"settings": True})
        assert (answer.status_code, answer.json()["code"]) == (400, "not_yourself")

    def test_managers_and_florists_may_not(self, bek: Employee, aida: Employee, ruslan: Employee) -> None:
        for who in (bek, aida):
            assert Caller(who)("PATCH", f"/api/users/{ruslan.pk}/permissions", {"users": True}).status_code == 403


class TestDismissing:
    def test_the_row_stays_and_the_door_closes(self, olga: Employee, aida: Employee) -> None:
        caller = Caller(aida)
        answer = Caller(olga)("DELETE", f"/api/users/{aida.pk}")
        assert (answer.status_code, answer.json()["is_active"]) == (200, False)
        assert caller("GET", "/api/auth/me").status_code == 401
        assert Caller(olga)("DELETE", f"/api/users/{aida.pk}").status_code == 200
        assert EmployeeChange.objects.filter(what="dismissed").count() == 1

    def test_neither_owners_nor_oneself(self, olga: Employee, rosa: Shop) -> None:
        other = cast.employee(rosa, Role.ADMIN)
        for who, code in ((olga, "not_yourself"), (other, "admin_frozen")):
            answer = Caller(olga)("DELETE", f"/api/users/{who.pk}")
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert Employee.objects.filter(is_active=True).count() == 2


class TestShifts:
    def test_of_oneself_and_by_managers(self, bek: Employee, aida: Employee, gulnar: Employee) -> None:
        path = f"/api/users/{aida.pk}/shift"
        assert Caller(aida)("PATCH", path, {"is_on_shift": False}).json() == {"id": aida.pk, "is_on_shift": False}
        assert Caller(bek)("PATCH", path, {"is_on_shift": True}).json()["is_on_shift"] is True
        assert Caller(gulnar)("PATCH", path, {"is_on_shift": False}).status_code == 403


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_owners_do_not_demote_each_other(rosa: Shop) -> None:
    owners = [cast.employee(rosa, Role.ADMIN) for _ in range(2)]

    def demote(number: int) -> Employee:
        return people.update(by=owners[1 - number], employee_id=owners[number].pk, role="manager")

    ended = outcomes(race(2, demote))
    assert ended["ok"] == 1
    assert set(ended) <= {"ok", "LastAdmin", "NotEnoughPermissions"}
    assert Employee.objects.filter(role="admin").count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_phone_is_hired_once(olga: Employee) -> None:
    newcomer = Newcomer(phone="+77017654321", name="Saule", role="florist")
    ended = outcomes(race(4, lambda _: people.hire(by=olga, newcomer=newcomer)))
    assert ended == {"ok": 1, "PhoneInUse": 3}


class TestTheHouse:
    """People become one, part again, are forgotten (design 3.8)."""

    def test_jobs_follow_a_merge_and_come_back(self, aida: Employee, rosa: Shop) -> None:
        keep = User.objects.create_user(phone="+77010000077")
        rosa.owner = aida.user
        rosa.save()
        gone = aida.user
        merge = accounts.merge(by=None, keep=keep, gone=gone, reason="same")
        aida.refresh_from_db()
        rosa.refresh_from_db()
        assert (aida.user, rosa.owner) == (keep, keep)
        accounts.undo_merge(by=None, merge=merge, reason="not the same")
        aida.refresh_from_db()
        assert aida.user == gone

    def test_two_jobs_in_one_shop_stay_apart(self, aida: Employee, bek: Employee) -> None:
        accounts.merge(by=None, keep=bek.user, gone=aida.user, reason="same")
        aida.refresh_from_db()
        assert (aida.user_id != bek.user_id, aida.came_by_merge) == (True, None)

    def test_the_forgotten_leave_no_name(self, aida: Employee) -> None:
        Employee.objects.filter(pk=aida.pk).update(email="a@rosa.kz", telegram_id=5)
        accounts.erase(by=None, user=aida.user)
        aida.refresh_from_db()
        assert (aida.name, aida.phone, aida.email, aida.telegram_id, aida.is_active) == (
            "—",
            f"gone-{aida.pk}",
            None,
            None,
            False,
        )

    def test_the_back_office_acts_by_its_right(self, aida: Employee, olga: Employee) -> None:
        clerk = User.objects.create_user(username="clerk", is_staff=True)
        assert_refused(
            errors.NotEnoughPermissions,
            lambda: people.dismiss(by=clerk, employee_id=aida.pk),
            unchanged=[Employee.objects.all()],
        )
        root = User.objects.create_superuser(username="root")
        with transaction.atomic():
            assert people.dismiss(by=root, employee_id=aida.pk).is_active is False
        assert EmployeeChange.objects.get().by == root
