"""The look and the manners of the back office: `HouseAdmin`, buttons that call actions, the outbox screen."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportActionMixin
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core import events
from apps.core.errors import Refused
from apps.core.models import OutboxMessage, StepLog, WebhookReceipt


class ReasonForm(forms.Form):
    """Why: asked before every button that moves money, status or rights."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, min_length=3, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


def run_action(request: HttpRequest, deed: Callable[[], Any], done: Any = None) -> bool:
    """Run one action for a button; a Refused becomes a message. Returns whether it worked."""
    try:
        deed()
    except Refused as refused:
        messages.error(request, refused.words)
        return False
    messages.success(request, str(done or _("Done")))
    return True


class HouseAdmin(ExportActionMixin, ModelAdmin):
    """Unfold with the house's defaults: infinite paging, filters behind a button, export by permission."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    warn_unsaved_form = True
    compressed_fields = True
    export_form_class = ExportForm
    list_select_related: Any = True

    def ask_reason(
        self,
        request: HttpRequest,
        obj: Any,
        *,
        title: Any,
        deed: Callable[..., Any],
        form: type[forms.Form] = ReasonForm,
    ) -> HttpResponse:
        """A page that asks for a reason (and whatever else `form` has), then calls `deed(obj, by=…, **cleaned)`."""
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
        asked = form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and asked.is_valid():
            run_action(request, lambda: deed(obj, by=request.user, **asked.cleaned_data))
            return HttpResponseRedirect(back)
        context = {**self.admin_site.each_context(request), "title": title, "object": obj, "form": asked, "back": back}
        return render(request, "admin/ask_reason.html", {**context, "opts": self.opts})


class ReadOnlyAdmin(HouseAdmin):
    """Books, logs, history: to be read, searched and exported, never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def amount(value: Decimal | None, currency: str = "") -> str:
    """Money as staff read it: `12 500.00 UZS`."""
    return "–" if value is None else f"{value:,.2f} {currency}".replace(",", "\u202f").strip()


STATES = {"waiting": _("waiting"), "delivered": _("delivered"), "dead": _("dead letters")}
"""What the screen calls the states of an outbox message."""


class OutboxStateFilter(admin.SimpleListFilter):
    """waiting, delivered or dead."""

    title = _("state")
    parameter_name = "state"
    WHERE: ClassVar[dict[str, models.Q]] = {
        "waiting": models.Q(delivered_at=None, dead_at=None),
        "delivered": models.Q(delivered_at__isnull=False),
        "dead": models.Q(dead_at__isnull=False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[OutboxMessage]
    ) -> models.QuerySet[OutboxMessage]:
        chosen = self.value()
        return queryset.filter(self.WHERE[chosen]) if chosen in self.WHERE else queryset


@admin.register(OutboxMessage)
class OutboxAdmin(ReadOnlyAdmin):
    """What is waiting to be told, what could not be told; dead letters are revived by one click."""

    list_display = ("id", "event", "short_handler", "state_badge", "attempts", "created_at", "due_at", "last_error")
    list_filter = (OutboxStateFilter, "event")
    search_fields = ("event", "handler")
    ordering = ("-id",)
    list_select_related = False
    actions = ("revive_selected",)

    @admin.display(description=_("handler"))
    def short_handler(self, message: OutboxMessage) -> str:
        return message.handler.rsplit(".", 1)[-1]

    @admin.display(description=_("state"))
    def state_badge(self, message: OutboxMessage) -> str:
        return str(STATES[message.state])

    @admin.action(description=_("Revive dead letters"), permissions=["revive"])
    def revive_selected(self, request: HttpRequest, queryset: models.QuerySet[OutboxMessage]) -> None:
        run_action(request, lambda: events.revive(queryset))

    def has_revive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_outboxmessage")


@admin.register(StepLog)
class StepLogAdmin(ReadOnlyAdmin):
    """Every step of every life cycle."""

    list_display = ("at", "model", "object_id", "from_status", "to_status", "by", "reason")
    list_filter = ("model", "to_status")
    search_fields = ("object_id", "by", "reason")
    ordering = ("-id",)
    list_select_related = False


@admin.register(WebhookReceipt)
class WebhookReceiptAdmin(ReadOnlyAdmin):
    """Notices that vendors sent us."""

    list_display = ("received_at", "vendor", "kind", "external_id")
    list_filter = ("vendor", "kind")
    search_fields = ("external_id",)
    ordering = ("-id",)
    list_select_related = False
