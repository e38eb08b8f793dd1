"""Every "no" of the shop: status, code, English words, words for people (contract shop 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.core import errors
from apps.core.errors import Refused, TooMany

__all__ = ["Refused", "TooMany"]


class BadRequest(Refused):
    """The original answers 400 here, not 409 or 422."""

    status = 400
    code = "bad_request"


# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class WrongCredentials(errors.Unauthenticated):
    """Unknown name or wrong password: the same words for both."""

    code = "wrong_credentials"
    detail = "Incorrect username or password"
    message = _("The name or the password is not right")


class RefreshTokenMissing(BadRequest):
    """Neither body nor header nor cookie holds a refresh token."""

    code = "refresh_token_missing"
    detail = "Refresh token is required"
    message = _("Please sign in again")


class RefreshTokenInvalid(errors.Unauthenticated):
    """Not a refresh token of ours, used before, signed out, or past the end of its session."""

    code = "refresh_token_invalid"
    detail = "Invalid refresh token"
    message = _("Please sign in again")


class NameTaken(BadRequest):
    """Somebody signs in with this name, letter case aside (D16)."""

    code = "name_taken"
    detail = "User with this name already exists"
    message = _("This name is taken")


class PhoneTaken(BadRequest):
    """Another customer gave this phone."""

    code = "phone_taken"
    detail = "User with this phone number already exists"
    message = _("This phone is taken")


class EmailTaken(BadRequest):
    """Another customer gave this e-mail."""

    code = "email_taken"
    detail = "User with this email already exists"
    message = _("This e-mail is taken")


class CurrentPasswordWrong(BadRequest):
    """The present password does not fit."""

    code = "current_password_wrong"
    detail = "Current password is incorrect"
    message = _("The present password is not right")


class ResetCodeWrong(BadRequest):
    """The one-time code is unknown, used, too old or was tried too often; one word for all of them."""

    code = "reset_code_wrong"
    detail = "Invalid or expired code"
    message = _("The code is not right or too old")


class NotAnAdmin(errors.NotAllowed):
    """The path is for administrators of the shop."""

    code = "not_an_admin"
    detail = "Admin access required"
    message = _("Only an administrator of the shop can do this")


class OwnRightsFixed(errors.NotAllowed):
    """Nobody changes his own `is_admin`."""

    code = "own_rights_fixed"
    detail = "You cannot change your own admin status"
    message = _("You cannot change your own rights")


class NotYourOwnAccount(BadRequest):
    """An admin changes or deletes himself through the admin's paths."""

    code = "not_your_own_account"
    detail = "You cannot manage your own account here"
    message = _("You cannot do this to your own account")


class CustomerNotFound(errors.NotFound):
    """No such customer."""

    code = "user_not_found"
    detail = "User not found"
    message = _("There is no such customer")


class CustomerHasPaidOrders(errors.Conflict):
    """History of money is kept: such a customer can be blocked, not deleted (D17)."""

    code = "user_has_paid_orders"
    detail = "User has paid orders; deactivate the account instead"
    message = _("This customer has paid orders: block the account instead of deleting it")


# ── Catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────────
class CategoryNotFound(errors.NotFound):
    """No such category."""

    code = "category_not_found"
    detail = "Category not found"
    message = _("There is no such category")


class CategoryNameTaken(BadRequest):
    """A category of this name exists (D18)."""

    code = "category_name_taken"
    detail = "Category with this name already exists"
    message = _("A category with this name exists")


class SlipperNotFound(errors.NotFound):
    """No such product, or it was taken out of the catalogue."""

    code = "slipper_not_found"
    detail = "Slipper not found"
    message = _("There is no such product")


class ImageNotFound(errors.NotFound):
    """No such picture of this product."""

    code = "image_not_found"
    detail = "Image not found"
    message = _("There is no such picture")


class NoImages(BadRequest):
    """An upload without a file."""

    code = "no_images"
    detail = "No images provided"
    message = _("Please choose a picture")


class TooManyImages(BadRequest):
    """More pictures than a request or a product may have."""

    code = "too_many_images"
    detail = "Maximum {most} images allowed"
    message = _("At most {most} pictures")


class ImageTypeNotAllowed(BadRequest):
    """The file's name does not end like a picture's."""

    code = "image_type_not_allowed"
    detail = "File type not allowed. Allowed: jpg, jpeg, png, webp, gif"
    message = _("Only pictures: jpg, png, webp or gif")


