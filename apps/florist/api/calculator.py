"""The bouquet calculator over HTTP: materials, margins, quotes (contract florist 1.4, 3.13)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, WithJsonSchema

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import calculator, materials
from apps.florist.actions.calculator import Bouquet, FlowerWish, MaterialWish, Quote
from apps.florist.api.base import Body, FloristView, Id, Money, Skip
from apps.florist.api.products import Category, Description, ProductOut, given
from apps.florist.models import CalculatorSettings, Material, Product
from apps.florist.queries import materials as questions
from apps.florist.queries import products as product_questions

Trimmed = StringConstraints(strip_whitespace=True)
Word = Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
Unit = Annotated[str, Trimmed, Field(min_length=1, max_length=20)]
Percent = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=2)]
Stems = Annotated[int, Field(ge=1, le=10_000)]
Amount = Annotated[Decimal, Field(gt=0, le=100_000, decimal_places=3)]
NULLABLE = ("category",)
MaterialCategory = Annotated[Material.Category, WithJsonSchema({"type": "string", "enum": Material.Category.values})]


# ── Materials ───────────────────────────────────────────────────────────────────────────────────────────────────────
class MaterialPath(Shape):
    """Which material."""

    material_id: Id


class MaterialOut(Shape):
    """Whatever is no flower."""

    id: int
    shop_id: int
    name: str
    category: MaterialCategory | None
    price: float
    unit: str
    is_active: bool
    in_stock: bool
    created_at: datetime
    updated_at: datetime | None


class Materials(Shape):
    items: list[MaterialOut]
    total: int


class MaterialQuery(Shape):
    """By name."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    category: MaterialCategory | None = None
    is_active: bool | None = None


class MaterialIn(Body):
    """A new material."""

    name: Word
    price: Money
    category: MaterialCategory | None = None
    unit: Unit = "шт"
    is_active: bool = True
    in_stock: bool = True


class MaterialChange(Body):
    """Any part of it."""

    name: Word | None = None
    price: Money | None = None
    category: MaterialCategory | None = None
    unit: Unit | None = None
    is_active: bool | None = None
    in_stock: bool | None = None


class CalculatorView(FloristView):
    """Florists calculate, managers set the figures."""

    tag = "calculator"
    needs: ClassVar[tuple[Area, Level] | None] = ("warehouse", "read")
    refusals = (errors.NotEnoughPermissions,)


class AllMaterials(CalculatorView):
    """Materials."""

    @endpoint(summary="List materials", query=MaterialQuery, login="required", answers={200: Materials})
    def get(self, request: Any, *, query: MaterialQuery) -> dict[str, Any]:
        """By name."""
        return self.wire.paged(*questions.page(request.member, **query.model_dump()))

    @endpoint(summary="Add a material", body=MaterialIn, login="required", answers={201: MaterialOut})
    def post(self, request: Any, *, body: MaterialIn) -> dict[str, Any]:
        """Managers only."""
        member = request.member
        return questions.as_row(materials.create(by=member, shop=member.shop, values=body.model_dump()))


class OneMaterial(CalculatorView):
    """One material."""

    @endpoint(
        summary="Show a material",
        path=MaterialPath,
        login="required",
        answers={200: MaterialOut},
        refusals=[errors.MaterialNotFound],
    )
    def get(self, request: Any, *, material_id: int) -> dict[str, Any]:
        """In use or not."""
        return questions.one(request.member, material_id)

    @endpoint(
        summary="Change a material",
        path=MaterialPath,
        body=MaterialChange,
        login="required",
        answers={200: MaterialOut},
        refusals=[errors.MaterialNotFound],
    )
    def patch(self, request: Any, *, material_id: int, body: MaterialChange) -> dict[str, Any]:
        """Managers only."""
        values = given(body, *NULLABLE)
        return questions.as_row(materials.change(by=request.member, material_id=material_id, values=values))

    @endpoint(
        summary="Delete a material",
        path=MaterialPath,
        login="required",
        answers={204: None},
        refusals=[errors.MaterialNotFound],
    )
    def delete(self, request: Any, *, material_id: int) -> None:
        """Recipes keep its name and price."""
        materials.remove(by=request.member, material_id=material_id)


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class FiguresOut(Shape):
    """Labour and margins of the shop."""

    id: int
    shop_id: int
    default_labor_cost: float
    min_margin_percent: float
    recommended_margin_percent: float
    premium_margin_percent: float
    created_at: datetime
    updated_at: datetime | None


