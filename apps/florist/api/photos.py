"""Pictures of orders (contract florist 1.2)."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.parsers import MultiPartParser

from apps.core import wire
from apps.core.errors import Invalid, TooLarge
from apps.core.routing import path
from apps.core.wire import endpoint
from apps.florist import errors
from apps.florist.actions import photos
from apps.florist.api import order_shapes as shapes
from apps.florist.api.base import Body
from apps.florist.api.orders import OrderView
from apps.florist.api.uploads import sent_files
from apps.florist.models import OrderPhoto
from apps.florist.queries import orders as questions


class About(Body):
    """What is to be seen."""

    photo_type: OrderPhoto.Type = OrderPhoto.Type.PROCESS
    description: Annotated[str | None, Field(max_length=500)] = None


class Linked(About):
    """A picture that was uploaded before, by its address."""

    url: Annotated[str, Field(min_length=1, max_length=photos.LONGEST_URL)]


class PhotoList(wire.Shape):
    items: list[shapes.PhotoOut]
    total: int


MULTIPART = {
    "multipart/form-data": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "photo_type": {"type": "string", "enum": list(OrderPhoto.Type.values)},
            "description": {"type": "string", "maxLength": 500},
        },
        "required": ["file"],
    },
    "application/json": Linked,
}


class Photos(OrderView):
    """Pictures of an order."""

    tag = "photos"
    parser_classes = (MultiPartParser,)

    @endpoint(
        path=shapes.OrderPath,
        login="required",
        answers={200: PhotoList},
        refusals=[errors.OrderNotFound],
        summary="Pictures of an order",
    )
    def get(self, request: Any, *, order_id: int) -> dict[str, Any]:
        """Oldest first; addresses are signed."""
        found = questions.photos_of(questions.one(by=request.member, order_id=order_id))
        return self.wire.paged([questions.photo_out(photo) for photo in found], len(found))

    @extend_schema(request=MULTIPART)
    @endpoint(
        path=shapes.OrderPath,
        login="required",
        answers={201: shapes.PhotoOut},
        refusals=[errors.OrderNotFound, errors.FilesUnavailable, TooLarge, Invalid],
        summary="Add a picture",
    )
    def post(self, request: Any, *, order_id: int) -> dict[str, Any]:
        """As a form with `file`, or as JSON with the `url` of an upload."""
        if (request.content_type or "").startswith("multipart/"):
            [file] = sent_files(request, "file")
            given = {name: request.POST[name] for name in About.model_fields if name in request.POST}
            wire.refuse_nul(given, ("body",))
            about: About = wire.read_shape(About, given, "body")
            photo = photos.add(by=request.member, order_id=order_id, file=file, **about.model_dump())
        else:
            linked: Linked = wire.read_shape(Linked, wire.read_json(request), "body")
            photo = photos.add(by=request.member, order_id=order_id, **linked.model_dump())
        return questions.photo_out(photo)


urlpatterns = [path("api/orders/<str:order_id>/photos", Photos, name="order-photos")]
