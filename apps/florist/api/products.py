"""The catalogue over HTTP: products, pictures, recipes, sizes (contract florist 1.4)."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AliasChoices, Field, RootModel, StringConstraints, WithJsonSchema

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import products, recipes
from apps.florist.actions.products import Size
from apps.florist.api.base import Body, FloristView, Id, Money, Paging
from apps.florist.models import Product, ProductComponent
from apps.florist.queries import products as questions
from apps.florist.queries.products import Wanted

ADDRESS = re.compile(r"https?://[^\s]+|/[^\s]*")


def _address(text: str) -> str:
    """A picture that others can open: the original kept `blob:` addresses of somebody's browser (defect 17)."""
    if not ADDRESS.fullmatch(text):
        raise ValueError("http(s) address or a path of an uploaded picture expected")
    return text


Trimmed = StringConstraints(strip_whitespace=True)
Name = Annotated[str, Trimmed, Field(min_length=1, max_length=200)]
Description = Annotated[str, Trimmed, Field(max_length=2000)]
PictureUrl = Annotated[str, Trimmed, Field(min_length=1, max_length=500), AfterValidator(_address)]
Price = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
Quantity = Annotated[Decimal, Field(gt=0, le=100_000, decimal_places=3)]
Short = Annotated[str, Trimmed, Field(max_length=500)]
Category = Annotated[Product.Category, WithJsonSchema({"type": "string", "enum": Product.Category.values})]
ComponentType = Annotated[
    ProductComponent.Type, WithJsonSchema({"type": "string", "enum": ProductComponent.Type.values})
]
"""Written out in the documents: other nouns have categories and types too."""


# ── Shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class ProductPath(Shape):
    """Which product."""

    product_id: Id


class IngredientPath(ProductPath):
    """Which ingredient of it."""

    ingredient_id: Id


class ComponentPath(ProductPath):
    """Which component of it."""

    component_id: Id


class ImageOut(Shape):
    """A picture."""

    id: int
    product_id: int
    image_url: str
    is_primary: bool
    sort_order: int
    created_at: datetime


class IngredientOut(Shape):
    """A batch's flower in a recipe."""

    id: int
    product_id: int
    warehouse_item_id: int | None
    quantity: float
    notes: str | None
    variety: str
    height_cm: int | None
    supplier: str
    farm: str
    available_qty: int
    price: float


class ComponentLine(Shape):
    """A line of a recipe."""

    id: int
    product_id: int
    component_type: ComponentType
    name: str
    description: str | None
    quantity: float
    unit: str
    unit_cost: float
    unit_price: float


class ComponentOut(ComponentLine):
    """A line of a recipe with its sums for one piece."""

    total_cost: float
    total_price: float


class ComponentInside(ComponentLine):
    """A line of a recipe inside its product."""

    warehouse_item_id: int | None
    material_id: int | None


class ProductOut(Shape):
    """A product; `cost_price` and recipe are hidden from couriers."""

    id: int
    name: str
    category: Category
    description: str | None
    image_url: str | None
    cost_price: float | None
    retail_price: float
    sale_price: float | None
    is_active: bool
    is_popular: bool
    is_new: bool
    created_at: datetime
    updated_at: datetime
    images: list[ImageOut]
    ingredients: list[IngredientOut]
    components: list[ComponentInside]
    current_price: float
    discount_percentage: int


class ProductStats(ProductOut):
    """A product with what it sold; orders that were never paid do not count."""

    total_orders: int
    total_revenue: float


class Products(Shape):
    items: list[ProductOut]
    total: int


class SizeOut(Shape):
    """A size with its price."""

    id: int
    name: str
    factor: float
    price: float
    is_default: bool


class ProductMessage(Shape):
    message: str


class ProductQuery(Paging):
    """Active products only, unless `is_active` says otherwise."""

    category: Category | None = None
    search: Annotated[str, Field(max_length=200)] = ""
    is_active: bool | None = True
    is_popular: bool | None = None
    is_new: bool | None = None
    on_sale: bool | None = None
    min_price: Money | None = None
    max_price: Money | None = None


class ProductIn(Body):
    """A new product."""

    name: Name
    category: Category
    description: Description | None = None
    image_url: PictureUrl | None = None
    cost_price: Price
    retail_price: Price
    sale_price: Price | None = None
    is_active: bool = True
    is_popular: bool = False
    is_new: bool = False


