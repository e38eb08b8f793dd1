"""Products with recipes and sizes, materials, families of flowers. Every change is one action."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from import_export import fields, resources, widgets
from import_export.admin import ImportMixin
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ImportForm
from unfold.decorators import action, display

from apps.core.admin import HouseAdmin, amount, run_action
from apps.core.errors import Refused
from apps.florist import access
from apps.florist.actions import calculator, categories, materials, products, recipes
from apps.florist.actions.products import Size
from apps.florist.models import (
    CalculatorSettings,
    FlowerCategory,
    Material,
    Product,
    ProductComponent,
    ProductImage,
    ProductVariant,
    Shop,
)

WORDS = (
    *("name", "category", "description", "cost_price", "retail_price", "sale_price"),
    *("is_active", "is_popular", "is_new"),
)
LINE = ("component_type", "name", "quantity", "unit", "unit_cost", "unit_price", "variety", "height_cm")


class OfficeAdmin(HouseAdmin):
    """Rows of shops: the shop is chosen once, deleting is a button or nothing."""

    raw_id_fields = ("shop",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row does not change its shop."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        return (*fixed, "shop") if obj else fixed

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may not handle shops reads."""
        return super().has_add_permission(request) and access.may(request.user, "catalogue")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may not handle shops reads."""
        return super().has_change_permission(request, obj) and access.may(request.user, "catalogue")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Buttons need the right of the platform's staff."""
        return access.may(request.user, "catalogue")

    def back(self, object_id: Any) -> HttpResponse:
        """To the row's page."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[object_id]))


class ProductResource(resources.ModelResource):
    """Products as a table; a row with an id changes that product, one without makes a new one."""

    shop = fields.Field(column_name="shop", attribute="shop", widget=widgets.ForeignKeyWidget(Shop, "pk"))

    class Meta:
        model = Product
        fields = ("id", "shop", *WORDS)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        use_transactions = True

    def __init__(self, by: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def do_instance_save(self, instance: Product, is_create: bool) -> None:
        """The rules of prices as everywhere else."""
        given = {name: getattr(instance, name) for name in WORDS}
        if is_create:
            instance.pk = products.create(by=self.by, shop=instance.shop, values=given).pk
        else:
            products.change(by=self.by, product_id=instance.pk, values=given)


class RecipeInline(TabularInline):
    """What it is made of; a flower with a variety takes stems from the stock."""

    model = ProductComponent
    extra = 0
    fields = LINE
    verbose_name_plural = _("recipe")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[ProductComponent]:
        return super().get_queryset(request).filter(is_ingredient=False)


class SizeInline(TabularInline):
    """Sizes with their factor on price and stems."""

    model = ProductVariant
    extra = 0
    fields = ("name", "factor", "is_default")


class PictureInline(TabularInline):
    """Pictures; the shop's people upload them."""

    model = ProductImage
    extra = 0
    fields = readonly_fields = ("image_url", "is_primary", "sort_order")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(ImportMixin, OfficeAdmin):
    """The catalogue of all shops; what was sold stays for the orders."""

    resource_classes = (ProductResource,)
    import_form_class = ImportForm
    list_display = ("name", "shop", "category", "price", "state", "created_at")
    list_filter = ("category", "is_active", "is_popular", ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("search_text",)
    search_help_text = _("Part of the name or the description")
    list_select_related = ("shop",)
    ordering = ("-id",)
    inlines = (RecipeInline, SizeInline, PictureInline)
    actions_detail = one_click = ("take_out", "bring_back")
    fields = ("shop", *WORDS)

    @admin.display(description=_("price"), ordering="retail_price")
    def price(self, product: Product) -> str:
        return amount(product.current_price, product.shop.currency)

    @display(description=_("state"), label={"gone": "danger", "off": "warning", "on": "success"})
    def state(self, product: Product) -> tuple[str, Any]:
        if product.deleted_at:
            return "gone", _("out of the catalogue")
        return ("on", _("on sale")) if product.is_active else ("off", _("off sale"))

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """A refusal is shown and changes nothing."""
        if change:
            given = {name: form.cleaned_data[name] for name in form.changed_data if name in WORDS}
            _try(request, lambda: products.change(by=request.user, product_id=obj.pk, values=given))
            return
        given = {name: form.cleaned_data[name] for name in WORDS}
        made = products.create(by=request.user, shop=obj.shop, values=given)
        obj.pk, obj._state.adding = made.pk, False

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Recipe lines one by one, sizes as a whole."""
        formset.save(commit=False)
        if formset.model is ProductComponent:
            _save_recipe(request, form.instance.pk, formset)
        elif formset.model is ProductVariant and formset.has_changed():
            sizes = [_size(row) for row in formset.cleaned_data if row and not row.get("DELETE")]
            _try(request, lambda: products.set_sizes(by=request.user, product_id=form.instance.pk, sizes=sizes))

    @action(description=_("Take out of the catalogue"), icon="visibility_off", permissions=["handle"])
    def take_out(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: products.remove(by=request.user, product_id=int(object_id)))
        return self.back(object_id)

    @action(description=_("Bring back"), icon="visibility", permissions=["handle"])
    def bring_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: products.bring_back(by=request.user, product_id=int(object_id)))
        return self.back(object_id)

    def get_import_resource_kwargs(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Imports are done by whoever uploads the table."""
        return {**super().get_import_resource_kwargs(request, *args, **kwargs), "by": request.user}


@admin.register(FlowerCategory)
class FlowerCategoryAdmin(OfficeAdmin):
    """Families of flowers: markup, shelf life, the words by which a variety is recognised."""

    list_display = ("name", "shop", "markup_percentage", "shelf_life_days", "min_stock")
    search_fields = ("name",)
    list_select_related = ("shop",)
    ordering = ("shop", "name")
    fields = ("shop", "name", "markup_percentage", "keywords", "shelf_life_days", "min_stock")

    def save_model(self, request: HttpRequest, obj: FlowerCategory, form: Any, change: bool) -> None:
        given = _given(form)
        if change:
            _try(request, lambda: categories.change(by=request.user, category_id=obj.pk, values=given))
        else:
            _made(obj, categories.create(by=request.user, shop=obj.shop, values=given))


@admin.register(Material)
class MaterialAdmin(OfficeAdmin):
    """Whatever is no flower."""

    list_display = ("name", "shop", "category", "price", "unit", "is_active", "in_stock")
    list_filter = ("category", "is_active", "in_stock")
    search_fields = ("name",)
    list_select_related = ("shop",)
    ordering = ("-id",)
    fields = ("shop", "name", "category", "price", "unit", "is_active", "in_stock")

    def save_model(self, request: HttpRequest, obj: Material, form: Any, change: bool) -> None:
        given = _given(form)
        if change:
            _try(request, lambda: materials.change(by=request.user, material_id=obj.pk, values=given))
        else:
            _made(obj, materials.create(by=request.user, shop=obj.shop, values=given))


@admin.register(CalculatorSettings)
class CalculatorSettingsAdmin(OfficeAdmin):
    """Labour and margins; each shop's row comes with its first question."""

    FIGURES: ClassVar[tuple[str, ...]] = (
        *("default_labor_cost", "min_margin_percent", "recommended_margin_percent", "premium_margin_percent"),
    )
    list_display = ("shop", *FIGURES)
    list_select_related = ("shop",)
    ordering = ("shop",)
    fields = ("shop", *FIGURES)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: CalculatorSettings, form: Any, change: bool) -> None:
        given = _given(form)
        _try(request, lambda: calculator.change_figures(by=request.user, shop=obj.shop, values=given))


def _given(form: Any) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "shop"}


def _made(obj: Any, row: Any) -> None:
    obj.pk, obj._state.adding = row.pk, False


def _size(row: dict[str, Any]) -> Size:
    return Size(row["name"], row["factor"], row["is_default"])


def _save_recipe(request: HttpRequest, product_id: int, formset: Any) -> None:
    of: dict[str, Any] = {"by": request.user, "product_id": product_id}
    for line in formset.deleted_objects:
        _try(request, partial(recipes.remove_component, component_id=line.pk, **of))
    for line, _names in formset.changed_objects:
        _try(request, partial(recipes.change_component, component_id=line.pk, values=_line(line), **of))
    for line in formset.new_objects:
        _try(request, partial(recipes.add_component, values=_line(line), **of))


def _line(line: ProductComponent) -> dict[str, Any]:
    return {name: getattr(line, name) for name in LINE}


def _try(request: HttpRequest, deed: Callable[[], Any]) -> None:
    """Like `run_action`, but only a refusal is worth a message: the form has one of its own."""
    try:
        deed()
    except Refused as refused:
        messages.error(request, refused.words)
