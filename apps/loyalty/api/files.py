"""Uploaded pictures: profile photos, news pictures (contract loyalty 1.5, rows 36 to 42)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.parsers import FormParser, MultiPartParser

from apps.core.errors import TooLarge
from apps.core.routing import path
from apps.core.wire import Shape, endpoint, read_shape
from apps.loyalty import errors
from apps.loyalty.actions import files
from apps.loyalty.actions.doors import DemoGuest
from apps.loyalty.api.base import LoyaltyView, ManagerView
from apps.loyalty.api.people import UserRead, user_read
from apps.loyalty.api.wire import LARGEST_ID, Id, Paged, Pagination
from apps.loyalty.models import StoredFile
from apps.loyalty.queries import clients
from apps.loyalty.queries import files as questions

NEWS_FIELDS = ("file", "image", "news_image")
PATHS = {
    StoredFile.Kind.PROFILE_PHOTO: "/api/v1/files/profile-photo/",
    StoredFile.Kind.NEWS_IMAGE: "/api/v1/files/news_images/",
}
KEPT_BY_CLIENTS = "public, max-age=31536000, immutable"
"""Each upload has a name of its own, so what is behind a name never changes."""

OVERHEAD_BYTES = 64 * 1024
"""What a multipart body needs beside the picture."""


class FileRead(Shape):
    """A picture in the managers' list."""

    id: int
    name: str
    url: str
    size: int
    created_at: datetime
    type: Literal["profile_photo", "news_image"]


class FilePage(Shape):
    """One page."""

    pagination: Pagination
    items: list[FileRead]


class FilePaging(Paged):
    """The original's page."""

    page_size: int = Field(12, ge=1, le=100)


class ImageUrl(Shape):
    """Where the picture is."""

    image_url: str


class Owner(Shape):
    """Whose photo it is, when a manager sends it."""

    user_id: int | None = Field(None, ge=1, le=LARGEST_ID)


class FilePath(Shape):
    """Which row."""

    file_id: Id


def _upload_schema(*names: str) -> Any:
    fields: dict[str, Any] = {name: {"type": "string", "format": "binary"} for name in names}
    return extend_schema(request={"multipart/form-data": {"type": "object", "properties": fields}})


def uploaded(request: Any, *names: str) -> Any:
    """The first file among the fields, or None. A body longer than any picture is not read at all: `TooLarge`."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    most = settings.LOYALTY.max_image_mb
    if not length.isdigit() or int(length) > most * 2**20 + OVERHEAD_BYTES:
        raise TooLarge(megabytes=most)
    if not (request.content_type or "").startswith("multipart/"):
        return None
    return next((request.FILES[name] for name in names if name in request.FILES), None)


def sent(row: StoredFile) -> HttpResponse:
    """The bytes, never interpreted as anything but a picture. Raises `FileNotFound` when the storage has lost them."""
    try:
        with default_storage.open(files.FOLDERS[StoredFile.Kind(row.kind)] + row.name) as stored:
            body = stored.read()
    except OSError as problem:
        raise errors.FileNotFound() from problem
    headers = {"Cache-Control": KEPT_BY_CLIENTS, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type=row.content_type, headers=headers)


class ProfilePhoto(LoyaltyView):
    """A guest's own photo; managers may hang one on a guest."""

    parser_classes = (MultiPartParser, FormParser)

    def membership(self, user: Any) -> Any:
        """Raises `AccountGone`, for the demo's guest too, who has no row to hang a photo on."""
        if isinstance(member := super().membership(user), DemoGuest):
            raise errors.AccountGone()
        return member

    @_upload_schema("file", "user_id")
    @endpoint(
        login="required",
        answers={201: UserRead},
        refusals=[
            *(errors.WrongActor, errors.ManagersOnly, errors.ClientNotFound, TooLarge),
            *(errors.FileMissing, errors.FileTypeWrong, errors.FileEmpty),
        ],
        summary="Upload a profile photo",
    )
    def post(self, request: Any) -> dict[str, Any]:
        """Multipart, field `file`; a manager adds `user_id`. The photo before it goes."""
        file = uploaded(request, "file")
        owner = read_shape(Owner, {"user_id": request.data.get("user_id") or None} if file else {}, "body")
        client = files.set_profile_photo(by=request.member, file=file, client_id=owner.user_id)
        return user_read(clients.one(client.pk), request.member)

    @endpoint(login="required", answers={204: None}, refusals=[errors.WrongActor], summary="Remove the profile photo")
    def delete(self, request: Any) -> None:
        """204 also when there is none."""
        files.drop_profile_photo(by=request.member)


