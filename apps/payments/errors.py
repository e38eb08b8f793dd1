"""What payments say no to."""

from django.utils.translation import gettext_lazy as _

from apps.core import errors


class AlreadyPaid(errors.Conflict):
    """The thing has a settled payment: 409."""

    code = "already_paid"
    detail = "Already paid"
    message = _("This has been paid already")


class KeyReused(errors.Conflict):
    """The key stands for a payment or refund with other content: 409."""

    code = "idempotency_key_reused"
    detail = "Idempotency key was already used with different content"
    message = _("This key was already used for something else")


class WrongAmount(errors.Invalid):
    """Zero, negative, finer than the smallest coin, or more than there is: 422."""

    code = "wrong_amount"
    detail = "Wrong amount"
    message = _("This amount is not possible")


class MethodNotOffered(errors.Invalid):
    """The way to pay is unknown, switched off or not set up: 422."""

    code = "payment_method_not_offered"
    detail = "Payment method is not available"
    message = _("This way to pay is not available")


class GatewayRefused(errors.Refused):
    """The gateway said no; its words are in `text`: 400."""

    status = 400
    code = "gateway_refused"
    detail = "{text}"
    message = _("The payment system refused: {text}")


class GatewayDown(errors.VendorDown):
    """The gateway does not answer: 502. The payment stays and the same key may be tried again."""

    code = "gateway_unavailable"
    detail = "Payment gateway is unavailable"
    message = _("The payment system does not answer, please try again in a minute")


class GatewaySilent(errors.VendorDown):
    """The gateway took the call and did not answer in time: 504. It is asked later; the same key may be tried again."""

    status = 504
    code = "gateway_timeout"
    detail = "Payment gateway did not answer in time"
    message = _("The payment system did not answer in time; we will ask it again")


class PaymentSettled(errors.Conflict):
    """The table of states knows no such step: 409."""

    code = "payment_settled"
    detail = "The payment is {from_status} and cannot become {to_status}"
    message = _("The payment has been decided already")


class NotHeld(errors.Conflict):
    """There is no held money to take or to let go: 409."""

    code = "payment_not_held"
    detail = "The payment is not held"
    message = _("There is no reserved money to decide about")


class NotPaid(errors.Conflict):
    """Only money that came can go back: 409."""

    code = "payment_not_paid"
    detail = "The payment is not paid"
    message = _("This payment has not been paid")


class AlreadyRefunded(errors.Refused):
    """All of it has gone back or is on its way: 400 (contract shop 1.7)."""

    code = "already_refunded"
    detail = "Already refunded"
    message = _("The money has been given back already")


class RefundTooSmall(errors.Refused):
    """Below the gateway's smallest refund: 400 (contract shop 4.1)."""

    code = "refund_too_small"
    detail = "Minimum refund is >= {least} UZS (1 USD)"
    message = _("The smallest refund is {least} UZS")


class RefundOnlyWhole(errors.Conflict):
    """The gateway gives back all or nothing: 409."""

    code = "refund_only_whole"
    detail = "This gateway refunds only the whole payment"
    message = _("This payment system gives back only the whole amount")


class NotRefundable(errors.Conflict):
    """The gateway gives nothing back by itself: 409."""

    code = "payment_not_refundable"
    detail = "This gateway gives no money back"
    message = _("This payment cannot be given back by the provider")


class RefundSettled(errors.Conflict):
    """The refund has been decided: 409."""

    code = "refund_settled"
    detail = "The refund is {from_status} and cannot become {to_status}"
    message = _("The refund has been decided already")


class ReasonMissing(errors.Invalid):
    """A refund without a reason: 422."""

    code = "reason_missing"
    detail = "A reason is required"
    message = _("Please say why")


class NotPermitted(errors.NotAllowed):
    """The member of staff lacks the right: 403."""

    code = "payments_not_allowed"
    detail = "Not allowed to handle payments"
    message = _("You may not handle payments")


class NoticeMalformed(errors.Refused):
    """Not a notice at all: 400."""

    code = "notice_malformed"
    detail = "Malformed notice"
    message = _("The notice cannot be read")


class NoticeForged(errors.NotAllowed):
    """The signature does not prove the sender: 403."""

    code = "notice_forged"
    detail = "Bad signature"
    message = _("The notice is not genuine")


class UnknownPayment(errors.NotFound):
    """No such payment: 404."""

    code = "payment_not_found"
    detail = "Payment not found"
    message = _("There is no such payment")
