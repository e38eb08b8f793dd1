"""News with picture and schedule; announcements that a broadcast carries into every inbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminImageFieldWidget

from apps.core.admin import ActingAdmin
from apps.loyalty.actions import announcements, files, news
from apps.loyalty.models import Announcement, News
from apps.notifications.models import Broadcast

PICTURE_PATH = "/api/v1/files/news_images/"
"""Where clients fetch a news picture, seen from their base address."""

Status = Broadcast.Status
PROGRESS_COLOURS = {
    Status.RUNNING: "warning",
    Status.PAUSED: "warning",
    Status.FINISHED: "success",
    Status.CANCELLED: "danger",
}


class NewsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A picture is uploaded or its address is given; the upload wins."""

    picture = forms.FileField(label=_("Upload a picture"), required=False, widget=UnfoldAdminImageFieldWidget)

    class Meta:
        model = News
        fields: ClassVar[list[str]] = ["title", "description", "image_url", "starts_at", "ends_at", "priority"]

    def clean(self) -> dict[str, Any]:
        """A window that closes before it opens shows nothing."""
        cleaned = super().clean() or self.cleaned_data
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("The end must be later than the beginning"))
        return cleaned


class WindowFilter(admin.SimpleListFilter):
    """Shown now, later, or over."""

    title = _("window")
    parameter_name = "window"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("shown now")), ("later", _("scheduled")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[News]) -> QuerySet[News]:
        now = timezone.now()
        if self.value() == "now":
            return queryset.filter(pk__in=News.objects.showing(now).values("pk"))
        where = {"later": Q(starts_at__gt=now), "over": Q(ends_at__lte=now)}
        return queryset.filter(where.get(self.value() or "", Q()))


@admin.register(News)
class NewsAdmin(ActingAdmin):
    """Higher priority first, then the newest."""

    form = NewsForm
    list_display = ("title", "priority", "window_badge", "starts_at", "ends_at", "created_at")
    list_filter = (WindowFilter, "priority", ("created_at", RangeDateTimeFilter))
    search_fields = ("title__icontains", "description__icontains")
    ordering = ("-priority", "-created_at", "-id")
    list_select_related = False
    fieldsets = (
        (None, {"fields": ("title", "description", "priority")}),
        (_("Picture"), {"fields": ("shown_picture", "picture", "image_url")}),
        (_("Schedule"), {"fields": ("starts_at", "ends_at", "created_at")}),
    )
    readonly_fields = ("shown_picture", "created_at")

    @display(description=_("window"), label={"now": "success", "later": "info", "over": "warning"})
    def window_badge(self, piece: News) -> tuple[str, Any]:
        now = timezone.now()
        if piece.starts_at and piece.starts_at > now:
            return "later", _("scheduled")
        return ("over", _("over")) if piece.ends_at and piece.ends_at <= now else ("now", _("shown now"))

    @display(description=_("picture"))
    def shown_picture(self, piece: News) -> SafeString | str:
        if not piece.image_url:
            return "–"
        base = "/loyalty" if piece.image_url.startswith("/api/") else ""
        return format_html('<img src="{}{}" alt="" style="max-height: 160px">', base, piece.image_url)

    def create(self, by: Any, given: Mapping[str, Any]) -> News:
        return news.publish(by=by, **_with_picture(by, given))

    def change(self, by: Any, pk: int, given: Mapping[str, Any]) -> News:
        return news.change(by=by, news_id=pk, changes=_with_picture(by, given))

    def remove(self, by: Any, pk: int) -> None:
        news.take_down(by=by, news_id=pk)


def _with_picture(by: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if name != "picture"}
    if given.get("picture"):
        values["image_url"] = PICTURE_PATH + files.add_news_image(by=by, file=given["picture"]).name
    return values


@admin.register(Announcement)
class AnnouncementAdmin(ActingAdmin):
    """Said to every guest at once; taken back out of the inboxes when deleted."""

    list_display = ("id", "title", "progress_badge", "told", "created_at")
    list_display_links = ("id", "title")
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("title__icontains", "description__icontains")
    list_select_related = ("broadcast__progress",)
    ordering = ("-id",)
    fields = ("title", "description", "progress_badge", "told", "broadcast_link", "created_at")
    readonly_fields = ("progress_badge", "told", "broadcast_link", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Announcement]:
        return super().get_queryset(request).filter(deleted_at=None)

    @display(description=_("broadcast"), label=PROGRESS_COLOURS)
    def progress_badge(self, said: Announcement) -> Any:
        return (said.broadcast.status, said.broadcast.get_status_display()) if said.broadcast else "–"

    @display(description=_("told"))
    def told(self, said: Announcement) -> str:
        progress = getattr(said.broadcast, "progress", None)
        return str(progress) if progress else "–"

    @display(description=_("steer it"))
    def broadcast_link(self, said: Announcement) -> SafeString | str:
        if said.broadcast_id is None:
            return "–"
        address = reverse("admin:notifications_broadcast_change", args=[said.broadcast_id])
        return format_html('<a class="text-primary-600" href="{}">#{}</a>', address, said.broadcast_id)

    def create(self, by: Any, given: Mapping[str, Any]) -> Announcement:
        return announcements.announce(by=by, **given)

    def change(self, by: Any, pk: int, given: Mapping[str, Any]) -> Announcement:
        return announcements.change(by=by, announcement_id=pk, changes=given)

    def remove(self, by: Any, pk: int) -> None:
        announcements.delete(by=by, announcement_id=pk)
