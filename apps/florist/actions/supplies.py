"""What suppliers bring: a supply with its lines, one batch a line, in one transaction (contract florist 1.5, 3.12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import states
from apps.core.idempotency import KeyReused
from apps.florist import access, errors
from apps.florist.access import employee_of
from apps.florist.actions import batches, categories, shelf, uploads
from apps.florist.actions.batches import NewBatch
from apps.florist.actions.shelf import Cause, Reason
from apps.florist.models import Batch, FlowerCategory, Shop, Supply, SupplyItem
from apps.florist.queries import supply_text
from apps.florist.queries.stock import today_of

CENT = Decimal("0.01")
LARGEST_TOTAL = Decimal(999_999_999_999)
"""What the column holds."""
Status = Supply.Status


@dataclass(frozen=True)
class Row:
    """One flower of a supply."""

    flower_name: str
    height_cm: int
    purchase_price: Decimal
    quantity: int
    category_id: int | None = None


@dataclass(frozen=True)
class NewSupply:
    """What came; `rate` is what one unit of `currency` costs in the shop's money, which is meant without a currency."""

    supplier: str
    rows: Sequence[Row]
    farm: str | None = None
    delivery_date: date | None = None
    currency: str | None = None
    rate: Decimal = Decimal(1)
    notes: str | None = None
    comment: str | None = None
    is_draft: bool = False
    """Written down, not received yet: no stems."""


@dataclass(frozen=True)
class Proposal:
    """A line of a parsed text with its category and price."""

    row: Row
    category: FlowerCategory | None
    retail_price: Decimal


def parse(
    *, by: Any, shop: Shop, text: str, currency: str | None = None, rate: Decimal = Decimal(1)
) -> tuple[list[Proposal], list[str]]:
    """Lines that can be read, and why the others cannot; nothing is written. Raises `NotEnoughPermissions`,

    `PriceTooLarge`.
    """
    access.ensure_may(by, "warehouse")
    known = categories.ensure(shop)
    rate = batches.rate_of(shop, currency or shop.currency, rate)
    found, problems = [], []
    for line in supply_text.read(text):
        if isinstance(line, str):
            problems.append(line)
            continue
        category = categories.recognise(line.flower_name, known)
        row = Row(
            line.flower_name, line.height_cm, line.purchase_price, line.quantity, category.pk if category else None
        )
        found.append(Proposal(row, category, _retail(row, rate, category)))
    return found, problems


def bring(*, by: Any, shop: Shop, wanted: NewSupply, key: str = "") -> Supply:
    """Write a supply down and, unless it is a draft, put its stems on the shelf. The same key brings once.

    Raises `NotEnoughPermissions`, `EmptySupply`, `CategoryNotFound`, `PriceTooLarge`, `KeyReused`.
    """
    access.ensure_may(by, "warehouse")
    if not wanted.rows:
        raise errors.EmptySupply()
    key = shelf.short(key)
    try:
        with transaction.atomic():
            if before := _repeated(shop, wanted, key):
                return before
            supply = _write(by, shop, wanted, key)
            if not wanted.is_draft:
                _shelve(supply, by)
            return supply
    except IntegrityError:
        # Two tabs at once: the other one has brought it.
        if before := _repeated(shop, wanted, key):
            return before
        raise


def receive(*, by: Any, supply_id: int) -> Supply:
    """A draft has come: its lines become batches. Raises `NotEnoughPermissions`, `SupplyNotFound`,

    `IllegalSupplyStep`.
    """
    access.ensure_may(by, "warehouse")
    with transaction.atomic():
        supply = states.step(_locked(by, supply_id), Status.RECEIVED, by=by)
        _shelve(supply, by)
        return supply


def archive(*, by: Any, supply_id: int) -> Supply:
    """Put a supply away; its batches stay. Again is fine. Raises `NotEnoughPermissions`, `SupplyNotFound`."""
    access.ensure_may(by, "warehouse")
    with transaction.atomic():
        supply = _locked(by, supply_id)
        return supply if supply.status == Status.ARCHIVED else states.step(supply, Status.ARCHIVED, by=by)


