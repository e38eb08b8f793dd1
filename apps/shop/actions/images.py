"""Pictures of products: proved, cleaned, stored, promoted, removed (contract shop 3.2)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.core import uploads
from apps.core.uploads import NotAPicture, Picture
from apps.shop import access, errors
from apps.shop.actions import catalogue
from apps.shop.models import Slipper, SlipperImage
from apps.shop.queries import cached

log = logging.getLogger(__name__)

EXTENSIONS = frozenset({"jpg", "jpeg", "png", "webp", "gif"})
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
PER_REQUEST = 10
MAX_PIXELS = 25_000_000
THUMBNAIL_SIDE = 320
"""Pixels of the small copy beside each picture."""

PUBLIC_FOLDER = "/static/images/"
"""What clients ask for, as in the original; the files themselves lie in `FOLDER` of the storage."""

FOLDER = "shop/images/"
THUMB = "thumb-"


def add(*, by: Any, slipper_id: int, files: Sequence[Any]) -> list[SlipperImage]:
    """Hang pictures on a product, behind those that are there. All are proved before one is stored (D21).

    Raises `NotAnAdmin`, `SlipperNotFound`, `NoImages`, `TooManyImages`, `ImageTypeNotAllowed`, `ImageUnreadable`,
    `core.errors.TooLarge`.
    """
    access.ensure_can_edit_catalogue(by)
    if not Slipper.objects.alive().filter(pk=slipper_id).exists():
        raise errors.SlipperNotFound()
    _ensure_acceptable(files)
    pictures = [_accepted(file) for file in files]
    paths: list[str] = []
    try:
        with transaction.atomic():
            slipper = catalogue.lock(slipper_id)
            _ensure_room(slipper, len(pictures))
            for picture in pictures:
                paths.append(_new_path(picture))  # before it is stored: half a file must not stay behind either
                _store(picture, paths[-1])
            return _hang(slipper, paths)
    except BaseException:  # whatever happened, rows were rolled back: their files must not stay behind
        _remove_files(paths)
        raise


def remove(*, by: Any, slipper_id: int, image_id: int) -> None:
    """Take one picture away; the next becomes the main one, the file goes after commit.

    Raises `NotAnAdmin`, `SlipperNotFound`, `ImageNotFound` (also for a picture of another product).
    """
    access.ensure_can_edit_catalogue(by)
    with transaction.atomic():
        slipper = catalogue.lock(slipper_id)
        image = slipper.images.filter(pk=image_id).first()
        if image is None:
            raise errors.ImageNotFound()
        path, was_primary = image.image_path, image.is_primary
        image.delete()
        heir = slipper.images.order_by("order_index").first()
        if was_primary and heir is not None:
            slipper.images.filter(pk=heir.pk).update(is_primary=True)
        if slipper.image == path:
            _show(slipper, heir.image_path if heir else "")
        transaction.on_commit(lambda: _remove_files([path]))
        cached.SLIPPERS.forget()


def make_primary(*, by: Any, slipper_id: int, image_id: int) -> SlipperImage:
    """Choose the main picture; repeating changes nothing. Raises `NotAnAdmin`, `SlipperNotFound`, `ImageNotFound`."""
    access.ensure_can_edit_catalogue(by)
    with transaction.atomic():
        slipper = catalogue.lock(slipper_id)
        image = slipper.images.filter(pk=image_id).first()
        if image is None:
            raise errors.ImageNotFound()
        slipper.images.filter(is_primary=True).update(is_primary=False)
        slipper.images.filter(pk=image_id).update(is_primary=True)
        _show(slipper, image.image_path)
        cached.SLIPPERS.forget()
    image.is_primary = True
    return image


def describe(*, by: Any, slipper_id: int, image_id: int, alt_text: str | None) -> None:
    """The text for the blind. Raises `NotAnAdmin`, `ImageNotFound`."""
    access.ensure_can_edit_catalogue(by)
    with transaction.atomic():
        found = SlipperImage.objects.filter(pk=image_id, slipper_id=slipper_id)
        if not found.update(alt_text=alt_text or None):
            raise errors.ImageNotFound()
        cached.SLIPPERS.forget()


def thumbnail_path(path: str) -> str:
    """Address of the small copy of one of our pictures; others have none and stand for themselves."""
    if not path.startswith(PUBLIC_FOLDER):
        return path
    return f"{PUBLIC_FOLDER}{THUMB}{path.removeprefix(PUBLIC_FOLDER)}"


def stored_name(path: str) -> str:
    """Where a picture's bytes lie in the storage."""
    return FOLDER + path.removeprefix(PUBLIC_FOLDER)


def _ensure_acceptable(files: Sequence[Any]) -> None:
    if not files:
        raise errors.NoImages()
    if len(files) > PER_REQUEST:
        raise errors.TooManyImages(most=PER_REQUEST)
    for file in files:
        if PurePosixPath(str(file.name)).suffix.lower().lstrip(".") not in EXTENSIONS:
            raise errors.ImageTypeNotAllowed()


def _accepted(file: Any) -> Picture:
    most = settings.SHOP.max_image_mb * 2**20
    try:
        return uploads.accept_image(file, max_bytes=most, max_pixels=MAX_PIXELS, formats=FORMATS)
    except NotAPicture as problem:
        raise errors.ImageUnreadable() from problem


def _ensure_room(slipper: Slipper, more: int) -> None:
    most = settings.SHOP.max_images_per_product
    if slipper.images.count() + more > most:
        raise errors.TooManyImages(most=most)


def _new_path(picture: Picture) -> str:
    return f"{PUBLIC_FOLDER}{uuid4().hex}.{picture.extension}"


def _store(picture: Picture, path: str) -> None:
    """Picture and small copy."""
    default_storage.save(stored_name(path), ContentFile(picture.content))
    small = uploads.thumbnail(picture, side=THUMBNAIL_SIDE)
    default_storage.save(stored_name(thumbnail_path(path)), ContentFile(small.content))


def _hang(slipper: Slipper, paths: list[str]) -> list[SlipperImage]:
    last = slipper.images.aggregate(last=Max("order_index"))["last"]
    first_place = 0 if last is None else last + 1
    has_primary = slipper.images.filter(is_primary=True).exists()
    rows = [
        SlipperImage(
            slipper=slipper,
            image_path=path,
            is_primary=not has_primary and number == 0,
            order_index=first_place + number,
        )
        for number, path in enumerate(paths)
    ]
    made = SlipperImage.objects.bulk_create(rows)
    if not slipper.image:
        _show(slipper, paths[0])
    cached.SLIPPERS.forget()
    return made


def _show(slipper: Slipper, path: str) -> None:
    Slipper.objects.filter(pk=slipper.pk).update(image=path, updated_at=timezone.now())


def _remove_files(paths: list[str]) -> None:
    """A storage that does not answer leaves an orphan, not an error: the rows are already right."""
    for path in paths:
        for public in (path, thumbnail_path(path)):
            try:
                default_storage.delete(stored_name(public))
            except Exception:  # buckets have errors of their own that are no OSError
                log.warning("a picture's file could not be removed", exc_info=True)
