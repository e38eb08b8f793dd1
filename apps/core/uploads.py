"""Pictures from strangers: bounded while streaming, proved by decoding, re-encoded, stripped of metadata."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image, ImageOps

from apps.core.errors import Invalid, TooLarge

MAX_PIXELS = 50_000_000
"""A small file can unpack to a huge picture; past this it is refused before decoding."""

CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}


class NotAPicture(Invalid):
    """The bytes are not a picture of an allowed format: 422."""

    code = "not_a_picture"
    detail = "File is not a valid image"
    message = _("This file is not a picture that we can read")


@dataclass(frozen=True)
class Picture:
    """A clean picture: re-encoded, no metadata; `gps` is (lat, lon) read from EXIF before stripping, a hint."""

    content: bytes
    content_type: str
    extension: str
    width: int
    height: int
    gps: tuple[float, float] | None


def read_limited(file: Any, *, max_bytes: int) -> bytes:
    """All bytes of a file-like object, stopping as soon as the limit is passed. Raises `TooLarge`."""
    chunks, size = [], 0
    while chunk := file.read(64 * 1024):
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge(megabytes=max_bytes // 2**20 or 1)
        chunks.append(chunk)
    return b"".join(chunks)


def accept_image(
    file: Any,
    *,
    max_bytes: int,
    max_side: int = 2560,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP"),
) -> Picture:
    """Prove and clean an uploaded picture; larger sides are scaled down to `max_side` pixels.

    An animated GIF keeps its first frame.

    Raises `TooLarge` past `max_bytes`, `NotAPicture` when it does not decode as one of `formats`.
    """
    raw = read_limited(file, max_bytes=max_bytes)
    source, kind = _decode(raw, formats, max_pixels)
    gps = _gps(source)
    upright = ImageOps.exif_transpose(source)
    upright.thumbnail((max_side, max_side))
    return _encode(upright, kind, gps)


def thumbnail(picture: Picture, *, side: int) -> Picture:
    """A smaller copy that fits into a square of `side` pixels."""
    image = Image.open(io.BytesIO(picture.content))
    kind = image.format or "JPEG"
    image.thumbnail((side, side))
    return _encode(image, kind, None)


def storage_name(folder: str, picture: Picture) -> str:
    """`folder/2026/11/<random>.jpg`: unguessable, never the client's file name."""
    return f"{folder}/{timezone.now():%Y/%m}/{uuid4().hex}.{picture.extension}"


def _decode(raw: bytes, formats: tuple[str, ...], max_pixels: int) -> tuple[Image.Image, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(raw), formats=formats)
            if image.width * image.height > max_pixels:
                raise NotAPicture()
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise NotAPicture() from problem
    return image, str(image.format)


def _gps(image: Image.Image) -> tuple[float, float] | None:
    try:
        tags = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        return _degrees(tags[2], tags[1], "S"), _degrees(tags[4], tags[3], "W")
    except (KeyError, ValueError, TypeError, ZeroDivisionError, OSError):
        return None


def _degrees(parts: Any, side: Any, negative: str) -> float:
    whole, minutes, seconds = (float(part) for part in parts)
    value = whole + minutes / 60 + seconds / 3600
    return round(-value if side == negative else value, 6)


def _encode(image: Image.Image, kind: str, gps: tuple[float, float] | None) -> Picture:
    if kind == "JPEG" and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    out = io.BytesIO()
    image.save(out, format=kind, quality=85, optimize=kind != "WEBP", exif=b"")
    return Picture(out.getvalue(), CONTENT_TYPES[kind], EXTENSIONS[kind], image.width, image.height, gps)
