"""Refusals at the door. Products answer them in their own dialect; statuses are the ones their contracts share."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors


class InitDataInvalid(errors.Unauthenticated):
    """The Mini App's proof is not good (contract urgent 1.0)."""

    code = "init_data_invalid"
    detail = "Invalid Telegram initData: {reason}"
    message = _("Please open the app from Telegram again")


class TokenInvalid(errors.Unauthenticated):
    """Not one of our tokens, or one for another product or purpose."""

    code = "token_invalid"
    detail = "Invalid token"
    message = _("Please sign in again")


class TokenExpired(TokenInvalid):
    """The token's time is over."""

    code = "token_expired"
    detail = "Token has expired"


class SessionEnded(TokenInvalid):
    """Signed out, revoked, or a refresh token was used a second time."""

    code = "session_ended"
    detail = "Session has ended"


class OriginRefused(errors.NotAllowed):
    """A cookie sent along by a page that is not ours."""

    code = "origin_refused"
    detail = "Origin not allowed"
    message = _("This page may not act in your name")


class WrongCredentials(errors.Unauthenticated):
    """Unknown person or wrong password: the same words for both."""

    code = "wrong_credentials"
    detail = "Incorrect credentials"
    message = _("The name or the password is not right")


class PersonBlocked(errors.NotAllowed):
    """Known, proved, but shut out by staff."""

    code = "person_blocked"
    detail = "Account is blocked"
    message = _("This account is blocked, please contact support")


class PersonNotFound(errors.NotFound):
    """No such person, or already erased."""

    code = "person_not_found"
    detail = "Person not found"
    message = _("There is no such person")


class PrefixNotServed(errors.Invalid):
    """We send no codes to that country."""

    code = "phone_prefix_not_served"
    detail = "Codes are not sent to this country"
    message = _("We cannot send codes to this country")


class CodeWrong(errors.Refused):
    """Not the code we sent, or there is none: the same words for both."""

    code = "code_wrong"
    detail = "Invalid code"
    message = _("The code is not right")


class CodeExpired(errors.Refused):
    """Right or wrong, it is too late for this code."""

    code = "code_expired"
    detail = "Code has expired"
    message = _("The code is too old, please ask for a new one")


class CodeBurnt(errors.Refused):
    """Tried too often; only a new code helps."""

    code = "code_burnt"
    detail = "Too many wrong attempts"
    message = _("Too many wrong tries, please ask for a new code")


class CodeTooSoon(errors.TooMany):
    """The last code is only seconds old."""

    code = "code_too_soon"
    detail = "A code was sent a moment ago"
    message = _("A code is on its way, please wait a little before asking again")


class TooManyCodes(errors.TooMany):
    """Too many codes for this phone or from this address."""

    code = "too_many_codes"
    detail = "Too many code requests"
    message = _("Too many codes, please try again later")


class TooManyTries(errors.TooMany):
    """Too many tries to sign in from this address or for this name."""

    code = "too_many_tries"
    detail = "Too many attempts"
    message = _("Too many tries, please wait a little")


class CodeNotSent(errors.VendorDown):
    """The vendor did not take the text; nothing is stored."""

    code = "code_not_sent"
    detail = "Could not send the code"
    message = _("The code could not be sent, please try again later")


class SpendCapReached(errors.VendorDown):
    """The day's money for codes is used up."""

    status = 503
    code = "sms_spend_cap"
    detail = "Codes cannot be sent at the moment"
    message = _("Codes cannot be sent at the moment, please try again later")


class PhoneTaken(errors.Conflict):
    """Another person has this phone."""

    code = "phone_taken"
    detail = "Phone number is already registered"
    message = _("This phone belongs to another account")


class EmailTaken(errors.Conflict):
    """Another person has this e-mail."""

    code = "email_taken"
    detail = "Email is already registered"
    message = _("This e-mail belongs to another account")


class UsernameTaken(errors.Conflict):
    """Another person has this name."""

    code = "username_taken"
    detail = "Username is already taken"
    message = _("This name is taken")


class TelegramTaken(errors.Conflict):
    """Another person is linked to this Telegram account."""

    code = "telegram_taken"
    detail = "Telegram account is already linked"
    message = _("This Telegram account belongs to another person")


class NothingToKnowBy(errors.Invalid):
    """A person needs at least one of phone, e-mail, Telegram, name."""

    code = "identifier_required"
    detail = "A phone, e-mail or username is required"
    message = _("Please give a phone, an e-mail or a name")


class PasswordTooWeak(errors.Invalid):
    """Too short, too long or too common."""

    code = "password_too_weak"
    detail = "Password is too weak: {why}"
    message = _("Please choose another password: {why}")


class OldPasswordWrong(errors.Refused):
    """The present password was not given correctly: 400."""

    code = "old_password_wrong"
    detail = "Current password is incorrect"
    message = _("The present password is not right")


class MailTokenWrong(errors.Refused):
    """Unknown, used or replaced link: 400."""

    code = "mail_token_invalid"
    detail = "Invalid or used token"
    message = _("This link is not valid any more")


class MailTokenExpired(errors.Refused):
    """The link's time is over: 400."""

    code = "mail_token_expired"
    detail = "Token has expired"
    message = _("This link is too old, please ask for a new one")


class MailNotSent(errors.VendorDown):
    """The mail server did not take the letter."""

    code = "mail_not_sent"
    detail = "Could not send the e-mail"
    message = _("The e-mail could not be sent, please try again later")


class MayNotManage(errors.NotAllowed):
    """The staff member lacks the right, or aims above his own rank."""

    code = "may_not_manage_person"
    detail = "Not allowed to manage this person"
    message = _("You may not do this to this person")


class NotYourself(errors.Conflict):
    """Staff would lock themselves out."""

    code = "not_yourself"
    detail = "You cannot do this to yourself"
    message = _("You cannot do this to yourself")


class CannotMerge(errors.Conflict):
    """One of the two is blocked, erased, merged already, or they are the same row."""

    code = "cannot_merge"
    detail = "These people cannot be merged"
    message = _("These two cannot be merged: one of them is blocked, erased or merged already")


class CannotUndoMerge(errors.Conflict):
    """Undone already, or what moved now belongs to somebody else."""

    code = "cannot_undo_merge"
    detail = "The merge cannot be undone"
    message = _("This merge cannot be undone any more")


class SecondFactorWrong(errors.Refused):
    """Wrong digits, used or unknown recovery code, or tried too fast."""

    code = "second_factor_wrong"
    detail = "Invalid second factor"
    message = _("These digits are not right; after several wrong tries please wait a minute")


class SecondFactorExists(errors.Conflict):
    """An authenticator app is enrolled already."""

    code = "second_factor_exists"
    detail = "Second factor is already enrolled"
    message = _("An authenticator app is already connected")


class SecondFactorMissing(errors.Conflict):
    """There is no authenticator app yet."""

    code = "second_factor_missing"
    detail = "Second factor is not enrolled"
    message = _("No authenticator app is connected")
