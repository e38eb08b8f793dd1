"""The only writers of money inside the house, and the refusals they raise.

`from apps.ledger import actions as ledger` → `ledger.post(...)`, `except ledger.NotEnoughBalance`.
"""

from apps.ledger.actions.accounts import open_account
from apps.ledger.actions.corrections import approve_correction, correct, reject_correction
from apps.ledger.actions.entries import post, reverse, transfer
from apps.ledger.actions.holds import capture, expire_holds, hold, void
from apps.ledger.actions.merges import merge_purses, unmerge_purses
from apps.ledger.errors import (
    AccountBusy,
    AlreadyReversed,
    BalanceTooLarge,
    CaptureTooLarge,
    CorrectionSettled,
    HoldExpired,
    HoldSettled,
    KeyReused,
    NeedsSecondPerson,
    NotEnoughBalance,
    NotPermitted,
    NotReversible,
    SameAccount,
    WrongAmount,
    WrongWords,
)

__all__ = [
    "AccountBusy",
    "AlreadyReversed",
    "BalanceTooLarge",
    "CaptureTooLarge",
    "CorrectionSettled",
    "HoldExpired",
    "HoldSettled",
    "KeyReused",
    "NeedsSecondPerson",
    "NotEnoughBalance",
    "NotPermitted",
    "NotReversible",
    "SameAccount",
    "WrongAmount",
    "WrongWords",
    "approve_correction",
    "capture",
    "correct",
    "expire_holds",
    "hold",
    "merge_purses",
    "open_account",
    "post",
    "reject_correction",
    "reverse",
    "transfer",
    "unmerge_purses",
    "void",
]