class ProductChange(Body):
    """Any part of it; `null` empties description, picture and sale price."""

    name: Name | None = None
    category: Category | None = None
    description: Description | None = None
    image_url: PictureUrl | None = None
    cost_price: Price | None = None
    retail_price: Price | None = None
    sale_price: Price | None = None
    is_active: bool | None = None
    is_popular: bool | None = None
    is_new: bool | None = None


class ImagesIn(RootModel[Annotated[list[PictureUrl], Field(max_length=20)]]):
    """Addresses; the first is the primary picture."""


class IngredientIn(Body):
    """A batch's flower."""

    warehouse_item_id: Id
    quantity: Annotated[Quantity, Field(ge=1)] = Decimal(1)
    notes: Short | None = None


class IngredientChange(Body):
    """Any part of it."""

    warehouse_item_id: Id | None = None
    quantity: Annotated[Quantity, Field(ge=1)] | None = None
    notes: Short | None = None


def _either(snake: str, camel: str) -> Any:
    """The CRM sends camelCase when it edits a line."""
    return Field(default=None, validation_alias=AliasChoices(snake, camel))


class ComponentIn(Body):
    """A line of a recipe; `variety` and `height_cm` link a flower to the stock, `material_id` a material."""

    component_type: Annotated[ComponentType, Field(validation_alias=AliasChoices("component_type", "componentType"))]
    name: Name
    description: Short | None = None
    quantity: Quantity
    unit: Annotated[str, Trimmed, Field(min_length=1, max_length=20)] = "шт"
    unit_cost: Annotated[Money, Field(validation_alias=AliasChoices("unit_cost", "unitCost"))] = Decimal(0)
    unit_price: Annotated[Money, Field(validation_alias=AliasChoices("unit_price", "unitPrice"))] = Decimal(0)
    variety: Annotated[str, Trimmed, Field(max_length=100)] = ""
    height_cm: Annotated[int, Field(ge=1, le=300)] | None = _either("height_cm", "heightCm")
    warehouse_item_id: Id | None = _either("warehouse_item_id", "warehouseItemId")
    material_id: Id | None = _either("material_id", "materialId")


class ComponentChange(Body):
    """Any part of it."""

    component_type: ComponentType | None = _either("component_type", "componentType")
    name: Name | None = None
    description: Short | None = None
    quantity: Quantity | None = None
    unit: Annotated[str, Trimmed, Field(min_length=1, max_length=20)] | None = None
    unit_cost: Money | None = _either("unit_cost", "unitCost")
    unit_price: Money | None = _either("unit_price", "unitPrice")
    variety: Annotated[str, Trimmed, Field(max_length=100)] | None = None
    height_cm: Annotated[int, Field(ge=1, le=300)] | None = _either("height_cm", "heightCm")
    warehouse_item_id: Id | None = _either("warehouse_item_id", "warehouseItemId")
    material_id: Id | None = _either("material_id", "materialId")


class SizeIn(Body):
    """A size: its name and its factor on price and stems."""

    name: Annotated[str, Trimmed, Field(min_length=1, max_length=40)]
    factor: Annotated[Decimal, Field(gt=0, le=20, decimal_places=2)]
    is_default: bool = False


class SizesIn(RootModel[Annotated[list[SizeIn], Field(max_length=20)]]):
    """All sizes of a product."""


def given(body: Body, *nullable: str) -> dict[str, Any]:
    """What the caller named; `null` empties `nullable` fields and leaves the others alone."""
    named = body.model_dump(exclude_unset=True)
    return {name: value for name, value in named.items() if value is not None or name in nullable}


# ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────────
class ProductView(FloristView):
    """Everybody of the shop reads; managers write."""

    tag = "products"
    needs: ClassVar[tuple[Area, Level] | None] = ("catalogue", "read")
    refusals = (errors.NotEnoughPermissions,)


class AllProducts(ProductView):
    """The catalogue."""

    @endpoint(summary="List products", query=ProductQuery, login="required", answers={200: Products})
    def get(self, request: Any, *, query: ProductQuery) -> dict[str, Any]:
        """Newest first; `search` looks into name and description."""
        return self.wire.paged(*questions.page(request.member, Wanted(**query.model_dump())))

    @endpoint(
        summary="Add a product",
        body=ProductIn,
        login="required",
        answers={201: ProductOut},
        refusals=[errors.SaleAboveRetail],
    )
    def post(self, request: Any, *, body: ProductIn) -> dict[str, Any]:
        """A sale price is below the usual one."""
        member = request.member
        made = products.create(by=member, shop=member.shop, values=body.model_dump())
        return questions.one(member, made.pk)


