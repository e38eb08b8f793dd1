"""Members, their profiles and roles (contract tickets 1.3 users, D11, D14, D19)."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.models import Merge
from apps.core.testing import assert_refused, deliver, outcomes, query_budget, race
from apps.tickets import errors
from apps.tickets.actions import addresses, members, registration, teams
from apps.tickets.actions.registration import Application
from apps.tickets.models import Member, Team
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

NOBODY = "00000000-0000-4000-8000-000000000000"
"""Nobody's number, the same in every process of a test run."""

pytestmark = pytest.mark.django_db
INVITATION = {"name": "Ali Veli", "email": "Ali@Example.com", "phone_number": "0532 000 00 01"}


# Inviting -------------------------------------------------------------------------------------------------------------
def test_a_manager_invites(mehmet: Member, kadikoy_team: Team) -> None:
    answer = Caller(mehmet).post("users/", {**INVITATION, "team_id": str(kadikoy_team.pk)})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["role"], body["is_verified"], body["email"]) == ("SUPPORT", False, "ali@example.com")
    assert (body["phone_number"], body["team_id"], body["team_name"]) == (
        "+905320000001",
        str(kadikoy_team.pk),
        "Kadikoy Lights",
    )


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"role": "manager"}, 201),
        ({"role": "KING"}, 422),
        ({"team_id": str(uuid4())}, 404),
        ({"team_id": "x"}, 422),
        ({"email": "nonsense"}, 422),
        ({"name": "a"}, 422),
        ({"phone_number": "+998901234567"}, 422),
    ],
)
def test_what_an_invitation_may_hold(mehmet: Member, change: dict[str, str], status: int) -> None:
    assert Caller(mehmet).post("users/", {**INVITATION, **change}).status_code == status
    assert Member.objects.count() == (2 if status == 201 else 1)


def test_a_known_phone_or_email_is_400(mehmet: Member, can: Member) -> None:
    for mine in ({"email": str(can.email).upper()}, {"phone_number": can.phone_number}):
        answer = Caller(mehmet).post("users/", {**INVITATION, **mine})
        assert answer.status_code == 400
        assert "already in use" in answer.json()["detail"]
    assert Member.objects.count() == 2


# Listing --------------------------------------------------------------------------------------------------------------
def test_the_list_is_paged_filtered_and_newest_first(mehmet: Member, selin: Member, can: Member) -> None:
    caller = Caller(mehmet)
    with query_budget(4):
        body = caller.get("users/", page_size=200).json()
    assert [row["name"] for row in body["items"]] == ["Can", "Selin", "Mehmet"]
    assert (body["total"], body["page"], body["page_size"]) == (3, 1, 200)
    assert [row["name"] for row in caller.get("users/", role="support").json()["items"]] == ["Selin"]
    of_team = caller.get("users/", team_id=str(selin.team_id)).json()
    assert [(row["name"], row["team_name"]) for row in of_team["items"]] == [("Selin", "Kadikoy Lights")]
    second = caller.get("users/", page=2, page_size=2).json()
    assert ([row["name"] for row in second["items"]], second["total"]) == (["Mehmet"], 3)


@pytest.mark.parametrize(
    ("query", "status"),
    [({"role": "king"}, 400), ({"page": "0"}, 422), ({"page_size": "501"}, 422), ({"team_id": "x"}, 422)],
)
def test_bad_filters(mehmet: Member, query: dict[str, str], status: int) -> None:
    assert Caller(mehmet).get("users/", **query).status_code == status


# One member -----------------------------------------------------------------------------------------------------------
def test_oneself_or_anybody_for_a_manager(mehmet: Member, can: Member, zeynep: Member) -> None:
    assert Caller(can).get(f"users/{can.pk}").json()["name"] == "Can"
    assert Caller(mehmet).get(f"users/{can.pk}").json()["name"] == "Can"
    assert Caller(zeynep).get(f"users/{can.pk}").status_code == 403
    assert Caller(mehmet).get(f"users/{uuid4()}").status_code == 404
    assert Caller(mehmet).get("users/nonsense").status_code == 422


