"""The back office: every list and page opens in a constant number of queries and shows what its right allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.loyalty.models import CashbackTransaction, Client, Staff
from apps.loyalty.tests import cast, desk
from apps.loyalty.tests.desk import SCREENS, url


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def guest(malika: Staff, vali: Staff) -> Client:
    """One row of everything."""
    return desk.restaurant(malika, vali)


@pytest.fixture
def boss(guest: Client) -> Browser:
    return desk.superuser()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_list_opens_and_bears_any_search(boss: Browser, screen: str) -> None:
    for words in ("", "Gul", "500000002", "-x_", "'; --", "9" * 23):
        assert boss.get(url(screen, "changelist"), {"q": words}, follow=True).status_code == 200


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_opens_and_escapes_what_people_wrote(boss: Browser, screen: str) -> None:
    row = apps.get_model("loyalty", screen).objects.first()
    assert row is not None
    page = boss.get(url(screen, "change", row.pk))
    assert page.status_code == 200
    assert desk.NASTY not in page.content.decode()


@pytest.mark.parametrize("screen", SCREENS)
def test_lists_cost_the_same_whatever_their_length(boss: Browser, malika: Staff, vali: Staff, screen: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert boss.get(f"{url(screen, 'changelist')}?o=1", follow=True).status_code == 200
        return len(seen)

    cost()
    few = cost()
    for mark in ("2", "3", "4"):
        desk.restaurant(malika, vali, mark)
    assert cost() == few


def test_a_guests_page_costs_the_same_whatever_the_history(boss: Browser, guest: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            boss.get(url("client", "change", guest.pk))
        return len(seen)

    cost()
    few = cost()
    for _ in range(5):
        cast.earn(guest, 100)
    assert cost() == few


def test_a_guests_page_shows_money_cards_and_waiter(boss: Browser, guest: Client) -> None:
    page = boss.get(url("client", "change", guest.pk)).content.decode()
    assert "70\u202f000.00" in page
    assert "-50\u202f000.00" in page
    assert "20\u202f000.00 UZS" in page
    assert "8600000000000001" in page
    assert "Vali" in page


def test_the_list_masks_phones(boss: Browser, guest: Client) -> None:
    page = boss.get(url("client", "changelist")).content.decode()
    assert guest.phone not in page
    assert guest.phone[-2:] in page


@pytest.mark.parametrize(
    ("screen", "query", "found"),
    [
        ("client", "level__exact=GOLD&is_deleted__exact=0", 1),
        ("client", "level__exact=VIP", 0),
        ("client", "q=8600000000000001", 1),
        ("cashbacktransaction", "kind__exact=payment", 1),
        ("cashbacktransaction", "branch=139235", 0),
        ("iikonotice", "state__exact=parked", 1),
        ("news", "window=now", 1),
        ("news", "window=later", 0),
        ("news", "window=over", 0),
        ("staff", "role__exact=WAITER", 1),
    ],
)
def test_filters_narrow_the_list(boss: Browser, screen: str, query: str, found: int) -> None:
    page = boss.get(f"{url(screen, 'changelist')}?{query}", follow=True)
    assert len(page.context["cl"].result_list) == found


def test_strangers_and_staff_without_rights_see_nothing(guest: Client) -> None:
    nobody, clerk = Browser(), desk.helper("view_card")
    for screen in SCREENS:
        assert nobody.get(url(screen, "changelist")).status_code == 302
        assert clerk.get(url(screen, "changelist")).status_code == (200 if screen == "card" else 403)
    assert clerk.get(reverse("admin:loyalty_figures")).status_code == 403


def test_history_cannot_be_edited_by_a_superuser(boss: Browser, guest: Client) -> None:
    row = CashbackTransaction.objects.filter(client=guest).latest("pk")
    assert boss.post(url("cashbacktransaction", "change", row.pk), {"amount": "1"}).status_code == 403
    assert boss.get(url("cashbacktransaction", "add")).status_code == 403
    for screen in ("cashbacktransaction", "client", "staff", "card", "iikonotice", "deletedphone"):
        found: Any = apps.get_model("loyalty", screen).objects.first()
        assert boss.post(url(screen, "delete", found.pk), {"post": "yes"}).status_code == 403
    assert cast.balance(guest) == 20_000


def test_guests_and_movements_are_exported_by_right_alone(guest: Client) -> None:
    for screen, right in (("client", "export_client"), ("cashbacktransaction", "export_cashbacktransaction")):
        form = {"action": "export_admin_action", "_selected_action": [str(guest.pk)]}
        without = desk.helper(f"view_{screen}").get(url(screen, "changelist"))
        assert "export_admin_action" not in without.content.decode()
        allowed = desk.helper(f"view_{screen}", right)
        assert "export_admin_action" in allowed.get(url(screen, "changelist")).content.decode()
        assert allowed.post(url(screen, "changelist"), form).status_code in (200, 302)


@pytest.mark.parametrize("deed", ["give", "take", "read_iiko"])
def test_buttons_of_a_guest_who_does_not_exist_are_404(boss: Browser, deed: str) -> None:
    assert boss.get(url("client", deed, 10**9)).status_code == 404
