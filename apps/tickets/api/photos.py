"""Pictures over HTTP: through us, straight into the bucket, and the files themselves (contract tickets 1.4, C11)."""

from __future__ import annotations

import mimetypes
import re
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import BeforeValidator, Field
from rest_framework.parsers import MultiPartParser

from apps.core import buckets
from apps.core.errors import Invalid, NotFound, TooLarge
from apps.core.routing import path
from apps.core.wire import Shape, endpoint, read_shape
from apps.tickets import errors
from apps.tickets.actions import direct_uploads, photos
from apps.tickets.api.base import TicketPath, TicketsView
from apps.tickets.models import Photo
from apps.tickets.queries import photos as questions

FILE = re.compile(r"tickets/[0-9a-f-]{36}/[0-9a-f]{32}(-small)?\.(jpg|png|webp)")
YEAR = "public, max-age=31536000, immutable"
ROOM_FOR_FORM_BYTES = 2**20


def _upper(given: Any) -> Any:
    return given.strip().upper() if isinstance(given, str) else given


PhotoType = Annotated[Photo.Type, BeforeValidator(_upper)]


class Chosen(Shape):
    """REPORT when nothing is said."""

    photo_type: PhotoType = Photo.Type.REPORT


class Place(Shape):
    """Where the camera says it was."""

    latitude: float
    longitude: float


class Uploaded(Shape):
    """The new picture; `taken_at_place` is a hint read from the file, null when it held none."""

    id: UUID
    url: str
    filename: str
    message: str
    thumbnail_url: str
    taken_at_place: Place | None


class DirectUpload(Chosen):
    """Which picture is going to be posted into the bucket."""

    content_type: str = Field(max_length=100)
    filename: str = Field("", max_length=255)


class DirectForm(Shape):
    """Post `fields` and then the file as `file` to `url`, as multipart/form-data; afterwards finish the upload."""

    upload_id: UUID
    url: str
    fields: dict[str, str]
    expires_in_seconds: int


class UploadPath(TicketPath):
    """A form that was given out for a ticket."""

    upload_id: UUID


REFUSALS = (
    *(errors.TicketNotFound, errors.NotYourTicket, errors.StaffOnly, errors.TicketUnassigned, errors.OtherTeamsTicket),
    *(errors.TooManyPhotos, errors.PhotoUnreadable, TooLarge, errors.FilesUnavailable),
)
MULTIPART = {
    "multipart/form-data": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "photo_type": {"type": "string", "enum": list(Photo.Type.values), "default": "REPORT"},
        },
        "required": ["file"],
    }
}


class Photos(TicketsView):
    """Pictures of a ticket."""

    parser_classes = (MultiPartParser,)

    @extend_schema(request=MULTIPART)
    @endpoint(
        path=TicketPath, login="required", answers={201: Uploaded}, refusals=[*REFUSALS, Invalid], summary="Add a photo"
    )
    def post(self, request: Any, *, ticket_id: UUID) -> dict[str, Any]:
        """Multipart, field `file`; `photo_type` is read from the form, then from the query string."""
        file, photo_type = self._sent(request)
        photo = photos.add(by=request.member, ticket_id=ticket_id, file=file, photo_type=photo_type)
        return _uploaded(photo, request.member)

    def _sent(self, request: Any) -> tuple[Any, Photo.Type]:
        """The file and its type; a body longer than any picture is not read at all."""
        most = settings.TICKETS.photo_max_mb
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > most * 2**20 + ROOM_FOR_FORM_BYTES:
            raise TooLarge(megabytes=most)
        is_form = request.content_type.startswith("multipart/")
        file = request.FILES.get("file") if is_form else None
        if file is None:
            raise Invalid.field("file", "Field required", kind="missing")
        if chosen := request.POST.get("photo_type"):
            return file, read_shape(Chosen, {"photo_type": chosen}, "body").photo_type
        named = request.GET.get("photo_type")
        return file, read_shape(Chosen, {"photo_type": named} if named else {}, "query").photo_type


class DirectUploads(TicketsView):
    """Pictures straight into the bucket: the form."""

    @endpoint(
        path=TicketPath,
        body=DirectUpload,
        login="required",
        answers={201: DirectForm},
        refusals=[*REFUSALS, errors.DirectUploadOff, errors.TooManyUploads],
        summary="Begin a direct upload",
    )
    def post(self, request: Any, *, ticket_id: UUID, body: DirectUpload) -> dict[str, Any]:
        """409 where files lie on the disk: then use the photos endpoint."""
        upload, form = direct_uploads.start(by=request.member, ticket_id=ticket_id, **body.model_dump())
        return {
            "upload_id": upload.pk,
            "url": form.url,
            "fields": form.fields,
            "expires_in_seconds": form.expires_in_seconds,
        }


class DirectUploadDone(TicketsView):
    """Pictures straight into the bucket: the end."""

    @endpoint(
        path=UploadPath,
        login="required",
        answers={201: Uploaded},
        refusals=[*REFUSALS, errors.UploadNotFound, errors.UploadEmpty],
        summary="Finish a direct upload",
    )
    def post(self, request: Any, *, ticket_id: UUID, upload_id: UUID) -> dict[str, Any]:
        """The bytes are proved and cleaned as with the usual way; repeating answers the same photo."""
        photo = direct_uploads.finish(by=request.member, ticket_id=ticket_id, upload_id=upload_id)
        return _uploaded(photo, request.member)


def _uploaded(photo: Photo, member: Any) -> dict[str, Any]:
    shown = questions.shown(photo, by=member)
    wanted = ("id", "url", "filename", "thumbnail_url", "taken_at_place")
    return {"message": "Photo uploaded successfully", **{name: shown[name] for name in wanted}}


class File(TicketsView):
    """A picture's bytes, for `<img>` without a sign-in, where files lie on the disk."""

    def media_type(self, path: str, status: int) -> str:
        """Refusals are JSON."""
        return "image/*" if status == 200 else "application/json"

    @endpoint(answers={200: bytes}, refusals=[NotFound], summary="A photo's file")
    def get(self, request: Any, *, name: str) -> HttpResponse:
        """Names are random and their bytes never change, so everybody may keep them for a year."""
        if buckets.takes_uploads() or not FILE.fullmatch(name):
            raise NotFound()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        try:  # without asking first: the pictures of a deleted ticket go at any moment
            with default_storage.open(name) as file:
                raw = file.read()
        except FileNotFoundError as problem:
            raise NotFound() from problem
        return HttpResponse(
            raw, content_type=kind, headers={"Cache-Control": YEAR, "X-Content-Type-Options": "nosniff"}
        )


urlpatterns = [
    path("api/v1/tickets/<str:ticket_id>/photos", Photos, name="ticket-photos"),
    path("api/v1/tickets/<str:ticket_id>/photos/direct", DirectUploads, name="ticket-photo-direct"),
    path("api/v1/tickets/<str:ticket_id>/photos/direct/<str:upload_id>", DirectUploadDone, name="ticket-photo-done"),
    path("api/v1/files/<path:name>", File, name="file"),
]
