"""Who shops here: a person's membership, known to clients by a public integer (contract shop 2, User)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


class CustomerQuerySet(VisibleQuerySet["Customer"]):
    """Customers."""

    def visible_to(self, by: Any) -> CustomerQuerySet:
        """An admin sees everybody, a customer himself."""
        if by is None:
            return self.none()
        return self.all() if by.is_admin else self.filter(pk=by.pk)

    def called(self, name: str) -> CustomerQuerySet:
        """By sign-in name, letter case aside."""
        return self.annotate(lower_name=Lower("name")).filter(lower_name=name.strip().lower())


class Customer(models.Model):
    """A buyer or an administrator of the shop.

    Phone and e-mail are as told and unproved: they live here and not on the person, so that naming somebody else's
    phone does not open the person who later proves it on another product.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="shop_customer", verbose_name=_("person")
    )
    name = models.CharField(_("sign-in name"), max_length=100)
    surname = models.CharField(_("surname"), max_length=100, blank=True)
    phone_number = models.CharField(_("phone"), max_length=20, null=True, blank=True, unique=True)
    email = models.EmailField(_("e-mail"), null=True, blank=True, unique=True)
    is_admin = models.BooleanField(
        _("administrator of the shop"), default=False, help_text=_("May change the catalogue and see every order")
    )
    deleted_at = models.DateTimeField(_("left"), null=True, blank=True)
    created_at = models.DateTimeField(_("joined"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [("make_admin", "Can make a customer an administrator of the shop")]
        constraints = [models.UniqueConstraint(Lower("name"), name="shop_one_customer_per_name")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="shop_customers_newest")]

    def __str__(self) -> str:
        return self.full_name or f"#{self.pk}"

    @property
    def full_name(self) -> str:
        """Name and surname, as orders show them."""
        return f"{self.name} {self.surname}".strip()
