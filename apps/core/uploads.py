"""Pictures from strangers: bounded while streaming, proved by decoding, re-encoded, stripped of metadata."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image

from apps.core.errors import Invalid, TooLarge

MAX_PIXELS = 50_000_000
"""A small file can unpack to a huge picture; past this it is refused before decoding."""

CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}

DAMAGED = (OSError, ValueError, TypeError, KeyError, SyntaxError, ArithmeticError, EOFError, struct.error)
"""What Pillow raises over bytes that lie about themselves."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what sets the picture upright."""


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
    upright = _eight_bits(_upright(source))
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
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise NotAPicture() from problem
    # Phones with two lenses write JPEGs with a second picture behind the first, which Pillow calls MPO.
    return image, "JPEG" if image.format == "MPO" else str(image.format)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says. Not `ImageOps.exif_transpose`: it writes EXIF anew and falls over a damaged one."""
    try:
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except DAMAGED:
        turn = None
    return image if turn is None else image.transpose(turn)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of sixteen bits, which Pillow cannot scale, as eight."""
    return image.convert("I").point(lambda level: level / 256).convert("L") if image.mode.startswith("I;16") else image


def _gps(image: Image.Image) -> tuple[float, float] | None:
    try:
        tags = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        return _degrees(tags[2], tags[1], "S"), _degrees(tags[4], tags[3], "W")
    except DAMAGED:
        return None


def _degrees(parts: Any, side: Any, negative: str) -> float:
    whole, minutes, seconds = (float(part) for part in parts)
    value = whole + minutes / 60 + seconds / 3600
    return round(-value if side == negative else value, 6)


def _encode(image: Image.Image, kind: str, gps: tuple[float, float] | None) -> Picture:
    if kind == "JPEG" and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    # Comments and XMP would otherwise travel along; colours need their profile and their transparency.
    image.info = {name: kept for name, kept in image.info.items() if name in ("icc_profile", "transparency")}
    out = io.BytesIO()
    image.save(out, format=kind, quality=85, optimize=kind != "WEBP", exif=b"")
    return Picture(out.getvalue(), CONTENT_TYPES[kind], EXTENSIONS[kind], image.width, image.height, gps)
