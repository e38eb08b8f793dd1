"""Products with pictures and stock, categories, what products cost before. Every change is one action."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from import_export import fields, resources, widgets
from import_export.admin import ImportMixin
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ImportForm
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget

from apps.core.admin import HouseAdmin, ReadOnlyAdmin, amount, run_action
from apps.core.errors import Refused
from apps.shop.actions import catalogue, images
from apps.shop.conf import CURRENCY
from apps.shop.models import Category, PriceChange, Slipper, SlipperImage

WORDS = ("name", "size", "price", "category", "spic", "package_code")
"""Fields that are replaced; `quantity` is not: it moves by what staff added or took off."""

MOST_AT_ONCE = 1000
ID = re.compile(r"[0-9]{1,18}")
"""What fits into a column of ids."""


class ManyFilesInput(forms.ClearableFileInput):
    """Several pictures in one go."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """A list of files; what they hold is the action's matter."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(ManyFilesField, self).clean(file, initial) for file in data or []]


class SlipperForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product; pictures are hung behind those that are there."""

    new_pictures = ManyFilesField(label=_("Add pictures"), required=False)
    main_picture = forms.ModelChoiceField(SlipperImage.objects.none(), label=_("Main picture"), required=False)

    class Meta:
        model = Slipper
        fields: ClassVar[list[str]] = [*WORDS, "quantity"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "main_picture" in self.fields:
            self.fields["main_picture"].queryset = self.instance.images.order_by("order_index")  # type: ignore[attr-defined]
            self.fields["main_picture"].initial = self.instance.images.filter(is_primary=True).first()


class BulkForm(forms.Form):
    """What happens to the chosen products; empty fields change nothing."""

    price = forms.DecimalField(
        label=_("New price"),
        required=False,
        min_value=catalogue.TIYIN,
        max_value=catalogue.LARGEST_PRICE,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    percent = forms.DecimalField(
        label=_("Change the price by, %"),
        required=False,
        min_value=-100,
        max_value=1000,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    add_stock = forms.IntegerField(
        label=_("Add pieces (or take off)"),
        required=False,
        min_value=-1_000_000,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    stock = forms.IntegerField(
        label=_("Set the stock to"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def edit(self) -> catalogue.BulkEdit:
        """The wish in the action's words."""
        return catalogue.BulkEdit(**{**self.cleaned_data, "add_stock": self.cleaned_data["add_stock"] or 0})


