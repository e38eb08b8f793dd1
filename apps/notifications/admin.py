"""Back office: broadcasts are steered, deliveries repeated, everything else is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.admin import HouseAdmin, ReadOnlyAdmin
from apps.core.texts import LANGUAGES
from apps.notifications import actions, channels, queries
from apps.notifications.models import Broadcast, Delivery, Device, Notification

Status, State = Broadcast.Status, Delivery.State

LANGUAGE_NAMES = {"ru": "Русский", "uz": "Oʻzbekcha", "tr": "Türkçe", "en": "English"}
CHANNEL_NAMES: dict[str, str | Promise] = {
    channels.INBOX: _("inbox"),
    channels.SOCKET: _("open screen"),
    channels.PUSH: _("push"),
    channels.BOT: _("bot"),
    channels.MAIL: _("e-mail"),
    channels.SMS: _("SMS"),
}
BROADCAST_COLOURS = {
    Status.DRAFT: "info",
    Status.RUNNING: "warning",
    Status.PAUSED: "warning",
    Status.FINISHED: "success",
    Status.CANCELLED: "danger",
}
DELIVERY_COLOURS = {
    State.QUEUED: "info",
    State.SENDING: "info",
    State.SENT: "success",
    State.FAILED: "danger",
    State.DEAD: "danger",
    State.UNSURE: "warning",
}
BUTTONS: dict[str, tuple[str, ...]] = {
    Status.DRAFT: ("start", "cancel"),
    Status.RUNNING: ("pause", "cancel"),
    Status.PAUSED: ("resume", "cancel"),
}
"""What can be pressed in which state; a stale page may still ask for more, then the action refuses."""

MOST_REPEATED = 500
"""Deliveries that one press sends again."""


class WordsWidget(forms.MultiWidget):
    """One box per language of the house."""

    def __init__(self, kind: type[forms.Widget]) -> None:
        looks = {"rows": "3", "class": "mb-2"} if issubclass(kind, forms.Textarea) else {"class": "mb-2"}
        boxes: dict[str, forms.Widget | type[forms.Widget]] = {
            name: kind(attrs={**looks, "placeholder": LANGUAGE_NAMES[name], "aria-label": LANGUAGE_NAMES[name]})
            for name in LANGUAGES
        }
        super().__init__(boxes)

    def decompress(self, value: Any) -> list[str]:
        return [(value or {}).get(name, "") for name in LANGUAGES]


class WordsField(forms.MultiValueField):
    """`core.texts.Text` as stored; a language left empty is not in it."""

    def __init__(self, *, kind: type[forms.Widget], most_letters: int, **kwargs: Any) -> None:
        boxes = [forms.CharField(required=False, max_length=most_letters) for _ in LANGUAGES]
        super().__init__(boxes, widget=WordsWidget(kind), require_all_fields=False, **kwargs)

    def compress(self, values: list[str]) -> dict[str, str]:
        return {name: words for name, words in zip(LANGUAGES, values, strict=False) if words}


class BroadcastForm(forms.ModelForm):
    """Whom and what; the group is chosen from those that products registered, and brings its product along."""

    group = forms.ChoiceField(label=_("Group of people"), widget=UnfoldAdminSelectWidget)
    title = WordsField(label=_("Title"), kind=UnfoldAdminTextInputWidget, most_letters=255)
    body = WordsField(label=_("Text"), kind=UnfoldAdminTextareaWidget, most_letters=4000, required=False)
    channels = forms.MultipleChoiceField(
        label=_("Channels"),
        help_text=_("None chosen: the usual channels of this kind"),
        choices=list(CHANNEL_NAMES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
    )

    class Meta:
        model = Broadcast
        fields = ("segment_facts", "title", "body", "link_url", "kind", "channels")
        widgets = {"segment_facts": UnfoldAdminTextareaWidget(attrs={"rows": 2})}  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "group" in self.fields:  # absent where the draft may only be read
            found = [(f"{one.product}:{one.name}", f"{one.product}: {one.label}") for one in channels.segments()]
            group: Any = self.fields["group"]
            group.choices, group.initial = found, f"{self.instance.product}:{self.instance.segment}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.instance.product, _colon, self.instance.segment = cleaned.get("group", "").partition(":")
        if not isinstance(cleaned.get("segment_facts") or {}, dict):
            raise ValidationError({"segment_facts": _("An object such as {example} is expected").format(example="{}")})
        return cleaned

    def clean_segment_facts(self) -> Any:
        """An emptied box is no facts, not null."""
        return self.cleaned_data["segment_facts"] or {}


@admin.register(Broadcast)
class BroadcastAdmin(HouseAdmin):
    """Write a draft, start it, watch it, pause it."""

    form = BroadcastForm
    list_display = ("id", "product", "words", "people", "status_badge", "told", "created_by", "created_at")
    list_filter = ("status", "product")
    list_select_related = ("progress", "created_by")
    ordering = ("-id",)
    readonly_fields = ("status", "told", "delivered", "opened", "created_by", "started_at", "finished_at")
    watched = (_("Progress"), {"fields": readonly_fields})
    fieldsets = (
        (_("To whom"), {"fields": ("group", "segment_facts")}),
        (_("What"), {"fields": ("title", "body", "link_url", "kind", "channels")}),
    )
    fixed_fieldsets = (
        (_("To whom"), {"fields": ("product", "people", "segment_facts")}),
        (_("What"), {"fields": ("all_words", "link_url", "kind", "ways")}),
        watched,
    )
    actions_detail = ("start", "pause", "resume", "cancel")

    @admin.display(description=_("title"))
    def words(self, broadcast: Broadcast) -> str:
        return next((text for text in broadcast.title.values() if text), "")[:60]

    @admin.display(description=_("words"))
    def all_words(self, broadcast: Broadcast) -> SafeString:
        """Title and text, language by language."""
        said = [(LANGUAGE_NAMES[n], broadcast.title.get(n, ""), broadcast.body.get(n, "")) for n in LANGUAGES]
        rows = [(name, title, body) for name, title, body in said if title or body]
        return format_html_join("", "<p class='mb-3'>{}<br><b>{}</b><br>{}</p>", rows)

    @admin.display(description=_("channels"))
    def ways(self, broadcast: Broadcast) -> str:
        names = [str(CHANNEL_NAMES.get(name, name)) for name in broadcast.channels]
        return ", ".join(names) or str(_("the usual ones of this kind"))

    @admin.display(description=_("group of people"))
    def people(self, broadcast: Broadcast) -> str:
        found = [one.label for one in channels.segments(broadcast.product) if one.name == broadcast.segment]
        return str(found[0]) if found else broadcast.segment

    @display(description=_("status"), ordering="status", label=BROADCAST_COLOURS)
    def status_badge(self, broadcast: Broadcast) -> tuple[str, str]:
        return broadcast.status, broadcast.get_status_display()

    @admin.display(description=_("told"))
    def told(self, broadcast: Broadcast) -> str:
        progress = getattr(broadcast, "progress", None)
        return str(progress) if progress else "–"

    @admin.display(description=_("deliveries"))
    def delivered(self, broadcast: Broadcast) -> str:
        names = dict(State.choices)
        counts = queries.delivery_counts(broadcast)
        return ", ".join(f"{names[state]}: {count}" for state, count in counts.items()) or "–"

    @admin.display(description=_("opened"))
    def opened(self, broadcast: Broadcast) -> int:
        return queries.read_count(broadcast)

    def get_fieldsets(self, request: HttpRequest, obj: Broadcast | None = None) -> Any:
        if obj is None:
            return self.fieldsets
        return (*self.fieldsets, self.watched) if self.has_change_permission(request, obj) else self.fixed_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Broadcast | None = None) -> Any:
        own = super().get_readonly_fields(request, obj)
        return own if self.has_change_permission(request, obj) else (*own, "all_words", "ways", "people")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Words are fixed once somebody may have read them."""
        is_open = obj is None or obj.status == Status.DRAFT
        return is_open and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("notifications.change_broadcast")

    def save_model(self, request: HttpRequest, obj: Broadcast, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that its state allows."""
        shown = self.get_object(request, str(object_id))
        names = {f"notifications_broadcast_{name}" for name in BUTTONS.get(shown.status if shown else "", ())}
        return [button for button in super().get_actions_detail(request, object_id) if button.action_name in names]

    @action(description=_("Start"), permissions=["steer"])
    def start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._steer(request, object_id, actions.start, _("Begin to tell everybody in the group"))

    @action(description=_("Pause"), permissions=["steer"])
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._steer(request, object_id, actions.pause, _("Stop after the present batch"))

    @action(description=_("Resume"), permissions=["steer"])
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._steer(request, object_id, actions.resume, _("Go on where it stopped"))

    @action(description=_("Cancel"), permissions=["steer"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._steer(request, object_id, actions.cancel, _("Never tell the rest"))

    def _steer(self, request: HttpRequest, object_id: str, deed: Callable[..., Any], title: Any) -> HttpResponse:
        broadcast = self.get_object(request, object_id)
        if broadcast is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self.ask_reason(
            request, broadcast, title=title, deed=lambda row, **why: deed(broadcast_id=row.pk, **why)
        )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What left the house, what did not, and why."""

    list_display = (
        *("id", "channel", "state_badge", "progress", "notification", "attempts", "due_at", "sent_at", "problem"),
    )
    list_filter = ("state", "progress", "channel")
    search_fields = ("=id", "=notification__id", "vendor_id")
    list_select_related = ("notification",)
    ordering = ("-id",)
    actions = ("repeat_selected",)
    actions_detail = ("repeat",)
    exclude = ("device",)

    @display(description=_("state"), ordering="state", label=DELIVERY_COLOURS)
    def state_badge(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @admin.display(description=_("problem"))
    def problem(self, delivery: Delivery) -> str:
        return delivery.last_error or "–"

    @admin.action(description=_("Send again"), permissions=["repeat"])
    def repeat_selected(self, request: HttpRequest, queryset: models.QuerySet[Delivery]) -> None:
        chosen = list(queryset.values_list("pk", flat=True)[:MOST_REPEATED])
        repeated = actions.repeat_many(by=request.user, delivery_ids=chosen)
        words = _("{count} of {chosen} will be sent again; the rest are on their way or arrived")
        level = messages.SUCCESS if repeated else messages.WARNING
        self.message_user(request, words.format(count=repeated, chosen=len(chosen)), level)

    @action(description=_("Send again"), permissions=["repeat"])
    def repeat(self, request: HttpRequest, object_id: str) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        if delivery is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self.ask_reason(
            request,
            delivery,
            title=_("Send this message again"),
            deed=lambda row, **why: actions.repeat(delivery_id=row.pk, **why),
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is on its way or arrived has no button."""
        shown = self.get_object(request, str(object_id))
        is_over = shown is not None and shown.state in actions.OVER
        return super().get_actions_detail(request, object_id) if is_over else []

    def has_repeat_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
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