class OneProduct(ProductView):
    """One product."""

    @endpoint(
        summary="Show a product",
        path=ProductPath,
        login="required",
        answers={200: ProductStats},
        refusals=[errors.ProductNotFound],
    )
    def get(self, request: Any, *, product_id: int) -> dict[str, Any]:
        """With what it sold."""
        return questions.with_stats(request.member, product_id)

    @endpoint(
        summary="Change a product",
        path=ProductPath,
        body=ProductChange,
        login="required",
        answers={200: ProductOut},
        refusals=[errors.ProductNotFound, errors.SaleAboveRetail],
    )
    def put(self, request: Any, *, product_id: int, body: ProductChange) -> dict[str, Any]:
        """Orders keep the price that they were taken at."""
        values = given(body, "description", "image_url", "sale_price")
        products.change(by=request.member, product_id=product_id, values=values)
        return questions.one(request.member, product_id)

    @endpoint(
        summary="Delete a product",
        path=ProductPath,
        login="required",
        answers={200: ProductOut},
        refusals=[errors.ProductNotFound],
    )
    def delete(self, request: Any, *, product_id: int) -> dict[str, Any]:
        """Out of the catalogue; orders keep it."""
        products.remove(by=request.member, product_id=product_id)
        return questions.removed(request.member, product_id)


class ToggleActive(ProductView):
    """On sale or off."""

    @endpoint(
        summary="Put a product on sale or take it off",
        path=ProductPath,
        login="required",
        answers={201: ProductOut},
        refusals=[errors.ProductNotFound],
    )
    def post(self, request: Any, *, product_id: int) -> dict[str, Any]:
        """Florists may only take it off."""
        products.toggle(by=request.member, product_id=product_id)
        return questions.one(request.member, product_id)


class ProductImages(ProductView):
    """Pictures of a product."""

    @endpoint(
        summary="Replace the pictures",
        path=ProductPath,
        body=ImagesIn,
        login="required",
        answers={200: ProductOut},
        refusals=[errors.ProductNotFound],
    )
    def put(self, request: Any, *, product_id: int, body: ImagesIn) -> dict[str, Any]:
        """A bare list of addresses; the first is the primary picture."""
        products.set_images(by=request.member, product_id=product_id, urls=body.root)
        return questions.one(request.member, product_id)


class ProductSizes(ProductView):
    """Sizes of a product."""

    @endpoint(
        summary="Sizes with prices",
        path=ProductPath,
        login="required",
        answers={200: list[SizeOut]},
        refusals=[errors.ProductNotFound],
    )
    def get(self, request: Any, *, product_id: int) -> list[dict[str, Any]]:
        """By factor."""
        return questions.sizes(request.member, product_id)

    @endpoint(
        summary="Replace the sizes",
        path=ProductPath,
        body=SizesIn,
        login="required",
        answers={200: list[SizeOut]},
        refusals=[errors.ProductNotFound, errors.TwoDefaultSizes],
    )
    def put(self, request: Any, *, product_id: int, body: SizesIn) -> list[dict[str, Any]]:
        """Sizes that keep their name keep their id."""
        sizes = [Size(**size.model_dump()) for size in body.root]
        products.set_sizes(by=request.member, product_id=product_id, sizes=sizes)
        return questions.sizes(request.member, product_id)


class RecipeView(ProductView):
    """Recipes: what costs come from, so nothing for couriers."""

    needs = ("warehouse", "read")


class Ingredients(RecipeView):
    """Flowers of batches."""

    @endpoint(
        summary="Ingredients of a product",
        path=ProductPath,
        login="required",
        answers={200: list[IngredientOut]},
        refusals=[errors.ProductNotFound],
    )
    def get(self, request: Any, *, product_id: int) -> list[dict[str, Any]]:
        """In the order in which they were added."""
        return questions.ingredients(request.member, product_id)

    @endpoint(
        summary="Add an ingredient",
        path=ProductPath,
        body=IngredientIn,
        login="required",
        answers={201: IngredientOut},
        refusals=[errors.ProductNotFound, errors.BatchNotFound, errors.IngredientTwice, errors.RecipeFull],
    )
    def post(self, request: Any, *, product_id: int, body: IngredientIn) -> dict[str, Any]:
        """Its variety and height, out of whatever batch there is later."""
        made = recipes.add_ingredient(by=request.member, product_id=product_id, **body.model_dump())
        return questions.ingredient(made)


