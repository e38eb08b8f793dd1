"""Pictures of tickets: proved, cleaned, stored, limited (contract tickets 1.4, 3, D10)."""

from __future__ import annotations

import logging
import math
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from apps.core import buckets, uploads
from apps.core.uploads import NotAPicture, Picture
from apps.tickets import access, errors
from apps.tickets.access import Deed
from apps.tickets.models import Member, Photo, PhotoUpload, Ticket

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 40_000_000
THUMBNAIL_SIDE = 320
"""Pixels of the small copy beside each picture."""

FOLDER = "tickets"
LONGEST_FILENAME = 255

DEEDS: dict[str, Deed] = {Photo.Type.REPORT: "upload a report", Photo.Type.PROOF: "upload a proof"}


def add(*, by: Member, ticket_id: UUID, file: Any, photo_type: str = Photo.Type.REPORT) -> Photo:
    """Put a picture on a ticket. Metadata is removed; where it was taken is kept as a hint for staff.

    Raises `TicketNotFound`, `NotYourTicket`, `StaffOnly`, `TicketUnassigned`, `OtherTeamsTicket`, `TooManyPhotos`,
    `PhotoUnreadable`, `core.errors.TooLarge`, `FilesUnavailable`; then nothing is kept.
    """
    ensure_may_add(by=by, ticket_id=ticket_id, photo_type=photo_type)
    return keep(
        by=by, ticket_id=ticket_id, photo_type=photo_type, filename=clean_filename(file.name), picture=accepted(file)
    )


def ensure_may_add(*, by: Member, ticket_id: UUID, photo_type: str) -> Ticket:
    """The ticket, when `by` may add such a picture and one more fits in. Raises as `add` does."""
    ticket = Ticket.objects.visible_to(by).filter(pk=ticket_id).first()
    if ticket is None:
        raise errors.TicketNotFound()
    access.ensure_can(DEEDS[photo_type], by, ticket)
    _free_slot(ticket, photo_type)
    return ticket


def accepted(file: Any) -> Picture:
    """A clean picture from a stranger's file. Raises `PhotoUnreadable`, `core.errors.TooLarge`."""
    most = settings.TICKETS.photo_max_mb * 2**20
    try:
        return uploads.accept_image(file, max_bytes=most, max_pixels=MAX_PIXELS, formats=FORMATS)
    except NotAPicture as problem:
        raise errors.PhotoUnreadable() from problem


def keep(*, by: Member, ticket_id: UUID, photo_type: str, filename: str, picture: Picture) -> Photo:
    """Store a proved picture and hang it on its ticket; when there is no place left, its files go again."""
    name, small = _names(ticket_id, picture)
    with _files_only_with_their_row((name, small)):
        _store(name, picture)
        _store(small, uploads.thumbnail(picture, side=THUMBNAIL_SIDE))
        with transaction.atomic():
            # The bucket has answered: nobody waits for it while the ticket is locked.
            ticket = Ticket.objects.visible_to(by).lock(errors.TicketNotFound, pk=ticket_id)
            return Photo.objects.create(
                ticket=ticket,
                photo_type=photo_type,
                slot=_free_slot(ticket, photo_type),
                name=name,
                thumbnail_name=small,
                filename=filename,
                content_type=picture.content_type,
                width=picture.width,
                height=picture.height,
                uploaded_by=by,
                **_hint(picture),
            )


def clean_filename(given: Any) -> str:
    """The sender's name for the file, to be shown and never used: without folders and control characters."""
    shown = PurePath(str(given or "").replace("\\", "/")).name
    printable = "".join(letter for letter in shown if unicodedata.category(letter)[0] != "C")
    return printable[-LONGEST_FILENAME:] or "photo"


def forget(*, ticket_id: UUID) -> int:
    """The pictures of a deleted ticket go for good, so that nobody reads them by an address that he kept.

    Files first: a storage that is away leaves the rows, and the next try finds them. Returns how many pictures went;
    repeating changes nothing. Raises `FilesUnavailable`.
    """
    found = Photo.objects.filter(ticket_id=ticket_id, ticket__deleted_at__isnull=False)
    gone = list(found.values_list("pk", "name", "thumbnail_name"))
    try:
        for _pk, *names in gone:
            for name in names:
                default_storage.delete(name)
    except buckets.TROUBLE as problem:
        raise errors.FilesUnavailable() from problem
    with transaction.atomic():
        ids = [pk for pk, *_names in gone]
        # A form outlives its picture: the sweep still has to find what is posted with it again.
        PhotoUpload.objects.filter(photo__in=ids).update(photo=None)
        Photo.objects.filter(pk__in=ids).delete()
    return len(gone)


def remove_files(names: Iterable[str]) -> list[str]:
    """Returns the names that are gone: a storage that does not answer leaves an orphan and a warning, not an error."""
    gone = []
    for name in names:
        try:
            default_storage.delete(name)
        except buckets.TROUBLE:
            log.warning("a picture's file could not be removed", exc_info=True)
        else:
            gone.append(name)
    return gone


def _free_slot(ticket: Ticket, photo_type: str) -> int:
    most = settings.TICKETS.photos_per_type
    taken = set(ticket.photos.filter(photo_type=photo_type).values_list("slot", flat=True))
    free = next((slot for slot in range(1, most + 1) if slot not in taken), None)
    if free is None:
        raise errors.TooManyPhotos(most=most)
    return free


def _names(ticket_id: UUID, picture: Picture) -> tuple[str, str]:
    """`tickets/<ticket>/<random>.<ext>` as in the original, and its small copy."""
    stem = uuid4().hex
    return tuple(f"{FOLDER}/{ticket_id}/{part}.{picture.extension}" for part in (stem, f"{stem}-small"))  # type: ignore[return-value]


def _hint(picture: Picture) -> dict[str, float]:
    """Where the camera says it was, unless it says something impossible."""
    latitude, longitude = picture.gps or (math.nan, math.nan)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return {}
    return {"latitude": latitude, "longitude": longitude}


def _store(name: str, picture: Picture) -> None:
    try:
        default_storage.save(name, ContentFile(picture.content, name=name))
    except buckets.TROUBLE as problem:
        log.warning("a picture could not be stored", exc_info=True)
        raise errors.FilesUnavailable() from problem


@contextmanager
def _files_only_with_their_row(names: tuple[str, ...]) -> Iterator[None]:
    """Whatever goes wrong inside, rows are rolled back: their files must not stay behind."""
    try:
        yield
    except BaseException:
        remove_files(names)
        raise
