"""The warehouse of all shops: batches with buttons, books to be read, data checks. History is never edited."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from apps.core import panels
from apps.core.admin import ReadOnlyAdmin, ReasonForm, amount, run_action
from apps.florist import access
from apps.florist.actions import batches, showcase, stock_watch, supplies, waste
from apps.florist.models import (
    Batch,
    Movement,
    Shop,
    ShowcaseBouquet,
    StockReservation,
    StockTransfer,
    Supply,
    SupplyItem,
)
from apps.florist.queries import stock

WORDS_OF_FAULTS = {
    "sum": _("movements do not add up to the stock"),
    "reserved": _("reservations do not add up"),
    "orphan": _("reserved for an order that is over"),
}


class OnceForm(ReasonForm):
    """The page carries a key: a form that is sent twice moves stems once."""

    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid4().hex


class CorrectionForm(OnceForm):
    """So many stems more or less."""

    stems = forms.IntegerField(
        label=_("Stems more (or less)"),
        min_value=-batches.MOST_STEMS,
        max_value=batches.MOST_STEMS,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class WasteForm(OnceForm):
    """How many stems, and why."""

    qty = forms.IntegerField(
        label=_("Stems"), min_value=1, max_value=batches.MOST_STEMS, widget=UnfoldAdminIntegerFieldWidget
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(reason.value, reason.label) for reason in map(Movement.Reason, Movement.WASTE)],
        widget=UnfoldAdminSelectWidget,
    )


class StockAdmin(ReadOnlyAdmin):
    """Books of the stock, with buttons for those who handle orders."""

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Buttons need the right of the platform's staff."""
        return access.may(request.user, "warehouse")

    def back(self, object_id: Any) -> HttpResponse:
        """To the row's page."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[object_id]))


class MovementInline(TabularInline):
    """The last movements of a batch."""

    model = Movement
    extra = 0
    fields = readonly_fields = ("created_at", "type", "reason", "quantity", "qty_after", "created_by", "description")
    ordering = ("-id",)
    can_delete = False
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FaultsView(UnfoldModelAdminViewMixin, TemplateView):
    """What the books disagree about."""

    title = _("Data checks of the stock")
    template_name = "admin/figures.html"
    permission_required = ("florist.check_shop",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = stock.faults()
        names = dict(Shop.objects.filter(pk__in={fault.shop_id for fault in found}).values_list("pk", "name"))
        rows = [
            (WORDS_OF_FAULTS[row.kind], names[row.shop_id], f"#{row.batch_id}", str(row.expected), str(row.found))
            for row in found
        ]
        headers = (_("what"), _("shop"), _("batch"), _("expected"), _("found"))
        tables = [(_("Faults"), panels.rows_of(headers, rows))]
        return super().get_context_data(**kwargs, cards=[(_("Faults"), str(len(found)))], tables=tables)


@admin.register(Batch)
class BatchAdmin(StockAdmin):
    """Stems by batch. Stock changes by buttons, each with a reason, each a movement."""

    list_display = (
        "sku",
        "shop",
        "variety",
        "height_cm",
        "delivery_date",
        "expires_on",
        "qty",
        "reserved_qty",
        "worth",
    )
    list_filter = ("on_showcase", "to_write_off", "hidden", "currency")
    search_fields = ("search_text",)
    search_help_text = _("Part of the SKU, the variety or the batch")
    list_select_related = ("shop",)
    date_hierarchy = "delivery_date"
    ordering = ("-id",)
    inlines = (MovementInline,)
    actions_list = ("check_books",)
    actions_detail = ("correct", "throw_away")

    @admin.display(description=_("price"), ordering="price")
    def worth(self, batch: Batch) -> str:
        return amount(batch.price, batch.shop.currency)

    @action(description=_("Correct the stock"), icon="edit_note", permissions=["handle"])
    def correct(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(
            request, self._batch(object_id), title=_("Correct the stock"), deed=_correct, form=CorrectionForm
        )

    @action(description=_("Throw away"), icon="delete", permissions=["handle"])
    def throw_away(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(
            request, self._batch(object_id), title=_("Throw stems away"), deed=_throw_away, form=WasteForm
        )

    @action(description=_("Data checks"), icon="fact_check", permissions=["check"], url_path="check-books")
    def check_books(self, request: HttpRequest) -> HttpResponse:
        """Look, and tell the managers of shops with faults."""
        run_action(request, stock_watch.check_books, _("Checked"))
        return HttpResponseRedirect(reverse("admin:florist_batch_faults"))

    def has_check_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("florist.check_shop")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(FaultsView.as_view(model_admin=self))
        return [path("faults/", view, name="florist_batch_faults"), *super().get_urls()]

    def _batch(self, object_id: int) -> Batch:
        return Batch.objects.get(pk=object_id)


@admin.register(Movement)
class MovementAdmin(StockAdmin):
    """Every change of stock."""

    list_display = ("created_at", "shop", "warehouse_item", "reason", "quantity", "qty_after", "cost", "created_by")
    list_filter = ("type", "reason")
    search_fields = ("warehouse_item__search_text",)
    list_select_related = ("shop", "warehouse_item", "created_by")
    date_hierarchy = "created_at"
    ordering = ("-id",)

    @admin.display(description=_("cost"))
    def cost(self, movement: Movement) -> str:
        return amount(movement.quantity * movement.unit_cost, movement.shop.currency)


class SupplyItemInline(TabularInline):
    """Lines of a supply."""

    model = SupplyItem
    extra = 0
    fields = readonly_fields = ("flower_name", "height_cm", "quantity", "purchase_price", "retail_price", "category")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[SupplyItem]:
        return super().get_queryset(request).select_related("category")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Supply)
class SupplyAdmin(StockAdmin):
    """What suppliers brought."""

    list_display = ("id", "shop", "supplier", "delivery_date", "stage", "total_cost", "currency", "created_by")
    list_filter = ("status", "currency")
    search_fields = ("supplier", "farm")
    list_select_related = ("shop", "created_by")
    date_hierarchy = "delivery_date"
    ordering = ("-id",)
    inlines = (SupplyItemInline,)
    actions_detail = one_click = ("archive", "receive")

    @display(
        description=_("status"),
        label={"draft": "warning", "received": "success", "active": "success", "archived": "info"},
    )
    def stage(self, supply: Supply) -> tuple[str, Any]:
        return supply.status, supply.get_status_display()

    @action(description=_("Receive the draft"), icon="inventory", permissions=["handle"])
    def receive(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: supplies.receive(by=request.user, supply_id=int(object_id)))
        return self.back(object_id)

    @action(description=_("Archive"), icon="archive", permissions=["handle"])
    def archive(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: supplies.archive(by=request.user, supply_id=int(object_id)))
        return self.back(object_id)


@admin.register(StockReservation)
class StockReservationAdmin(StockAdmin):
    """Stems that orders hold."""

    list_display = ("id", "shop", "order_item", "batch", "qty", "state", "created_at", "closed_at")
    list_filter = ("state",)
    search_fields = ("=order_item__order__id", "batch__search_text")
    list_select_related = ("shop", "order_item", "batch")
    ordering = ("-id",)


@admin.register(StockTransfer)
class StockTransferAdmin(StockAdmin):
    """Stems between shops of one owner."""

    list_display = ("created_at", "from_shop", "to_shop", "from_batch", "qty", "created_by")
    list_select_related = ("from_shop", "to_shop", "from_batch", "created_by")
    ordering = ("-id",)


@admin.register(ShowcaseBouquet)
class ShowcaseBouquetAdmin(StockAdmin):
    """Bouquets made ahead."""

    list_display = ("id", "shop", "product", "state", "made_by", "created_at")
    list_filter = ("state",)
    search_fields = ("product__search_text",)
    list_select_related = ("shop", "product", "made_by")
    ordering = ("-id",)
    actions_detail = one_click = ("take_apart",)

    @action(description=_("Take apart"), icon="content_cut", permissions=["handle"])
    def take_apart(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: showcase.take_apart(by=request.user, bouquet_id=int(object_id)))
        return self.back(object_id)


def _correct(batch: Batch, *, by: Any, reason: str, stems: int, key: str) -> None:
    batches.adjust(by=by, batch_id=batch.pk, stems=stems, words=reason[:255], key=key)


def _throw_away(batch: Batch, *, by: Any, reason: str, qty: int, kind: str, key: str) -> None:
    waste.write_off(by=by, batch_id=batch.pk, qty=qty, reason=kind, words=reason[:255], key=key)
