"""The catalogue and the live menu (contract loyalty 1.5, rows 47 to 54)."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpResponse
from pydantic import Field, StringConstraints

from apps.core.routing import path
from apps.core.throttle import Limit
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.actions import catalogue, menu
from apps.loyalty.api.base import LoyaltyView, ManagerView
from apps.loyalty.api.kept import kept_answer
from apps.loyalty.api.shapes import Changes
from apps.loyalty.api.wire import LARGEST_ID, Id
from apps.loyalty.queries import menu as questions

CategoryName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=150)]
ProductName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Price = Annotated[Decimal, Field(gt=0, le=catalogue.LARGEST_PRICE, decimal_places=2)]
Picture = Annotated[str | None, Field(max_length=500)]
SYNC_LIMIT = Limit(6, 60)
"""A synchronisation asks every source anew."""

PUBLIC_SECONDS = 30


class CategoryRead(Shape):
    """A shelf."""

    id: int
    name: str
    image_url: str | None


class ProductRead(Shape):
    """A dish."""

    id: int
    category_id: int
    name: str
    price: float
    image_url: str | None


class NewCategory(Shape):
    """A shelf to put up."""

    name: CategoryName
    image_url: Picture = None


class CategoryChanges(Changes):
    """What changes; an empty text takes the picture away."""

    name: CategoryName | None = None
    image_url: Picture = None


class NewProduct(Shape):
    """A dish to put on a shelf."""

    category_id: Id
    name: ProductName
    price: Price
    image_url: Picture = None


class ProductChanges(Changes):
    """What changes; an empty text takes the picture away."""

    category_id: Id | None = None
    name: ProductName | None = None
    price: Price | None = None
    image_url: Picture = None


class CategoryPath(Shape):
    """Which shelf."""

    category_id: Id


class ProductPath(Shape):
    """Which dish."""

    product_id: Id


class ProductFilters(Shape):
    """Of one shelf, or all; the list has no pages."""

    category_id: int | None = Field(None, ge=1, le=LARGEST_ID)


class LivePrice(Shape):
    """What a dish costs in one restaurant, and whether it is sold out there."""

    storeId: int
    storeName: str
    price: int
    disabled: bool


class LiveItem(Shape):
    """A dish of the restaurant's menu."""

    id: str
    name: str
    prices: list[LivePrice]
    images: list[str]


class LiveCategory(Shape):
    """A shelf of the restaurant's menu."""

    id: str
    name: str
    slug: str
    items: list[LiveItem]


class LiveMenu(Shape):
    """The restaurant's menu."""

    success: bool
    categories: list[LiveCategory]


class CatalogueSyncRead(Shape):
    """What a synchronisation did."""

    status: Literal["ok"]
    categories_created: int
    categories_updated: int
    products_created: int
    products_updated: int
    products_removed: int


class Categories(ManagerView):
    """Shelves."""

    @endpoint(answers={200: list[CategoryRead]}, summary="Menu categories")
    def get(self, request: Any) -> HttpResponse:
        """By name; a shelf without a picture shows that of its first dish."""
        return kept_answer(request, questions.categories(), seconds=PUBLIC_SECONDS)

    @endpoint(
        body=NewCategory,
        login="required",
        answers={200: CategoryRead},
        refusals=[errors.ManagersOnly, errors.CategoryTaken],
        summary="Add a category",
    )
    def post(self, request: Any, *, body: NewCategory) -> Any:
        """Names are unique."""
        return shown(CategoryRead, catalogue.add_category(by=request.member, **body.model_dump()))