def test_a_profile_is_changed_in_parts(can: Member) -> None:
    answer = Caller(can).put(f"users/{can.pk}", {"name": "Can  Demir", "phone_number": "0532 999 99 99"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["phone_number"]) == ("Can Demir", "+905329999999")
    assert answer.json()["email"] == can.email


def test_a_new_email_gets_a_letter_and_is_proved_by_it(can: Member) -> None:
    assert Caller(can).put(f"users/{can.pk}", {"email": "New@Example.com"}).json()["email"] == "new@example.com"
    token = cast.link_for("new@example.com")
    can.user.refresh_from_db()
    assert can.user.email is None
    assert Caller().get("auth/verify-email", token=token).status_code == 200
    can.user.refresh_from_db()
    assert can.user.email == "new@example.com"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"email": "zeynep@example.com"}, 409, "email_taken"),
        ({"email": "garbage"}, 422, None),
        ({"new_password": cast.NEW_PASSWORD}, 400, "current_password_missing"),
        ({"new_password": cast.NEW_PASSWORD, "current_password": "Wrong-123!"}, 400, "current_password_wrong"),
        ({"new_password": "weak", "current_password": cast.PASSWORD}, 422, None),
        ({"phone_number": "123"}, 422, None),
    ],
)
def test_a_refused_profile_changes_nothing(
    can: Member, zeynep: Member, change: dict[str, str], status: int, code: str | None
) -> None:
    """D11: no 500, and the name beside a wrong password is not changed either."""
    before = Member.objects.filter(pk=can.pk).values().get()
    answer = Caller(can).put(f"users/{can.pk}", {"name": "Somebody", **change})
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert Member.objects.filter(pk=can.pk).values().get() == before
    can.user.refresh_from_db()
    assert can.user.check_password(cast.PASSWORD)


def test_a_phone_in_use_is_400(can: Member, zeynep: Member) -> None:
    answer = Caller(can).put(f"users/{can.pk}", {"phone_number": zeynep.phone_number})
    assert (answer.status_code, answer.json()["code"]) == (400, "phone_in_use")


def test_nobody_changes_another_not_even_a_manager(can: Member, mehmet: Member) -> None:
    assert Caller(mehmet).put(f"users/{can.pk}", {"name": "Other"}).status_code == 403


def test_a_new_password_signs_out_everywhere(can: Member) -> None:
    caller = Caller(can)
    body = {"current_password": cast.PASSWORD, "new_password": cast.NEW_PASSWORD}
    assert caller.put(f"users/{can.pk}", body).status_code == 200
    assert caller.get("auth/me").status_code == 401
    assert Caller().post("auth/login", {"email": can.email, "password": cast.NEW_PASSWORD}).status_code == 200


# Roles and removal ----------------------------------------------------------------------------------------------------
def test_a_role_and_a_team_are_given_and_null_leaves_the_team(mehmet: Member, can: Member, kadikoy_team: Team) -> None:
    caller = Caller(mehmet)
    body = caller.patch(f"users/{can.pk}/role", {"role": "support", "team_id": str(kadikoy_team.pk)}).json()
    assert (body["role"], body["team_id"], body["team_name"]) == ("SUPPORT", str(kadikoy_team.pk), "Kadikoy Lights")
    body = caller.patch(f"users/{can.pk}/role", {"role": "SUPPORT", "team_id": None}).json()
    assert body["team_id"] == str(kadikoy_team.pk)


@pytest.mark.parametrize(
    ("change", "status"), [({"role": "king"}, 422), ({}, 422), ({"role": "SUPPORT", "team_id": NOBODY}, 404)]
)
def test_a_refused_role_changes_nothing(mehmet: Member, can: Member, change: dict[str, Any], status: int) -> None:
    assert Caller(mehmet).patch(f"users/{can.pk}/role", change).status_code == status
    assert Caller(mehmet).patch(f"users/{uuid4()}/role", {"role": "SUPPORT"}).status_code == 404
    can.refresh_from_db()
    assert can.role == "CITIZEN"


def test_removal_is_soft_and_frees_phone_and_email(mehmet: Member, can: Member) -> None:
    assert Caller(mehmet).delete(f"users/{can.pk}").status_code == 204
    assert Caller(mehmet).delete(f"users/{can.pk}").status_code == 404
    assert Caller(mehmet).get("users/").json()["total"] == 1
    body = {"name": "Can", "email": can.email, "phone_number": can.phone_number}
    assert Caller(mehmet).post("users/", body).status_code == 201


