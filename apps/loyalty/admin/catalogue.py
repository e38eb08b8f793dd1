"""Shelves and dishes: ours are written here, the menu's come by a click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeNumericFilter
from unfold.decorators import action, display

from apps.core.admin import ActingAdmin, amount, run_action
from apps.loyalty.actions import catalogue
from apps.loyalty.conf import CURRENCY
from apps.loyalty.models import Category, Product


@admin.register(Category)
class CategoryAdmin(ActingAdmin):
    """Shelves; only an empty one can go."""

    list_display = ("name", "dishes", "is_from_menu")
    list_filter = (("external_id", admin.EmptyFieldListFilter),)
    search_fields = ("name__icontains",)
    fields = ("name", "image_url", "external_id")
    readonly_fields = ("external_id",)
    ordering = ("name",)
    list_select_related = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(dishes_count=Count("products"))

    @display(description=_("dishes"), ordering="dishes_count")
    def dishes(self, category: Any) -> int:
        return int(category.dishes_count)

    @display(description=_("from the menu"), boolean=True)
    def is_from_menu(self, category: Category) -> bool:
        return category.external_id is not None

    def create(self, by: Any, given: Mapping[str, Any]) -> Category:
        return catalogue.add_category(by=by, **given)

    def change(self, by: Any, pk: int, given: Mapping[str, Any]) -> Category:
        return catalogue.change_category(by=by, category_id=pk, changes=given)

    def remove(self, by: Any, pk: int) -> None:
        catalogue.remove_category(by=by, category_id=pk)


@admin.register(Product)
class ProductAdmin(ActingAdmin):
    """Dishes; those of the menu follow it at the next synchronisation."""

    list_display = ("name", "category", "cost", "is_from_menu", "updated_at")
    list_filter = ("category", ("price", RangeNumericFilter), ("external_id", admin.EmptyFieldListFilter))
    search_fields = ("name__icontains",)
    autocomplete_fields = ("category",)
    list_select_related = ("category",)
    fields = ("category", "name", "price", "image_url", "external_id", "updated_at")
    readonly_fields = ("external_id", "updated_at")
    ordering = ("name",)
    actions_list = one_click = ("bring_the_menu",)

    @display(description=_("price"), ordering="price")
    def cost(self, product: Product) -> str:
        return amount(product.price, CURRENCY)

    @display(description=_("from the menu"), boolean=True)
    def is_from_menu(self, product: Product) -> bool:
        return product.external_id is not None

    def create(self, by: Any, given: Mapping[str, Any]) -> Product:
        return catalogue.add_product(by=by, **_columns(given))

    def change(self, by: Any, pk: int, given: Mapping[str, Any]) -> Product:
        return catalogue.change_product(by=by, product_id=pk, changes=_columns(given))

    def remove(self, by: Any, pk: int) -> None:
        catalogue.remove_product(by=by, product_id=pk)

    @action(description=_("Bring the restaurant's menu in"), icon="sync", url_path="sync", permissions=["steer"])
    def bring_the_menu(self, request: HttpRequest) -> HttpResponse:
        run_action(request, lambda: catalogue.sync(by=request.user))
        return HttpResponseRedirect(reverse("admin:loyalty_product_changelist"))

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("loyalty.change_product")


def _columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """The shelf goes by its number."""
    return {
        "category_id" if name == "category" else name: value.pk if name == "category" else value
        for name, value in given.items()
    }