class OneIngredient(RecipeView):
    """One ingredient."""

    @endpoint(
        summary="Change an ingredient",
        path=IngredientPath,
        body=IngredientChange,
        login="required",
        answers={200: IngredientOut},
        refusals=[errors.ProductNotFound, errors.IngredientNotFound, errors.BatchNotFound, errors.IngredientTwice],
    )
    def put(self, request: Any, *, product_id: int, ingredient_id: int, body: IngredientChange) -> dict[str, Any]:
        """Quantity, notes, or another batch."""
        changed = recipes.change_ingredient(
            by=request.member, product_id=product_id, ingredient_id=ingredient_id, values=given(body, "notes")
        )
        return questions.ingredient(changed)

    @endpoint(
        summary="Remove an ingredient",
        path=IngredientPath,
        login="required",
        answers={200: ProductMessage},
        refusals=[errors.ProductNotFound, errors.IngredientNotFound],
    )
    def delete(self, request: Any, *, product_id: int, ingredient_id: int) -> dict[str, str]:
        """Orders that are reserved keep their stems."""
        recipes.remove_ingredient(by=request.member, product_id=product_id, ingredient_id=ingredient_id)
        return {"message": "Ingredient deleted"}


class Components(RecipeView):
    """Lines of a recipe."""

    @endpoint(
        summary="Components of a product",
        path=ProductPath,
        login="required",
        answers={200: list[ComponentOut]},
        refusals=[errors.ProductNotFound],
    )
    def get(self, request: Any, *, product_id: int) -> list[dict[str, Any]]:
        """In the order in which they were added."""
        return questions.components(request.member, product_id)

    @endpoint(
        summary="Add a component",
        path=ProductPath,
        body=ComponentIn,
        login="required",
        answers={201: ComponentOut},
        refusals=[errors.ProductNotFound, errors.BatchNotFound, errors.MaterialNotFound, errors.RecipeFull],
    )
    def post(self, request: Any, *, product_id: int, body: ComponentIn) -> dict[str, Any]:
        """A flower that is in the warehouse by this name is taken from there."""
        made = recipes.add_component(by=request.member, product_id=product_id, values=body.model_dump())
        return questions.component(made)


class OneComponent(RecipeView):
    """One line of a recipe."""

    @endpoint(
        summary="Change a component",
        path=ComponentPath,
        body=ComponentChange,
        login="required",
        answers={200: ComponentOut},
        refusals=[errors.ProductNotFound, errors.ComponentNotFound, errors.BatchNotFound, errors.MaterialNotFound],
    )
    def put(self, request: Any, *, product_id: int, component_id: int, body: ComponentChange) -> dict[str, Any]:
        """Any part of it, in snake_case or camelCase."""
        changed = recipes.change_component(
            by=request.member,
            product_id=product_id,
            component_id=component_id,
            values=given(body, "description", "height_cm"),
        )
        return questions.component(changed)

    @endpoint(
        summary="Remove a component",
        path=ComponentPath,
        login="required",
        answers={200: ProductMessage},
        refusals=[errors.ProductNotFound, errors.ComponentNotFound],
    )
    def delete(self, request: Any, *, product_id: int, component_id: int) -> dict[str, str]:
        """Orders that are reserved keep their stems."""
        recipes.remove_component(by=request.member, product_id=product_id, component_id=component_id)
        return {"message": "Component deleted"}


urlpatterns = [
    path("api/products/", AllProducts, name="products"),
    path("api/products/<str:product_id>", OneProduct, name="product"),
    path("api/products/<str:product_id>/toggle-active", ToggleActive, name="product-toggle"),
    path("api/products/<str:product_id>/images", ProductImages, name="product-images"),
    path("api/products/<str:product_id>/variants", ProductSizes, name="product-sizes"),
    path("api/products/<str:product_id>/ingredients", Ingredients, name="ingredients"),
    path("api/products/<str:product_id>/ingredients/<str:ingredient_id>", OneIngredient, name="ingredient"),
    path("api/products/<str:product_id>/components", Components, name="components"),
    path("api/products/<str:product_id>/components/<str:component_id>", OneComponent, name="component"),
]
