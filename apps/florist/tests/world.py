"""One of everything in a shop, each text marked, so that a stranger's answer shows at once what leaked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.florist.actions import uploads
from apps.florist.conf import PRODUCT
from apps.florist.models import (
    Comment,
    CourierDay,
    CustomerAddress,
    DeliveryRun,
    DeliverySlot,
    DeliveryZone,
    Employee,
    FlowerCategory,
    ImportantDate,
    Material,
    OrderItem,
    OrderPhoto,
    Product,
    ProductComponent,
    ProductionTask,
    ProductVariant,
    Shop,
    ShowcaseBouquet,
    SpecialDay,
    StandingOrder,
    Stop,
    Supply,
    TaskItem,
)
from apps.florist.tests import cast
from apps.florist.tests.cast import Role
from apps.florist.tests.rows import order
from apps.florist.tests.workshop import picture
from apps.notifications import actions as notifications

DAY = date(2027, 1, 15)


@dataclass
class World:
    """A shop, its people, and the id of one row of each noun under the name that paths and bodies use."""

    shop: Shop
    admin: Employee
    ids: dict[str, Any] = field(default_factory=dict)


def build(shop: Shop, mark: str) -> World:
    """One of everything. `mark` stands in every text that only this shop may read."""
    admin = cast.employee(shop, Role.ADMIN, f"Owner {mark}")
    florist = cast.employee(shop, Role.FLORIST, f"Florist {mark}")
    courier = cast.employee(shop, Role.COURIER, f"Courier {mark}")
    world = World(shop, admin)
    world.ids |= {"user_id": florist.pk, "florist_id": florist.pk, "courier_id": courier.pk, "phone": florist.phone}
    _catalogue(world, mark)
    _stock(world, mark)
    _orders(world, mark, florist, courier)
    _delivery(world, mark, courier)
    _words(world, mark)
    return world


def _catalogue(world: World, mark: str) -> None:
    product = cast.product(world.shop, f"Bouquet {mark}")
    category = FlowerCategory.objects.create(shop=world.shop, name=f"Family {mark}")
    material = Material.objects.create(shop=world.shop, name=f"Ribbon {mark}", price=Decimal(100))
    variant = ProductVariant.objects.create(product=product, name=f"Big {mark}", factor=Decimal("1.4"))
    component = cast.recipe(product, f"Rose {mark}")
    world.ids |= {
        "product_id": product.pk,
        "category_id": category.pk,
        "material_id": material.pk,
        "variant_id": variant.pk,
        "component_id": component.pk,
    }


def _stock(world: World, mark: str) -> None:
    batch = cast.batch(world.shop, f"Rose {mark}")
    other = cast.batch(world.shop, f"Tulip {mark}")
    supply = Supply.objects.create(shop=world.shop, supplier=f"Supplier {mark}", delivery_date=DAY)
    ingredient = cast.recipe(Product.objects.get(pk=world.ids["product_id"]), f"Lily {mark}")
    ProductComponent.objects.filter(pk=ingredient.pk).update(warehouse_item=batch, is_ingredient=True)
    bouquet = ShowcaseBouquet.objects.create(shop=world.shop, product_id=world.ids["product_id"])
    world.ids |= {
        "warehouse_item_id": batch.pk,
        "batch_id": batch.pk,
        "from_batch_id": batch.pk,
        "to_batch_id": other.pk,
        "supply_id": supply.pk,
        "bouquet_id": bouquet.pk,
        "ingredient_id": ingredient.pk,
    }


def _orders(world: World, mark: str, florist: Employee, courier: Employee) -> None:
    customer = cast.customer(world.shop, f"Buyer {mark}")
    other = cast.customer(world.shop, f"Second {mark}")
    placed = order(
        world.shop,
        customer=customer,
        status="paid",
        address=f"Street {mark}",
        recipient_name=f"Recipient {mark}",
        assigned_florist=florist,
        courier=courier,
    )
    line = OrderItem.objects.create(
        order=placed,
        product_id=world.ids["product_id"],
        product_name=f"Line {mark}",
        product_category="bouquet",
        quantity=1,
        price=Decimal(10_000),
        total=Decimal(10_000),
    )
    task = ProductionTask.objects.create(shop=world.shop, order=placed, florist=florist, status="in_progress")
    item = TaskItem.objects.create(task=task, order_item=line, quantity=1)
    standing = StandingOrder.objects.create(
        shop=world.shop,
        customer=customer,
        next_day=DAY,
        items=[{"product_id": world.ids["product_id"], "quantity": 1}],
    )
    world.ids |= {
        "order_id": placed.pk,
        "order_item_id": line.pk,
        "task_item_id": item.pk,
        "customer_id": customer.pk,
        "keep_customer_id": customer.pk,
        "merge_customer_id": other.pk,
        "task_id": task.pk,
        "standing_id": standing.pk,
        "address_id": CustomerAddress.objects.create(customer=customer, address=f"Home {mark}").pk,
        "date_id": ImportantDate.objects.create(customer=customer, date="05-20", description=f"Birthday {mark}").pk,
        "comment_id": Comment.objects.create(order=placed, user=world.admin, text=f"Word {mark}").pk,
        "photo_id": OrderPhoto.objects.create(order=placed, photo_url=f"/{mark}", photo_type="process").pk,
    }


def _delivery(world: World, mark: str, courier: Employee) -> None:
    zone = DeliveryZone.objects.create(shop=world.shop, name=f"Zone {mark}", price=Decimal(2000))
    slot = DeliverySlot.objects.create(shop=world.shop, starts_at=time(9), ends_at=time(11))
    special = SpecialDay.objects.create(shop=world.shop, day=DAY, kind="holiday", title=f"Feast {mark}")
    run = DeliveryRun.objects.create(shop=world.shop, courier=courier, day=DAY)
    stop = Stop.objects.create(run=run, order_id=world.ids["order_id"], position=1)
    closed = CourierDay.objects.create(
        shop=world.shop, courier=courier, day=DAY, delivered=0, failed=0, cash_expected=0, cash_handed=0
    )
    world.ids |= {
        "zone_id": zone.pk,
        "slot_id": slot.pk,
        "special_id": special.pk,
        "run_id": run.pk,
        "stop_id": stop.pk,
        "day_id": closed.pk,
    }


def _words(world: World, mark: str) -> None:
    told = notifications.tell(
        user=world.admin.user,
        product=PRODUCT,
        kind="order_created",
        title=f"Told {mark}",
        payload={"shop_id": world.shop.pk},
    )
    file = SimpleUploadedFile("a.jpg", picture().read())
    stored = uploads.store(by=None, shop=world.shop, file=file, is_public=False)
    world.ids |= {"notification_id": str(told.public_id), "upload_name": stored.name}


def snapshot() -> dict[str, dict[Any, dict[str, Any]]]:
    """Every row of the product and of its messages as it is."""
    models = [*apps.get_app_config("florist").get_models(), apps.get_model("notifications", "Notification")]
    return {model.__name__: {row["pk_"]: row for row in _rows(model)} for model in models}


def _rows(model: Any) -> list[dict[str, Any]]:
    return [{**row, "pk_": row[model._meta.pk.attname]} for row in model._default_manager.values()]


def changed(before: dict[str, dict[Any, dict[str, Any]]]) -> list[str]:
    """Rows of `before` that are not there any more or are not what they were; new rows are somebody else's."""
    now = snapshot()
    return [f"{name} {pk}" for name, rows in before.items() for pk, row in rows.items() if now[name].get(pk) != row]
