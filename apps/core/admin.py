"""The look and the manners of the back office: `HouseAdmin`, buttons that call actions, the outbox screen."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from import_export.admin import ExportActionMixin
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from apps.core import events
from apps.core.errors import Refused
from apps.core.models import OutboxMessage, StepLog, WebhookReceipt


class ReasonForm(forms.Form):
    """Why: asked before every button that moves money, status or rights."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, min_length=3, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class AmountForm(ReasonForm):
    """How much, and why; empty is all that is left."""

    amount = forms.DecimalField(
        label=_("Amount"),
        help_text=_("Empty: all that is left."),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=14,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The page carries the key: a form that is sent twice moves money once.
        self.fields["key"].initial = f"staff:{uuid.uuid4().hex}"

    def clean_key(self) -> str:
        """A form without its key is one that nobody repeats."""
        return self.cleaned_data["key"] or f"staff:{uuid.uuid4().hex}"


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
    change_form_outer_before_template = list_before_template = "admin/_clicks.html"
    one_click: ClassVar[tuple[str, ...]] = ()
    """Buttons of `actions_detail` and `actions_list` that change something and need no reason: each is a small form

    with a token; a link to it does nothing.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The page of a row, with its buttons of one click."""
        clicks = self._clicks(self.buttons(request, object_id), object_id) if object_id else []
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "clicks": clicks})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with its buttons of one click."""
        clicks = self._clicks(super().get_actions_list(request))
        return super().changelist_view(request, {**(extra_context or {}), "clicks": clicks})

    def _clicks(self, allowed: list[Any], *row: Any) -> list[tuple[str, Any]]:
        """Address and words of each button of one click."""
        return [
            (reverse(f"{self.admin_site.name}:{button.action_name}", args=row), button.description)
            for button in allowed
            if button.action_name in self._one_click_names()
        ]

    def buttons(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What this person may press on this row; screens narrow it to what the row's state allows."""
        return list(super().get_actions_detail(request, object_id))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons that lead to a page of their own."""
        return self._pages(self.buttons(request, object_id))

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """The list's buttons that lead to a page of their own."""
        return self._pages(super().get_actions_list(request))

    def _pages(self, allowed: list[Any]) -> list[Any]:
        return [button for button in allowed if button.action_name not in self._one_click_names()]

    def _one_click_names(self) -> set[str]:
        return {self.get_unfold_action(name).action_name for name in self.one_click}

    def get_urls(self) -> list[Any]:
        """Buttons of rows that do not exist are 404, whatever stands in the address."""
        buttons = {button.action_name for button in self._get_base_actions_detail()}
        found: list[Any] = super().get_urls()
        for pattern in found:
            posted = getattr(pattern, "name", None) in self._one_click_names()
            if getattr(pattern, "name", None) in buttons:
                pattern.callback = self._of_a_row(pattern.callback, ("POST",) if posted else ("GET", "POST"))
            elif posted:
                pattern.callback = require_POST(pattern.callback)
        return found

    def _of_a_row(self, button: Callable[..., HttpResponse], methods: tuple[str, ...]) -> Callable[..., HttpResponse]:
        @functools.wraps(button)
        def pressed(request: HttpRequest, object_id: str) -> HttpResponse:
            if self.get_object(request, object_id) is None:
                raise Http404
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return button(request, object_id=object_id)

        return pressed

    def ask_reason(
        self,
        request: HttpRequest,
        obj: Any,
        *,
        title: Any,
        deed: Callable[..., Any],
        form: type[forms.Form] = ReasonForm,
        initial: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """A page that asks for a reason (and whatever else `form` has), then calls `deed(obj, by=…, **cleaned)`.

        `initial` is what the form shows when it opens.
        """
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
        asked = form(request.POST if request.method == "POST" else None, initial=dict(initial or {}))
        if request.method == "POST" and asked.is_valid():
            key, words = obj.pk, f"{title}: {asked.cleaned_data.get('reason', '')}"
            if run_action(request, lambda: deed(obj, by=request.user, **asked.cleaned_data)):
                self._note(request, obj, key, words)
            return HttpResponseRedirect(back)
        context = {**self.admin_site.each_context(request), "title": title, "object": obj, "form": asked, "back": back}
        return render(request, "admin/ask_reason.html", {**context, "opts": self.opts})

    def _note(self, request: HttpRequest, obj: Any, key: Any, words: str) -> None:
        """The reason stays in the history of the row, also of one that the deed has deleted."""
        by: Any = request.user
        LogEntry.objects.create(
            user=by,
            content_type=ContentType.objects.get_for_model(obj, for_concrete_model=False),
            object_id=str(key),
            object_repr=str(obj)[:200],
            action_flag=CHANGE,
            change_message=words,
        )


class ReadOnlyAdmin(HouseAdmin):
    """Books, logs, history: to be read, searched and exported, never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ActingAdmin(HouseAdmin):
    """Saving and deleting call `create`, `change` and `remove`, which subclasses define with one action each.

    A refusal is shown and changes nothing.
    """

    def create(self, by: Any, given: Mapping[str, Any]) -> models.Model:
        """A new row from the form's values."""
        raise NotImplementedError

    def change(self, by: Any, pk: Any, given: Mapping[str, Any]) -> Any:
        """Only the values that the form changed."""
        raise NotImplementedError

    def remove(self, by: Any, pk: Any) -> None:
        """One row away."""
        raise NotImplementedError

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._shown(request, lambda: super(ActingAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._shown(request, lambda: super(ActingAdmin, self).delete_view(request, *args, **kwargs))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What the form holds goes to the action; the row that it answers is the one that is shown next."""
        if change:
            self.change(request.user, obj.pk, {name: form.cleaned_data[name] for name in form.changed_data})
            return
        made = self.create(request.user, form.cleaned_data)
        obj.pk, obj._state.adding = made.pk, False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(request.user, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """One by one; what is refused stays and says why."""
        for obj in list(queryset):
            run_action(request, lambda pk=obj.pk: self.remove(request.user, pk), str(obj))  # type: ignore[misc]

    def back_to(self, object_id: Any) -> HttpResponse:
        """The row's page."""
        screen = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(screen, args=[object_id]))

    @staticmethod
    def _shown(request: HttpRequest, page: Any) -> HttpResponse:
        try:
            answer: HttpResponse = page()
        except Refused as refused:
            messages.error(request, refused.words)
            return HttpResponseRedirect(request.get_full_path())
        return answer


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
