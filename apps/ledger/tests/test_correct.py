"""Corrections need a reason and two persons."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.core.testing import assert_refused
from apps.ledger import actions as ledger
from apps.ledger import queries
from apps.ledger.models import Correction
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(db: None) -> User:
    return cast.staff("dana", "propose_correction", "approve_correction")


@pytest.fixture
def emil(db: None) -> User:
    return cast.staff("emil", "approve_correction")


def propose(by: User | None, holder: User, amount: str | int = -25, reason: str = "counted twice") -> Correction:
    return ledger.correct(by=by, holder=holder, book="urgent", amount=cast.rub(amount), reason=reason)


def test_a_proposal_moves_nothing(aida: User, dana: User) -> None:
    correction = propose(dana, aida)
    assert (correction.status, correction.proposed_by, correction.entry) == ("proposed", dana, None)
    assert cast.purse(aida).balance == Decimal("100.00")


def test_a_second_person_posts_it(aida: User, dana: User, emil: User) -> None:
    approved = ledger.approve_correction(by=emil, correction=propose(dana, aida))
    assert (approved.status, approved.decided_by) == ("approved", emil)
    assert approved.decided_at is not None
    assert approved.entry is not None
    assert (approved.entry.amount, approved.entry.reason, approved.entry.by) == (
        Decimal("-25.00"),
        "counted twice",
        emil,
    )
    assert queries.house_balance("house:corrections", "RUB") == Decimal("25.00")
    assert ledger.approve_correction(by=emil, correction=approved).entry == approved.entry
    assert cast.purse(aida).balance == Decimal("75.00")


def test_nobody_approves_his_own(aida: User, dana: User) -> None:
    correction = propose(dana, aida)
    refused = assert_refused(
        ledger.NeedsSecondPerson,
        lambda: ledger.approve_correction(by=dana, correction=correction),
        unchanged=cast.books(),
    )
    assert (refused.status, refused.code) == (403, "needs_second_person")


def test_strangers_neither_propose_nor_decide(aida: User, bek: User, dana: User) -> None:
    correction = propose(dana, aida)
    powerless = cast.staff("fara", "propose_correction")
    for deed in (
        lambda: propose(bek, aida),
        lambda: propose(None, aida),
        lambda: ledger.approve_correction(by=powerless, correction=correction),
        lambda: ledger.approve_correction(by=bek, correction=correction),
        lambda: ledger.reject_correction(by=powerless, correction=correction, reason="no"),
        lambda: ledger.reject_correction(by=None, correction=correction, reason="no"),
    ):
        refused = assert_refused(ledger.NotPermitted, deed, unchanged=cast.books())
        assert (refused.status, refused.code) == (403, "correction_not_allowed")


def test_who_left_the_staff_decides_nothing(aida: User, dana: User, emil: User) -> None:
    correction = propose(dana, aida)
    emil.is_staff = False
    assert_refused(
        ledger.NotPermitted, lambda: ledger.approve_correction(by=emil, correction=correction), unchanged=cast.books()
    )


def test_rejecting_moves_nothing_and_is_final(aida: User, dana: User, emil: User) -> None:
    rejected = ledger.reject_correction(by=emil, correction=propose(dana, aida), reason="it was right")
    assert (rejected.status, rejected.decided_by) == ("rejected", emil)
    assert cast.purse(aida).balance == Decimal("100.00")
    refused = assert_refused(
        ledger.CorrectionSettled,
        lambda: ledger.approve_correction(by=emil, correction=rejected),
        unchanged=cast.books(),
    )
    assert (refused.status, refused.code) == (409, "correction_settled")


def test_one_may_take_ones_own_proposal_back(aida: User, dana: User) -> None:
    assert ledger.reject_correction(by=dana, correction=propose(dana, aida), reason="my mistake").decided_by == dana


def test_an_approved_one_is_not_rejected(aida: User, dana: User, emil: User) -> None:
    approved = ledger.approve_correction(by=emil, correction=propose(dana, aida))
    assert_refused(
        ledger.CorrectionSettled,
        lambda: ledger.reject_correction(by=emil, correction=approved, reason="late"),
        unchanged=cast.books(),
    )


def test_the_floor_holds_for_staff_too(aida: User, dana: User, emil: User) -> None:
    correction = propose(dana, aida, "-100.01")
    assert_refused(
        ledger.NotEnoughBalance,
        lambda: ledger.approve_correction(by=emil, correction=correction),
        unchanged=cast.books(),
    )


def test_a_reason_is_needed(aida: User, dana: User) -> None:
    assert_refused(ledger.WrongWords, lambda: propose(dana, aida, reason=""), unchanged=cast.books())
