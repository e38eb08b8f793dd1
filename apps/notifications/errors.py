"""What notifications refuse."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors


class NotificationNotFound(errors.NotFound):
    """Absent, or another person's."""

    code = "notification_not_found"
    detail = "Notification not found"
    message = _("There is no such notification")


class BadDevice(errors.Invalid):
    """The token or the subscription is not one."""

    code = "bad_device"
    detail = "Invalid device: {reason}"
    message = _("This device cannot be registered")


class BadWish(errors.Invalid):
    """An unknown channel, or hours that are not hours."""

    code = "bad_wish"
    detail = "Invalid notification settings: {reason}"
    message = _("These notification settings are not possible")


class UnknownSegment(errors.Invalid):
    """No product has registered this group of people."""

    code = "unknown_segment"
    detail = "Unknown segment {segment}"
    message = _("There is no such group of people")


class IllegalBroadcastStep(errors.Conflict):
    """The broadcast is not in a state that allows this."""

    code = "illegal_broadcast_step"
    detail = "A {from_status} broadcast cannot become {to_status}"
    message = _("A broadcast in this state cannot do that")


class NotRepeatable(errors.Conflict):
    """The delivery is not over, or went well: there is nothing to repeat."""

    code = "delivery_not_repeatable"
    detail = "A {state} delivery cannot be sent again"
    message = _("This message cannot be sent again")
