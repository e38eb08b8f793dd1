"""Pictures that people uploaded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ActingAdmin
from apps.loyalty.actions import files
from apps.loyalty.models import StoredFile

PATHS = {
    StoredFile.Kind.PROFILE_PHOTO: "/loyalty/api/v1/files/profile-photo/",
    StoredFile.Kind.NEWS_IMAGE: "/loyalty/api/v1/files/news_images/",
}


@admin.register(StoredFile)
class StoredFileAdmin(ActingAdmin):
    """Looked at and taken away; whoever showed the picture shows none afterwards."""

    list_display = ("picture", "name", "kind", "owner", "bytes", "created_at")
    list_display_links = ("name",)
    list_filter = ("kind",)
    search_fields = ("name__istartswith", "owner__id__exact")
    list_select_related = ("owner",)
    ordering = ("-created_at", "-id")

    @display(description="")
    def picture(self, file: StoredFile) -> SafeString:
        path = PATHS[StoredFile.Kind(file.kind)]
        return format_html('<img src="{}{}" alt="" style="max-height: 48px" loading="lazy">', path, file.name)

    @display(description=_("size"), ordering="size")
    def bytes(self, file: StoredFile) -> str:
        return str(filesizeformat(file.size))

    def remove(self, by: Any, pk: int) -> None:
        files.remove(by=by, file_id=pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
