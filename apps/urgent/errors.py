"""Every "no" of the market: status, code, the English words that clients match on, words for people (contract
urgent 1.3).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors
from apps.core.errors import Refused, TooMany

__all__ = ["Refused", "TooMany"]


class BadRequest(Refused):
    """The request makes no sense for this order: 400."""

    status = 400
    code = "bad_request"


class OrderNotFound(errors.NotFound):
    """Absent, deleted by somebody else, or not the caller's where only owners may ask."""

    code = "order_not_found"
    detail = "Order not found"
    message = _("There is no such order")


class OrderNotActive(errors.Gone):
    """The order has left `active`."""

    code = "order_not_active"
    detail = "Order is no longer active"
    message = _("This order is no longer active")


class OrderExpired(errors.Gone):
    """The lifetime is over."""

    code = "order_expired"
    detail = "Order has expired"
    message = _("This order has expired")


class OwnOrder(errors.NotAllowed):
    """A client tried to take his own order."""

    code = "own_order"
    detail = "Cannot take your own order"
    message = _("You cannot take your own order")


class EditAfterTake(errors.NotAllowed):
    """Somebody has paid for what is written there."""

    code = "edit_after_take"
    detail = "Cannot edit order after executor has taken it"
    message = _("An executor has taken the order, it can no longer be changed")


class DeleteAfterTake(errors.NotAllowed):
    """Somebody has paid for it."""

    code = "delete_after_take"
    detail = "Cannot delete order after executor has taken it"
    message = _("An executor has taken the order, it can no longer be deleted")


class NotTheClient(errors.NotAllowed):
    """Only the owner answers, closes and completes."""

    code = "not_the_client"
    detail = "Only the order client can do this"
    message = _("Only the client of the order can do this")


class MemberBlocked(errors.NotAllowed):
    """Staff have blocked the member."""

    code = "member_blocked"
    detail = "Your account is blocked"
    message = _("Your account is blocked. Please write to support")


class NobodyTookIt(errors.Conflict):
    """There is nobody to answer to."""

    code = "nobody_took_it"
    detail = "No executor has taken this order"
    message = _("Nobody has taken this order yet")


class AlreadyResponded(errors.Conflict):
    """The client answers once."""

    code = "already_responded"
    detail = "Already responded to this order"
    message = _("You have already answered")


class ContactInUse(errors.Conflict):
    """Another active order has the same contact."""

    code = "contact_in_use"
    detail = "This contact already has an active order"
    message = _("There is an active order with this contact already")


class OrderFull(errors.Conflict):
    """All places are taken."""

    code = "order_full"
    detail = "Maximum {places} executors reached"
    message = _("{places} executors have taken the order already")


class NotEnoughBalance(errors.NeedsPayment):
    """The balance is below the price of a take."""

    code = "insufficient_balance"
    detail = "Insufficient balance. Need {price}₽"
    message = _("There is not enough money on your balance: {price} ₽ are needed")


class UnknownCity(errors.Invalid):
    """The town is not in our list."""

    code = "unknown_city"
    detail = "Unknown city"
    message = _("We do not know this town")


class TooManyOrders(TooMany):
    """More new orders in an hour than allowed."""

    code = "too_many_orders"
    detail = "Too many orders. Try again later"
    message = _("You have posted many orders, please wait a little")


class TooManyTakes(TooMany):
    """More takes in a minute than allowed."""

    code = "too_many_takes"
    detail = "Too many requests. Try again later"
    message = _("Too fast, please wait a little")


class AlreadyRefunded(errors.Conflict):
    """The take was paid back before."""

    code = "already_refunded"
    detail = "This take has already been refunded"
    message = _("The money for this take has been given back already")


class ReasonNeeded(errors.Invalid):
    """Staff must say why."""

    code = "reason_needed"
    detail = "A reason is required"
    message = _("Please say why")


