"""Corrections by staff: one person proposes with a reason, another one approves."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction

from apps.core import states
from apps.core.money import Money
from apps.ledger import access
from apps.ledger.actions import accounts, entries
from apps.ledger.models import WORDS_LENGTH, Correction

HOUSE = "house:corrections"
"""The account of the house that corrections come from unless the proposal names another."""


def correct(
    *,
    by: Any,
    holder: models.Model,
    book: str,
    amount: Money,
    reason: str,
    house: str = HOUSE,
    reference: str = "",
) -> Correction:
    """Propose to add `amount` (negative: to take it away); nothing moves before another person approves.

    Raises NotPermitted, WrongAmount, WrongWords.
    """
    access.ensure_can_propose(by)
    entries.check_amount(amount)
    entries.check_words(book=(book, 40), house=(house, WORDS_LENGTH), reason=(reason, WORDS_LENGTH))
    entries.check_words(reference=(reference or "-", WORDS_LENGTH))
    with transaction.atomic():
        return Correction.objects.create(
            account=accounts.open_account(holder=holder, book=book, currency=amount.currency),
            amount=amount.amount.quantize(accounts.CENT),
            currency=amount.currency,
            house=house,
            reason=reason,
            reference=reference,
            proposed_by=access.person_of(by),
        )


def approve_correction(*, by: Any, correction: Correction) -> Correction:
    """Post a proposal of somebody else. Repeating by the same person is free.

    Raises NotPermitted, NeedsSecondPerson, CorrectionSettled, NotEnoughBalance (the floor holds here too).
    """
    with transaction.atomic():
        fresh = _locked(correction)
        if fresh.status == Correction.Status.APPROVED and fresh.decided_by_id == access.person_of(by).pk:
            return fresh
        states.machine_of(Correction).find(fresh.status, Correction.Status.APPROVED)
        access.ensure_can_approve(by, fresh)
        purse = accounts.lock(fresh.account_id)[fresh.account_id]
        content = ("correction", fresh.pk, fresh.account_id, Money(fresh.amount, fresh.currency).minor_units())
        draft = entries.make_draft(
            by, f"{entries.RESERVED}correction:{fresh.pk}", content, fresh.reason, fresh.reference, None
        )
        entry = entries.write(draft, fresh.amount, purse, accounts.house_account(fresh.house, fresh.currency))
        # Before the step: a constraint wants the entry and the second person on every approved row.
        Correction.objects.filter(pk=fresh.pk).update(entry=entry, decided_by=access.person_of(by))
        return states.step(fresh, Correction.Status.APPROVED, by=by)


def reject_correction(*, by: Any, correction: Correction, reason: str) -> Correction:
    """Turn a proposal down, or take one's own back; moves nothing. Raises NotPermitted, CorrectionSettled."""
    entries.check_words(reason=(reason, WORDS_LENGTH))
    with transaction.atomic():
        fresh = _locked(correction)
        rejected = states.step(fresh, Correction.Status.REJECTED, by=by, reason=reason)
        Correction.objects.filter(pk=fresh.pk).update(decided_by=access.person_of(by))
        rejected.decided_by_id = access.person_of(by).pk
        return rejected


def _locked(correction: Correction) -> Correction:
    return Correction.objects.select_for_update(of=("self",)).get(pk=correction.pk)
