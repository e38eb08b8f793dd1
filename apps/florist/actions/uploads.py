"""Pictures of a shop: proved, re-encoded, stripped, stored; those of orders are shown by signed links only (3.15)."""

from __future__ import annotations

import io
import logging
import math
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from PIL import ExifTags, Image

from apps.core import buckets, uploads
from apps.core.uploads import NotAPicture, Picture
from apps.florist import errors
from apps.florist.models import (
    DeliveryAttempt,
    Movement,
    OrderPhoto,
    Product,
    ProductImage,
    ProductionTask,
    Shop,
    Stop,
    StoredFile,
    Supply,
)

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP")
PREFIX = "/uploads/"
THUMBNAIL_SIDE = 320
"""Pixels of the small copy beside each picture."""

LINK_SECONDS = 7 * 86_400
"""How long a signed link opens: proofs are looked at for a week (section 6)."""

STEP_SECONDS = 3600
"""Ends of links are rounded up to it, so that a browser meets the same address twice and keeps the picture."""

NAME = re.compile(r"([0-9a-f]{32})(-small)?\.(jpg|png|webp)")
OFFSET = re.compile(r"[+-]\d\d:\d\d")
ORPHAN_DAYS = 2
"""A picture that nothing names after so many days goes."""

SWEPT = 5000
"""Pictures looked at in one sweep."""


def store(*, by: Any, shop: Shop, file: Any, is_public: bool) -> StoredFile:
    """Keep a stranger's picture for a shop. Where and when it was taken stays in the row only, as a proof.

    Raises `FileUnreadable`, `core.errors.TooLarge`, `FilesUnavailable`; then nothing is kept.
    """
    raw = uploads.read_limited(file, max_bytes=settings.FLORIST.upload_max_mb * 2**20)
    picture = _clean(raw)
    name = f"{uuid4().hex}.{picture.extension}"
    _save(key_of(shop.pk, name), picture)
    _save(key_of(shop.pk, small(name)), uploads.thumbnail(picture, side=THUMBNAIL_SIDE))
    with transaction.atomic():
        return StoredFile.objects.create(
            shop=shop,
            name=name,
            is_public=is_public,
            size=len(picture.content),
            taken_at=_taken_at(raw, shop),
            **_place(picture),
        )


def _clean(raw: bytes) -> Picture:
    try:
        return uploads.accept_image(io.BytesIO(raw), max_bytes=len(raw), formats=FORMATS)
    except NotAPicture as problem:
        raise errors.FileUnreadable() from problem


def _save(key: str, picture: Picture) -> None:
    try:
        default_storage.save(key, ContentFile(picture.content, name=key))
    except buckets.TROUBLE as problem:
        log.warning("a picture could not be stored", exc_info=True)
        raise errors.FilesUnavailable() from problem


def _place(picture: Picture) -> dict[str, float]:
    """Where the camera says it was, unless it says something impossible."""
    latitude, longitude = picture.gps or (math.nan, math.nan)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return {}
    return {"latitude": latitude, "longitude": longitude}


def _taken_at(raw: bytes, shop: Shop) -> datetime | None:
    """When the camera says it was; without an offset it is read as the shop's clock. Only a hint: cameras lie."""
    try:
        tags = Image.open(io.BytesIO(raw), formats=FORMATS).getexif().get_ifd(ExifTags.IFD.Exif)
        moment = datetime.strptime(str(tags[ExifTags.Base.DateTimeOriginal])[:19], "%Y:%m:%d %H:%M:%S")
        offset = str(tags.get(ExifTags.Base.OffsetTimeOriginal, ""))[:6]
        zone = datetime.strptime(offset, "%z").tzinfo if OFFSET.fullmatch(offset) else ZoneInfo(shop.timezone)
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except uploads.DAMAGED:
        return None


def key_of(shop_id: int | None, name: str) -> str:
    """Where a picture lies in the storage: a folder per shop."""
    return f"florist/{shop_id or 0}/{name}"


def small(name: str) -> str:
    """The name of the small copy."""
    stem, _, extension = name.rpartition(".")
    return f"{stem}-small.{extension}"


def path_of(stored: StoredFile) -> str:
    """`/uploads/<name>`: what rows keep; for a private picture it opens nothing until `link` has signed it."""
    return f"{PREFIX}{stored.name}"


