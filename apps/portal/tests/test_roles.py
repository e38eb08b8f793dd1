"""Roles hold the least rights that their work needs, and the menu follows them."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command

from apps.portal import backoffice, demo, roles
from apps.portal.tests.cast import at_the_desk, hire, person

pytestmark = pytest.mark.django_db

WRITING = ("add_", "change_", "delete_")
SCREENS = [row["model"] for group in settings.UNFOLD["MENU"] for row in group["items"]]


def rights(role: str) -> set[str]:
    return {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Group.objects.get(name=role).permissions.select_related("content_type")
    }


def test_migrating_makes_every_role() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= {*roles.ROLES, roles.AUDITOR}
    for role, wanted in roles.ROLES.items():
        assert rights(role) == set(wanted)


def test_migrating_again_takes_away_what_was_added_by_hand() -> None:
    group = Group.objects.get(name="Urgent moderator")
    group.permissions.add(*Group.objects.get(name="Finance").permissions.all())
    call_command("migrate", verbosity=0)
    assert rights("Urgent moderator") == set(roles.ROLES["Urgent moderator"])


def test_the_auditor_sees_everything_and_changes_nothing() -> None:
    codes = {name.split(".")[1] for name in rights(roles.AUDITOR)}
    assert {code.split("_")[0] for code in codes} == {"view"}
    assert {"view_order", "view_entry", "view_user", "view_outboxmessage", "view_notification"} <= codes


@pytest.mark.parametrize("role", list(roles.ROLES))
def test_nobody_may_write_where_only_actions_write(role: str) -> None:
    written = {right for right in rights(role) if right.split(".")[1].startswith(WRITING)}
    assert not {right for right in written if right.split(".")[0] == "ledger"}
    assert not {right for right in written if right.split(".")[0] == "urgent"} - {"urgent.change_city"}


def test_money_and_moderation_are_different_people() -> None:
    assert not any(right.startswith("ledger.") for right in rights("Urgent moderator"))
    assert "urgent.moderate" not in rights("Finance") | rights("Urgent support")


@pytest.mark.parametrize("name", list(demo.STAFF))
def test_everybody_reaches_the_start_page_and_every_row_of_the_own_menu(name: str) -> None:
    hire()
    browser = at_the_desk(name)
    page = browser.get("/admin/")
    assert page.status_code == 200
    links = [row["link"] for group in page.context["sidebar_navigation"] for row in group["items"]]
    assert len(links) > 1
    assert {link: browser.get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_superuser_has_a_screen_for_every_row_of_the_menu() -> None:
    hire()
    request = at_the_desk("admin").get("/admin/").wsgi_request
    request.user = person("admin")
    shown = [row["model"] for group in backoffice.menu(request) for row in group["items"] if "model" in row]
    assert shown == SCREENS


def test_a_moderator_does_not_see_the_books() -> None:
    hire()
    browser = at_the_desk("moderator")
    assert browser.get("/admin/ledger/entry/").status_code == 403
    assert "/admin/ledger/" not in browser.get("/admin/").content.decode()


def test_nobody_else_gets_in() -> None:
    hire()
    visitor = person("moderator")
    visitor.is_staff = False
    visitor.save(update_fields=["is_staff"])
    assert at_the_desk("moderator").get("/admin/").status_code == 302
