"""Towns: names, places in the list, coordinates."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import HouseAdmin
from apps.urgent.models import City
from apps.urgent.queries import cities


@admin.register(City)
class CityAdmin(HouseAdmin):
    """Editable. A town is switched off rather than deleted: orders keep its name."""

    list_display = ("name", "position", "is_active", "latitude", "longitude")
    list_editable = ("position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name__istartswith",)
    search_help_text = _("Beginning of the name, as it is written")
    list_select_related = False
    ordering = ("position", "name")

    def save_model(self, request: HttpRequest, obj: City, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(cities.forget)

    def delete_model(self, request: HttpRequest, obj: City) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(cities.forget)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(cities.forget)
