"""Categories, products and their pictures (contract shop 1.3, 1.4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field, StringConstraints, model_validator
from rest_framework.parsers import MultiPartParser

from apps.core.errors import TooLarge
from apps.core.kept import Kept
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.shop import errors
from apps.shop.actions import catalogue, images
from apps.shop.api.base import AdminView
from apps.shop.api.users import Id, Skip
from apps.shop.queries import catalogue as questions

Trimmed = StringConstraints(strip_whitespace=True)
CategoryName = Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
ProductName = Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
Size = Annotated[str, Trimmed, Field(min_length=1, max_length=20)]
Price = Annotated[Decimal, Field(gt=0, le=catalogue.LARGEST_PRICE, decimal_places=2)]
Quantity = Annotated[int, Field(ge=0, le=catalogue.LARGEST_STOCK)]


class PartialShape(Shape):
    """Only what is given changes; `null` where a value must be is refused, not stored (D18)."""

    @model_validator(mode="after")
    def _has_no_null(self) -> PartialShape:
        nulls = [name for name in self.model_fields_set if getattr(self, name) is None]
        if wrong := sorted(set(nulls) - self.nullable()):
            raise ValueError(f"{', '.join(wrong)} must not be null")
        return self

    @classmethod
    def nullable(cls) -> set[str]:
        """Fields that may be emptied."""
        return set()

    def given(self) -> dict[str, Any]:
        """The fields that the caller named."""
        return self.model_dump(exclude_unset=True)


class Category(Shape):
    """A shelf."""

    id: int
    name: str
    description: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class NewCategory(Shape):
    """A shelf to make."""

    name: CategoryName
    description: Annotated[str | None, Field(max_length=255)] = None
    is_active: bool = True


class CategoryChanges(PartialShape):
    """What changes."""

    name: CategoryName | None = None
    description: Annotated[str | None, Field(max_length=255)] = None
    is_active: bool | None = None

    @classmethod
    def nullable(cls) -> set[str]:
        return {"description"}


class CategoryFilters(Shape):
    """Which part of the list."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 100


class CategoryPath(Shape):
    """Which category."""

    category_id: Id


class Message(Shape):
    """Words."""

    message: str


class Image(Shape):
    """A picture in a list."""

    id: int
    image_path: str
    is_primary: bool
    alt_text: str | None
    order_index: int


class Item(Shape):
    """A product. `images`, `image_gallery` (their paths) and `primary_image` are absent without `include_images`."""

    id: int
    name: str
    size: str
    price: float
    quantity: int
    category_id: int | None
    category_name: str | None
    image: str
    is_available: bool
    images: list[Image] = []
    image_gallery: list[str] = []
    primary_image: str | None = None


class Detail(Item):
    """One product."""

    created_at: datetime
    updated_at: datetime


class ItemPage(Shape):
    """One page of products."""

    items: list[Item]
    total: int
    page: int
    pages: int
    has_next: bool
    has_prev: bool
    sort: str