class ReviewNotOpen(BadRequest):
    """Only completed and expired orders are reviewed."""

    code = "review_not_open"
    detail = "Order must be completed or expired to leave a review"
    message = _("An order can be reviewed once it is completed or expired")


class NoExecutorToReview(BadRequest):
    """Nobody took the order."""

    code = "no_executor"
    detail = "No executor has taken this order"
    message = _("Nobody has taken this order")


class ExecutorDidNotTake(BadRequest):
    """The named executor has no take."""

    code = "executor_did_not_take"
    detail = "This executor did not take this order"
    message = _("This executor did not take the order")


class AlreadyReviewed(errors.Conflict):
    """One review per order, client and executor (D9)."""

    code = "already_reviewed"
    detail = "Already reviewed this executor for this order"
    message = _("You have reviewed this already")


class AlreadyComplained(errors.Conflict):
    """One complaint per order and executor."""

    code = "already_complained"
    detail = "Already complained about this order"
    message = _("You have complained about this order already")


class DidNotTake(errors.NotFound):
    """Only takers complain."""

    code = "did_not_take"
    detail = "You did not take this order"
    message = _("You did not take this order")


class PaymentNotFound(errors.NotFound):
    """Absent, or somebody else's."""

    code = "payment_not_found"
    detail = "Payment not found"
    message = _("There is no such payment")


class PaymentsNotConfigured(errors.VendorDown):
    """The operator has not set up this provider."""

    status = 503
    code = "payments_not_configured"
    detail = "Payment service not configured"
    message = _("Payments are switched off at the moment")


class PaymentProviderFailed(errors.VendorDown):
    """The provider did not make a bill."""

    code = "payment_provider_failed"
    detail = "Payment service is temporarily unavailable"
    message = _("The payment service does not answer, please try again later")


class DevRechargeOff(errors.NotAllowed):
    """Crediting oneself is for development only (contract urgent 8.2)."""

    code = "dev_recharge_off"
    detail = "Direct recharge is disabled. Use create-invoice"
    message = _("Please top up by payment")


class TooManyRecharges(TooMany):
    """More invoices in an hour than allowed."""

    code = "too_many_recharges"
    detail = "Too many requests. Try again later"
    message = _("Too many payments started, please wait a little")


class NoticeForged(errors.Unauthenticated):
    """A vendor's notice without a valid signature (D12)."""

    code = "bad_signature"
    detail = "Invalid signature"
    message = _("The notice is not genuine")


class NoticeMalformed(BadRequest):
    """A genuine notice that we cannot read (D12)."""

    code = "malformed_notice"
    detail = "Malformed notice"
    message = _("The notice cannot be read")


class NotAModerator(errors.NotAllowed):
    """Staff without the right for this."""

    code = "not_a_moderator"
    detail = "Not allowed to moderate"
    message = _("You have no right to do this")


class AlreadyDecided(errors.Conflict):
    """The review or complaint is no longer in the state that the button was for."""

    code = "already_decided"
    detail = "Already {from_status}"
    message = _("This has been decided already, please look again")


class UnknownCategory(errors.Invalid):
    """Not one of the seven categories."""

    code = "unknown_category"
    detail = "Unknown category"
    message = _("There is no such category")


class WrongMailCode(BadRequest):
    """The e-mail code is wrong, used up or too old."""

    code = "wrong_code"
    detail = "Wrong or expired code"
    message = _("The code is wrong or too old")


class NoMailBox(errors.NotFound):
    """No address was given."""

    code = "no_email"
    detail = "No e-mail address"
    message = _("You have not given an e-mail address")


class PushNotConfigured(errors.VendorDown):
    """The operator has no VAPID keys."""

    status = 503
    code = "push_not_configured"
    detail = "Push notifications not configured"
    message = _("Notifications in the browser are switched off")


class TooManyCodes(TooMany):
    """More e-mail codes than allowed."""

    code = "too_many_codes"
    detail = "Too many codes. Try again later"
    message = _("Too many codes, please wait a little")