def attach_invoice(*, by: Any, supply_id: int, file: Any) -> Supply:
    """Keep a picture of the invoice. Raises `NotEnoughPermissions`, `SupplyNotFound`, and what uploads refuse."""
    access.ensure_may(by, "warehouse")
    supply = Supply.objects.visible_to(by).select_related("shop").filter(pk=supply_id).first()
    if supply is None:
        raise errors.SupplyNotFound()
    stored = uploads.store(by=by, shop=supply.shop, file=file, is_public=False)
    supply.invoice_url, supply.updated_at = uploads.path_of(stored), timezone.now()
    supply.save(update_fields=["invoice_url", "updated_at"])
    return supply


def _locked(by: Any, supply_id: int) -> Supply:
    return Supply.objects.visible_to(by).lock(errors.SupplyNotFound, pk=supply_id)


def _retail(row: Row, rate: Decimal, category: FlowerCategory | None) -> Decimal:
    return batches.stem_price(row.purchase_price, rate, categories.markup_of(category))


def _repeated(shop: Shop, wanted: NewSupply, key: str) -> Supply | None:
    found = Supply.objects.filter(shop=shop, key=key).first() if key else None
    if found and (found.supplier, found.total_cost) != (wanted.supplier, _total(wanted)):
        raise KeyReused()
    return found


def _write(by: Any, shop: Shop, wanted: NewSupply, key: str) -> Supply:
    currency = wanted.currency or shop.currency
    supply = Supply.objects.create(
        shop=shop,
        supplier=wanted.supplier,
        farm=wanted.farm,
        delivery_date=wanted.delivery_date or today_of(shop),
        currency=currency,
        rate=batches.rate_of(shop, currency, wanted.rate),
        notes=wanted.notes,
        comment=wanted.comment,
        status=Status.DRAFT if wanted.is_draft else Status.ACTIVE,
        created_by=employee_of(by),
        total_cost=_total(wanted),
        key=key,
    )
    known = {category.pk: category for category in categories.ensure(shop)}
    SupplyItem.objects.bulk_create(_item(supply, row, known) for row in wanted.rows)
    return supply


def _total(wanted: NewSupply) -> Decimal:
    total = sum((_cost(row) for row in wanted.rows), Decimal(0))
    if total > LARGEST_TOTAL:
        raise errors.PriceTooLarge()
    return total


def _cost(row: Row) -> Decimal:
    """In the supplier's currency."""
    return (row.purchase_price * row.quantity).quantize(CENT)


def _item(supply: Supply, row: Row, known: dict[int, FlowerCategory]) -> SupplyItem:
    if row.category_id is not None and row.category_id not in known:
        raise errors.CategoryNotFound()
    category = known.get(row.category_id or 0) or categories.recognise(row.flower_name, known.values())
    return SupplyItem(
        supply=supply,
        flower_name=row.flower_name,
        height_cm=row.height_cm,
        purchase_price=row.purchase_price,
        quantity=row.quantity,
        retail_price=_retail(row, supply.rate, category),
        total_cost=_cost(row),
        category=category,
    )


def _shelve(supply: Supply, by: Any) -> None:
    """One batch a line, and nothing but its lines (defect 15)."""
    items = supply.items.select_related("category").order_by("pk")
    made = [_batch(supply, item, number) for number, item in enumerate(items, start=1)]
    shelf.add(supply.shop, made, Cause(Reason.RECEIPT, by=by, words=supply.supplier, about=("supply", supply.pk)))


def _batch(supply: Supply, item: SupplyItem, number: int) -> Batch:
    day = f"{supply.delivery_date:%Y%m%d}"
    wanted = NewBatch(
        sku=f"S{supply.pk}-{day}-{number:03d}",
        batch_code=f"B{day}",
        variety=item.flower_name,
        height_cm=item.height_cm,
        farm=supply.farm or "",
        supplier=supply.supplier,
        delivery_date=supply.delivery_date,
        currency=supply.currency,
        rate=supply.rate,
        cost=item.purchase_price,
        qty=item.quantity,
        markup_pct=categories.markup_of(item.category),
    )
    return batches.build(supply.shop, wanted, item.category, supply_item=item, updated_by=supply.created_by)
