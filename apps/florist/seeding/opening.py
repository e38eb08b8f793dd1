"""Opening the sample shops: people, zones, shelves with drawn pictures, buyers."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageDraw

from apps.accounts.models import User
from apps.florist.actions import uploads
from apps.florist.models import (
    CalculatorSettings,
    Customer,
    CustomerAddress,
    DeliverySlot,
    DeliveryZone,
    Employee,
    FlowerCategory,
    ImportantDate,
    Material,
    Product,
    ProductComponent,
    ProductImage,
    Shop,
)
from apps.florist.seeding import samples
from apps.florist.seeding.house import House


# ── Shops and people ────────────────────────────────────────────────────────────────────────────────────────────────
def persons() -> dict[int, User]:
    """Person by number. One published password for all of them; hashed once, because that is slow on purpose."""
    password = make_password(samples.PASSWORD)
    numbers = sorted({number for staff in samples.STAFF for number, _name, _role in staff})
    found = {}
    for number in numbers:
        phone = _phone(number)
        user = User.objects.filter(phone=phone).first() or User.objects.create_user(
            username=f"florist-sample-{number}", phone=phone, language="ru"
        )
        User.objects.filter(pk=user.pk).update(password=password)
        found[number] = user
    return found


def _phone(number: int) -> str:
    return f"+7701{number:07d}"


def open_shop(number: int, persons: dict[int, User]) -> House:
    """A shop with its people, shelves and buyers."""
    name, phone, address = samples.SHOPS[number]
    shop = Shop.objects.create(
        name=name, phone=phone, address=address, owner=persons[1], is_verified=True, plan=Shop.Plan.STANDARD
    )
    dice, zone = random.Random(f"mahalla florist {number}"), ZoneInfo(shop.timezone)
    people = _hire(shop, samples.STAFF[number], persons)
    DeliverySlot.objects.bulk_create(
        DeliverySlot(shop=shop, starts_at=time(start), ends_at=time(end), capacity=12) for start, end in samples.WINDOWS
    )
    zones = DeliveryZone.objects.bulk_create(
        DeliveryZone(shop=shop, name=title, price=price, position=place)
        for place, (title, price) in enumerate(samples.ZONES)
    )
    products, recipes = _fill_shelves(shop, people["admin"][0])
    customers, homes = _invite(shop, dice, number)
    today = timezone.now().astimezone(zone).date()
    return House(shop, people, zones, products, recipes, customers, homes, dice, today, zone)


def _hire(shop: Shop, staff: Iterable[tuple[int, str, str]], persons: dict[int, User]) -> dict[str, list[Employee]]:
    people: dict[str, list[Employee]] = {}
    for number, name, role in staff:
        seat = Employee.objects.create(shop=shop, user=persons[number], phone=_phone(number), name=name, role=role)
        people.setdefault(role, []).append(seat)
    return people


def _fill_shelves(shop: Shop, owner: Employee) -> tuple[list[Product], dict[int, list[ProductComponent]]]:
    CalculatorSettings.objects.create(shop=shop)
    FlowerCategory.objects.bulk_create(
        FlowerCategory(shop=shop, name=name, markup_percentage=markup, keywords=words, shelf_life_days=days)
        for name, markup, words, days in samples.CATEGORIES
    )
    Material.objects.bulk_create(Material(shop=shop, name=n, category=c, price=p) for n, c, p in samples.MATERIALS)
    return _fill_window(shop, owner)


def _fill_window(shop: Shop, owner: Employee) -> tuple[list[Product], dict[int, list[ProductComponent]]]:
    products, recipes = [], {}
    for name, category, price, sale, colour, stems in samples.BOUQUETS:
        stored = uploads.store(by=owner, shop=shop, file=_drawing(colour), is_public=True)
        url = uploads.url_of(stored)
        made = Product.objects.create(
            shop=shop,
            name=name,
            category=category,
            cost_price=Decimal(price) * 2 / 5,
            retail_price=price,
            sale_price=sale,
            image_url=url,
            is_popular=price > 14_000,
        )
        ProductImage.objects.create(product=made, image_url=url, is_primary=True)
        recipes[made.pk] = ProductComponent.objects.bulk_create(_line(made, *stem) for stem in stems)
        products.append(made)
    return products, recipes


def _line(product: Product, variety: str, stems: int) -> ProductComponent:
    height, _category, cost, _often = next((row[1], *row[2:]) for row in samples.FLOWERS if row[0] == variety)
    return ProductComponent(
        product=product,
        component_type=ProductComponent.Type.FLOWER,
        name=variety,
        variety=variety,
        height_cm=height,
        quantity=stems,
        unit_cost=cost,
        unit_price=cost * 2,
    )


def _drawing(colour: str) -> SimpleUploadedFile:
    """A bouquet in one colour: no photograph of anybody's has to travel with the project."""
    picture = Image.new("RGB", (640, 640), "#f6f3ec")
    pen = ImageDraw.Draw(picture)
    pen.polygon([(230, 330), (410, 330), (340, 600), (300, 600)], fill="#7a8f5a")
    for x, y in ((320, 170), (230, 220), (410, 220), (270, 290), (370, 290), (320, 240)):
        pen.ellipse((x - 70, y - 70, x + 70, y + 70), fill=colour, outline="#ffffff", width=6)
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=85)
    return SimpleUploadedFile("bouquet.jpg", out.getvalue(), content_type="image/jpeg")


def _invite(shop: Shop, dice: random.Random, number: int) -> tuple[list[Customer], dict[int, str]]:
    customers = Customer.objects.bulk_create(
        Customer(
            shop=shop,
            phone=f"+7702{number}{index:06d}",
            name=dice.choice(samples.NAMES),
            source=dice.choice(("instagram", "website", "walkin", "phone")),
            preferences="Без лилий" if index % 25 == 0 else None,
        )
        for index in range(samples.CUSTOMERS)
    )
    homes = {
        person.pk: f"{dice.choice(samples.STREETS)}, {dice.randint(1, 180)}, кв. {dice.randint(1, 90)}"
        for person in customers
    }
    CustomerAddress.objects.bulk_create(
        CustomerAddress(customer_id=pk, address=home, is_primary=True, usage_count=1, last_used_at=timezone.now())
        for pk, home in homes.items()
    )
    _remember_dates(customers, dice)
    return customers, homes


def _remember_dates(customers: list[Customer], dice: random.Random) -> None:
    """Some of them fall into the next days, so that the desk has something to show."""
    rows = []
    for index, person in enumerate(customers[::3]):
        day = timezone.now().date() + timedelta(days=index % 5 if index < 10 else dice.randint(5, 300))
        rows.append(ImportantDate(customer=person, date=f"{day:%m-%d}", description=dice.choice(samples.DATES)))
    ImportantDate.objects.bulk_create(rows)
