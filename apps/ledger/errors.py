"""What the ledger says no to."""

from django.utils.translation import gettext_lazy as _

from apps.core import errors


class NotEnoughBalance(errors.NeedsPayment):
    """The account would fall below its floor, or the money is held for something else: 402."""

    code = "not_enough_balance"
    detail = "Not enough balance"
    message = _("There is not enough money on the balance")


class KeyReused(errors.Conflict):
    """The key has been used for a movement with other content: 409."""

    code = "key_reused"
    detail = "This key was already used for another movement"
    message = _("This key was already used for another movement of money")


class WrongAmount(errors.Invalid):
    """Zero, of the wrong sign, finer than the currency's smallest coin, or larger than an account can hold: 422."""

    code = "wrong_amount"
    detail = "Wrong amount"
    message = _("This amount is not possible")


class WrongWords(errors.Invalid):
    """A key, reason, reference, book or house account is empty, too long or holds control characters: 422."""

    code = "wrong_words"
    detail = "{field} must be 1 to {longest} printable characters"
    message = _("The text is empty or too long: {field}")


class BalanceTooLarge(errors.Conflict):
    """The account cannot hold so much: 409."""

    code = "balance_too_large"
    detail = "The balance would be too large"
    message = _("The balance would become too large")


class AccountBusy(errors.Conflict):
    """The account row changed although it was locked: 409. Seen only when somebody writes past the ledger."""

    code = "account_busy"
    detail = "The account has changed meanwhile"
    message = _("The account has changed meanwhile, please try again")


class SameAccount(errors.Conflict):
    """Giver and taker of a transfer are one account: 409."""

    code = "same_account"
    detail = "Giver and taker are the same"
    message = _("Money cannot be moved from an account to itself")


class HoldSettled(errors.Conflict):
    """The hold has been captured, voided or has run out, and can no longer do that: 409."""

    code = "hold_settled"
    detail = "The hold is {from_status} and cannot become {to_status}"
    message = _("The reserved money has been settled already")


class HoldExpired(errors.Gone):
    """The time of the hold is over: 410."""

    code = "hold_expired"
    detail = "The hold has expired"
    message = _("The time of the reservation is over")


class CaptureTooLarge(errors.Conflict):
    """More is to be captured than was held: 409."""

    code = "capture_too_large"
    detail = "Only {held} is held"
    message = _("More than the reserved amount cannot be taken")


class AlreadyReversed(errors.Conflict):
    """An entry is reversed once: 409."""

    code = "already_reversed"
    detail = "The entry has been reversed already"
    message = _("This movement has been taken back already")


class NotReversible(errors.Conflict):
    """The entry is itself a reversal: 409. Post again under a new key instead."""

    code = "not_reversible"
    detail = "A reversal cannot be reversed"
    message = _("A take-back cannot be taken back; book it anew")


class CorrectionSettled(errors.Conflict):
    """The proposal has been decided: 409."""

    code = "correction_settled"
    detail = "The correction is {from_status} and cannot become {to_status}"
    message = _("The correction has been decided already")


class NeedsSecondPerson(errors.NotAllowed):
    """Who proposes a correction does not approve it: 403."""

    code = "needs_second_person"
    detail = "A correction must be approved by another person"
    message = _("Another member of staff must approve the correction")


class NotPermitted(errors.NotAllowed):
    """The staff member lacks the right to correct balances: 403."""

    code = "correction_not_allowed"
    detail = "Not allowed to correct balances"
    message = _("You may not correct balances")
