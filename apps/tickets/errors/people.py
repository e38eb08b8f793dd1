"""Refusals about members, their doors and their addresses (contract tickets 1.2, 1.3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors
from apps.tickets.errors.requests import BadRequest


class MemberGone(errors.Unauthenticated):
    """The token's member was removed or may not sign in any more."""

    code = "member_gone"
    detail = "User not found or inactive"
    message = _("Please sign in again")


class StaffOnly(errors.NotAllowed):
    """The path is for support and managers."""

    code = "staff_only"
    detail = "Support or manager access required"
    message = _("Only staff can do this")


class NotYourRight(errors.NotAllowed):
    """Staff of the back office without the right for it."""

    code = "not_your_right"
    detail = "Your role does not allow this"
    message = _("Your role does not allow this")


class ManagersOnly(errors.NotAllowed):
    """The path is for managers."""

    code = "managers_only"
    detail = "Manager access required"
    message = _("Only a manager can do this")


class WrongCredentials(errors.Unauthenticated):
    """Unknown e-mail or wrong password: the same words for both."""

    code = "wrong_credentials"
    detail = "Incorrect email or password"
    message = _("The e-mail or the password is not right")


class NotVerified(errors.Unauthenticated):
    """The password is right, but the address was never proved; told only after the password (D16)."""

    code = "not_verified"
    detail = "Account is not verified. Please verify your email address first"
    message = _("Please prove your e-mail address first: we have sent you a link")


class NotStaff(errors.NotAllowed):
    """A citizen at the staff's door; told only after the password (D16)."""

    code = "not_staff"
    detail = "This login is for staff only"
    message = _("Only staff sign in here")


class AlreadyRegistered(errors.Conflict):
    """A verified account with a password signs in with it; a code wants `purpose` login (C3)."""

    code = "already_registered"
    detail = "Phone number is already registered"
    message = _("This phone is registered: please sign in")


class PhoneTaken(errors.Conflict):
    """Another member has this phone."""

    code = "phone_taken"
    detail = "Phone number is already registered"
    message = _("This phone belongs to another account")


class EmailTaken(errors.Conflict):
    """Another member has this e-mail."""

    code = "email_taken"
    detail = "Email is already registered"
    message = _("This e-mail belongs to another account")


class PhoneInUse(BadRequest):
    """The same in a profile, where the original answers 400."""

    code = "phone_in_use"
    detail = "Phone number is already in use"
    message = _("This phone belongs to another account")


class EmailInUse(BadRequest):
    """The same for an e-mail in an invitation."""

    code = "email_in_use"
    detail = "Email is already in use"
    message = _("This e-mail belongs to another account")


class RefreshTokenInvalid(BadRequest):
    """Not a refresh token of ours, used before, signed out, or of somebody who is gone."""

    code = "refresh_token_invalid"
    detail = "Invalid refresh token"
    message = _("Please sign in again")


class RegistrationTokenInvalid(errors.Unauthenticated):
    """The token that a proved phone got for registering is used up or too old."""

    code = "registration_token_invalid"
    detail = "Invalid registration token"
    message = _("Please ask for a new code")


class AlreadyVerified(BadRequest):
    """There is nothing left to prove."""

    code = "already_verified"
    detail = "Email is already verified"
    message = _("This e-mail address is proved already")


class PhoneMismatch(BadRequest):
    """The phone is not the invited one."""

    code = "phone_mismatch"
    detail = "Phone number does not match the invitation"
    message = _("This is not the phone that was invited")


class CurrentPasswordMissing(BadRequest):
    """A new password wants the present one beside it."""

    code = "current_password_missing"
    detail = "Current password is required to set a new password"
    message = _("Please type the present password too")


class CurrentPasswordWrong(BadRequest):
    """The present password does not fit."""

    code = "current_password_wrong"
    detail = "Current password is incorrect"
    message = _("The present password is not right")


class UserNotFound(errors.NotFound):
    """No such member, or removed."""

    code = "user_not_found"
    detail = "User not found"
    message = _("There is no such person")


class NotYourProfile(errors.NotAllowed):
    """Somebody else's profile."""

    code = "not_your_profile"
    detail = "You can only access your own profile"
    message = _("This is somebody else's profile")


class UnknownRole(BadRequest):
    """The list's filter names no role: 400, as in the original."""

    code = "unknown_role"
    detail = "Invalid role"
    message = _("There is no such role")


class NotYourself(errors.Conflict):
    """Managers neither remove nor demote themselves (D14)."""

    code = "not_yourself"
    detail = "You cannot do this to your own account"
    message = _("You cannot do this to your own account")


class LastManager(errors.Conflict):
    """Somebody must remain who can decide (D14)."""

    code = "last_manager"
    detail = "The last manager cannot be removed"
    message = _("The last manager has to stay")


class AddressNotFound(errors.NotFound):
    """No such address of the caller's."""

    code = "address_not_found"
    detail = "Address not found"
    message = _("There is no such address")


class AddressNameTaken(BadRequest):
    """The caller has an address of this name."""

    code = "address_name_taken"
    detail = "An address with this name already exists"
    message = _("You have an address with this name")


class TooManyAddresses(BadRequest):
    """No room for another one."""

    code = "too_many_addresses"
    detail = "Maximum {most} addresses allowed"
    message = _("You can save at most {most} addresses")
