"""Sample catalogue: shelves, products with drawn pictures, a price history, one product that runs low."""

from __future__ import annotations

import io
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from apps.shop.actions import catalogue, images
from apps.shop.models import Slipper

WAYS_IN = ("register at /shop/docs, then: manage.py make_shop_admin NAME",)

SHELVES = {
    "Домашние": [
        ("Войлочные «Хива»", "38", 89_000, 14, "#b4532a"),
        ("Войлочные «Хива»", "41", 89_000, 9, "#b4532a"),
        ("Махровые «Облако»", "37", 65_000, 25, "#7aa6c2"),
        ("Махровые «Облако»", "40", 65_000, 2, "#7aa6c2"),
        ("Кожаные «Самарканд»", "43", 210_000, 6, "#5a3d2b"),
    ],
    "Пляжные": [
        ("Сланцы «Чарвак»", "39", 45_000, 40, "#1f9d8a"),
        ("Сланцы «Чарвак»", "42", 45_000, 31, "#1f9d8a"),
        ("Сабо «Волна»", "41", 72_000, 18, "#2f6fb3"),
    ],
    "Детские": [
        ("Тапочки «Зайка»", "26", 52_000, 22, "#d88fb0"),
        ("Тапочки «Мишка»", "28", 52_000, 0, "#9a7b4f"),
    ],
}
"""Shelf → (name, size, price in soum, pieces, colour of the picture)."""


def seed() -> str:
    """Plant the catalogue once; a second call adds nothing."""
    if Slipper.objects.exists():
        return "catalogue already there"
    for shelf, rows in SHELVES.items():
        category = catalogue.add_category(by=None, name=shelf)
        for name, size, price, pieces, colour in rows:
            made = catalogue.add(
                by=None, name=name, size=size, price=Decimal(price), quantity=pieces, category_id=category.pk
            )
            images.add(by=None, slipper_id=made.pk, files=[_drawing(colour)])
    cheaper = Slipper.objects.earliest("id")
    catalogue.change(by=None, slipper_id=cheaper.pk, changes={"price": cheaper.price - 10_000})
    return f"{Slipper.objects.count()} products on {len(SHELVES)} shelves"


def _drawing(colour: str) -> SimpleUploadedFile:
    """A pair of slippers in one colour: no photograph of anybody's has to travel with the project."""
    picture = Image.new("RGB", (640, 480), "#f4f1ea")
    pen = ImageDraw.Draw(picture)
    for left in (120, 350):
        pen.rounded_rectangle((left, 90, left + 170, 400), radius=85, fill=colour)
        pen.rounded_rectangle((left + 12, 120, left + 158, 250), radius=70, fill="#ffffff", outline=colour, width=10)
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=85)
    return SimpleUploadedFile("slippers.jpg", out.getvalue(), content_type="image/jpeg")
