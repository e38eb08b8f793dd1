"""Refusals about buyers, their addresses, dates and standing orders, and about what strangers do with a link."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, NotAllowed, TooMany
from apps.florist.errors.base import BadRequest, Gone


class CustomerNotFound(Gone):
    """404."""

    code = "customer_not_found"
    detail = "Customer not found"
    message = _("There is no such buyer")


class PhoneTaken(BadRequest):
    """Another buyer of this shop has the phone: 400."""

    code = "phone_taken"
    detail = "Customer with this phone already exists"
    message = _("A buyer with this phone is known already")


class SameCustomer(BadRequest):
    """A buyer cannot be merged with himself: 400."""

    code = "same_customer"
    detail = "Cannot merge customer with itself"
    message = _("Choose two different buyers")


class AddressKnown(BadRequest):
    """400."""

    code = "address_known"
    detail = "Address already exists for this customer"
    message = _("This address is known already")


class DateKnown(BadRequest):
    """400."""

    code = "date_known"
    detail = "Important date already exists for this customer"
    message = _("This date is known already")


class StandingOrderNotFound(Gone):
    """404."""

    code = "standing_order_not_found"
    detail = "Standing order not found"
    message = _("There is no such standing order")


class IllegalStandingStep(Conflict):
    """Paused twice, or begun again after its end: 409."""

    code = "illegal_standing_step"
    detail = "Cannot change standing order from {from_status} to {to_status}"
    message = _("This standing order cannot do that now")


class StandingOrderEnded(Conflict):
    """What has ended is neither changed nor skipped: 409."""

    code = "standing_order_ended"
    detail = "Standing order has ended"
    message = _("This standing order is over. Begin a new one")


class LinkDead(Gone):
    """No such token, a wrong pair of number and digits, or thirty days are over: 404, always the same words."""

    code = "order_not_found"
    detail = "Order not found"
    message = _("There is no such order, or its link is over")


class DigitsWrong(NotAllowed):
    """Whoever changes the address must know the last four digits of the buyer's phone: 403."""

    code = "digits_wrong"
    detail = "Last four digits of the customer phone are required"
    message = _("These are not the last four digits of the buyer's phone")


class DigitsTooOften(TooMany):
    """Four digits are soon guessed: 429."""

    code = "digits_too_often"
    detail = "Too many wrong tries, try again later"
    message = _("Too many wrong tries. Please call the shop")


class AddressFixed(BadRequest):
    """The bouquet is made or the buyer comes himself: 400."""

    code = "address_fixed"
    detail = "Address can be changed only for new or paid orders with delivery"
    message = _("The address of this order cannot be changed any more. Call the shop")


class PhotoNotFound(Gone):
    """404."""

    code = "photo_not_found"
    detail = "Photo not found"
    message = _("There is no such picture")


class PhotoJudgedAlready(BadRequest):
    """Once per picture: 400."""

    code = "feedback_given"
    detail = "Feedback was already given"
    message = _("You have told us already")


class NothingToRepeat(BadRequest):
    """None of that order's products is on sale any more: 400."""

    code = "nothing_to_repeat"
    detail = "Products of this order are not available"
    message = _("These flowers are not on sale any more. Please choose others")


class SaidEnough(TooMany):
    """One order holds so many words of its buyer: 429."""

    code = "said_enough"
    detail = "Too many comments for this order"
    message = _("That is a lot of words. Please call the shop")
