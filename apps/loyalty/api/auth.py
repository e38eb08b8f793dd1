"""Codes, passwords, tokens, "who am I", and the staff list (contract loyalty 1.1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.kit import TokenPair
from apps.core import phones
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.actions import clients, codes, doors, staff
from apps.loyalty.actions.doors import DemoGuest
from apps.loyalty.api import people
from apps.loyalty.api.base import LoyaltyView, ManagerView, StaffView
from apps.loyalty.api.people import CardRead, CashbackRead, LoyaltyRead, StaffRead, UserRead
from apps.loyalty.api.wire import Birthday, BranchId, Pagination, Sized
from apps.loyalty.conf import CURRENCY
from apps.loyalty.models import Client, Staff
from apps.loyalty.queries import cashback, levels
from apps.loyalty.queries import clients as guests
from apps.loyalty.queries import staff as staff_lists
from apps.loyalty.queries.counting import page_of


def _guest_phone(text: str) -> str:
    if not 7 <= sum(letter.isdigit() for letter in text) <= 15:
        raise ValueError("phone number must have 7 to 15 digits")
    try:
        return doors.guest_phone(text)
    except phones.InvalidPhone as problem:
        raise ValueError("phone number must be +998 and nine digits") from problem


Trimmed = StringConstraints(strip_whitespace=True)
GuestPhone = Annotated[str, Trimmed, Field(max_length=32), AfterValidator(_guest_phone)]
StaffPhone = Annotated[str, Trimmed, Field(min_length=3, max_length=32)]
NewStaffPhone = Annotated[str, Trimmed, Field(max_length=32, pattern=r"^\+?[0-9 ()-]{7,24}$")]
Password = Annotated[str, Field(min_length=6, max_length=128)]
Purpose = Annotated[str, Trimmed, Field(min_length=1, max_length=50)]
Referral = Annotated[str | None, Trimmed, Field(max_length=12)]


class RequestCode(Shape):
    """Ask for a code. Any purpose but `register` is a sign-in."""

    phone: GuestPhone
    purpose: Purpose = "login"


class ProveCode(Shape):
    """Hand in the code; a newcomer may tell a name, a birthday and the code of a waiter."""

    phone: GuestPhone
    code: Annotated[str, Trimmed, Field(min_length=4, max_length=8)]
    purpose: Purpose = "login"
    name: Annotated[str | None, Trimmed, Field(max_length=150)] = None
    date_of_birth: Birthday = None
    referral_code: Referral = Field(None, validation_alias=AliasChoices("waiter_referral_code", "referral_code"))


class StaffLogIn(Shape):
    """Phone and password of staff."""

    phone: StaffPhone
    password: Password


class ChangePassword(Shape):
    """The web client says `current_password`."""

    old_password: Password = Field(validation_alias=AliasChoices("old_password", "current_password"))
    new_password: Password


class NewStaff(Shape):
    """Somebody to hire."""

    name: Annotated[str, Trimmed, Field(min_length=1, max_length=150)]
    phone: NewStaffPhone
    password: Password
    role: Staff.Role
    branch_id: BranchId = None


class Refresh(Shape):
    """The newest refresh token; the web client says `refresh` too."""

    refresh_token: Annotated[str, Field(max_length=4096)] = Field(
        validation_alias=AliasChoices("refresh_token", "refresh")
    )


class StaffList(Sized):
    """Which staff."""

    search: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class Me(Shape):
    """How many movements come along; 0 is as many as there may be."""

    cashback_limit: int = Field(10, ge=0, le=2**31)


class Entered(Shape):
    """Tokens after a code."""

    tokens: TokenPair


class StaffEntered(Shape):
    """Who signed in; `clients` for waiters only."""

    staff: StaffRead
    tokens: TokenPair
    clients: list[UserRead] | None = None


class StaffPage(Shape):
    """A page of staff."""

    pagination: Pagination
    items: list[StaffRead]


class Purse(Shape):
    """A guest's cashback at a glance."""

    balance: float
    transactions: list[CashbackRead]
    cards: list[CardRead]
    currency: str
    loyalty: LoyaltyRead