def test_no_manager_removes_or_demotes_himself(mehmet: Member) -> None:
    """D14."""
    cast.person("Second", cast.Role.MANAGER)
    for answer in (
        Caller(mehmet).delete(f"users/{mehmet.pk}"),
        Caller(mehmet).patch(f"users/{mehmet.pk}/role", {"role": "CITIZEN"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "not_yourself")
    mehmet.refresh_from_db()
    assert mehmet.is_manager and mehmet.deleted_at is None


def test_the_last_manager_stays(mehmet: Member) -> None:
    everything = [Member.objects.all()]
    assert_refused(errors.LastManager, lambda: members.remove(by=None, member_id=mehmet.pk), unchanged=everything)
    assert_refused(
        errors.LastManager,
        lambda: members.set_role(by=None, member_id=mehmet.pk, role="SUPPORT"),
        unchanged=everything,
    )
    assert_refused(
        errors.LastManager,
        lambda: members.set_active(by=None, member_id=mehmet.pk, is_active=False),
        unchanged=everything,
    )


@pytest.mark.race
def test_two_managers_who_remove_each_other_leave_one(mehmet: Member) -> None:
    other = cast.person("Second", cast.Role.MANAGER)
    pairs = [(mehmet, other), (other, mehmet)]
    kinds = outcomes(race(2, lambda n: members.remove(by=pairs[n][0], member_id=pairs[n][1].pk)))
    assert kinds == {"ok": 1, "LastManager": 1}
    assert Member.objects.living().filter(role="MANAGER").count() == 1


@pytest.mark.race
def test_one_email_is_taken_once(can: Member, zeynep: Member) -> None:
    people = [can, zeynep]
    change = {"email": "wanted@example.com"}
    kinds = outcomes(race(2, lambda n: members.update_profile(by=people[n], member_id=people[n].pk, changes=change)))
    assert kinds == {"ok": 1, "EmailTaken": 1}


# Persons --------------------------------------------------------------------------------------------------------------
def test_a_membership_follows_merged_persons_and_comes_back(can: Member) -> None:
    other = accounts.register(phone="+905320000009")
    gone = can.user
    accounts.merge(by=None, keep=other, gone=gone, reason="the same human")
    can.refresh_from_db()
    assert can.user == other
    accounts.undo_merge(by=None, merge=Merge.objects.get(), reason="not the same")
    can.refresh_from_db()
    assert can.user == gone


def test_a_forgotten_person_leaves_tickets_without_a_name(can: Member, lamp: Any) -> None:
    addresses.save(
        by=can, words={"name": "Home", "address": "Moda 1", "latitude": 41.0, "longitude": 29.0, "city": "Istanbul"}
    )
    accounts.erase(by=can.user, user=can.user)
    deliver()
    can.refresh_from_db()
    assert (can.name, can.phone_number, can.email, can.addresses.count()) == ("—", "", None, 0)
    assert can.deleted_at is not None
    lamp.refresh_from_db()
    assert lamp.deleted_at is None


def test_guesses_of_the_present_password_are_counted(can: Member, settings: Any) -> None:
    """A stolen access token lives a quarter of an hour; that is not time for endless guesses."""
    body = {"new_password": cast.NEW_PASSWORD}
    with time_machine.travel(timezone.now().replace(minute=0, second=1), tick=False):
        caller = Caller(can)
        for _ in range(settings.TICKETS.login_limit):
            answer = caller.put(f"users/{can.pk}", {**body, "current_password": "Wrong-123!"})
            assert answer.status_code == 400
        answer = caller.put(f"users/{can.pk}", {**body, "current_password": cast.PASSWORD})
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    can.user.refresh_from_db()
    assert can.user.check_password(cast.PASSWORD)


@pytest.mark.race
def test_a_profile_that_waited_shows_the_team_of_now(can: Member, mehmet: Member, kadikoy_team: Team) -> None:
    """The joined team of a row that was waited for is the one from before the wait."""
    has_begun = threading.Event()

    def run(number: int) -> Any:
        if number:
            assert has_begun.wait(10)
            return Caller(can).put(f"users/{can.pk}", {"name": "Can Bey"}).json()
        with transaction.atomic():
            members.set_role(by=mehmet, member_id=can.pk, role="SUPPORT", team_id=kadikoy_team.pk)
            has_begun.set()
            time.sleep(0.5)
        return None

    shown = race(2, run)[1]
    assert (shown["name"], shown["team_name"], shown["role"]) == ("Can Bey", "Kadikoy Lights", "SUPPORT")


@pytest.mark.race
def test_roles_and_invitations_beside_the_deletion_of_their_team_never_break(
    mehmet: Member, can: Member, sisli_team: Team
) -> None:
    def run(number: int) -> None:
        if number == 0:
            teams.remove(by=mehmet, team_id=sisli_team.pk)
        elif number % 2:
            members.set_role(by=mehmet, member_id=can.pk, role="SUPPORT", team_id=sisli_team.pk)
        else:
            application = Application("Nur", f"+9053212345{number:02}", f"nur{number}@example.com")
            registration.invite(application, by=mehmet, team_id=sisli_team.pk)

    kinds = outcomes(race(7, run))
    assert set(kinds) <= {"ok", "TeamNotFound"}, kinds
    assert not Member.objects.filter(team__isnull=False).exists()
