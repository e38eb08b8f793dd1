"""Orders, their lines, history, comments and photos (contract florist 1.2, 2, 3.5 to 3.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.florist.models.base import MONEY, OfShop, ShopQuerySet
from apps.florist.models.catalogue import SearchText


class OrderQuerySet(ShopQuerySet["Order"]):
    """Orders."""

    def visible_to(self, by: Any) -> ShopQuerySet[Order]:
        """Managers see their shop's; florists their own and those nobody has; couriers their own (3.2)."""
        mine = super().visible_to(by)
        role = getattr(by, "role", "")
        if role == "florist":
            return mine.filter(Q(assigned_florist_id=by.pk) | Q(assigned_florist=None))
        if role == "courier":
            return mine.filter(courier_id=by.pk)
        return mine


class Order(OfShop):
    """What a buyer wants brought where and when. `status` is written by `states` alone.

    `total = flower_sum + delivery_fee − discount`, all of them computed here and never taken from a client.
    """

    class Status(models.TextChoices):
        NEW = "new", _("new")
        PAID = "paid", _("paid")
        ASSEMBLED = "assembled", _("assembled")
        DELIVERY = "delivery", _("on the way")
        SELF_PICKUP = "self_pickup", _("waits to be picked up")
        DELIVERED = "delivered", _("delivered")
        COMPLETED = "completed", _("completed")
        ISSUE = "issue", _("problem")
        CANCELLED = "cancelled", _("cancelled")

    class Method(models.TextChoices):
        DELIVERY = "delivery", _("delivery")
        SELF_PICKUP = "self_pickup", _("pickup")

    class Issue(models.TextChoices):
        WRONG_ADDRESS = "wrong_address", _("wrong address")
        RECIPIENT_UNAVAILABLE = "recipient_unavailable", _("recipient cannot be reached")
        QUALITY_ISSUE = "quality_issue", _("quality")
        WRONG_ORDER = "wrong_order", _("wrong order")
        DELIVERY_DELAY = "delivery_delay", _("late")
        DELIVERY_REFUSED = "delivery_refused", _("refused by the recipient")
        OTHER = "other", _("other")

    class PaymentMethod(models.TextChoices):
        KASPI = "kaspi", "Kaspi"
        CASH = "cash", _("cash")
        TRANSFER = "transfer", _("transfer")
        QR = "qr", "QR"
        CARD = "card", _("card")

    WRITTEN_OFF = (Status.ASSEMBLED, Status.DELIVERY, Status.SELF_PICKUP, Status.DELIVERED, Status.COMPLETED)
    """States in which the stems have left the stock."""
    PAID_OR_LATER = (Status.PAID, *WRITTEN_OFF)
    """States of orders that count as sold."""

    status = models.CharField(_("status"), max_length=11, choices=Status, default=Status.NEW)
    status_before_issue = models.CharField(max_length=11, choices=Status, blank=True, editable=False)
    customer = models.ForeignKey(
        "florist.Customer", models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("buyer")
    )
    customer_phone = models.CharField(_("buyer's phone"), max_length=20)
    recipient_phone = models.CharField(_("recipient's phone"), max_length=20, null=True, blank=True)
    recipient_name = models.CharField(_("recipient"), max_length=100, null=True, blank=True)
    address = models.CharField(_("address"), max_length=500, null=True, blank=True)
    address_needs_clarification = models.BooleanField(_("address to be clarified"), default=False)
    is_anonymous = models.BooleanField(_("sender stays hidden"), default=False)
    delivery_method = models.CharField(_("how"), max_length=11, choices=Method)
    delivery_zone = models.ForeignKey(
        "florist.DeliveryZone", models.SET_NULL, null=True, blank=True, verbose_name=_("delivery zone")
    )
    delivery_from = models.DateTimeField(_("deliver from"), null=True, blank=True)
    delivery_to = models.DateTimeField(_("deliver until"), null=True, blank=True)
    delivery_time_text = models.CharField(_("time in words"), max_length=100, null=True, blank=True)
    flower_sum = models.DecimalField(_("goods"), **MONEY)
    delivery_fee = models.DecimalField(_("delivery"), default=Decimal(0), **MONEY)
    discount = models.DecimalField(_("discount"), default=Decimal(0), **MONEY)
    total = models.DecimalField(_("total"), **MONEY)
    paid_amount = models.DecimalField(_("paid"), default=Decimal(0), **MONEY)
    refund_due = models.DecimalField(_("to be paid back"), default=Decimal(0), **MONEY)
    payment_method = models.CharField(_("payment"), max_length=8, choices=PaymentMethod, null=True, blank=True)
    payment_date = models.DateTimeField(_("paid at"), null=True, blank=True)
    has_pre_delivery_photos = models.BooleanField(_("has a photo"), default=False)
    has_issue = models.BooleanField(_("problem"), default=False)
    issue_type = models.CharField(_("kind of problem"), max_length=21, choices=Issue, null=True, blank=True)
    issue_comment = models.TextField(_("about the problem"), max_length=2000, null=True, blank=True)
    tracking_token = models.CharField(max_length=43, unique=True, editable=False)
    order_number = models.CharField(
        max_length=9,
        editable=False,
        help_text=_("Nine digits for people; opens nothing without four digits of a phone"),
    )
    comment = models.TextField(_("comment"), max_length=2000, null=True, blank=True)
    card_text = models.CharField(_("text of the card"), max_length=500, null=True, blank=True)
    source = models.CharField(_("came from"), max_length=30, default="crm")
    assigned_florist = models.ForeignKey(
        "florist.Employee", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("florist")
    )
    courier = models.ForeignKey(
        "florist.Employee", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("courier")
    )
    courier_phone = models.CharField(_("courier's phone"), max_length=20, null=True, blank=True)
    courier_name = models.CharField(_("courier's name"), max_length=100, null=True, blank=True)
    standing_order = models.ForeignKey(
        "florist.StandingOrder", models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    standing_day = models.DateField(null=True, blank=True, editable=False)
    is_backorder = models.BooleanField(
        _("taken without stock"), default=False, help_text=_("A manager took it though stems were short")
    )
    reserved_until = models.DateTimeField(null=True, blank=True, editable=False)
    key = models.CharField(max_length=64, blank=True, editable=False, help_text=_("Stops a form sent twice"))
    fingerprint = models.CharField(max_length=64, blank=True, editable=False, help_text=_("What the key stands for"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    cancel_reason = models.CharField(_("why cancelled"), max_length=500, blank=True)
    assembled_at = models.DateTimeField(_("assembled at"), null=True, blank=True)
    dispatched_at = models.DateTimeField(_("left the shop"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    search_text = SearchText(editable=False, default="")

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [("handle_order", "Can handle orders of flower shops")]
        constraints = [
            models.CheckConstraint(
                # Rounded, because SQLite keeps decimals as floats: 0.1 + 0.2 is not 0.3 there.
                condition=Q(total=Round(F("flower_sum") + F("delivery_fee") - F("discount"), 2)),
                name="florist_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(flower_sum__gte=0, delivery_fee__gte=0, discount__gte=0, total__gte=0),
                name="florist_sums_not_negative",
            ),
            models.UniqueConstraint(fields=["shop", "order_number"], name="florist_one_order_per_number"),
            models.UniqueConstraint(fields=["shop", "key"], condition=~Q(key=""), name="florist_order_once"),
            models.UniqueConstraint(
                fields=["standing_order", "standing_day"],
                condition=Q(standing_order__isnull=False),
                name="florist_standing_order_once_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "-created_at", "-id"], name="florist_orders_newest"),
            models.Index(fields=["shop", "status", "-created_at", "-id"], name="florist_orders_by_status"),
            models.Index(fields=["shop", "delivery_from"], name="florist_orders_by_window"),
            models.Index(fields=["shop", "customer_phone"], name="florist_orders_by_phone"),
            models.Index(fields=["reserved_until"], name="florist_orders_unpaid", condition=Q(status="new")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def search_words(self) -> tuple[str | None, ...]:
        """What people search orders by, beside the id."""
        return self.customer_phone, self.recipient_phone, self.recipient_name, self.order_number

    @property
    def is_over(self) -> bool:
        """Nothing more will happen."""
        return self.status in (self.Status.COMPLETED, self.Status.CANCELLED)

    @property
    def outstanding(self) -> Decimal:
        """What is still to be paid; the cash that a courier collects. Nothing for a cancelled order."""
        if self.status == self.Status.CANCELLED:
            return Decimal(0)
        left: Decimal = self.total - self.paid_amount
        return max(left, Decimal(0))

    @property
    def cash_to_collect(self) -> Decimal:
        """What a courier collects at the door; transfers and cards come by other ways."""
        return self.outstanding if self.payment_method in (None, self.PaymentMethod.CASH) else Decimal(0)


class OrderItem(models.Model):
    """One line of an order with the product's name and price of that day; it outlives edits of the product."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="items", verbose_name=_("order"))
    product = models.ForeignKey(
        "florist.Product", models.PROTECT, related_name="order_items", verbose_name=_("product")
    )
    variant = models.ForeignKey("florist.ProductVariant", models.SET_NULL, null=True, blank=True, related_name="+")
    product_name = models.CharField(_("name"), max_length=200)
    product_category = models.CharField(_("category"), max_length=11)
    quantity = models.PositiveSmallIntegerField(_("pieces"))
    factor = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal(1), editable=False)
    price = models.DecimalField(_("price"), **MONEY)
    total = models.DecimalField(_("sum"), **MONEY)
    is_reserved = models.BooleanField(_("stems are reserved"), default=False)
    is_written_off = models.BooleanField(_("stems are written off"), default=False)
    reserved_at = models.DateTimeField(null=True, blank=True)
    written_off_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="florist_line_at_least_one"),
            models.CheckConstraint(
                condition=Q(total=Round(F("price") * F("quantity"), 2)), name="florist_line_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_name} × {self.quantity}"


class OrderHistory(models.Model):
    """What happened to an order, by whom; append-only."""

    class Event(models.TextChoices):
        CREATED = "created", _("created")
        STATUS_CHANGED = "status_changed", _("status changed")
        COMMENT_ADDED = "comment_added", _("comment")
        ISSUE_REPORTED = "issue_reported", _("problem reported")
        FLORIST_ASSIGNED = "florist_assigned", _("florist named")
        COURIER_ASSIGNED = "courier_assigned", _("courier named")
        PAYMENT_RECEIVED = "payment_received", _("payment came")
        EDITED = "edited", _("edited")

    order = models.ForeignKey(Order, models.CASCADE, related_name="history", db_index=False)
    event_type = models.CharField(_("what"), max_length=16, choices=Event)
    old_status = models.CharField(max_length=11, null=True, blank=True)
    new_status = models.CharField(max_length=11, null=True, blank=True)
    comment = models.CharField(max_length=1000, null=True, blank=True)
    by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    by_text = models.CharField(max_length=100, blank=True, help_text=_("Who, when it is nobody of the shop"))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("history of an order")
        verbose_name_plural = _("history of orders")
        indexes = [models.Index(fields=["order", "id"], name="florist_history_of_order")]

    def __str__(self) -> str:
        return self.event_type


class OrderPayment(models.Model):
    """Money that came for an order or went back, signed; append-only, and their sum is the order's `paid_amount`."""

    class Source(models.TextChoices):
        GATEWAY = "gateway", _("payment system")
        NOTICE = "notice", _("signed notice of Kaspi")
        CASH = "cash", _("cash in hand")
        HAND = "hand", _("written down by a manager")

    order = models.ForeignKey(Order, models.PROTECT, related_name="payments", db_index=False, verbose_name=_("order"))
    source = models.CharField(_("came by"), max_length=7, choices=Source)
    method = models.CharField(_("method"), max_length=20, help_text=_("A way to pay or the name of a gateway"))
    amount = models.DecimalField(_("amount"), help_text=_("Below zero when it went back"), **MONEY)
    key = models.CharField(max_length=200, help_text=_("Same key, same money"))
    by = models.ForeignKey(
        "florist.Employee", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("money of an order")
        verbose_name_plural = _("money of orders")
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], name="florist_money_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="florist_money_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+}"


class Comment(models.Model):
    """A word about an order; the buyer sees his own and those marked public."""

    class Author(models.TextChoices):
        STAFF = "staff", _("the shop")
        CUSTOMER = "customer", _("the buyer")

    order = models.ForeignKey(Order, models.CASCADE, related_name="comments", db_index=False)
    user = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField(_("text"), max_length=2000)
    author_type = models.CharField(_("author"), max_length=8, choices=Author, default=Author.STAFF)
    customer_name = models.CharField(max_length=100, null=True, blank=True)
    is_public = models.BooleanField(_("the buyer sees it"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        indexes = [models.Index(fields=["order", "id"], name="florist_comments_of_order")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class OrderPhoto(models.Model):
    """A picture of a bouquet or of its handing over; the buyer says once whether he likes it."""

    class Type(models.TextChoices):
        PRE_DELIVERY = "pre_delivery", _("before dispatch")
        COMPLETION = "completion", _("finished")
        PROCESS = "process", _("in work")
        DELIVERY_PROOF = "delivery_proof", _("handed over")

    class Feedback(models.TextChoices):
        LIKE = "like", _("likes it")
        DISLIKE = "dislike", _("does not like it")

    order = models.ForeignKey(Order, models.CASCADE, related_name="photos", db_index=False)
    photo_url = models.CharField(_("picture"), max_length=500)
    file = models.ForeignKey("florist.StoredFile", models.PROTECT, null=True, blank=True, related_name="order_photos")
    photo_type = models.CharField(_("kind"), max_length=14, choices=Type)
    description = models.CharField(_("words"), max_length=500, null=True, blank=True)
    uploaded_by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    customer_feedback = models.CharField(max_length=7, choices=Feedback, null=True, blank=True)
    feedback_comment = models.CharField(max_length=1000, null=True, blank=True)
    feedback_date = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("photo of an order")
        verbose_name_plural = _("photos of orders")
        indexes = [models.Index(fields=["order", "id"], name="florist_photos_of_order")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class StoredFile(models.Model):
    """A picture somebody of a shop uploaded; orphans are swept at night. Proofs keep when and where privately."""

    shop = models.ForeignKey("florist.Shop", models.PROTECT, related_name="+", null=True, blank=True)
    name = models.CharField(max_length=200, unique=True, help_text=_("Key in the storage"))
    is_public = models.BooleanField(default=True, help_text=_("Catalogue pictures are; order photos need a signature"))
    size = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("uploaded picture")
        verbose_name_plural = _("uploaded pictures")
        indexes = [models.Index(fields=["created_at"], name="florist_files_by_age")]

    def __str__(self) -> str:
        return self.name
