"""The books as staff see them: to be read, searched, exported and verified; corrected only by two persons."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from apps.core.admin import ReadOnlyAdmin, ReasonForm, amount
from apps.core.money import CURRENCIES, Money
from apps.ledger import access, actions, queries
from apps.ledger.actions.corrections import HOUSE
from apps.ledger.models import DIGITS, PLACES, WORDS_LENGTH, Account, Correction, Entry, Hold

PERSON = ("phone", "email", "username", "telegram_id", "first_name", "last_name")
"""Fields of a person by whose beginning staff search."""


def by_person(path: str) -> tuple[str, ...]:
    """Search fields of the person at the end of `path`."""
    return tuple(f"^{path}__{field}" for field in PERSON)


class KindFilter(admin.SimpleListFilter):
    """Accounts of persons, or of the house."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("person", _("persons")), ("house", _("the house"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account]:
        return queryset if self.value() is None else queryset.filter(holder__isnull=self.value() == "house")


class CurrencyFilter(admin.SimpleListFilter):
    """One currency; the choices are data, so the filter does not scan the table."""

    title = _("currency")
    parameter_name = "in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in CURRENCIES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(currency=self.value()) if self.value() else queryset


class CorrectionForm(ReasonForm):
    """How much to add or take, and why."""

    amount = forms.DecimalField(
        label=_("Amount"),
        help_text=_("Positive adds to the balance, negative takes away."),
        max_digits=DIGITS,
        decimal_places=PLACES,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    house = forms.CharField(
        label=_("House account"), initial=HOUSE, max_length=WORDS_LENGTH, widget=UnfoldAdminTextInputWidget
    )
    reference = forms.CharField(
        label=_("Reference"), required=False, max_length=WORDS_LENGTH, widget=UnfoldAdminTextInputWidget
    )

    def clean_reason(self) -> str:
        """One line, as an entry holds it."""
        reason = " ".join(str(self.cleaned_data["reason"]).split())
        if len(reason) > WORDS_LENGTH:
            raise forms.ValidationError(_("At most %(most)d characters."), params={"most": WORDS_LENGTH})
        return reason


class RejectForm(forms.Form):
    """Why the proposal is turned down."""

    reason = forms.CharField(
        label=_("Reason"), min_length=3, max_length=WORDS_LENGTH, widget=UnfoldAdminTextInputWidget
    )


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Purses of persons and accounts of the house."""

    list_display = ("title", "book", "currency", "balance_shown", "held_shown", "available_shown", "version")
    list_filter = (KindFilter, CurrencyFilter)
    search_fields = ("^name", "^book", *by_person("holder"))
    search_help_text = _("Beginning of a phone, e-mail, username, Telegram id or name; book or house account")
    list_select_related = ("holder",)
    ordering = ("-id",)
    fields = (
        *("title", "book", "currency", "balance_shown", "held_shown", "available_shown", "floor_shown"),
        *("version", "head", "opened_at"),
    )
    readonly_fields = fields
    actions_detail = ("statement", "verify", "propose")

    @display(description=_("whose"))
    def title(self, account: Account) -> str:
        return account.name or str(account.holder)

    @display(description=_("balance"))
    def balance_shown(self, account: Account) -> str:
        """The house's balances are sums: shown on the account's page, not in the list."""
        if account.is_house and not self._on_its_page(account):
            return "Σ"
        balance = queries.house_balance(account.name, account.currency) if account.is_house else account.balance
        return amount(balance, account.currency)

    @display(description=_("held"))
    def held_shown(self, account: Account) -> str:
        return "" if account.is_house else amount(account.held, account.currency)

    @display(description=_("available"))
    def available_shown(self, account: Account) -> str:
        return "" if account.is_house else amount(account.available, account.currency)

    @display(description=_("floor"))
    def floor_shown(self, account: Account) -> str:
        return "" if account.is_house else amount(account.floor, account.currency)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Account | None:
        account: Account | None = super().get_object(request, object_id, from_field)
        if account is not None:
            account.__dict__["on_its_page"] = True
        return account

    @staticmethod
    def _on_its_page(account: Account) -> bool:
        return bool(account.__dict__.get("on_its_page"))

    @action(description=_("Statement"), icon="receipt_long")
    def statement(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:ledger_entry_changelist')}?account__id__exact={object_id}")

    @action(description=_("Verify this account"), icon="fact_check", permissions=["verify"])
    def verify(self, request: HttpRequest, object_id: int) -> HttpResponse:
        report = queries.audit(account_id=int(object_id))
        for fault in report.faults:
            messages.error(request, str(fault))
        if report.is_clean:
            text = _("All %(count)d entries of the account are true.") % {"count": report.entry_count}
            messages.success(request, str(text))
        return HttpResponseRedirect(reverse("admin:ledger_account_change", args=[object_id]))

    @action(description=_("Propose a correction"), icon="edit_note", permissions=["propose"])
    def propose(self, request: HttpRequest, object_id: int) -> HttpResponse:
        account = Account.objects.of_persons().select_related("holder").filter(pk=object_id).first()
        if account is None:
            messages.error(request, str(_("Only accounts of persons are corrected.")))
            return HttpResponseRedirect(reverse("admin:ledger_account_change", args=[object_id]))
        return self.ask_reason(
            request, account, title=_("Propose a correction"), deed=_propose_correction, form=CorrectionForm
        )

    def has_verify_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("ledger.verify_account")

    def has_propose_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.PROPOSE)


def _propose_correction(account: Account, *, by: Any, amount: Decimal, **words: str) -> Correction:
    money = Money(amount, account.currency)
    if account.holder is None:
        raise ValueError("accounts of the house have no holder")
    return actions.correct(by=by, holder=account.holder, book=account.book, amount=money, **words)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Every movement, newest first."""

    list_display = ("written_at", "account_shown", "amount_shown", "after_shown", "reason", "reference", "by_role")
    list_filter = (CurrencyFilter,)
    search_fields = ("^reference", "^key", "^account__name", *by_person("account__holder"))
    search_help_text = _("Beginning of a reference, key, house account, phone, e-mail, username, Telegram id or name")
    list_select_related = ("account__holder",)
    ordering = ("-id",)
    fields = (
        *("account_shown", "amount_shown", "before_shown", "after_shown", "version", "key", "reason", "reference"),
        *("happened_at", "written_at", "by", "by_role", "reverses", "posting", "previous_hash", "hash"),
    )
    readonly_fields = fields

    @display(description=_("account"))
    def account_shown(self, entry: Entry) -> str:
        return entry.account.name or f"{entry.account.holder} · {entry.account.book}"

    @display(description=_("amount"))
    def amount_shown(self, entry: Entry) -> str:
        return amount(entry.amount, entry.currency)

    @display(description=_("balance before"))
    def before_shown(self, entry: Entry) -> str:
        return amount(entry.balance_before, entry.currency)

    @display(description=_("balance after"))
    def after_shown(self, entry: Entry) -> str:
        return amount(entry.balance_after, entry.currency)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Money set aside."""

    list_display = ("created_at", "account", "amount_shown", "status_badge", "expires_at", "reason", "reference")
    list_filter = ("status", CurrencyFilter)
    search_fields = ("^reference", "^key", *by_person("account__holder"))
    list_select_related = ("account",)
    ordering = ("-id",)

    @display(description=_("amount"))
    def amount_shown(self, hold: Hold) -> str:
        return amount(hold.amount, hold.currency)

    @display(description=_("status"), label={"held": "warning", "captured": "success"})
    def status_badge(self, hold: Hold) -> tuple[str, str]:
        return hold.status, hold.get_status_display()


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    """Proposals waiting for a second person, and what became of the others."""

    list_display = ("proposed_at", "account", "amount_shown", "status_badge", "reason", "proposed_by", "decided_by")
    list_filter = ("status", CurrencyFilter)
    search_fields = ("^reference", *by_person("account__holder"))
    list_select_related = ("account", "proposed_by", "decided_by")
    ordering = ("-id",)
    actions_detail = ("approve", "reject")

    @display(description=_("amount"))
    def amount_shown(self, correction: Correction) -> str:
        return amount(correction.amount, correction.currency)

    @display(description=_("status"), label={"proposed": "warning", "approved": "success", "rejected": "danger"})
    def status_badge(self, correction: Correction) -> tuple[str, str]:
        return correction.status, correction.get_status_display()

    @action(description=_("Approve and post"), icon="done_all", permissions=["approve"])
    def approve(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A page to confirm first: a link alone must not move money."""
        return self.ask_reason(
            request, _correction(object_id), title=_("Approve and post"), deed=_approve, form=forms.Form
        )

    @action(description=_("Reject"), icon="block", permissions=["reject"])
    def reject(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _correction(object_id), title=_("Reject"), deed=_reject, form=RejectForm)

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.APPROVE)

    def has_reject_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.APPROVE) or access.can(request.user, access.PROPOSE)


def _correction(object_id: int) -> Correction:
    return Correction.objects.get(pk=object_id)


def _approve(correction: Correction, *, by: Any) -> None:
    actions.approve_correction(by=by, correction=correction)


def _reject(correction: Correction, *, by: Any, reason: str) -> None:
    actions.reject_correction(by=by, correction=correction, reason=reason)
