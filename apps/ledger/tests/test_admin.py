"""The books in the back office: read-only, searchable, exported by permission, corrected by two persons."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core.testing import query_budget
from apps.ledger import actions as ledger
from apps.ledger.models import Account, Correction, Entry
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db
VIEW = ("view_account", "view_entry", "view_hold", "view_correction")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def dana(db: None) -> User:
    return cast.staff("dana", *VIEW, "propose_correction", "approve_correction", "verify_account")


@pytest.fixture
def emil(db: None) -> User:
    return cast.staff("emil", *VIEW, "approve_correction")


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser(username="boss")


@pytest.fixture
def full(aida: User) -> User:
    cast.post(aida, -30, "take:1", reference="order:1")
    cast.set_aside(aida, 5, "h1")
    ledger.correct(
        by=cast.staff("fara", "propose_correction"), holder=aida, book="urgent", amount=cast.rub(5), reason="a gift"
    )
    return aida


@pytest.mark.parametrize("model", ["account", "entry", "hold", "correction"])
def test_lists_and_pages_open_and_cannot_be_edited(full: User, boss: User, model: str) -> None:
    client = signed_in(boss)
    rows = client.get(reverse(f"admin:ledger_{model}_changelist"))
    assert rows.status_code == 200
    pk = rows.context["cl"].result_list[0].pk
    assert client.get(reverse(f"admin:ledger_{model}_change", args=[pk])).status_code == 200
    assert client.post(reverse(f"admin:ledger_{model}_change", args=[pk]), {"balance": 9}).status_code == 403
    assert client.get(reverse(f"admin:ledger_{model}_add")).status_code == 403
    assert client.post(reverse(f"admin:ledger_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["account", "entry", "hold", "correction"])
def test_staff_without_the_right_see_nothing(full: User, model: str) -> None:
    assert signed_in(cast.staff("gleb")).get(reverse(f"admin:ledger_{model}_changelist")).status_code == 403


@pytest.mark.parametrize("model", ["account", "entry"])
def test_a_list_costs_the_same_however_long_it_is(full: User, boss: User, model: str) -> None:
    for number in range(30):
        cast.post(cast.person(f"p{number}"), 1, "k")
    client = signed_in(boss)
    client.get(reverse(f"admin:ledger_{model}_changelist"))
    with query_budget(8):
        assert client.get(reverse(f"admin:ledger_{model}_changelist")).status_code == 200


@pytest.mark.parametrize(("asked", "found"), [("aida", 1), ("urgent:rev", 1), ("nobody", 0)])
def test_accounts_are_searched_by_person_and_by_house(full: User, boss: User, asked: str, found: int) -> None:
    rows = signed_in(boss).get(reverse("admin:ledger_account_changelist"), {"q": asked})
    assert len(rows.context["cl"].result_list) == found


@pytest.mark.parametrize(("asked", "found"), [("order:1", 2), ("aida", 2), ("take:1", 1)])
def test_entries_are_searched_by_reference_person_and_key(full: User, boss: User, asked: str, found: int) -> None:
    rows = signed_in(boss).get(reverse("admin:ledger_entry_changelist"), {"q": asked})
    assert len(rows.context["cl"].result_list) == found


@pytest.mark.parametrize(("query", "found"), [({"kind": "house"}, 2), ({"kind": "person"}, 1), ({"in": "USD"}, 0)])
def test_accounts_are_filtered(full: User, boss: User, query: dict[str, str], found: int) -> None:
    rows = signed_in(boss).get(reverse("admin:ledger_account_changelist"), query)
    assert len(rows.context["cl"].result_list) == found


def test_the_statement_button_leads_to_the_entries_of_the_account(full: User, boss: User) -> None:
    client = signed_in(boss)
    answer = client.get(reverse("admin:ledger_account_statement", args=[cast.purse(full).pk]), follow=True)
    assert [entry.key for entry in answer.context["cl"].result_list] == ["take:1", "first money"]


def test_a_house_accounts_page_shows_its_sum(full: User, boss: User) -> None:
    house = Account.objects.get(name=cast.HOUSE)
    page = signed_in(boss).get(reverse("admin:ledger_account_change", args=[house.pk]))
    assert "30.00 RUB" in page.content.decode()


def test_the_verify_button_tells(full: User, dana: User) -> None:
    url = reverse("admin:ledger_account_verify", args=[cast.purse(full).pk])
    assert "All 2 entries of the account are true." in signed_in(dana).get(url, follow=True).content.decode()
    Account.objects.filter(holder=full).update(balance=Decimal(71))
    assert "says 71.00, its entries say 70.00" in signed_in(dana).get(url, follow=True).content.decode()


def test_a_correction_takes_two_persons(full: User, dana: User, emil: User) -> None:
    propose = reverse("admin:ledger_account_propose", args=[cast.purse(full).pk])
    words = {"amount": "-20.00", "house": "house:corrections", "reason": "counted\ntwice", "reference": ""}
    assert signed_in(dana).get(propose).status_code == 200
    assert signed_in(dana).post(propose, words).status_code == 302
    correction = Correction.objects.get(proposed_by=dana)
    assert (correction.amount, correction.reason, cast.purse(full).balance) == (
        Decimal("-20.00"),
        "counted twice",
        Decimal("70.00"),
    )
    approve = reverse("admin:ledger_correction_approve", args=[correction.pk])
    own = signed_in(dana).post(approve, follow=True)
    assert "Another member of staff must approve the correction" in own.content.decode()
    assert cast.purse(full).balance == Decimal("70.00")
    assert signed_in(emil).get(approve).status_code == 200
    assert cast.purse(full).balance == Decimal("70.00")
    assert signed_in(emil).post(approve).status_code == 302
    assert cast.purse(full).balance == Decimal("50.00")


@pytest.mark.parametrize("words", [{"amount": "1", "reason": ""}, {"amount": "x", "reason": "why"}], ids=str)
def test_a_proposal_needs_a_reason_and_an_amount(full: User, dana: User, words: dict[str, str]) -> None:
    propose = reverse("admin:ledger_account_propose", args=[cast.purse(full).pk])
    assert signed_in(dana).post(propose, {"house": "h", **words}).status_code == 200
    assert not Correction.objects.filter(proposed_by=dana).exists()


def test_house_accounts_are_not_corrected(full: User, dana: User) -> None:
    propose = reverse("admin:ledger_account_propose", args=[Account.objects.get(name=cast.HOUSE).pk])
    assert "Only accounts of persons are corrected." in signed_in(dana).get(propose, follow=True).content.decode()


def test_rejecting_asks_for_a_reason(full: User, emil: User) -> None:
    correction = Correction.objects.get()
    reject = reverse("admin:ledger_correction_reject", args=[correction.pk])
    assert signed_in(emil).post(reject, {"reason": ""}).status_code == 200
    assert signed_in(emil).post(reject, {"reason": "it was right"}).status_code == 302
    correction.refresh_from_db()
    assert (correction.status, correction.decided_by) == ("rejected", emil)


def test_buttons_are_closed_to_those_without_the_right(full: User) -> None:
    client = signed_in(cast.staff("hana", *VIEW))
    before = Entry.objects.count()
    account, correction = cast.purse(full).pk, Correction.objects.get().pk
    for url in (
        reverse("admin:ledger_account_verify", args=[account]),
        reverse("admin:ledger_account_propose", args=[account]),
        reverse("admin:ledger_correction_approve", args=[correction]),
        reverse("admin:ledger_correction_reject", args=[correction]),
    ):
        assert client.post(url).status_code == 403
    assert (Entry.objects.count(), Correction.objects.get().status) == (before, "proposed")


@pytest.mark.parametrize(("rights", "offered"), [(("export_entry",), True), ((), False)], ids=["with", "without"])
def test_export_needs_its_own_right(full: User, rights: tuple[str, ...], offered: bool) -> None:
    client = signed_in(cast.staff("ira", "view_entry", *rights))
    asked = {"action": "export_admin_action", "_selected_action": [Entry.objects.first().pk]}
    answer = client.post(reverse("admin:ledger_entry_changelist"), asked)
    assert ('name="format"' in answer.content.decode()) is offered
