"""Pictures over HTTP: taken in from the shop's people, shown to whoever holds the link (contract florist 1.1, 3.15)."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.parsers import MultiPartParser

from apps.core.errors import Invalid, TooLarge
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import uploads
from apps.florist.api.base import FloristView
from apps.florist.queries import files

ROOM_FOR_FORM_BYTES = 2**20
MOST_FILES = 5
"""Pictures in one request (contract 3.15)."""

YEAR = "public, max-age=31536000, immutable"
HOUR = "private, max-age=3600"
ONE = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
MANY = {
    "type": "object",
    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    "required": ["files"],
}


class Uploaded(Shape):
    """Where the picture is."""

    message: str
    url: str
    original_name: str
    size: int


class OneOfMany(Shape):
    original_name: str
    url: str
    size: int


class UploadedMany(Shape):
    message: str
    images: list[OneOfMany]


class Signed(Shape):
    """The end and the signature of a link to a private picture."""

    until: Annotated[str, Field(max_length=20)] = ""
    sig: Annotated[str, Field(max_length=200)] = ""


def sent_files(request: Any, name: str, most: int = 1, least: int = 1) -> list[Any]:
    """The files of a form; a body longer than any picture is not read at all. Raises `TooLarge`, `Invalid`."""
    megabytes = settings.FLORIST.upload_max_mb
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > most * megabytes * 2**20 + ROOM_FOR_FORM_BYTES:
        raise TooLarge(megabytes=megabytes)
    is_form = (request.content_type or "").startswith("multipart/")
    found = (request.FILES.getlist(name) or request.FILES.getlist(f"{name}[]")) if is_form else []
    if len(found) < least:
        raise Invalid.field(name, "Field required", kind="missing")
    if len(found) > most:
        raise Invalid.field(name, f"at most {most} files")
    return list(found)


class UploadView(FloristView):
    """Pictures of products and of the shop: everybody may look at them."""

    tag = "uploads"
    parser_classes = (MultiPartParser,)
    refusals = (errors.FileUnreadable, errors.FilesUnavailable, TooLarge, Invalid)

    def kept(self, request: Any, file: Any) -> dict[str, Any]:
        """Where it is."""
        member = request.member
        stored = uploads.store(by=member, shop=member.shop, file=file, is_public=True)
        return {"original_name": (file.name or "")[-255:], "url": uploads.path_of(stored), "size": stored.size}


class UploadImage(UploadView):
    """One picture."""

    @extend_schema(request={"multipart/form-data": ONE})
    @endpoint(summary="Upload a picture", login="required", answers={201: Uploaded}, refusals=UploadView.refusals)
    def post(self, request: Any) -> dict[str, Any]:
        """Multipart, field `file`: JPEG, PNG or WebP, re-encoded without its metadata."""
        file = sent_files(request, "file")[0]
        return {"message": "Image uploaded successfully", **self.kept(request, file)}


class UploadImages(UploadView):
    """Several pictures."""

    @extend_schema(request={"multipart/form-data": MANY})
    @endpoint(summary="Upload pictures", login="required", answers={201: UploadedMany}, refusals=UploadView.refusals)
    def post(self, request: Any) -> dict[str, Any]:
        """Multipart, field `files`, at most five; the first that is no picture refuses the rest."""
        found = sent_files(request, "files", most=MOST_FILES)
        images = [self.kept(request, file) for file in found]
        return {"message": f"{len(images)} images uploaded successfully", "images": images}


class File(FloristView):
    """A picture's bytes, for `<img>`."""

    tag = "uploads"

    def media_type(self, path: str, status: int) -> str:
        """Refusals are JSON."""
        return "image/*" if status == 200 else "application/json"

    @endpoint(
        summary="A picture",
        query=Signed,
        login="optional",
        answers={200: bytes},
        refusals=[errors.FileNotFound, errors.FilesUnavailable],
    )
    def get(self, request: Any, *, query: Signed, name: str) -> HttpResponse:
        """Public ones for everybody; private ones by a signed link, or for the shop's own people."""
        stored = files.shown(name, by=request.member, until=query.until, signature=query.sig)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {
            "Cache-Control": YEAR if stored.is_public else HOUR,
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
        }
        return HttpResponse(uploads.read(stored, name), content_type=kind, headers=headers)


urlpatterns = [
    path("api/upload/image", UploadImage, name="upload-image"),
    path("api/upload/images", UploadImages, name="upload-images"),
    path("uploads/<str:name>", File, name="upload"),
]
