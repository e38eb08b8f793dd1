"""What the city is made of: kinds of trouble, districts, promises of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin
from apps.tickets.actions import categories, sla
from apps.tickets.admin.saving import CityAdmin
from apps.tickets.models import Category, District, SlaPolicy

MINUTES = ("first_response_minutes", "resolution_minutes")


@admin.register(Category)
class CategoryAdmin(CityAdmin):
    """Switched off rather than deleted; what is deleted leaves its tickets to the category that takes what is left."""

    list_display = ("name", "description", "is_active", "is_other")
    list_filter = ("is_active",)
    search_fields = ("name__istartswith",)
    list_select_related = False
    ordering = ("name",)
    fields = ("name", "description", "is_active", "is_other")
    readonly_fields = ("is_other",)
    actions_detail = ("dissolve",)

    @action(description=_("Delete, tickets move on"), icon="delete", permissions=["manage"])
    def dissolve(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """A question first; then the category is gone, so the way leads to the list."""
        category = Category.objects.get(pk=object_id)
        answer = self.ask_reason(request, category, title=_("Delete the category"), deed=_dissolve)
        if Category.objects.filter(pk=object_id).exists():
            return answer
        return HttpResponseRedirect(reverse("admin:tickets_category_changelist"))

    def create(self, by: Any, given: Mapping[str, Any]) -> Category:
        return categories.create(by=by, **given)

    def change(self, by: Any, pk: Any, given: Mapping[str, Any]) -> None:
        categories.change(by=by, category_id=pk, changes=given)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its tickets have to go somewhere: the button does it."""
        return False


@admin.register(District)
class DistrictAdmin(ReadOnlyAdmin):
    """Come with the migrations; outlines are set through the API."""

    list_display = ("name", "city", "latitude", "longitude", "teams_count")
    list_filter = ("city",)
    search_fields = ("name__istartswith",)
    list_select_related = False
    ordering = ("city", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[District]:
        return super().get_queryset(request).annotate(known_teams=Count("teams"))

    @display(description=_("teams"), ordering="known_teams")
    def teams_count(self, district: Any) -> int:
        return int(district.known_teams)


@admin.register(SlaPolicy)
class SlaPolicyAdmin(CityAdmin):
    """Counts for tickets reported or handed over from now on. What it is about stays; only its minutes change."""

    list_display = ("category", "team", "first_response_minutes", "resolution_minutes")
    list_filter = ("category", "team")
    list_select_related = ("category", "team")
    fields = ("category", "team", "first_response_minutes", "resolution_minutes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("category", "team") if obj else ()

    def create(self, by: Any, given: Mapping[str, Any]) -> SlaPolicy:
        about: dict[str, Any] = {f"{name}_id": given[name].pk if given[name] else None for name in ("category", "team")}
        return sla.promise(by=by, **about, **_minutes(given))

    def change(self, by: Any, pk: Any, given: Mapping[str, Any]) -> None:
        now = SlaPolicy.objects.get(pk=pk)
        before = {name: getattr(now, name) for name in MINUTES}
        sla.change(by=by, policy_id=pk, **_minutes({**before, **given}))

    def remove(self, by: Any, pk: Any) -> None:
        sla.withdraw(by=by, policy_id=pk)


def _minutes(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in MINUTES}


def _dissolve(category: Category, *, by: Any, reason: str) -> None:
    categories.remove(by=by, category_id=category.pk)