class ImageUnreadable(BadRequest):
    """The bytes are not a picture, whatever the name says (D21)."""

    code = "image_unreadable"
    detail = "File is not a valid image"
    message = _("This file is not a picture that we can read")


class StockChanged(errors.Conflict):
    """Somebody bought or edited in between."""

    code = "stock_changed"
    detail = "Stock has changed, please reload"
    message = _("The stock has changed in the meantime, please look again")


class MayNotEditCatalogue(errors.NotAllowed):
    """A staff member without the right."""

    code = "may_not_edit_catalogue"
    detail = "You may not change the catalogue"
    message = _("You may not change the catalogue")


# ── Cart, orders, money ─────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Shortage:
    """A product of which fewer pieces are left than somebody wants."""

    slipper_id: int
    name: str
    size: str
    requested: int
    available: int

    def __str__(self) -> str:
        return f"{self.name}, {self.size} ({self.available}/{self.requested})"


class CartItemNotFound(errors.NotFound):
    """No such line in the caller's own cart."""

    code = "cart_item_not_found"
    detail = "Cart item not found"
    message = _("There is no such line in your cart")


class CartEmpty(BadRequest):
    """An order from a cart without lines."""

    code = "cart_empty"
    detail = "Cart is empty"
    message = _("Your cart is empty")


class NotEnoughStock(errors.Conflict):
    """More pieces are wanted than can be sold (D13). `short` lists every such product with what is left."""

    code = "not_enough_stock"
    detail = "Not enough stock: {products}"
    message = _("Not enough in stock: {products}")

    def __init__(self, short: Sequence[Shortage]) -> None:
        self.short = list(short)
        super().__init__(products="; ".join(map(str, self.short)))


class OrderNotFound(errors.NotFound):
    """No such order, or it was deleted."""

    code = "order_not_found"
    detail = "Order not found"
    message = _("There is no such order")


class OrderOfAnother(errors.NotAllowed):
    """Somebody else's order: the contract wants 403 here, ids are consecutive anyway."""

    code = "order_of_another"
    detail = "Not authorized to access this order"
    message = _("This is somebody else's order")


class MayNotHandleOrders(errors.NotAllowed):
    """A buyer sets a status other than `cancelled`, or a staff member lacks the right."""

    code = "may_not_handle_orders"
    detail = "You may not set this status"
    message = _("Only the shop can do this")


class IllegalOrderStep(errors.Conflict):
    """The table of states does not know this step."""

    code = "illegal_status"
    detail = "Cannot change status from {from_status} to {to_status}"
    message = _("An order in this state cannot be changed so")


class OnlyPaymentSetsStatus(errors.Conflict):
    """Paid and paid back follow from money; by hand only with a reason, which is kept."""

    code = "only_payment_sets_status"
    detail = "Status {to_status} is set by the payment; an administrator must give a reason"
    message = _("This status follows from the payment; to set it by hand, give a reason")


class OrderNotPending(errors.Conflict):
    """The buyer may change, cancel and pay an order only while it waits for its payment."""

    code = "order_not_pending"
    detail = "Order is {status}"
    message = _("This order no longer waits for its payment")


class OrderHasPayment(errors.Conflict):
    """Money came or may come: history of money is kept (D7)."""

    code = "order_has_payment"
    detail = "Order has a payment and cannot be deleted"
    message = _("This order has a payment and cannot be deleted")


# ── Payments ────────────────────────────────────────────────────────────────────────────────────────────────────────
class OrderPaidBack(BadRequest):
    """The money of this order went back; it is not paid a second time (contract shop 1.7)."""

    code = "order_refunded"
    detail = "Order is refunded"
    message = _("The money for this order was given back; please order again")


class NoPayment(BadRequest):
    """Nobody ever tried to pay this order, so there is nothing to give back."""

    code = "no_payment"
    detail = "Order has no payment"
    message = _("Nothing was paid for this order")


class PaymentsNotSetUp(BadRequest):
    """Cards are not offered: keys are missing, or the operator switched OCTO off. Names of settings, never values."""

    code = "payments_not_set_up"
    detail = "Card payments are not configured: OCTO_SHOP_ID, OCTO_SECRET, PAYMENT_METHODS"
    message = _("Paying by card is not possible at the moment")
