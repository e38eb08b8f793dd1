"""Refusals about shops, employees and signing in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, NotAllowed, NotFound, Refused, Unauthenticated
from apps.florist.errors.base import BadRequest, Gone


class EmployeeGone(Unauthenticated):
    """The token's employee works here no more: 401."""

    code = "employee_gone"
    detail = "User is not active"
    message = _("You do not work in this shop any more")


class ShopClosed(NotAllowed):
    """The platform closed the shop: 403."""

    code = "shop_closed"
    detail = "Shop is not active"
    message = _("This shop is closed, please contact support")


class ShopNotFound(NotFound):
    """404."""

    code = "shop_not_found"
    detail = "Shop not found"
    message = _("There is no such shop")


class EmployeeNotFound(Gone):
    """404."""

    code = "user_not_found"
    detail = "User not found"
    message = _("There is no such employee")


class RefreshTokenInvalid(Unauthenticated):
    """Expired, used before, or not ours: 401."""

    code = "refresh_token_invalid"
    detail = "Invalid refresh token"
    message = _("Please sign in again")


class RegistrationTokenInvalid(BadRequest):
    """Not the token of a proved phone: 400."""

    code = "registration_token_invalid"
    detail = "Invalid registration token"
    message = _("Please prove your phone again")


class RegistrationExpired(BadRequest):
    """Proved too long ago, or used already: 400."""

    code = "registration_expired"
    detail = "Registration session expired"
    message = _("Please prove your phone again")


class ShopExists(BadRequest):
    """The phone has a shop: 400."""

    code = "shop_exists"
    detail = "Shop with this phone already exists"
    message = _("There is a shop with this phone already")


class InitDataMalformed(BadRequest):
    """Not initData at all: 400."""

    code = "init_data_malformed"
    detail = "Invalid Telegram initData: {reason}"
    message = _("Please open the app from Telegram again")


class NoShopForTelegram(NotFound):
    """Nobody here is linked to this Telegram account: 404."""

    code = "telegram_not_linked"
    detail = "Shop not found"
    message = _("Share your phone with our bot first")


class PhoneInUse(BadRequest):
    """Somebody of this shop has the phone: 400."""

    code = "phone_in_use"
    detail = "User with this phone already exists"
    message = _("Somebody in this shop has this phone already")


class EmailInUse(BadRequest):
    """Somebody of this shop has the address: 400."""

    code = "email_in_use"
    detail = "User with this email already exists"
    message = _("Somebody in this shop has this e-mail already")


class LastAdmin(BadRequest):
    """A shop keeps at least one owner: 400."""

    code = "last_admin"
    detail = "Cannot demote the last admin"
    message = _("A shop needs at least one owner")


class AdminFrozen(BadRequest):
    """Owners have all rights and are not dismissed: 400."""

    code = "admin_frozen"
    detail = "Cannot change an admin"
    message = _("An owner's rights stay as they are; change the role first")


class NotYourself(BadRequest):
    """Nobody dismisses or promotes himself: 400."""

    code = "not_yourself"
    detail = "Cannot change yourself"
    message = _("Ask another owner to do this")


class NameTaken(BadRequest):
    """A zone, slot or day of the shop has this name or time: 400."""

    code = "already_exists"
    detail = "{what} already exists"
    message = _("This exists already")


class RowNotFound(Gone):
    """A zone, slot or special day: 404."""

    code = "not_found"
    detail = "Not found"
    message = _("Not found")


class FileNotFound(Gone):
    """404."""

    code = "file_not_found"
    detail = "File not found"
    message = _("There is no such picture")


class FileUnreadable(BadRequest):
    """Its bytes are no picture of an allowed format: 400."""

    code = "file_unreadable"
    detail = "File must be a JPEG, PNG or WebP image"
    message = _("This file is not a picture that we can read")


class FilesUnavailable(Refused):
    """The storage does not answer: 503."""

    status = 503
    code = "files_unavailable"
    detail = "Files cannot be stored at the moment"
    message = _("Pictures cannot be stored at the moment, please try again later")


class UpdateForged(NotAllowed):
    """Without Telegram's secret: 403."""

    code = "forged"
    detail = "Not allowed"
    message = _("You may not do this")


class UpdateMalformed(BadRequest):
    """Not an update: 400."""

    code = "malformed"
    detail = "Malformed update"


class TelegramInUse(BadRequest):
    """The Telegram account belongs to somebody with another phone: 400."""

    code = "telegram_in_use"
    detail = "This Telegram account belongs to another user"
    message = _("This Telegram account belongs to somebody with another phone")


class CurrencyFixed(Conflict):
    """A shop with orders keeps its currency: 409."""

    code = "currency_fixed"
    detail = "The currency cannot change after the first order"
    message = _("The currency cannot change after the first order")
