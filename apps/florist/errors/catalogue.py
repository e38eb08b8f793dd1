"""Refusals about products, recipes, materials and the calculator."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid
from apps.florist.errors.base import BadRequest, Gone


class ProductNotFound(Gone):
    """404."""

    code = "product_not_found"
    detail = "Product not found"
    message = _("There is no such product")


class IngredientNotFound(Gone):
    """404."""

    code = "ingredient_not_found"
    detail = "Ingredient not found"
    message = _("There is no such line in the recipe")


class ComponentNotFound(Gone):
    """404."""

    code = "component_not_found"
    detail = "Component not found"
    message = _("There is no such line in the recipe")


class MaterialNotFound(Gone):
    """404."""

    code = "material_not_found"
    detail = "Material not found"
    message = _("There is no such material")


class IngredientTwice(BadRequest):
    """The original answers 400."""

    code = "ingredient_exists"
    detail = "Ingredient already exists for this product"
    message = _("This batch is in the recipe already")


class SaleAboveRetail(Invalid):
    """A sale price is below the usual one: 422; the original took any."""

    code = "sale_above_retail"
    detail = "Sale price must be below the retail price"
    message = _("The sale price must be below the usual price")


class TwoDefaultSizes(Invalid):
    """One size is proposed, and each has its own name: 422."""

    code = "bad_sizes"
    detail = "Sizes need different names and at most one default"
    message = _("Sizes need different names, and only one is proposed")


class RecipeFull(BadRequest):
    """400."""

    code = "recipe_full"
    detail = "A recipe has at most {most} lines"
    message = _("A recipe has at most {most} lines")


class NothingCalculated(Invalid):
    """A bouquet that costs nothing: 422."""

    code = "nothing_calculated"
    detail = "The bouquet costs nothing"
    message = _("Add flowers or materials first")
