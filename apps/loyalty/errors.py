"""Refusals of the restaurant's cashback (contract loyalty 3.14); clients read `message` in Russian and Uzbek."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors

# ── The door ────────────────────────────────────────────────────────────────────────────────────────────────────────


class NotSignedIn(errors.Unauthenticated):
    """No Authorization header."""

    message = _("Please sign in")


class WrongScheme(errors.Unauthenticated):
    """An Authorization header that is not `Bearer …`."""

    code = "wrong_scheme"
    detail = "Wrong authorization scheme"
    message = _("The Authorization header must begin with Bearer")


class AccountGone(errors.Unauthenticated):
    """The token is good, its account has left: 401, because the mobile client ignores 404 here."""

    code = "account_gone"
    detail = "Account no longer exists"
    message = _("This account does not exist any more")


class AccountSwitchedOff(errors.NotAllowed):
    """A manager has shut this guest out: 403 at every door, like a person whom the house has blocked."""

    code = "account_switched_off"
    detail = "Account is switched off"
    message = _("This account is blocked, please contact support")


class UnknownActor(errors.Refused):
    """A token of ours that names neither a guest nor staff: 400."""

    code = "unknown_actor"
    detail = "Unknown actor type"
    message = _("This kind of account is unknown")


class WrongActor(errors.NotAllowed):
    """Guests and staff have different paths."""

    code = "wrong_actor"
    detail = "Wrong actor type"
    message = _("Your kind of account cannot do this")


class ManagersOnly(errors.NotAllowed):
    """Waiters and guests may not."""

    code = "managers_only"
    detail = "Managers only"
    message = _("Only managers may do this")


class Forbidden(errors.NotAllowed):
    """Somebody else's rows."""

    code = "forbidden"
    detail = "Forbidden"
    message = _("You may not see this")


class WrongCredentials(errors.Unauthenticated):
    """Unknown phone or wrong password: the same words for both."""

    code = "wrong_credentials"
    detail = "Incorrect phone or password"
    message = _("The phone or the password is not right")


class OldPasswordWrong(errors.Refused):
    """The present password was not given correctly: 400."""

    code = "old_password_wrong"
    detail = "Old password is incorrect"
    message = _("The old password is not right")


class RefreshMissing(errors.Refused):
    """An empty refresh token: 400."""

    code = "refresh_missing"
    detail = "Refresh token is required"
    message = _("The refresh token is missing")


class RefreshInvalid(errors.Unauthenticated):
    """Not one of our refresh tokens, used before, or its account has left."""

    code = "refresh_invalid"
    detail = "Invalid refresh token"
    message = _("Your sign-in has ended, please sign in again")


class TooManyRequests(errors.TooMany):
    """Codes or passwords too often; `minutes` until the next one."""

    message = _("Too many requests, please try again in {minutes} min")


class CodeInvalid(errors.Refused):
    """Not the code we sent, used already, or tried too often: 400."""

    code = "otp_invalid"
    detail = "Invalid code"
    message = _("The code is not right")


class CodeTooOld(errors.Refused):
    """The code's time is over: 400."""

    code = "otp_expired"
    detail = "Code has expired"
    message = _("The code is too old, please ask for a new one")


class SmsFailed(errors.VendorDown):
    """The text message did not leave the house; nothing is stored."""

    code = "sms_failed"
    detail = "Could not send the SMS"
    message = _("The text message could not be sent, please try again later")


# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class ClientNotFound(errors.NotFound):
    """No such guest, or left."""

    code = "user_not_found"
    detail = "User not found"
    message = _("There is no such guest")


class PhoneUnknown(errors.NotFound):
    """Nobody has registered with this phone."""

    code = "phone_unknown"
    detail = "Phone is not registered"
    message = _("This phone is not registered yet")


class PhoneRegistered(errors.Conflict):
    """A living account has this phone."""

    code = "phone_registered"
    detail = "Phone is already registered"
    message = _("This phone is registered already, please sign in")


class EmailTaken(errors.Conflict):
    """Another guest has this e-mail."""

    code = "email_taken"
    detail = "Email is already used"
    message = _("Another guest has this e-mail")


class NumberNotFound(errors.VendorDown):
    """Ten random numbers in a row were taken: 503, try again."""

    status = 503
    code = "no_free_number"
    detail = "Please try again"
    message = _("This did not work, please try again")


class StaffNotFound(errors.NotFound):
    """No such member of staff."""

    code = "staff_not_found"
    detail = "Staff not found"
    message = _("There is no such member of staff")


class WaiterNotFound(errors.NotFound):
    """No waiter with this id."""

    code = "waiter_not_found"
    detail = "Waiter not found"
    message = _("There is no such waiter")


class StaffPhoneTaken(errors.Conflict):
    """Another member of staff signs in with this phone."""

    code = "staff_phone_taken"
    detail = "Phone is already used by staff"
    message = _("Another member of staff has this phone")


class ReferralCodeUnknown(errors.NotFound):
    """No waiter has this referral code."""

    code = "referral_code_invalid"
    detail = "Referral code is invalid"
    message = _("There is no such referral code")


class ReferralCodeTaken(errors.Conflict):
    """Another waiter has this referral code."""

    code = "referral_code_taken"
    detail = "Referral code is already used"
    message = _("Another waiter has this referral code")


