"""The inbox of gateways' notices: what came, whether it was genuine, what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin, run_action
from apps.payments import access, actions
from apps.payments.models import PaymentEvent


class StateFilter(admin.SimpleListFilter):
    """Waiting for the gateway's word, dealt with, or forged."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting")), ("done", _("dealt with")), ("forged", _("forged"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentEvent]) -> QuerySet[PaymentEvent]:
        if self.value() == "forged":
            return queryset.filter(result="forged")
        if self.value() in ("waiting", "done"):
            return queryset.filter(processed_at__isnull=self.value() == "waiting").exclude(result="forged")
        return queryset


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    """Notices of gateways."""

    list_display = ("received_at", "method", "word", "state_badge", "payment", "result", "repeats_count")
    list_filter = (StateFilter, "method", "word", ("received_at", RangeDateTimeFilter))
    search_fields = ("payment__id__exact", "payment__shop_transaction_id__exact", "payment__vendor_id__exact")
    search_help_text = _("Our or the gateway's number of the payment")
    list_select_related = ("payment",)
    ordering = ("-id",)
    actions_detail = ("ask_now",)
    one_click = ("ask_now",)

    @display(description=_("state"), label={"waiting": "warning", "done": "success", "forged": "danger"})
    def state_badge(self, event: PaymentEvent) -> tuple[str, Any]:
        if event.result == "forged":
            return "forged", _("forged")
        return ("done", _("dealt with")) if event.processed_at else ("waiting", _("waiting"))

    @action(description=_("Ask the gateway now"), icon="sync", permissions=["handle"])
    def ask_now(self, request: HttpRequest, object_id: int) -> HttpResponse:
        event = PaymentEvent.objects.select_related("payment").get(pk=object_id)
        run_action(request, lambda: actions.ask_about_event(by=request.user, event=event))
        return HttpResponseRedirect(reverse("admin:payments_paymentevent_change", args=[object_id]))

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.HANDLE)