class MeRead(Shape):
    """Guests have `cashback`, waiters have `clients`."""

    type: Literal["CLIENT", "STAFF"]
    profile: UserRead | StaffRead
    cashback: Purse | None = None
    clients: list[UserRead] | None = None


def pair_read(pair: tokens.Pair) -> dict[str, str]:
    """Tokens as JSON."""
    return {"access_token": pair.access, "refresh_token": pair.refresh, "token_type": "bearer"}


class RequestOtp(LoyaltyView):
    """`POST auth/client/request-otp`."""

    @endpoint(
        body=RequestCode,
        answers={204: None},
        refusals=[
            errors.PhoneUnknown,
            errors.PhoneRegistered,
            errors.AccountSwitchedOff,
            errors.TooManyRequests,
            errors.SmsFailed,
        ],
        summary="Ask for a code",
    )
    def post(self, request: Any, *, body: RequestCode) -> None:
        """A guest of the restaurants gets a text message; the demo's phone gets none (contract loyalty 1.1, row 2)."""
        codes.request_code(phone=body.phone, purpose=body.purpose, caller=self.caller)


class VerifyOtp(LoyaltyView):
    """`POST auth/client/verify-otp`."""

    @endpoint(
        body=ProveCode,
        answers={200: Entered},
        refusals=[
            errors.CodeInvalid,
            errors.CodeTooOld,
            errors.PhoneUnknown,
            errors.PhoneRegistered,
            errors.AccountSwitchedOff,
            errors.ReferralCodeUnknown,
            errors.TooManyRequests,
            accounts.PersonBlocked,
        ],
        summary="Sign in or register with a code",
    )
    def post(self, request: Any, *, body: ProveCode) -> dict[str, Any]:
        """The purpose must be the one the code was asked for (contract loyalty 1.1, row 3)."""
        newcomer = codes.Newcomer(body.name, body.date_of_birth, body.referral_code or "")
        pair = codes.prove_code(
            phone=body.phone, purpose=body.purpose, code=body.code, newcomer=newcomer, caller=self.caller
        )
        return {"tokens": pair_read(pair)}


class StaffLogin(LoyaltyView):
    """`POST auth/staff/login`."""

    @endpoint(
        body=StaffLogIn,
        answers={200: StaffEntered},
        refusals=[errors.WrongCredentials, errors.TooManyRequests],
        summary="Staff sign in",
    )
    def post(self, request: Any, *, body: StaffLogIn) -> dict[str, Any]:
        """A waiter also gets the guests he brought (contract loyalty 1.1, row 4)."""
        row = doors.log_in_staff(phone=doors.staff_phone(body.phone), password=body.password, caller=self.caller)
        return {"tokens": pair_read(doors.open_session(row, caller=self.caller)), **_staff_parts(row, "staff")}


class StaffPassword(StaffView):
    """`POST auth/staff/change-password`."""

    @endpoint(
        body=ChangePassword,
        login="required",
        answers={204: None},
        refusals=[errors.OldPasswordWrong, errors.WrongActor],
        summary="Change one's password",
    )
    def post(self, request: Any, *, body: ChangePassword) -> None:
        """Every token issued before is dead (contract loyalty 1.1, row 5)."""
        doors.change_password(by=request.member, old=body.old_password, new=body.new_password, caller=self.caller)