def url_of(stored: StoredFile, request: Any = None) -> str:
    """The address to show: absolute with a request, signed for a private picture."""
    path = path_of(stored)
    shown = path if stored.is_public else link(path)
    return str(request.build_absolute_uri(shown)) if request is not None else shown


def link(path: str, *, seconds: int = LINK_SECONDS) -> str:
    """A `/uploads/…` path with the signature that opens it for `seconds`; other addresses stay as they are."""
    name = path.removeprefix(PREFIX)
    if name == path or not NAME.fullmatch(name):
        return path
    until = (int(time.time()) + seconds) // STEP_SECONDS * STEP_SECONDS + STEP_SECONDS
    return f"{path}?until={until}&sig={_signature(name, until)}"


def opens(name: str, until: str, signature: str) -> bool:
    """Whether a link's signature is ours and not over."""
    if not (until.isascii() and until.isdigit() and len(until) < 12) or int(until) < time.time():
        return False
    return constant_time_compare(signature, _signature(name, int(until)))


def _signature(name: str, until: int) -> str:
    """The small copy opens with the picture's own signature."""
    return signing.Signer(salt="florist.uploads").signature(f"{name.replace('-small', '')}:{until}")


def read(stored: StoredFile, name: str) -> bytes:
    """The picture's bytes, or its small copy's. Raises `FileNotFound`, `FilesUnavailable`."""
    key = key_of(stored.shop_id, name)
    try:
        if not default_storage.exists(key):
            raise errors.FileNotFound()
        with default_storage.open(key) as file:
            return bytes(file.read())
    except buckets.TROUBLE as problem:
        raise errors.FilesUnavailable() from problem


def hide(pictures: Iterable[StoredFile]) -> None:
    """Pictures of orders and of the work open with a signature only, unless the catalogue or the logo shows them."""
    for stored in pictures:
        if stored.is_public and not _is_named_in(stored, FOR_ALL):
            StoredFile.objects.filter(pk=stored.pk).update(is_public=False)
            stored.is_public = False


def sweep_orphans(*, now: datetime | None = None) -> int:
    """Remove pictures of the last days but two that nothing names; returns how many. Each is looked at for a week."""
    until = (now or timezone.now()) - timedelta(days=ORPHAN_DAYS)
    recent = StoredFile.objects.filter(created_at__range=(until - timedelta(days=7), until))
    orphans = [stored for stored in recent.order_by("id")[:SWEPT] if not _is_named(stored)]
    for stored in orphans:
        stored.delete()
        for name in (stored.name, small(stored.name)):
            _remove(key_of(stored.shop_id, name))
    return len(orphans)


def _is_named(stored: StoredFile) -> bool:
    if any(model.objects.filter(**{column: stored}).exists() for model, column in KEPT_BY):
        return True
    return _is_named_in(stored, PLACES)


def _is_named_in(stored: StoredFile, places: Iterable[Place]) -> bool:
    """Rows keep addresses, signed or with a host before them, so the random part is looked for."""
    return any(
        model.objects.filter(**{f"{column}__icontains": stored.name, **of_shop(stored.shop_id)}).exists()
        for model, column, of_shop in places
    )


def _remove(key: str) -> None:
    """A storage that does not answer leaves an orphan, not an error."""
    try:
        default_storage.delete(key)
    except buckets.TROUBLE:
        log.warning("a picture's file could not be removed", exc_info=True)


def _own(shop_id: int | None) -> dict[str, Any]:
    return {"shop_id": shop_id}


KEPT_BY: tuple[tuple[Any, str], ...] = ((OrderPhoto, "file"), (DeliveryAttempt, "photo"), (Stop, "proof"))
"""Rows that name a picture itself."""

Place = tuple[Any, str, Any]
"""A table, its column, and how it finds its shop."""

FOR_ALL: tuple[Place, ...] = (
    (Product, "image_url", _own),
    (ProductImage, "image_url", lambda shop_id: {"product__shop_id": shop_id}),
    (Shop, "shop_logo_url", lambda shop_id: {"pk": shop_id}),
)
"""Where everybody may look."""

PLACES: tuple[Place, ...] = (
    *FOR_ALL,
    (OrderPhoto, "photo_url", lambda shop_id: {"order__shop_id": shop_id}),
    (ProductionTask, "work_photos", _own),
    (ProductionTask, "result_photos", _own),
    (Supply, "invoice_url", _own),
    (Movement, "photo_url", _own),
)
"""Where rows keep the addresses of pictures."""