class OneCategory(ManagerView):
    """One shelf."""

    @endpoint(
        path=CategoryPath,
        body=CategoryChanges,
        login="required",
        answers={200: CategoryRead},
        refusals=[errors.ManagersOnly, errors.CategoryNotFound, errors.CategoryTaken],
        summary="Change a category",
    )
    def put(self, request: Any, *, category_id: int, body: CategoryChanges) -> Any:
        """Only what is given changes."""
        return shown(
            CategoryRead,
            catalogue.change_category(by=request.member, category_id=category_id, changes=emptied(body.given())),
        )

    patch = put

    @endpoint(
        path=CategoryPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.CategoryNotFound, errors.CategoryNotEmpty],
        summary="Delete a category",
    )
    def delete(self, request: Any, *, category_id: int) -> None:
        """Only an empty one."""
        catalogue.remove_category(by=request.member, category_id=category_id)


class Products(ManagerView):
    """Dishes."""

    @endpoint(query=ProductFilters, answers={200: list[ProductRead]}, summary="Menu products")
    def get(self, request: Any, *, query: ProductFilters) -> HttpResponse:
        """A bare list by name."""
        return kept_answer(request, questions.products(query.category_id), seconds=PUBLIC_SECONDS)

    @endpoint(
        body=NewProduct,
        login="required",
        answers={200: ProductRead},
        refusals=[errors.ManagersOnly, errors.CategoryNotFound],
        summary="Add a product",
    )
    def post(self, request: Any, *, body: NewProduct) -> Any:
        """On a shelf that is there."""
        return shown(ProductRead, catalogue.add_product(by=request.member, **body.model_dump()))


class OneProduct(ManagerView):
    """One dish."""

    @endpoint(
        path=ProductPath,
        body=ProductChanges,
        login="required",
        answers={200: ProductRead},
        refusals=[errors.ManagersOnly, errors.ProductNotFound, errors.CategoryNotFound],
        summary="Change a product",
    )
    def put(self, request: Any, *, product_id: int, body: ProductChanges) -> Any:
        """Only what is given changes."""
        return shown(
            ProductRead,
            catalogue.change_product(by=request.member, product_id=product_id, changes=emptied(body.given())),
        )

    patch = put

    @endpoint(
        path=ProductPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.ProductNotFound],
        summary="Delete a product",
    )
    def delete(self, request: Any, *, product_id: int) -> None:
        """For good; a dish of the restaurant's menu comes back with the next synchronisation."""
        catalogue.remove_product(by=request.member, product_id=product_id)


class Live(LoyaltyView):
    """The restaurant's own menu: the first thing that every opened app asks for."""

    @endpoint(answers={200: LiveMenu}, summary="The menu as it is now")
    def get(self, request: Any) -> HttpResponse:
        """Merged from all branches, with what is sold out; `success` is false when no branch has ever answered."""
        return kept_answer(request, menu.live(), seconds=settings.LOYALTY.menu_response_cache_seconds)


class Sync(ManagerView):
    """The restaurant's menu into the catalogue."""

    @endpoint(
        login="required",
        limit=SYNC_LIMIT,
        answers={200: CatalogueSyncRead},
        refusals=[errors.ManagersOnly, errors.MenuUnavailable],
        summary="Bring the menu into the catalogue",
    )
    def post(self, request: Any) -> dict[str, Any]:
        """Nothing is removed when a branch did not answer."""
        return {"status": "ok", **asdict(catalogue.sync(by=request.member))}


def shown(shape: type[Shape], row: Any) -> Any:
    """A row in the shape of an answer."""
    return shape.model_validate(row)


def emptied(changes: dict[str, Any]) -> dict[str, Any]:
    """An empty picture is none."""
    return {name: value if value != "" else None for name, value in changes.items()}


urlpatterns = [
    path("api/v1/catalog/live", Live, name="catalog-live"),
    path("api/v1/catalog/categories", Categories, name="category-list"),
    path("api/v1/catalog/categories/<str:category_id>", OneCategory, name="category"),
    path("api/v1/catalog/products", Products, name="product-list"),
    path("api/v1/catalog/products/<str:product_id>", OneProduct, name="product"),
    path("api/v1/catalog/sync", Sync, name="catalog-sync"),
]
