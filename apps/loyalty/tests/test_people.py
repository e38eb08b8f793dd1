"""A guest's account follows its person: merged, come apart, forgotten (design 3.8)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.accounts import actions as accounts
from apps.accounts.models import Merge, User
from apps.ledger import queries as ledger
from apps.loyalty.models import Client, DeletedPhone
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(db: None) -> User:
    """The row that stays when two turn out to be one."""
    return User.objects.create_user(phone="+998901117777", first_name="Jasur")


def merge(keeper: User, gone: User) -> Merge:
    merged: Merge = accounts.merge(by=None, keep=keeper, gone=gone, reason="same person")
    return merged


def test_the_account_follows_with_its_purse(keeper: User, jasur: Client) -> None:
    cast.earn(jasur, 700)
    merge(keeper, jasur.user)
    jasur.refresh_from_db()
    assert (jasur.user_id, cast.balance(jasur)) == (keeper.pk, Decimal("700.00"))
    cast.earn(jasur, 50)
    cast.iiko(jasur, -1000, cast.Kind.PAYMENT)
    assert cast.balance(jasur) == Decimal("-250.00")
    assert ledger.audit().is_clean


def test_two_accounts_of_one_person_keep_their_own_purses(keeper: User, jasur: Client) -> None:
    other = cast.guest("Jasur", keeper.phone or "")
    cast.earn(other, 10)
    cast.earn(jasur, 700)
    merge(keeper, jasur.user)
    assert (cast.balance(other), cast.balance(jasur)) == (10, 700)


def test_undoing_gives_the_account_back(keeper: User, jasur: Client) -> None:
    person = jasur.user_id
    cast.earn(jasur, 700)
    accounts.undo_merge(by=None, merge=merge(keeper, jasur.user), reason="two people")
    jasur.refresh_from_db()
    assert (jasur.user_id, cast.balance(jasur)) == (person, 700)
    assert ledger.audit().is_clean


def test_a_forgotten_person_has_no_account_and_no_name(jasur: Client) -> None:
    caller = Caller(jasur)
    accounts.erase(by=jasur.user, user=jasur.user)
    jasur.refresh_from_db()
    assert (jasur.is_deleted, jasur.name, jasur.email, jasur.phone.startswith("+999")) == (True, None, None, True)
    assert DeletedPhone.objects.get().real_phone == cast.PHONES["jasur"]
    assert caller.get("auth/me").status_code == 401
