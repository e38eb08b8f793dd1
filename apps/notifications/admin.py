"""Back office: broadcasts are steered, deliveries repeated, everything else is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import HouseAdmin, ReadOnlyAdmin, run_action
from apps.notifications import actions, channels, queries
from apps.notifications.models import Broadcast, Delivery, Device, Notification


class BroadcastForm(forms.ModelForm):
    """Whom and what; the group is chosen from those that products registered."""

    segment = forms.ChoiceField(label=_("Group of people"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Broadcast
        fields = ("product", "kind", "segment", "segment_facts", "title", "body", "link_url", "channels")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "segment" in self.fields:
            names = {found.name: f"{found.product}: {found.label}" for found in channels.segments()}
            self.fields["segment"].choices = list(names.items())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        known = {(found.product, found.name) for found in channels.segments()}
        if (cleaned.get("product"), cleaned.get("segment")) not in known:
            raise ValidationError(_("This product has no such group of people"))
        if set(cleaned.get("channels") or ()) - set(channels.CHANNELS):
            raise ValidationError(_("Unknown channel"))
        return cleaned


@admin.register(Broadcast)
class BroadcastAdmin(HouseAdmin):
    """Write a draft, start it, watch it, pause it."""

    form = BroadcastForm
    list_display = ("id", "product", "words", "segment", "status", "told", "created_by", "created_at")
    list_filter = ("status", "product")
    list_select_related = ("progress", "created_by")
    ordering = ("-id",)
    readonly_fields = ("status", "told", "delivered", "opened", "created_by", "started_at", "finished_at")
    actions_detail = ("start", "pause", "resume", "cancel")

    @admin.display(description=_("words"))
    def words(self, broadcast: Broadcast) -> str:
        return next((text for text in broadcast.title.values() if text), "")[:60]

    @admin.display(description=_("told"))
    def told(self, broadcast: Broadcast) -> str:
        progress = getattr(broadcast, "progress", None)
        return str(progress) if progress else "–"

    @admin.display(description=_("deliveries"))
    def delivered(self, broadcast: Broadcast) -> str:
        return ", ".join(f"{state}: {count}" for state, count in queries.delivery_counts(broadcast).items()) or "–"

    @admin.display(description=_("opened"))
    def opened(self, broadcast: Broadcast) -> int:
        return queries.read_count(broadcast)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Broadcast]:
        return super().get_queryset(request).select_related("progress", "created_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Words are fixed once somebody may have read them."""
        is_open = obj is None or obj.status == Broadcast.Status.DRAFT
        return is_open and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("notifications.change_broadcast")

    def save_model(self, request: HttpRequest, obj: Broadcast, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    @action(description=_("Start"), permissions=["steer"])
    def start(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, actions.start)

    @action(description=_("Pause"), permissions=["steer"])
    def pause(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, actions.pause)

    @action(description=_("Resume"), permissions=["steer"])
    def resume(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, actions.resume)

    @action(description=_("Cancel"), permissions=["steer"])
    def cancel(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, actions.cancel)

    def _steer(self, request: HttpRequest, object_id: int, deed: Callable[..., Any]) -> HttpResponse:
        run_action(request, lambda: deed(by=request.user, broadcast_id=int(object_id)))
        return HttpResponseRedirect(reverse("admin:notifications_broadcast_change", args=[object_id]))


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What left the house, what did not, and why."""

    list_display = ("id", "channel", "state", "notification", "attempts", "due_at", "sent_at", "cost", "last_error")
    list_filter = ("state", "channel")
    search_fields = ("=id", "=notification__id", "vendor_id")
    list_select_related = ("notification",)
    ordering = ("-id",)
    actions = ("repeat_selected",)
    exclude = ("device",)

    @admin.action(description=_("Send again"), permissions=["repeat"])
    def repeat_selected(self, request: HttpRequest, queryset: models.QuerySet[Delivery]) -> None:
        for number in queryset.values_list("pk", flat=True)[:500]:
            run_action(request, lambda number=number: actions.repeat(by=request.user, delivery_id=number))

    def has_repeat_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("notifications.change_delivery"))


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """What people were told."""

    list_display = ("id", "product", "kind", "user", "title", "created_at", "sent_at", "read_at")
    list_filter = ("product", "kind")
    search_fields = ("=id", "=user__id", "title", "key")
    list_select_related = ("user",)
    ordering = ("-id",)


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Where we push; the address itself is a secret and not shown."""

    list_display = ("id", "user", "product", "kind", "platform", "seen_at")
    list_filter = ("product", "kind", "platform")
    search_fields = ("=id", "=user__id")
    list_select_related = ("user",)
    ordering = ("-id",)
    exclude = ("address", "p256dh", "auth", "fingerprint")