class ItemFilters(Shape):
    """Which products, and in which order; an unknown `sort` is by name."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    category_id: Id | None = None
    search: Annotated[str, Field(max_length=100)] = ""
    sort: Annotated[str, Field(max_length=50)] = questions.DEFAULT_SORT
    include_images: bool = True


class DetailFilters(Shape):
    """How much of it."""

    include_images: bool = True


class NewSlipper(Shape):
    """A product to make; pictures come afterwards."""

    name: ProductName
    size: Size
    price: Price
    quantity: Quantity
    category_id: Id | None = None


class SlipperChanges(PartialShape):
    """What changes."""

    name: ProductName | None = None
    size: Size | None = None
    price: Price | None = None
    quantity: Quantity | None = None
    category_id: Id | None = None
    image: Annotated[str | None, Field(min_length=1, max_length=255)] = None

    @classmethod
    def nullable(cls) -> set[str]:
        return {"category_id"}


class SlipperPath(Shape):
    """Which product."""

    slipper_id: Id


class ImagePath(SlipperPath):
    """Which picture of which product."""

    image_id: Id


class Written(Shape):
    """What writing answers."""

    id: int
    name: str
    size: str
    price: float
    quantity: int
    category_id: int | None
    image: str


class UploadedImage(Shape):
    """A picture that was stored."""

    image_path: str
    is_primary: bool
    order_index: int


class Uploaded(Shape):
    """What an upload stored."""

    slipper_id: int
    uploaded_images: list[UploadedImage]
    total_uploaded: int


class ListedImage(Image):
    """A picture with its time."""

    created_at: datetime


class ImageList(Shape):
    """The pictures of a product."""

    slipper_id: int
    images: list[ListedImage]
    total_images: int


class DeletedImage(Message):
    """Which picture is gone."""

    deleted_image_id: int


class CatalogueView(AdminView):
    """Reading is public, writing is for administrators."""

    tag = "catalogue"

    def kept(self, request: Any, kept: Kept) -> HttpResponse:
        """Bytes with their mark, or 304 for whoever has them already."""
        headers = {"ETag": kept.etag, "Cache-Control": "public, no-cache"}
        seen = request.headers.get("If-None-Match", "")
        if seen and kept.etag in (mark.strip().removeprefix("W/") for mark in seen.split(",")):
            return HttpResponse(status=304, headers=headers)
        return self.reply(kept.body, headers=headers)


class Categories(CatalogueView):
    """The shelves."""

    @endpoint(query=CategoryFilters, answers={200: list[Category]}, summary="Categories")
    def get(self, request: Any, *, query: CategoryFilters) -> HttpResponse:
        """A bare array, oldest first, inactive ones included."""
        return self.kept(request, questions.categories(skip=query.skip, limit=query.limit))

    @endpoint(
        body=NewCategory,
        login="required",
        answers={200: Category},
        refusals=[errors.NotAnAdmin, errors.CategoryNameTaken],
        summary="Add a category",
    )
    def post(self, request: Any, *, body: NewCategory) -> dict[str, Any]:
        """Names are unique."""
        return questions.category_row(catalogue.add_category(by=request.member, **body.model_dump()))


class OneCategory(CatalogueView):
    """One shelf."""

    @endpoint(path=CategoryPath, answers={200: Category}, refusals=[errors.CategoryNotFound], summary="A category")
    def get(self, request: Any, *, category_id: int) -> HttpResponse:
        """Kept like the list, never longer than its last change."""
        return self.kept(request, questions.category(category_id))

    @endpoint(
        path=CategoryPath,
        body=CategoryChanges,
        login="required",
        answers={200: Category},
        refusals=[errors.NotAnAdmin, errors.CategoryNotFound, errors.CategoryNameTaken],
        summary="Change a category",
    )
    def put(self, request: Any, *, category_id: int, body: CategoryChanges) -> dict[str, Any]:
        """Only what is given changes."""
        changed = catalogue.change_category(by=request.member, category_id=category_id, changes=body.given())
        return questions.category_row(changed)

    @endpoint(
        path=CategoryPath,
        login="required",
        answers={200: Message},
        refusals=[errors.NotAnAdmin, errors.CategoryNotFound],
        summary="Delete a category",
    )
    def delete(self, request: Any, *, category_id: int) -> dict[str, str]:
        """Its products keep living without a category."""
        catalogue.delete_category(by=request.member, category_id=category_id)
        return {"message": "Category deleted successfully"}


class Slippers(CatalogueView):
    """The products."""

    @endpoint(query=ItemFilters, answers={200: ItemPage}, summary="Products")
    def get(self, request: Any, *, query: ItemFilters) -> HttpResponse:
        """Search looks into name and size; `total` is right on every page."""
        return self.kept(request, questions.listed(questions.Wanted(**query.model_dump())))

    @endpoint(
        body=NewSlipper,
        login="required",
        answers={200: Written},
        refusals=[errors.NotAnAdmin, errors.CategoryNotFound],
        summary="Add a product",
    )
    def post(self, request: Any, *, body: NewSlipper) -> dict[str, Any]:
        """The first price is the first line of its history."""
        return questions.written(catalogue.add(by=request.member, **body.model_dump()))


class OneSlipper(CatalogueView):
    """One product."""

    @endpoint(
        path=SlipperPath,
        query=DetailFilters,
        answers={200: Detail},
        refusals=[errors.SlipperNotFound],
        summary="A product",
    )
    def get(self, request: Any, *, slipper_id: int, query: DetailFilters) -> HttpResponse:
        """What was taken out of the catalogue is not found."""
        return self.kept(request, questions.one(slipper_id, include_images=query.include_images))

    @endpoint(
        path=SlipperPath,
        body=SlipperChanges,
        login="required",
        answers={200: Written},
        refusals=[errors.NotAnAdmin, errors.SlipperNotFound, errors.CategoryNotFound],
        summary="Change a product",
    )
    def put(self, request: Any, *, slipper_id: int, body: SlipperChanges) -> dict[str, Any]:
        """Only what is given changes; `category_id: null` takes it off its shelf."""
        return questions.written(catalogue.change(by=request.member, slipper_id=slipper_id, changes=body.given()))

    @endpoint(
        path=SlipperPath,
        login="required",
        answers={200: Message},
        refusals=[errors.NotAnAdmin, errors.SlipperNotFound],
        summary="Take a product out of the catalogue",
    )
    def delete(self, request: Any, *, slipper_id: int) -> dict[str, str]:
        """Past orders keep it."""
        catalogue.take_out(by=request.member, slipper_id=slipper_id)
        return {"message": "Slipper deleted successfully"}


class UploadImages(CatalogueView):
    """Pictures in."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {"images": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                "required": ["images"],
            }
        }
    )
    @endpoint(
        path=SlipperPath,
        login="required",
        answers={200: Uploaded},
        refusals=[
            errors.NotAnAdmin,
            errors.SlipperNotFound,
            errors.NoImages,
            errors.TooManyImages,
            errors.ImageTypeNotAllowed,
            errors.ImageUnreadable,
            TooLarge,
        ],
        summary="Upload pictures",
    )
    def post(self, request: Any, *, slipper_id: int) -> dict[str, Any]:
        """Multipart, the field `images` repeated, 1 to 10 files; all are proved before one is stored."""
        stored = images.add(by=request.member, slipper_id=slipper_id, files=self._files(request))
        shown = [UploadedImage.model_validate(image) for image in stored]
        return {"slipper_id": slipper_id, "uploaded_images": shown, "total_uploaded": len(shown)}

    def _files(self, request: Any) -> list[Any]:
        """The files; a body longer than all pictures together is not read at all."""
        most = settings.SHOP.max_image_mb * images.PER_REQUEST + 1
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > most * 2**20:
            raise TooLarge(megabytes=settings.SHOP.max_image_mb)
        if not request.content_type.startswith("multipart/"):
            return []
        return list(request.FILES.getlist("images"))


