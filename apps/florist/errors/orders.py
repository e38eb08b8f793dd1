"""Refusals about orders, their lines, windows, photos and payments (contract florist 1.2, 3.5 to 3.7)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, NotAllowed
from apps.florist.errors.base import BadRequest, Gone


class OrderNotFound(Gone):
    """404."""

    code = "order_not_found"
    detail = "Order not found"
    message = _("There is no such order")


class OrderItemNotFound(Gone):
    """404."""

    code = "order_item_not_found"
    detail = "Order item not found"
    message = _("There is no such line in this order")


class CommentNotFound(Gone):
    """404."""

    code = "comment_not_found"
    detail = "Comment not found"
    message = _("There is no such comment")


class ZoneNotFound(Gone):
    """404."""

    code = "zone_not_found"
    detail = "Delivery zone not found"
    message = _("There is no such delivery zone")


class VariantNotFound(Gone):
    """The size is none of this product: 404."""

    code = "variant_not_found"
    detail = "Product variant not found"
    message = _("This product does not come in this size")


class IllegalTransition(Conflict):
    """The table does not know this step: 409."""

    code = "illegal_transition"
    detail = "Cannot change status from {from_status} to {to_status}"
    message = _("An order cannot go from “{from_status}” to “{to_status}”")


class CannotRollBack(BadRequest):
    """The rollback map does not know this step: 400, as clients expect."""

    code = "cannot_roll_back"
    detail = "Cannot rollback from {from_status} to {to_status}"
    message = _("An order cannot go back from “{from_status}” to “{to_status}”")


class CannotCancel(BadRequest):
    """It is on its way, handed over, or over: 400, as clients expect."""

    code = "cannot_cancel"
    detail = "Cannot cancel order with status {from_status}"
    message = _("An order that is “{from_status}” cannot be cancelled")


class NotEditable(Conflict):
    """The lines of an order are fixed once it is assembled: 409."""

    code = "order_not_editable"
    detail = "Order cannot be changed with status {status}"
    message = _("An order that is “{status}” cannot be changed any more")


class LastLine(Conflict):
    """An order keeps at least one line: 409."""

    code = "last_line"
    detail = "The last item of an order cannot be removed"
    message = _("This is the only line. Cancel the order instead")


class ProductNotForSale(Conflict):
    """The shop has switched it off: 409."""

    code = "product_not_for_sale"
    detail = "Product {product_id} is not available"
    message = _("This product is not on sale at the moment")


class WindowNotOffered(Conflict):
    """The shop does not bring flowers then; `reason` is one of past, too_soon, too_far, blackout, closed, full,

    day_full, zone_full: 409.
    """

    code = "window_not_offered"
    detail = "Delivery window is not available: {reason}"
    message = _("This delivery time is not available. Please choose another one")


class OrderTooSmall(Conflict):
    """The zone asks for a larger order: 409."""

    code = "order_too_small"
    detail = "The smallest order for this zone is {least}"
    message = _("For this zone an order costs at least {least}")


class NotAFlorist(BadRequest):
    """400."""

    code = "not_a_florist"
    detail = "User is not a florist"
    message = _("This employee is no florist")


class NotACourier(BadRequest):
    """400."""

    code = "not_a_courier"
    detail = "User is not a courier"
    message = _("This employee is no courier")


class NoticeNotGenuine(NotAllowed):
    """The payment notice is not signed with our secret: 403."""

    code = "notice_not_genuine"
    detail = "Invalid signature"
    message = _("This notice is not genuine")


class PaymentNotMade(BadRequest):
    """The notice itself says that no money came: 400."""

    code = "payment_not_made"
    detail = "Payment failed"
    message = _("The payment did not succeed")


class PaymentDiffers(BadRequest):
    """Another amount than the order's, or another order than the one this payment was for: 400."""

    code = "payment_differs"
    detail = "Payment does not match the order"
    message = _("This payment does not fit the order")


class NothingToPay(Conflict):
    """Paid already, or cancelled: 409."""

    code = "nothing_to_pay"
    detail = "Order has nothing to be paid"
    message = _("There is nothing to be paid for this order")


class NothingToPayBack(Conflict):
    """409."""

    code = "nothing_to_pay_back"
    detail = "Nothing is to be paid back for this order"
    message = _("There is nothing to be paid back for this order")


class CurrencyNotTaken(Conflict):
    """The payment systems take soum only: 409."""

    code = "currency_not_taken"
    detail = "Payment systems do not take {currency}"
    message = _("Payment systems do not take {currency}. Please pay another way")