class SlipperResource(resources.ModelResource):
    """A table of products: rows with an id change that product, rows without make one. Each row is one action."""

    category = fields.Field("category", "category", widgets.ForeignKeyWidget(Category, "name"))

    class Meta:
        model = Slipper
        fields = ("id", "name", "size", "price", "quantity", "category", "spic", "package_code")
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        use_transactions = True

    def __init__(self, by: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def do_instance_save(self, instance: Slipper, is_create: bool) -> None:
        """Price history, alerts and caches as everywhere else."""
        names = ("name", "size", "price", "quantity", "category_id", "spic", "package_code")
        given = {name: getattr(instance, name) for name in names}
        if is_create:
            instance.pk = catalogue.add(by=self.by, **given).pk
        else:
            catalogue.change(by=self.by, slipper_id=instance.pk, changes=given)


class StockFilter(admin.SimpleListFilter):
    """Sold out, running low, enough."""

    title = _("stock")
    parameter_name = "stock"
    WHERE: ClassVar[dict[str, models.Q]] = {
        "none": models.Q(quantity=0),
        "low": models.Q(low_stock_at__isnull=False),
        "enough": models.Q(low_stock_at=None, quantity__gt=0),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("none", _("sold out")), ("low", _("running low")), ("enough", _("enough"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Slipper]) -> models.QuerySet[Slipper]:
        return queryset.filter(self.WHERE.get(self.value() or "", models.Q()))


class PictureInline(TabularInline):
    """Pictures in their order; they come through the form's own field."""

    model = SlipperImage
    extra = 0
    fields = ("preview", "is_primary", "alt_text", "order_index")
    readonly_fields = ("preview", "is_primary", "order_index")
    ordering = ("order_index",)

    @admin.display(description=_("picture"))
    def preview(self, image: SlipperImage) -> SafeString:
        return small(image.image_path)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PriceInline(TabularInline):
    """What it cost before."""

    model = PriceChange
    extra = 0
    fields = readonly_fields = ("changed_at", "old_price", "new_price", "by")
    ordering = ("-id",)
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Slipper)
class SlipperAdmin(ImportMixin, HouseAdmin):
    """The catalogue. Price and stock are edited in the list; products leave it without leaving past orders."""

    form = SlipperForm
    resource_classes = (SlipperResource,)
    import_form_class = ImportForm
    list_display = ("picture", "name", "size", "price", "quantity", "category", "state")
    list_display_links = ("picture", "name")
    list_editable = ("price", "quantity")
    list_filter = (StockFilter, "category", "is_deleted")
    search_fields = ("search_text",)
    search_help_text = _("Part of the name or the size")
    list_select_related = ("category",)
    autocomplete_fields = ("category",)
    ordering = ("-id",)
    inlines = (PictureInline, PriceInline)
    actions = ("edit_selected",)
    actions_detail = one_click = ("take_out", "bring_back")
    fieldsets = (
        (None, {"fields": ("name", "size", "category", "price", "quantity")}),
        (_("Pictures"), {"fields": ("main_picture", "new_pictures")}),
        (_("Receipts"), {"fields": ("spic", "package_code")}),
    )

    @admin.display(description="")
    def picture(self, slipper: Slipper) -> SafeString:
        return small(slipper.image)

    @display(description=_("state"), label={"gone": "danger", "none": "danger", "low": "warning", "enough": "success"})
    def state(self, slipper: Slipper) -> tuple[str, Any]:
        if slipper.is_deleted:
            return "gone", _("out of the catalogue")
        if not slipper.quantity:
            return "none", _("sold out")
        return ("low", _("running low")) if slipper.low_stock_at else ("enough", _("enough"))

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """The stock goes along as it was when the page was shown: the difference is what staff meant."""
        if db_field.name == "quantity":
            kwargs["show_hidden_initial"] = True
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Slipper, form: Any, change: bool) -> None:
        """One action for the words, one for the stock; a refusal is shown and changes nothing."""
        given = {_column(name): _value(form.cleaned_data[name]) for name in form.changed_data if name in WORDS}
        if not change:
            made = catalogue.add(by=request.user, quantity=form.cleaned_data["quantity"], **given)
            obj.pk, obj._state.adding = made.pk, False
            return
        if given:
            _try(request, lambda: catalogue.change(by=request.user, slipper_id=obj.pk, changes=given))
        if "quantity" in form.changed_data:
            delta = form.cleaned_data["quantity"] - _shown_stock(form, obj)
            _try(request, lambda: catalogue.restock(by=request.user, slipper_id=obj.pk, delta=delta))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Pictures: new ones first, then the choice of the main one."""
        super().save_related(request, form, formsets, change)
        slipper_id = form.instance.pk
        if files := form.cleaned_data.get("new_pictures"):
            _try(request, lambda: images.add(by=request.user, slipper_id=slipper_id, files=files))
        main = form.cleaned_data.get("main_picture")
        if main is not None and not main.is_primary and SlipperImage.objects.filter(pk=main.pk).exists():
            _try(request, lambda: images.make_primary(by=request.user, slipper_id=slipper_id, image_id=main.pk))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Only pictures have rows that change here."""
        formset.save(commit=False)
        for image in formset.deleted_objects:
            _try(request, partial(images.remove, by=request.user, slipper_id=image.slipper_id, image_id=image.pk))
        for image, _names in formset.changed_objects:
            _try(request, partial(_describe, image, request.user))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Taking out is a button: rows stay for past orders (contract shop D17)."""
        return False

    # ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────
    @action(description=_("Take out of the catalogue"), icon="visibility_off", permissions=["take_out"])
    def take_out(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: catalogue.take_out(by=request.user, slipper_id=int(object_id)))
        return self._back(object_id)

    @action(description=_("Bring back"), icon="visibility", permissions=["take_out"])
    def bring_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: catalogue.bring_back(by=request.user, slipper_id=int(object_id)))
        return self._back(object_id)

    @admin.action(description=_("Change prices and stock"), permissions=["edit_stock"])
    def edit_selected(self, request: HttpRequest, queryset: models.QuerySet[Slipper]) -> HttpResponse:
        ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True)[:MOST_AT_ONCE])
        return HttpResponseRedirect(f"{reverse('admin:shop_slipper_bulk')}?ids={ids}")

    def bulk(self, request: HttpRequest) -> HttpResponse:
        """Prices and stock of the chosen products."""
        if not self.has_edit_stock_permission(request):
            raise PermissionDenied
        ids = [int(text) for text in request.GET.get("ids", "").split(",") if ID.fullmatch(text)][:MOST_AT_ONCE]
        back = reverse("admin:shop_slipper_changelist")
        asked = BulkForm(request.POST or None)
        if request.method == "POST" and asked.is_valid():
            run_action(request, lambda: catalogue.edit_many(by=request.user, ids=ids, edit=asked.edit()))
            return HttpResponseRedirect(back)
        title = _("Change prices and stock of {count} products").format(count=len(ids))
        context = {**self.admin_site.each_context(request), "title": title, "form": asked}
        return render(request, "admin/ask_reason.html", {**context, "back": back, "opts": self.opts})

    def get_urls(self) -> list[Any]:
        return [path("bulk/", self.admin_site.admin_view(self.bulk), name="shop_slipper_bulk"), *super().get_urls()]

    def get_import_resource_kwargs(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Imports are done by whoever uploads the table."""
        return {**super().get_import_resource_kwargs(request, *args, **kwargs), "by": request.user}

    def has_take_out_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("shop.delete_slipper")

    def has_edit_stock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.edit_stock")

    def _back(self, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:shop_slipper_change", args=[object_id]))


@admin.register(Category)
class CategoryAdmin(HouseAdmin):
    """Shelves. Deleting one leaves its products without a category."""

    list_display = ("name", "description", "is_active", "product_count")
    list_filter = ("is_active",)
    search_fields = ("name",)
    list_select_related = False
    ordering = ("id",)
    fields = ("name", "description", "is_active")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Category]:
        alive = models.Count("slippers", filter=models.Q(slippers__is_deleted=False))
        return super().get_queryset(request).annotate(alive_count=alive)

    @admin.display(description=_("products"), ordering="alive_count")
    def product_count(self, category: Any) -> int:
        return int(category.alive_count)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in self.fields}
        if change:
            catalogue.change_category(by=request.user, category_id=obj.pk, changes=given)
        else:
            obj.pk = catalogue.add_category(by=request.user, **given).pk

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        catalogue.delete_category(by=request.user, category_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Category]) -> None:
        for pk in queryset.values_list("pk", flat=True):
            catalogue.delete_category(by=request.user, category_id=pk)