class ShownPhoto(LoyaltyView):
    """For everybody."""

    @endpoint(answers={200: bytes}, refusals=[errors.FileNotFound], summary="A profile photo")
    def get(self, request: Any, *, name: str) -> HttpResponse:
        """The picture's bytes."""
        return sent(questions.one(kind=StoredFile.Kind.PROFILE_PHOTO, name=name))


class NewsImages(ManagerView):
    """Pictures for news."""

    parser_classes = (MultiPartParser, FormParser)

    @_upload_schema(*NEWS_FIELDS)
    @endpoint(
        login="required",
        answers={201: ImageUrl},
        refusals=[errors.ManagersOnly, errors.FileMissing, errors.FileTypeWrong, errors.FileEmpty, TooLarge],
        summary="Upload a news picture",
    )
    def post(self, request: Any) -> dict[str, str]:
        """Multipart, field `file`, `image` or `news_image`."""
        row = files.add_news_image(by=request.member, file=uploaded(request, *NEWS_FIELDS))
        return {"image_url": url_of(row)}


class OneNewsImage(ManagerView):
    """A picture for everybody; managers take it away."""

    @endpoint(answers={200: bytes}, refusals=[errors.FileNotFound], summary="A news picture")
    def get(self, request: Any, *, name: str) -> HttpResponse:
        """The picture's bytes."""
        return sent(questions.one(kind=StoredFile.Kind.NEWS_IMAGE, name=name))

    @endpoint(
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.FileNotFound],
        summary="Delete a news picture",
    )
    def delete(self, request: Any, *, name: str) -> None:
        """News that show it keep a broken address: change them first."""
        files.remove_news_image(by=request.member, name=name)


class Files(ManagerView):
    """Everything that was uploaded."""

    @endpoint(
        query=FilePaging,
        login="required",
        answers={200: FilePage},
        refusals=[errors.ManagersOnly],
        summary="Uploaded pictures",
    )
    def get(self, request: Any, *, query: FilePaging) -> dict[str, Any]:
        """Newest first."""
        rows, total = questions.page(page=query.page, size=query.size)
        return self.wire.paged([file_read(row) for row in rows], total, page=query.page, size=query.size)


class OneFile(ManagerView):
    """What the web client offers where a row has an id."""

    @endpoint(
        path=FilePath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.FileNotFound],
        summary="Delete an uploaded picture",
    )
    def delete(self, request: Any, *, file_id: int) -> None:
        """A guest whose photo it was shows none afterwards."""
        files.remove(by=request.member, file_id=file_id)


def url_of(row: StoredFile) -> str:
    """Path of a picture below a client's base address."""
    return PATHS[StoredFile.Kind(row.kind)] + row.name


def file_read(row: StoredFile) -> dict[str, Any]:
    """A row of the list."""
    return {
        "id": row.pk,
        "name": row.name,
        "url": url_of(row),
        "size": row.size,
        "created_at": row.created_at,
        "type": row.kind,
    }


NEWS_IMAGE_LISTS = ("news_images", "news-images", "news-image", "news_image")
"""The first is the original's; the others are what its clients were given over time."""

urlpatterns = [
    path("api/v1/files", Files, name="file-list"),
    path("api/v1/files/<int:file_id>", OneFile, name="file"),
    path("api/v1/files/profile-photo", ProfilePhoto, name="profile-photo"),
    path("api/v1/files/profile-photo/<str:name>", ShownPhoto, name="profile-photo-file"),
    *(path(f"api/v1/files/{word}", NewsImages, name=f"{word}-upload") for word in NEWS_IMAGE_LISTS),
    *(
        path(f"api/v1/files/{word}/<str:name>", OneNewsImage, name=f"{word}-file")
        for word in ("news_images", "news-image")
    ),
]
