"""Every "no" of the shop: status, code, English words, words for people (contract shop 1)."""

from __future__ import annotations

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
