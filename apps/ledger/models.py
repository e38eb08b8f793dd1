"""What can be true about money inside the house: accounts, their movements, holds and corrections."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Cast, Round
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DIGITS, PLACES = 14, 2
LARGEST = Decimal(10) ** (DIGITS - PLACES) - Decimal("0.01")
"""The largest sum that a column can hold, in units of the currency."""

WORDS_LENGTH = 200
"""Longest key, reason, reference and house account name, in characters."""


def cents(field: str) -> models.Expression:
    """Hundredths of a unit as an integer: exact on SQLite too, which keeps decimals as floating point."""
    return Cast(Round(F(field) * 100), models.BigIntegerField())


def from_cents(hundredths: int | None) -> Decimal:
    """The amount of so many hundredths; `None`, the sum of nothing, is zero."""
    return Decimal(hundredths or 0).scaleb(-PLACES)


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """An amount in units of the row's currency."""
    return models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, **options)


class AccountQuerySet(models.QuerySet["Account"]):
    """Accounts of persons and of the house."""

    def of_persons(self) -> AccountQuerySet:
        """Accounts with a holder."""
        return self.filter(holder__isnull=False)

    def of_house(self) -> AccountQuerySet:
        """Accounts of the house itself."""
        return self.filter(holder__isnull=True)


class Account(models.Model):
    """A purse: of a person (holder, book, currency) or of the house (name, currency).

    A person's `balance`, `held`, `version` and `head` are kept by `ledger.actions` alone and are a cache of the
    entries. A house account keeps none of them: its balance is the sum of its entries, so nobody ever locks it.
    """

    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="ledger_accounts",
        verbose_name=_("holder"),
    )
    book = models.CharField(_("book"), max_length=40, blank=True, help_text=_("which purse of the person, e.g. urgent"))
    name = models.CharField(
        _("house account"), max_length=WORDS_LENGTH, blank=True, help_text=_("e.g. urgent:revenue; empty for persons")
    )
    currency = models.CharField(_("currency"), max_length=3)
    balance = money_field(verbose_name=_("balance"), default=Decimal(0))
    held = money_field(verbose_name=_("held"), default=Decimal(0), help_text=_("sum of the open holds"))
    floor = money_field(verbose_name=_("floor"), default=Decimal(0), help_text=_("the balance never falls below it"))
    version = models.PositiveBigIntegerField(_("version"), default=0, help_text=_("how many entries it has"))
    head = models.CharField(_("head"), max_length=64, blank=True, help_text=_("hash of the last entry"))
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        permissions = [("export_account", "Can export accounts"), ("verify_account", "Can verify accounts")]
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "book", "currency"],
                condition=Q(holder__isnull=False),
                name="one_account_per_holder_book_currency",
            ),
            models.UniqueConstraint(
                fields=["name", "currency"],
                condition=Q(holder__isnull=True),
                name="one_house_account_per_name_currency",
            ),
            models.CheckConstraint(
                condition=(Q(holder__isnull=False, name="") & ~Q(book="") & ~Q(head=""))
                | (Q(holder__isnull=True, book="", balance=0, held=0, version=0, head="") & ~Q(name="")),
                name="account_is_of_a_person_or_of_the_house",
            ),
            models.CheckConstraint(condition=Q(held__gte=0), name="account_held_not_negative"),
            # Rounded, because SQLite subtracts floating point numbers.
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Round(F("balance") - F("held") - F("floor"), PLACES), Decimal(0)),
                name="account_not_below_floor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or f'{self.book} #{self.pk}'} {self.currency}"

    @property
    def is_house(self) -> bool:
        """Whether this is an account of the house."""
        return self.holder_id is None

    @property
    def available(self) -> Decimal:
        """What may be spent now: the balance less what is held and less the floor."""
        free: Decimal = self.balance - self.held - self.floor
        return free


class EntryQuerySet(models.QuerySet["Entry"]):
    """Legs of postings."""

    def of_persons(self) -> EntryQuerySet:
        """Legs on accounts of persons."""
        return self.filter(version__isnull=False)

    def of_house(self) -> EntryQuerySet:
        """Legs on accounts of the house."""
        return self.filter(version__isnull=True)

    def newest_first(self) -> EntryQuerySet:
        """The order of a statement."""
        return self.order_by("-id")

    def total(self) -> Decimal:
        """The exact sum of the amounts."""
        total: int | None = self.aggregate(total=Sum(cents("amount")))["total"]
        return from_cents(total)