@admin.register(PriceChange)
class PriceChangeAdmin(ReadOnlyAdmin):
    """What products cost before."""

    list_display = ("changed_at", "slipper", "before", "after", "by")
    search_fields = ("slipper__search_text",)
    list_select_related = ("slipper", "by")
    ordering = ("-id",)

    @admin.display(description=_("before"))
    def before(self, change: PriceChange) -> str:
        return amount(change.old_price, CURRENCY)

    @admin.display(description=_("after"))
    def after(self, change: PriceChange) -> str:
        return amount(change.new_price, CURRENCY)


def small(address: str) -> SafeString:
    """A small picture, or a dash."""
    if not address:
        return SafeString("–")
    return format_html('<img src="{}" alt="" height="40" loading="lazy">', images.thumbnail_path(address))


def _column(name: str) -> str:
    return "category_id" if name == "category" else name


def _value(value: Any) -> Any:
    return value.pk if isinstance(value, Category) else value


def _shown_stock(form: Any, obj: Slipper) -> int:
    """The stock that the page showed; without the hidden copy, what stands there now."""
    bound = form["quantity"]
    shown = form.data.get(bound.html_initial_name, "")
    if str(shown).isdigit():
        return int(shown)
    return int(Slipper.objects.values_list("quantity", flat=True).get(pk=obj.pk))


def _describe(image: SlipperImage, by: Any) -> None:
    images.describe(by=by, slipper_id=image.slipper_id, image_id=image.pk, alt_text=image.alt_text)


def _try(request: HttpRequest, deed: Callable[[], Any]) -> None:
    """Like `run_action`, but only a refusal is worth a message: the form has one of its own."""
    try:
        deed()
    except Refused as refused:
        messages.error(request, refused.words)
