"""Pictures that go straight into the bucket: a form is given out, the browser posts, then we prove what has arrived.

Nothing that lies under `incoming/` is shown to anybody; what is never finished is swept away.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.core import buckets, throttle
from apps.core.access import ensure
from apps.core.buckets import UploadForm
from apps.core.errors import TooLarge
from apps.core.throttle import Limit
from apps.core.uploads import Picture
from apps.tickets import errors
from apps.tickets.actions import photos
from apps.tickets.models import Member, Photo, PhotoUpload

log = logging.getLogger(__name__)

INCOMING = "incoming"
CONTENT_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
HOUR = 3600
GRACE = timedelta(hours=1)
"""How long after the form has run out its upload may still be finished, before it is swept away."""
BATCH = 50
"""Forms swept in one go; where the storage does to none of them what it was asked, the sweep stops."""


def start(
    *, by: Member, ticket_id: UUID, content_type: str, filename: str = "", photo_type: str = Photo.Type.REPORT
) -> tuple[PhotoUpload, UploadForm]:
    """A form for one picture of that kind. The size and kind that it allows are held to by the bucket's server.

    Raises `DirectUploadOff` where files lie on the disk, `TooManyUploads`, and what `photos.add` raises.
    """
    ensure(buckets.takes_uploads(), errors.DirectUploadOff)
    ensure(content_type in CONTENT_TYPES, errors.PhotoUnreadable)
    photos.ensure_may_add(by=by, ticket_id=ticket_id, photo_type=photo_type)
    limit = Limit(settings.TICKETS.direct_uploads_per_hour, HOUR)
    throttle.hit("tickets.direct_uploads", by.pk, limit, refusal=errors.TooManyUploads)
    seconds = settings.TICKETS.direct_upload_minutes * 60
    upload = PhotoUpload.objects.create(
        ticket_id=ticket_id,
        member=by,
        photo_type=photo_type,
        filename=photos.clean_filename(filename),
        name=f"{INCOMING}/{uuid4().hex}",
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    form = buckets.upload_form(
        name=upload.name,
        content_type=content_type,
        max_bytes=settings.TICKETS.photo_max_mb * 2**20,
        seconds=seconds,
        public_endpoint_url=settings.BUCKET.public_endpoint_url,
    )
    return upload, form


def finish(*, by: Member, ticket_id: UUID, upload_id: UUID) -> Photo:
    """Prove what has arrived and put it on the ticket; a repeat answers the same photo.

    Raises `UploadNotFound`, `UploadEmpty`, and what `photos.add` raises.
    """
    mine = PhotoUpload.objects.filter(pk=upload_id, ticket_id=ticket_id, member=by)
    upload = _seen(mine)
    if upload.photo is not None:
        return upload.photo
    try:
        photos.ensure_may_add(by=by, ticket_id=ticket_id, photo_type=upload.photo_type)
        picture = _arrived(upload)
    except (errors.TooManyPhotos, errors.UploadEmpty, errors.FilesUnavailable):
        # Whoever finished it meanwhile has the last place, or has taken the file away, between any two looks of ours.
        if (photo := _seen(mine).photo) is None:
            raise
        return photo
    with transaction.atomic():
        # Without its photo: PostgreSQL would join that as it was before the wait for the lock.
        locked = mine.select_for_update(of=("self",)).first()
        if locked is None:
            raise errors.UploadNotFound()
        if locked.photo is not None:
            return locked.photo
        photo = photos.keep(
            by=by, ticket_id=ticket_id, photo_type=upload.photo_type, filename=upload.filename, picture=picture
        )
        mine.update(photo=photo)
    photos.remove_files([upload.name])
    return photo


def _seen(mine: QuerySet[PhotoUpload]) -> PhotoUpload:
    upload = mine.select_related("photo").first()
    if upload is None:
        raise errors.UploadNotFound()
    return upload


def _arrived(upload: PhotoUpload) -> Picture:
    """What lies in the bucket, read no further than a picture may be long."""
    try:
        if not default_storage.exists(upload.name):
            raise errors.UploadEmpty()
        most = settings.TICKETS.photo_max_mb
        if default_storage.size(upload.name) > most * 2**20:
            raise TooLarge(megabytes=most)
        with default_storage.open(upload.name) as file:
            return photos.accepted(file)
    except buckets.TROUBLE as problem:
        log.warning("a direct upload could not be read", exc_info=True)
        raise errors.FilesUnavailable() from problem


def sweep(*, now: datetime | None = None, limit: int = 2000) -> int:
    """Remove forms that have run out, with what still lies where they let post; returns how many.

    One whose file could not be removed stays for the next time: nothing else knows where those raw bytes lie.
    """
    # Finished ones too: their form could be used once more.
    over = PhotoUpload.objects.filter(expires_at__lt=(now or timezone.now()) - GRACE).order_by("expires_at")
    names = list(over.values_list("name", flat=True)[:limit])
    done = 0
    for start in range(0, len(names), BATCH):
        gone = photos.remove_files(names[start : start + BATCH])
        if not gone:
            break
        PhotoUpload.objects.filter(name__in=gone).delete()
        done += len(gone)
    return done