class FiguresChange(Body):
    """Any part of it."""

    default_labor_cost: Money | None = None
    min_margin_percent: Percent | None = None
    recommended_margin_percent: Percent | None = None
    premium_margin_percent: Percent | None = None


class Figures(CalculatorView):
    """Labour and margins."""

    needs = ("settings", "read")

    @endpoint(summary="Labour and margins", login="required", answers={200: FiguresOut})
    def get(self, request: Any) -> dict[str, Any]:
        """2000 and 30, 50, 100 % until somebody changes them."""
        return _figures(calculator.figures_of(request.member.shop))

    @endpoint(summary="Change labour and margins", body=FiguresChange, login="required", answers={200: FiguresOut})
    def patch(self, request: Any, *, body: FiguresChange) -> dict[str, Any]:
        """Managers only."""
        member = request.member
        return _figures(calculator.change_figures(by=member, shop=member.shop, values=given(body)))


def _figures(row: CalculatorSettings) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FiguresOut.model_fields}


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class FlowerIn(Body):
    """Stems of a batch, of a variety, or of any flower of a category."""

    warehouse_item_id: Id | None = None
    name: Word | None = None
    height_cm: Annotated[int, Field(ge=1, le=300)] | None = None
    category: Annotated[str, Trimmed, Field(min_length=1, max_length=100)] | None = None
    qty: Stems

    def wish(self) -> FlowerWish:
        """For the action."""
        return FlowerWish(**self.model_dump())


class MaterialWanted(Body):
    """So much of a material."""

    id: Id
    qty: Amount


class QuoteIn(Body):
    """What goes into the bouquet."""

    flowers: Annotated[list[FlowerIn], Field(max_length=50)] = []
    materials: Annotated[list[MaterialWanted], Field(max_length=50)] = []
    labor_cost: Money | None = None
    target_margin: Percent | None = None


class FlowerQuoted(Shape):
    """A flower with its price and whether it is there."""

    warehouse_item_id: int
    sku: str
    name: str
    height_cm: int
    quantity: int
    unit_cost: float
    unit_price: float
    available_qty: int
    is_available: bool


class MaterialQuoted(Shape):
    """A material with its price."""

    id: int
    name: str
    quantity: float
    unit: str
    unit_price: float
    in_stock: bool


class QuoteOut(Shape):
    """What the bouquet costs and what it should."""

    name: str
    description: str
    flowers: list[FlowerQuoted]
    materials: list[MaterialQuoted]
    labor_cost: float
    cost: float
    price: float
    margin: float
    margin_percentage: float
    level: str
    suggested_price: float
    below_minimum: bool
    is_available: bool


class QuoteView(CalculatorView):
    """What would it cost?"""

    @endpoint(
        summary="Calculate a bouquet",
        body=QuoteIn,
        login="required",
        answers={200: QuoteOut},
        refusals=[errors.BatchNotFound, errors.MaterialNotFound, errors.PriceTooLarge],
    )
    def post(self, request: Any, *, body: QuoteIn) -> dict[str, Any]:
        """Nothing is set aside; per cents are of the cost."""
        member = request.member
        bouquet = Bouquet(
            flowers=[flower.wish() for flower in body.flowers],
            materials=[MaterialWish(row.qty, material_id=row.id) for row in body.materials],
            labor_cost=body.labor_cost,
            target_margin=body.target_margin,
        )
        return _quoted(calculator.quote(by=member, shop=member.shop, bouquet=bouquet))