class Images(CatalogueView):
    """Pictures out."""

    @endpoint(path=SlipperPath, answers={200: ImageList}, refusals=[errors.SlipperNotFound], summary="Pictures")
    def get(self, request: Any, *, slipper_id: int) -> dict[str, Any]:
        """By their place."""
        return questions.images(slipper_id)


class OneImage(CatalogueView):
    """One picture."""

    @endpoint(
        path=ImagePath,
        login="required",
        answers={200: DeletedImage},
        refusals=[errors.NotAnAdmin, errors.SlipperNotFound, errors.ImageNotFound],
        summary="Remove a picture",
    )
    def delete(self, request: Any, *, slipper_id: int, image_id: int) -> dict[str, Any]:
        """The file goes too; the next picture becomes the main one."""
        images.remove(by=request.member, slipper_id=slipper_id, image_id=image_id)
        return {"message": "Image deleted successfully", "deleted_image_id": image_id}


urlpatterns = [
    path("categories", Categories, name="category-list"),
    path("categories/<str:category_id>", OneCategory, name="category"),
    path("slippers", Slippers, name="slipper-list"),
    path("slippers/<str:slipper_id>", OneSlipper, name="slipper"),
    path("slippers/<str:slipper_id>/upload-images", UploadImages, name="slipper-upload"),
    path("slippers/<str:slipper_id>/images", Images, name="slipper-images"),
    path("slippers/<str:slipper_id>/images/<str:image_id>", OneImage, name="slipper-image"),
]