class StaffCollection(ManagerView):
    """`auth/staff`."""

    @endpoint(query=StaffList, login="required", answers={200: StaffPage}, summary="Staff, newest first")
    def get(self, request: Any, *, query: StaffList) -> dict[str, Any]:
        """Managers and waiters (contract loyalty 1.1, row 7)."""
        rows, total = page_of(staff_lists.matching(query.search or ""), page=query.page, size=query.size)
        return self.wire.paged(list(map(people.staff_read, rows)), total, page=query.page, size=query.size)

    @endpoint(
        body=NewStaff,
        login="required",
        answers={201: StaffRead},
        refusals=[errors.StaffPhoneTaken, errors.ManagersOnly, accounts.PasswordTooWeak],
        summary="Hire somebody",
    )
    def post(self, request: Any, *, body: NewStaff) -> dict[str, Any]:
        """A waiter gets a referral code (contract loyalty 1.1, row 6)."""
        return people.staff_read(staff.hire(by=request.member, **dict(body), caller=self.caller))


class Myself(LoyaltyView):
    """`GET auth/me`."""

    @endpoint(query=Me, login="required", answers={200: MeRead}, refusals=[errors.UnknownActor], summary="Who am I")
    def get(self, request: Any, *, query: Me) -> dict[str, Any]:
        """A guest with cashback and cards; staff, a waiter with his guests (contract loyalty 1.1, row 8)."""
        member = request.member
        if isinstance(member, DemoGuest):
            return demo_me(member)
        if isinstance(member, Staff):
            return {"type": "STAFF", **_staff_parts(member, "profile")}
        clients.note_seen(by=member)
        return _client_me(member, query.cashback_limit)


def _client_me(client: Client, limit: int) -> dict[str, Any]:
    profile = people.user_read(client, cards=guests.cards_of(client.pk))
    rows = cashback.history(client.pk, limit=limit)
    return {
        "type": "CLIENT",
        "profile": profile,
        "cashback": {
            "balance": client.balance,
            "transactions": people.transactions_read(rows),
            "cards": profile["cards"],
            "currency": CURRENCY,
            "loyalty": people.loyalty_read(client),
        },
    }


def _staff_parts(row: Staff, name: str) -> dict[str, Any]:
    """The staff's own row under `name`, and a waiter's guests without their balances."""
    counted = staff_lists.one(row.pk) or row
    parts: dict[str, Any] = {name: people.staff_read(counted)}
    if not row.is_manager:
        parts["clients"] = [people.user_read(client, row) for client in staff_lists.clients_of(row)]
    return parts


def demo_me(guest: DemoGuest) -> dict[str, Any]:
    """The mock that reviewers of app stores see (contract loyalty 3.2)."""
    nobody = Client(pk=guest.pk, name=guest.name, phone=guest.phone)
    profile = people.user_read(nobody, cards=[])
    card = levels.card(balance=nobody.balance, points=nobody.points, level=nobody.level)
    purse = {"balance": nobody.balance, "transactions": [], "cards": [], "currency": CURRENCY, "loyalty": card}
    return {"type": "CLIENT", "profile": profile, "cashback": purse}


class RefreshTokens(LoyaltyView):
    """`POST auth/refresh`."""

    @endpoint(
        body=Refresh,
        answers={200: TokenPair},
        refusals=[errors.RefreshMissing, errors.RefreshInvalid],
        summary="Renew the tokens",
    )
    def post(self, request: Any, *, body: Refresh) -> dict[str, str]:
        """Each answer brings a new refresh token; the old one is spent (contract loyalty 1.1, row 9)."""
        return pair_read(doors.renew(refresh=body.refresh_token, caller=self.caller))


urlpatterns = [
    path("api/v1/auth/client/request-otp", RequestOtp, name="request-otp"),
    path("api/v1/auth/client/verify-otp", VerifyOtp, name="verify-otp"),
    path("api/v1/auth/staff/login", StaffLogin, name="staff-login"),
    path("api/v1/auth/staff/change-password", StaffPassword, name="staff-password"),
    path("api/v1/auth/staff", StaffCollection, name="staff"),
    path("api/v1/auth/me", Myself, name="me"),
    path("api/v1/auth/refresh", RefreshTokens, name="refresh"),
]