def _quoted(made: Quote) -> dict[str, Any]:
    names = ("name", "description", "labor_cost", "cost", "price", "margin", "margin_percentage", "level")
    return {
        **{name: getattr(made, name) for name in (*names, "suggested_price", "is_available")},
        "below_minimum": made.level == calculator.LEVELS[0],
        "flowers": [
            {
                "warehouse_item_id": line.batch.pk,
                "sku": line.batch.sku,
                "name": line.batch.variety,
                "height_cm": line.batch.height_cm,
                "quantity": line.qty,
                "unit_cost": line.batch.stem_cost,
                "unit_price": line.batch.price,
                "available_qty": line.available,
                "is_available": line.is_available,
            }
            for line in made.flowers
        ],
        "materials": [
            {
                "id": row.material.pk,
                "name": row.material.name,
                "quantity": row.qty,
                "unit": row.material.unit,
                "unit_price": row.material.price,
                "in_stock": row.material.in_stock,
            }
            for row in made.materials
        ],
    }


class FlowerOfClient(Shape):
    """As the calculator page sends it; its price is not looked at."""

    name: Word
    quantity: Stems
    warehouse_item_id: Id | None = None
    height_cm: Annotated[int, Field(ge=1, le=300)] | None = None

    def wish(self) -> FlowerWish:
        """By its batch, or by its name."""
        return FlowerWish(self.quantity, self.warehouse_item_id, self.name, self.height_cm)


class MaterialOfClient(Shape):
    """As the calculator page sends it; its price is not looked at."""

    name: Word | None = None
    quantity: Amount = Decimal(1)
    id: Id | None = None

    def wish(self) -> MaterialWish:
        """By its id, or by its name."""
        return MaterialWish(self.quantity, self.id, self.name)


class Calculation(Shape):
    """The page's figures: sums are made anew, `margin_percentage` is the wish."""

    flowers: Annotated[list[FlowerOfClient], Field(max_length=50)]
    materials: Annotated[list[MaterialOfClient], Field(max_length=50)] = []
    labor_cost: Money | None = None
    margin_percentage: Percent | None = None


class CreateProduct(Body):
    """A calculation that becomes a product."""

    calculation: Calculation
    product_name: Annotated[str, Trimmed, Field(max_length=200)] | None = None
    product_description: Description | None = None
    category: Category = Product.Category.BOUQUET


class ProductFromCalculation(CalculatorView):
    """Save a calculation."""

    @endpoint(
        summary="Make a product of a calculation",
        body=CreateProduct,
        login="required",
        answers={201: ProductOut},
        refusals=[
            errors.BatchNotFound,
            errors.MaterialNotFound,
            errors.PriceTooLarge,
            errors.NothingCalculated,
        ],
    )
    def post(self, request: Any, *, body: CreateProduct) -> dict[str, Any]:
        """Costs and price are the server's; the recipe takes its flowers from the stock."""
        member, given_ = request.member, body.calculation
        made = calculator.create_product(
            by=member,
            shop=member.shop,
            bouquet=Bouquet(
                flowers=[flower.wish() for flower in given_.flowers],
                materials=[row.wish() for row in given_.materials],
                labor_cost=given_.labor_cost,
                target_margin=given_.margin_percentage,
            ),
            name=body.product_name or "",
            description=body.product_description or "",
            category=body.category,
        )
        return product_questions.one(member, made.pk)


urlpatterns = [
    path("api/calculator/materials", AllMaterials, name="materials"),
    path("api/calculator/materials/<str:material_id>", OneMaterial, name="material"),
    path("api/calculator/settings", Figures, name="calculator-settings"),
    path("api/calculator/quote", QuoteView, name="calculator-quote"),
    path("api/calculator/create-product", ProductFromCalculation, name="calculator-create-product"),
]
