"""The warehouse: supplies, batches, movements, reservations, counts, transfers (contract florist 1.5, 3.11, 3.12)."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.florist.models.base import MONEY, OfShop, ShopQuerySet
from apps.florist.models.catalogue import SearchText


class Currency(models.TextChoices):
    """What suppliers are paid in."""

    USD = "USD", "USD"
    EUR = "EUR", "EUR"
    KZT = "KZT", "KZT"
    UZS = "UZS", "UZS"


class Supply(OfShop):
    """What one supplier brought on one day; the original's deliveries and supplies are both this."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        RECEIVED = "received", _("received")
        ACTIVE = "active", _("active")
        ARCHIVED = "archived", _("archived")

    supplier = models.CharField(_("supplier"), max_length=100)
    farm = models.CharField(_("farm"), max_length=100, null=True, blank=True)
    delivery_date = models.DateField(_("came on"))
    currency = models.CharField(_("currency"), max_length=3, choices=Currency, default=Currency.KZT)
    rate = models.DecimalField(_("rate"), max_digits=12, decimal_places=4, default=Decimal(1))
    notes = models.TextField(_("notes"), max_length=2000, null=True, blank=True)
    comment = models.TextField(_("comment"), max_length=2000, null=True, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    total_cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=2, default=Decimal(0))
    invoice_url = models.CharField(_("picture of the invoice"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        "florist.Employee", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    key = models.CharField(max_length=64, blank=True, editable=False, help_text=_("Stops a form sent twice"))

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("supply")
        verbose_name_plural = _("supplies")
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="florist_supply_rate_above_zero"),
            models.UniqueConstraint(fields=["shop", "key"], condition=~Q(key=""), name="florist_supply_once"),
        ]
        indexes = [models.Index(fields=["shop", "-created_at", "-id"], name="florist_supplies_newest")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SupplyItem(models.Model):
    """One line of a supply; each makes one batch, whose stock is what remains of it."""

    supply = models.ForeignKey(Supply, models.CASCADE, related_name="items", verbose_name=_("supply"))
    flower_name = models.CharField(_("variety"), max_length=100)
    height_cm = models.PositiveSmallIntegerField(_("height, cm"))
    purchase_price = models.DecimalField(_("price of a stem"), **MONEY)
    quantity = models.PositiveIntegerField(_("stems"))
    retail_price = models.DecimalField(_("retail price"), default=Decimal(0), **MONEY)
    total_cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=2, default=Decimal(0))
    category = models.ForeignKey(
        "florist.FlowerCategory", models.SET_NULL, null=True, blank=True, verbose_name=_("category")
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("line of a supply")
        verbose_name_plural = _("lines of supplies")

    def __str__(self) -> str:
        return self.flower_name


class Batch(OfShop):
    """The original's warehouse item: stems of one variety, height and day. 0 ≤ reserved ≤ stock, always.

    `qty` is the sum of the batch's movements; only `actions.shelf` writes `qty` and `reserved_qty`.
    """

    sku = models.CharField(_("SKU"), max_length=100)
    batch_code = models.CharField(_("batch"), max_length=100)
    variety = models.CharField(_("variety"), max_length=100)
    height_cm = models.PositiveSmallIntegerField(_("height, cm"))
    farm = models.CharField(_("farm"), max_length=100)
    supplier = models.CharField(_("supplier"), max_length=100)
    delivery_date = models.DateField(_("came on"))
    expires_on = models.DateField(_("sell until"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, choices=Currency, default=Currency.KZT)
    rate = models.DecimalField(_("rate"), max_digits=12, decimal_places=4, default=Decimal(1))
    cost = models.DecimalField(_("cost of a stem"), **MONEY)
    markup_pct = models.DecimalField(_("markup, %"), max_digits=7, decimal_places=2, default=Decimal(100))
    recommended_price = models.DecimalField(_("proposed price"), **MONEY)
    price = models.DecimalField(_("price"), **MONEY)
    qty = models.PositiveIntegerField(_("stock"), default=0)
    reserved_qty = models.PositiveIntegerField(_("reserved"), default=0)
    on_showcase = models.BooleanField(_("on showcase"), default=False)
    to_write_off = models.BooleanField(_("to be written off"), default=False)
    hidden = models.BooleanField(_("hidden"), default=False)
    search_text = SearchText(editable=False, default="")
    updated_by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    category = models.ForeignKey(
        "florist.FlowerCategory", models.SET_NULL, null=True, blank=True, verbose_name=_("category")
    )
    supply_item = models.OneToOneField(
        SupplyItem, models.PROTECT, null=True, blank=True, related_name="batch", verbose_name=_("line of a supply")
    )

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = [
            models.UniqueConstraint(fields=["shop", "sku"], name="florist_one_batch_per_sku"),
            models.CheckConstraint(condition=Q(reserved_qty__lte=F("qty")), name="florist_reserved_within_stock"),
            models.CheckConstraint(condition=Q(rate__gt=0, cost__gte=0), name="florist_batch_prices_sane"),
        ]
        indexes = [
            models.Index(fields=["shop", "variety", "delivery_date", "id"], name="florist_batches_fifo"),
            models.Index(fields=["shop", "-created_at", "-id"], name="florist_batches_newest"),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def search_words(self) -> tuple[str, ...]:
        """What people search batches by."""
        return self.sku, self.variety, self.batch_code

    @property
    def stem_cost(self) -> Decimal:
        """What a stem cost in the shop's currency."""
        return (self.cost * self.rate).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def available_qty(self) -> int:
        """Stems nobody has reserved."""
        return self.qty - self.reserved_qty

    def is_expired(self, today: date) -> bool:
        """Past its shelf life."""
        return self.expires_on is not None and self.expires_on < today


class Movement(models.Model):
    """One change of a batch's stock; append-only, and their sum is the stock."""

    class Type(models.TextChoices):
        IN = "in", _("in")
        OUT = "out", _("out")
        ADJUSTMENT = "adjustment", _("adjustment")

    class Reason(models.TextChoices):
        RECEIPT = "receipt", _("receipt")
        ORDER = "order", _("order")
        SALE = "sale", _("sale")
        WASTE_WILTED = "waste_wilted", _("wilted")
        WASTE_DAMAGED = "waste_damaged", _("damaged")
        WASTE_EXPIRED = "waste_expired", _("too old")
        RETURN = "return", _("return")
        TRANSFER = "transfer", _("transfer")
        INVENTORY = "inventory", _("count")
        SHOWCASE = "showcase", _("bouquet for the showcase")
        OTHER = "other", _("other")

    WASTE = (Reason.WASTE_WILTED, Reason.WASTE_DAMAGED, Reason.WASTE_EXPIRED)

    shop = models.ForeignKey("florist.Shop", models.PROTECT, related_name="+", db_index=False, verbose_name=_("shop"))
    warehouse_item = models.ForeignKey(
        Batch, models.PROTECT, related_name="movements", db_index=False, verbose_name=_("batch")
    )
    type = models.CharField(_("kind"), max_length=10, choices=Type)
    reason = models.CharField(_("reason"), max_length=14, choices=Reason)
    quantity = models.IntegerField(_("stems"), help_text=_("Signed"))
    unit_cost = models.DecimalField(
        _("cost of a stem"), default=Decimal(0), help_text=_("In the shop's currency"), **MONEY
    )
    description = models.CharField(_("words"), max_length=255, blank=True)
    reference_type = models.CharField(max_length=30, null=True, blank=True)
    reference_id = models.BigIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(
        "florist.Employee", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    photo_url = models.CharField(_("picture"), max_length=500, blank=True)
    key = models.CharField(max_length=64, blank=True, editable=False, help_text=_("Stops a form sent twice"))
    qty_before = models.PositiveIntegerField(_("before"))
    qty_after = models.PositiveIntegerField(_("after"))
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("movement of stock")
        verbose_name_plural = _("movements of stock")
        constraints = [
            models.CheckConstraint(
                condition=Q(qty_after=F("qty_before") + F("quantity")), name="florist_movement_adds_up"
            ),
            models.UniqueConstraint(fields=["shop", "key"], condition=~Q(key=""), name="florist_movement_once"),
        ]
        indexes = [
            models.Index(fields=["warehouse_item", "-created_at", "-id"], name="florist_movements_of_batch"),
            models.Index(fields=["shop", "reason", "created_at"], name="florist_movements_by_reason"),
            models.Index(fields=["reference_type", "reference_id"], name="florist_movements_of_what"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d}"


class StockReservation(models.Model):
    """Stems of one batch set aside for one line of an order; written off once, or released.

    `for_variety` and `for_height_cm` are the recipe's words: a substitute still stands for the flower that was meant.
    """

    class State(models.TextChoices):
        HELD = "held", _("held")
        WRITTEN_OFF = "written_off", _("written off")
        RELEASED = "released", _("released")
        USED_UP = "used_up", _("used up")
        """Written off for flowers that left the shop and are made anew: these stems never come back."""

    shop = models.ForeignKey("florist.Shop", models.PROTECT, related_name="+", db_index=False)
    order_item = models.ForeignKey("florist.OrderItem", models.PROTECT, related_name="reservations", db_index=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="reservations", db_index=False)
    for_variety = models.CharField(_("for"), max_length=100)
    for_height_cm = models.PositiveSmallIntegerField(_("for height, cm"), null=True, blank=True)
    qty = models.PositiveIntegerField(_("stems"))
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.HELD)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [models.CheckConstraint(condition=Q(qty__gt=0), name="florist_reservation_above_zero")]
        indexes = [
            models.Index(fields=["order_item", "state"], name="florist_reservations_of_line"),
            models.Index(fields=["batch"], name="florist_reservations_held", condition=Q(state="held")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class StockTransfer(models.Model):
    """Stems handed from one shop of an owner to another: a movement out here, a batch in there."""

    from_shop = models.ForeignKey("florist.Shop", models.PROTECT, related_name="transfers_out")
    to_shop = models.ForeignKey("florist.Shop", models.PROTECT, related_name="transfers_in")
    from_batch = models.ForeignKey(Batch, models.PROTECT, related_name="+")
    to_batch = models.ForeignKey(Batch, models.PROTECT, related_name="+")
    qty = models.PositiveIntegerField(_("stems"))
    created_by = models.ForeignKey("florist.Employee", models.PROTECT, related_name="+")
    key = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("transfer between shops")
        verbose_name_plural = _("transfers between shops")

    def __str__(self) -> str:
        return f"#{self.pk}"


class ShowcaseBouquet(OfShop):
    """A bouquet made ahead for the showcase: its stems are written off, and come back when it is taken apart."""

    class State(models.TextChoices):
        SHOWN = "shown", _("on showcase")
        SOLD = "sold", _("sold")
        APART = "apart", _("taken apart")

    product = models.ForeignKey("florist.Product", models.PROTECT, related_name="+", verbose_name=_("product"))
    state = models.CharField(_("state"), max_length=5, choices=State, default=State.SHOWN)
    made_by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, related_name="+")
    order_item = models.OneToOneField("florist.OrderItem", models.PROTECT, null=True, blank=True, related_name="shown")
    key = models.CharField(max_length=64, blank=True, editable=False, help_text=_("Stops a form sent twice"))

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("bouquet on the showcase")
        verbose_name_plural = _("bouquets on the showcase")
        constraints = [
            models.UniqueConstraint(fields=["shop", "key"], condition=~Q(key=""), name="florist_bouquet_once")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class StockAlert(models.Model):
    """What managers were told about a variety; the row goes when the trouble is over, so that each is told once."""

    class Kind(models.TextChoices):
        LOW = "low", _("runs low")
        EXPIRING = "expiring", _("gets old")

    shop = models.ForeignKey("florist.Shop", models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    variety = models.CharField(_("variety"), max_length=100)
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("stock alert")
        verbose_name_plural = _("stock alerts")
        constraints = [
            models.UniqueConstraint(fields=["shop", "kind", "variety"], name="florist_one_alert_per_variety")
        ]

    def __str__(self) -> str:
        return self.variety
