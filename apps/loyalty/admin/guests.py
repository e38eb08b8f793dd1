"""Guests: who they are, what they hold, what came and went, where they are in iiko."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from apps.core import phones
from apps.core.admin import ActingAdmin, AmountForm, ReadOnlyAdmin, amount, run_action
from apps.loyalty import errors
from apps.loyalty.actions import cashback, clients, iiko_sync_now
from apps.loyalty.admin import tables
from apps.loyalty.conf import CURRENCY
from apps.loyalty.models import Card, Client, DeletedPhone

LEVEL_COLOURS = {"SILVER": "info", "GOLD": "warning", "PREMIUM": "success", "VIP": "danger"}
COLUMNS = {"waiter": "waiter_id"}
"""Field of the form → what the action calls it."""


class MoneyForm(AmountForm):
    """How much and why; the page carries a key, so that a form sent twice moves money once."""

    amount = forms.DecimalField(
        label=_("Amount, UZS"),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )


class GivingForm(MoneyForm):
    """What will become of the gift stands beside the sum, before it is given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].help_text = _(
            "iiko is not told. For a guest whom iiko knows this lasts only until iiko tells the balance next time: "
            "then the sum is taken off again. To give it for good, give it in iiko."
        )


@admin.register(Client)
class ClientAdmin(ActingAdmin):
    """Balances are the ledger's: they move by buttons that ask for a reason. Phones are masked in the list."""

    list_display = ("id", "full_name", "masked_phone", "level_badge", "held", "waiter", "created_at", "state")
    list_display_links = ("id", "full_name")
    list_filter = (
        *("level", ("waiter", AutocompleteSelectFilter), ("created_at", RangeDateTimeFilter)),
        *(
            "is_deleted",
            ("switched_off_at", admin.EmptyFieldListFilter),
            "giftget",
            ("iiko_customer_id", admin.EmptyFieldListFilter),
        ),
    )
    search_fields = ("id__exact", "name__icontains", "surname__icontains", "phone__icontains",
                     "cards__card_number__startswith", "iiko_customer_id__exact")  # fmt: skip
    search_help_text = _("Number, part of the name or phone, beginning of a card, id in iiko")
    list_select_related = ("purse", "waiter")
    autocomplete_fields = ("waiter",)
    ordering = ("-created_at", "-id")
    actions_detail = ("give", "take", "read_iiko", "switch_off", "switch_on")
    one_click = ("read_iiko", "switch_off", "switch_on")
    fieldsets = (
        (None, {"fields": ("name", "date_of_birth", "waiter", "giftget")}),
        (_("Cashback"), {"fields": ("held", "level", "points", "movements")}),
        (_("Profile"), {"fields": ("surname", "middle_name", "phone", "email", "gender", "photo_name")}),
        (_("Cards"), {"fields": ("cards",)}),
        (
            "iiko",
            {"fields": ("iiko_customer_id", "iiko_wallet_id", "balance_as_of", "iiko_read_at", "jobs", "notices")},
        ),
        (_("Phones and sign-ins"), {"fields": ("devices", "sign_ins")}),
        (_("Times"), {"fields": ("created_at", "updated_at", "switched_off_at", "is_deleted", "deleted_at")}),
    )
    readonly_fields = (
        *("held", "level", "points", "movements", "surname", "middle_name", "phone", "email", "gender", "photo_name"),
        *("cards", "iiko_customer_id", "iiko_wallet_id", "balance_as_of", "iiko_read_at", "jobs", "notices"),
        *("devices", "sign_ins"),
        *("created_at", "updated_at", "switched_off_at", "is_deleted", "deleted_at"),
    )

    # ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────────
    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        return super().get_queryset(request).annotate(purse_balance=F("purse__balance"))

    @display(description=_("name"), ordering="name")
    def full_name(self, client: Client) -> str:
        return " ".join(part for part in (client.name, client.surname) if part) or "–"

    @display(description=_("phone"), ordering="phone")
    def masked_phone(self, client: Client) -> str:
        return phones.mask(client.phone)

    @display(description=_("level"), ordering="points", label=LEVEL_COLOURS)
    def level_badge(self, client: Client) -> tuple[str, str]:
        return client.level, client.get_level_display()

    @display(description=_("cashback"), ordering="purse_balance")
    def held(self, client: Client) -> str:
        return amount(client.balance, CURRENCY)

    @display(description=_("state"), label={"left": "danger", "off": "warning", "here": "success"})
    def state(self, client: Client) -> tuple[str, Any]:
        if client.is_deleted:
            return "left", _("left")
        return ("here", _("guest")) if client.is_active else ("off", _("switched off"))

    @display(description=_("last movements"))
    def movements(self, client: Client) -> SafeString:
        return tables.movements(client)

    @display(description=_("cards"))
    def cards(self, client: Client) -> SafeString:
        return tables.cards(client)

    @display(description=_("jobs"))
    def jobs(self, client: Client) -> SafeString:
        return tables.jobs(client)

    @display(description=_("notices"))
    def notices(self, client: Client) -> SafeString:
        return tables.notices(client)

    @display(description=_("push devices"))
    def devices(self, client: Client) -> SafeString:
        return tables.devices(client)

    @display(description=_("sign-ins"))
    def sign_ins(self, client: Client) -> SafeString:
        return tables.sign_ins(client)

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def change(self, by: Any, pk: int, given: Mapping[str, Any]) -> Client:
        changes = {COLUMNS.get(name, name): getattr(value, "pk", value) for name, value in given.items()}
        return clients.update(by=by, client_id=pk, changes=changes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Guests come with a proven phone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Guests leave by themselves; the history stays."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and obj.is_deleted) and super().has_change_permission(request, obj)

    # ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def buttons(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Nothing moves any more for a guest who left; the door is either shut or opened."""
        shown = self.get_object(request, str(object_id))
        if shown is None or shown.is_deleted:
            return []
        useless = "loyalty_client_switch_on" if shown.is_active else "loyalty_client_switch_off"
        return [button for button in super().buttons(request, object_id) if button.action_name != useless]

    @action(description=_("Give cashback"), icon="add_card", permissions=["give"])
    def give(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _one(object_id), title=_("Give cashback"), deed=_give, form=GivingForm)

    @action(description=_("Take cashback off"), icon="remove", permissions=["take"])
    def take(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _one(object_id), title=_("Take cashback off"), deed=_take, form=MoneyForm)

    @action(description=_("Read from iiko"), icon="sync", permissions=["steer"])
    def read_iiko(self, request: HttpRequest, object_id: int) -> HttpResponse:
        found: dict[str, Any] = {}
        if run_action(request, lambda: found.update(_read(by=request.user, client_id=object_id))):
            messages.info(request, ", ".join(found["changed_fields"]) or str(_("Nothing has changed")))
        return self.back_to(object_id)

    @action(description=_("Switch off"), icon="block", permissions=["steer"])
    def switch_off(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._switch(request, object_id, is_active=False, words="Switched off")

    @action(description=_("Switch on again"), icon="lock_open", permissions=["steer"])
    def switch_on(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._switch(request, object_id, is_active=True, words="Switched on")

    def _switch(self, request: HttpRequest, object_id: int, *, is_active: bool, words: str) -> HttpResponse:
        """The row's history says who pressed."""
        if run_action(request, lambda: clients.switch(by=request.user, client_id=object_id, is_active=is_active)):
            self.log_change(request, _one(object_id), words)
        return self.back_to(object_id)

    def has_give_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.add_cashback")

    def has_take_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.take_cashback")

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.change_client")


def _one(object_id: int) -> Client:
    return Client.objects.get(pk=object_id)


def _give(client: Client, *, by: Any, amount: Decimal, reason: str, key: str) -> None:
    cashback.add(by=by, client_id=client.pk, amount=amount, note=reason, key=key)


def _read(*, by: Any, client_id: int) -> dict[str, Any]:
    """What a reading did. Raises what `sync` raises, and `GuestNotRead` for an error that it tells."""
    found = iiko_sync_now.sync(by=by, client_id=client_id)
    if found["error"]:
        raise errors.GuestNotRead(reason=found["error"])
    return found


def _take(client: Client, *, by: Any, amount: Decimal, reason: str, key: str) -> None:
    cashback.take(by=by, client_id=client.pk, amount=amount, note=reason, key=key)


@admin.register(Card)
class CardAdmin(ReadOnlyAdmin):
    """Whose card is this."""

    list_display = ("card_number", "client", "is_in_iiko", "attached_at", "created_at")
    list_filter = (("attached_at", admin.EmptyFieldListFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("card_number__startswith", "card_track__exact", "client__name__icontains", "client__id__exact")
    search_help_text = _("Beginning of the card, its track, number or part of the name of the guest")
    list_select_related = ("client",)
    ordering = ("-id",)

    @display(description=_("in iiko"), boolean=True)
    def is_in_iiko(self, card: Card) -> bool:
        return card.attached_at is not None


@admin.register(DeletedPhone)
class DeletedPhoneAdmin(ReadOnlyAdmin):
    """Numbers that are free again, and whose they were."""

    list_display = ("id", "real_phone", "client", "deleted_at")
    list_filter = (("deleted_at", RangeDateTimeFilter),)
    search_fields = ("real_phone__icontains", "client__id__exact")
    search_help_text = _("Part of the phone, number of the guest")
    list_select_related = ("client",)
    ordering = ("-id",)