class Entry(models.Model):
    """One leg of a posting; its twin has the same `posting` and the opposite amount. Never changed, never deleted.

    A leg on a person's account carries balances, the account's `version` and a hash over itself, its twin and the
    previous entry of the account. A leg on a house account carries none of these: its twin vouches for it.
    Exactly one leg of a posting, the one the caller asked for, carries the `key`.
    """

    posting = models.UUIDField(_("posting"), db_index=True)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_index=False, related_name="entries", verbose_name=_("account")
    )
    amount = money_field(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    balance_before = money_field(verbose_name=_("balance before"), null=True)
    balance_after = money_field(verbose_name=_("balance after"), null=True)
    version = models.PositiveBigIntegerField(_("version"), null=True)
    key = models.CharField(_("key"), max_length=WORDS_LENGTH, blank=True)
    fingerprint = models.CharField(_("fingerprint of the content"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=WORDS_LENGTH)
    reference = models.CharField(_("reference"), max_length=WORDS_LENGTH, blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    written_at = models.DateTimeField(_("written at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("the person who did it; empty for jobs"),
    )
    by_role = models.CharField(
        _("in the role of"), max_length=80, help_text=_("e.g. urgent.member, accounts.user, system")
    )
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="reversals",
        verbose_name=_("reverses"),
    )
    previous_hash = models.CharField(_("previous hash"), max_length=64, blank=True)
    hash = models.CharField(_("hash"), max_length=64, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        permissions = [("export_entry", "Can export entries")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "version"], condition=Q(version__isnull=False), name="one_entry_per_version"
            ),
            models.UniqueConstraint(fields=["account", "key"], condition=~Q(key=""), name="one_entry_per_key"),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="an_entry_is_reversed_once"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="entry_moves_something"),
            models.CheckConstraint(
                condition=(
                    Q(version__gte=1, balance_before__isnull=False, balance_after__isnull=False)
                    & ~Q(hash="")
                    & ~Q(previous_hash="")
                )
                | Q(
                    version__isnull=True,
                    balance_before__isnull=True,
                    balance_after__isnull=True,
                    hash="",
                    previous_hash="",
                    key="",
                    fingerprint="",
                    reverses__isnull=True,
                ),
                name="entry_is_chained_or_a_house_leg",
            ),
        ]
        indexes = [
            # The balance of a house account and its daily totals are read from this index alone.
            models.Index(
                fields=["account", "happened_at", "amount"], condition=Q(version__isnull=True), name="house_legs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}: {self.reason}"


class Hold(models.Model):
    """Money set aside on a person's account until it is captured, given back, or its time runs out."""

    class Status(models.TextChoices):
        HELD = "held", _("held")
        CAPTURED = "captured", _("captured")
        VOIDED = "voided", _("voided")
        EXPIRED = "expired", _("expired")

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_index=False, related_name="holds", verbose_name=_("account")
    )
    amount = money_field(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    house = models.CharField(_("house account"), max_length=WORDS_LENGTH, help_text=_("receives what is captured"))
    key = models.CharField(_("key"), max_length=WORDS_LENGTH)
    fingerprint = models.CharField(_("fingerprint of the content"), max_length=64)
    reason = models.CharField(_("reason"), max_length=WORDS_LENGTH)
    reference = models.CharField(_("reference"), max_length=WORDS_LENGTH, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.HELD)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    settled_at = models.DateTimeField(_("settled at"), null=True)
    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, null=True, related_name="captured_hold", verbose_name=_("entry")
    )

    objects: models.Manager[Hold] = models.Manager()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        permissions = [("export_hold", "Can export holds")]
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="one_hold_per_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="hold_is_positive"),
        ]
        indexes = [
            models.Index(fields=["expires_at", "id"], condition=Q(status="held"), name="holds_due"),
            models.Index(fields=["account"], condition=Q(status="held"), name="open_holds_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}: {self.reason}"


class Correction(models.Model):
    """A movement proposed by one member of staff and posted when another one approves."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="corrections", verbose_name=_("account")
    )
    amount = money_field(verbose_name=_("amount"), help_text=_("positive adds to the person's balance"))
    currency = models.CharField(_("currency"), max_length=3)
    house = models.CharField(_("house account"), max_length=WORDS_LENGTH, help_text=_("the other side of the movement"))
    reason = models.CharField(_("reason"), max_length=WORDS_LENGTH)
    reference = models.CharField(_("reference"), max_length=WORDS_LENGTH, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    proposed_at = models.DateTimeField(_("proposed at"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, null=True, related_name="correction", verbose_name=_("entry")
    )

    objects: models.Manager[Correction] = models.Manager()

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        permissions = [
            ("propose_correction", "Can propose a correction of a balance"),
            ("approve_correction", "Can approve a correction of a balance"),
            ("export_correction", "Can export corrections"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="correction_moves_something"),
            models.CheckConstraint(
                condition=~Q(status="approved")
                | (Q(entry__isnull=False, decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="correction_has_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}: {self.reason}"