class NoReferralCode(errors.Conflict):
    """Ten random codes in a row were taken."""

    code = "referral_code_failed"
    detail = "Could not generate a referral code"
    message = _("No free referral code was found, please try again")


class WaiterHasRecords(errors.Conflict):
    """Cashback movements name this waiter."""

    code = "waiter_has_records"
    detail = "Waiter has records"
    message = _("This waiter has cashback records and stays")


class NotYourself(errors.Conflict):
    """A manager would lock himself out."""

    code = "not_yourself"
    detail = "You cannot do this to yourself"
    message = _("You cannot do this to yourself")


class NothingToUpdate(errors.Refused):
    """A change without a change: 400."""

    code = "nothing_to_update"
    detail = "Nothing to update"
    message = _("Nothing was sent that could be changed")


# ── Cashback ────────────────────────────────────────────────────────────────────────────────────────────────────────


class AmountBelowMinimum(errors.Refused):
    """Less than the smallest sum that may be spent: 400."""

    code = "amount_below_minimum"
    detail = "Amount is below the minimum"
    message = _("At least {minimum} UZS can be spent at once")


class BalanceBelowMinimum(errors.Refused):
    """The purse holds less than the smallest sum that may be spent: 400."""

    code = "balance_below_minimum"
    detail = "Balance is below the minimum"
    message = _("Cashback can be spent from a balance of {minimum} UZS")


class NotEnoughCashback(errors.Refused):
    """The purse holds less than asked for: 400."""

    code = "not_enough_cashback"
    detail = "Not enough cashback"
    message = _("There is not so much cashback")


# ── Menu, news, files ───────────────────────────────────────────────────────────────────────────────────────────────


class NewsNotFound(errors.NotFound):
    """No such piece of news."""

    code = "news_not_found"
    detail = "News not found"
    message = _("There is no such piece of news")


class CategoryNotFound(errors.NotFound):
    """No such shelf of the catalogue."""

    code = "category_not_found"
    detail = "Category not found"
    message = _("There is no such category")


class CategoryTaken(errors.Conflict):
    """Another shelf has this name."""

    code = "category_taken"
    detail = "Category already exists"
    message = _("There is a category with this name already")


class CategoryNotEmpty(errors.Conflict):
    """Dishes stand on the shelf."""

    code = "category_not_empty"
    detail = "Category has products"
    message = _("This category still has products")


class ProductNotFound(errors.NotFound):
    """No such dish."""

    code = "product_not_found"
    detail = "Product not found"
    message = _("There is no such product")


class MenuUnavailable(errors.VendorDown):
    """No source of the menu answered with anything: nothing is synchronised, least of all into nothing."""

    code = "menu_unavailable"
    detail = "The menu is not available"
    message = _("The restaurant's menu does not answer, nothing was changed")


class FileNotFound(errors.NotFound):
    """No such picture."""

    code = "file_not_found"
    detail = "File not found"
    message = _("There is no such file")


class FileMissing(errors.Refused):
    """No file part, or one without a name: 400."""

    code = "file_missing"
    detail = "File name is missing"
    message = _("No file was sent")


class FileTypeWrong(errors.Refused):
    """Not a .jpg, .jpeg, .png or .webp, by name or by content: 400."""

    code = "file_type_wrong"
    detail = "File type is not allowed"
    message = _("Only JPG, PNG and WEBP pictures are taken")


class FileEmpty(errors.Refused):
    """No bytes: 400."""

    code = "file_empty"
    detail = "File is empty"
    message = _("The file is empty")


# ── The restaurant's system, notifications ──────────────────────────────────────────────────────────────────────────


class AnnouncementNotFound(errors.NotFound):
    """No such announcement, deleted, or somebody else's message."""

    code = "notification_not_found"
    detail = "Notification not found"
    message = _("There is no such message")


class NoticeUnreadable(errors.Refused):
    """An empty body, no JSON, or a field of the wrong kind: 400. iiko reads plain words."""

    code = "notice_unreadable"
    detail = "The notice cannot be read"


class NoticeForged(errors.NotAllowed):
    """The subscription password is missing or wrong."""

    code = "notice_forged"
    detail = "Wrong subscription password"


class NoticeWithoutGuest(errors.Refused):
    """Neither walletId nor customerId: 400."""

    code = "notice_without_guest"
    detail = "walletId or customerId is required"


class NoticeWithoutSum(errors.Refused):
    """A movement without a sum: 400."""

    code = "notice_without_sum"
    detail = "sum is required"


class GuestUnknown(errors.NotFound):
    """iiko speaks of a guest whom we do not know."""

    code = "guest_unknown"
    detail = "User not found"


class GuestNotRead(errors.Conflict):
    """iiko told nothing that could be taken over; the back office shows the reason (contract loyalty 4.4)."""

    code = "guest_not_read"
    detail = "The guest was not read: {reason}"
    message = _("iiko has not told about this guest: {reason}")


class JobNotPaused(errors.Conflict):
    """Only a job that gave up can be resumed."""

    code = "job_not_paused"
    detail = "The job is not paused"
    message = _("This job is not paused")


class JobNotWaiting(errors.Conflict):
    """Only a job that waits can be put aside or hastened."""

    code = "job_not_waiting"
    detail = "The job is not waiting"
    message = _("This job does not wait any more")


class NoticeNotParked(errors.Conflict):
    """It is posted, or gone."""

    code = "notice_not_parked"
    detail = "The notice is not parked"
    message = _("This notice does not wait any more")
