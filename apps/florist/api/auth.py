"""Signing in by code, password or Telegram; opening a shop; who am I (contract florist 1.1, 1.7)."""

from __future__ import annotations

from typing import Annotated, Any

from django.conf import settings
from pydantic import AliasChoices, Field, StringConstraints, model_validator

from apps.accounts import actions as accounts
from apps.accounts.authentication import bearer
from apps.accounts.kit import PasswordText
from apps.core.errors import Unauthenticated
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.access import Role, switches
from apps.florist.actions import bot, registration, sessions
from apps.florist.actions.registration import Application
from apps.florist.actions.sessions import Entrance
from apps.florist.api.base import Body, FloristView, Id, Phone, Trimmed
from apps.florist.api.settings import ShopOut, shop_out
from apps.florist.models import Employee
from apps.florist.queries import codes

Mobile = Annotated[str, StringConstraints(pattern=r"^\+7\d{10}$")]
Code = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
ShopName = Annotated[str, Field(min_length=2, max_length=100), Trimmed]
City = Annotated[str, Field(min_length=1, max_length=100), Trimmed]
NewPassword = Annotated[str, Field(min_length=8, max_length=128)]
InitData = Annotated[str, Field(min_length=1, max_length=16_384)]
LongToken = Annotated[str, Field(min_length=1, max_length=4096)]
TelegramId = Annotated[int, Field(ge=1, lt=2**52)]

INSTRUCTIONS = (
    "Open our bot in Telegram",
    "Press Start",
    "Share your phone with the button",
    "Come back here and ask for the code again",
)


class RequestOtp(Body):
    """Whose phone."""

    phone: Mobile


class OtpSent(Shape):
    """How the code went out; `otp` for the test phone of a developer's machine only."""

    message: str
    delivery_method: str
    otp: str | None = None
    bot_link: str | None = None
    instructions: list[str] | None = None


class VerifyOtp(Body):
    """The phone and its code; `shop_id` chooses for who works in several shops."""

    phone: Mobile
    otp_code: Code
    shop_id: Id | None = None


class LogIn(Body):
    """Phone or e-mail with a password, or a phone with a code."""

    phone: Phone | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    username: Annotated[str, Field(max_length=254)] | None = None
    password: PasswordText | None = None
    otp_code: Code | None = None
    shop_id: Id | None = None

    @model_validator(mode="after")
    def complete(self) -> LogIn:
        """Somebody, and one proof."""
        if not (self.phone or self.email or self.username):
            raise ValueError("phone or email is required")
        if self.password is None and (self.otp_code is None or self.phone is None):
            raise ValueError("password, or phone with otp_code, is required")
        return self


class TokenOut(Shape):
    """What every sign-in answers."""

    access_token: str
    refresh_token: str | None
    token_type: str
    shop_id: int | None
    shop_name: str | None
    user_role: str | None
    user_name: str | None
    is_new_user: bool
    needs_phone: bool


class Refresh(Body):
    """The newest refresh token, in either spelling (the Mini App writes `refreshToken`)."""

    refresh_token: LongToken = Field(validation_alias=AliasChoices("refresh_token", "refreshToken"))


class Renewed(Shape):
    """The next pair."""

    access_token: str
    refresh_token: str
    token_type: str


class Complete(Body):
    """The shop; `password` is the owner's first one."""

    name: ShopName
    city: City = "Алматы"
    password: NewPassword | None = None


class ChoosePassword(Body):
    """A proved phone's new password."""

    phone: Mobile
    otp_code: Code
    new_password: NewPassword


class LogOut(Body):
    """The refresh token, when the access token is not sent or is over."""

    refresh_token: LongToken | None = Field(
        default=None, validation_alias=AliasChoices("refresh_token", "refreshToken")
    )


class TelegramLogIn(Body):
    """A Mini App's proof. The phone in it is not looked at: the proof says who it is (defect 4)."""

    init_data: InitData = Field(validation_alias=AliasChoices("initData", "init_data"))
    phone_number: str | None = Field(default=None, validation_alias=AliasChoices("phoneNumber", "phone_number"))


class TelegramRegister(Body):
    """What our bot learned from a contact whose owner is the sender."""

    telegram_id: TelegramId
    phone: Phone
    shop_name: ShopName
    city: City = "Алматы"
    telegram_username: Annotated[str, Field(max_length=64)] | None = None
    first_name: Annotated[str, Field(max_length=50)] | None = None
    last_name: Annotated[str, Field(max_length=49)] | None = None


class Person(Shape):
    """The signed-in employee."""

    id: int
    phone: str
    name: str
    email: str | None
    role: str
    permissions: dict[str, bool]
    is_active: bool
    telegram_id: int | None


class ShopCard(Shape):
    """His shop, in short."""

    id: int
    name: str
    phone: str
    city: str
    address: str | None


class CurrentUser(Shape):
    user: Person
    shop: ShopCard


class OtpStatus(Shape):
    """The live code of one's own phone."""

    exists: bool
    attempts: int
    remaining_attempts: int
    ttl_seconds: int
    created_at: Any = None


CODE_REFUSALS = (accounts.CodeWrong, accounts.CodeExpired, accounts.CodeBurnt, accounts.TooManyTries)
SENDING_REFUSALS = (accounts.TooManyTries, accounts.PrefixNotServed, accounts.CodeNotSent, accounts.SpendCapReached)


def token_out(entrance: Entrance) -> dict[str, Any]:
    """Whose it is, and the pair; without an employee the token is good for opening a shop only."""
    employee = entrance.employee
    return {
        "access_token": entrance.pair.access,
        "refresh_token": entrance.pair.refresh if employee else None,
        "token_type": "bearer",
        "shop_id": employee.shop_id if employee else None,
        "shop_name": employee.shop.name if employee else None,
        "user_role": employee.role if employee else None,
        "user_name": employee.name if employee else None,
        "is_new_user": entrance.is_new,
        "needs_phone": False,
    }


class AuthDoor(FloristView):
    """One tag for the doors."""

    tag = "auth"


class RequestCode(AuthDoor):
    """Step one of a phone; also the seed's `/api/telegram/send-otp`."""

    @endpoint(summary="Send a code", body=RequestOtp, answers={201: OtpSent}, refusals=SENDING_REFUSALS)
    def post(self, request: Any, *, body: RequestOtp) -> dict[str, Any]:
        """A new code kills the old one. The answer is the same for a phone that nobody knows."""
        sent = sessions.request_code(phone=body.phone, caller=self.caller)
        answer: dict[str, Any] = {"message": "OTP code sent", "delivery_method": sent.delivery_method}
        if sent.otp:
            answer["otp"] = sent.otp
        if sent.delivery_method == "need_registration":
            link = f"https://t.me/{settings.INTEGRATIONS.telegram_bot_username}?start=login"
            answer |= {"message": "Get the code in Telegram", "bot_link": link, "instructions": list(INSTRUCTIONS)}
        return answer


class ProveCode(AuthDoor):
    """Step two of a phone; also the seed's `/api/telegram/verify-otp`."""

    @endpoint(
        summary="Prove a phone",
        body=VerifyOtp,
        answers={200: TokenOut},
        refusals=[*CODE_REFUSALS, accounts.PersonBlocked, errors.ShopClosed],
    )
    def post(self, request: Any, *, body: VerifyOtp) -> dict[str, Any]:
        """Signs in; an unknown phone gets a token for opening a shop, good for an hour."""
        return token_out(
            sessions.prove_phone(phone=body.phone, code=body.otp_code, shop_id=body.shop_id, caller=self.caller)
        )


class LogInView(AuthDoor):
    """The seed's way in."""

    @endpoint(
        summary="Sign in",
        body=LogIn,
        answers={200: TokenOut},
        refusals=[*CODE_REFUSALS, accounts.WrongCredentials, accounts.PersonBlocked, errors.ShopClosed],
    )
    def post(self, request: Any, *, body: LogIn) -> dict[str, Any]:
        """Phone or e-mail with a password, or a phone with a code."""
        if body.password is None and body.phone and body.otp_code:
            entrance = sessions.prove_phone(
                phone=body.phone, code=body.otp_code, shop_id=body.shop_id, caller=self.caller
            )
        else:
            name = body.phone or body.email or body.username or ""
            entrance = sessions.log_in(
                identifier=name, password=body.password or "", shop_id=body.shop_id, caller=self.caller
            )
        return token_out(entrance)


class RefreshView(AuthDoor):
    """Renewing."""

    @endpoint(
        summary="Renew tokens",
        body=Refresh,
        answers={200: Renewed},
        refusals=[errors.RefreshTokenInvalid, accounts.TooManyTries],
    )
    def post(self, request: Any, *, body: Refresh) -> dict[str, Any]:
        """A new pair; the old refresh token is dead, and using it again ends the session."""
        pair = sessions.renew(refresh=body.refresh_token, caller=self.caller)
        return {"access_token": pair.access, "refresh_token": pair.refresh, "token_type": "bearer"}


class PasswordView(AuthDoor):
    """A first or forgotten password; ours, beside the seed's password sign-in."""

    @endpoint(
        summary="Choose a password",
        body=ChoosePassword,
        answers={200: TokenOut},
        refusals=[*CODE_REFUSALS, accounts.PasswordTooWeak, errors.EmployeeNotFound],
    )
    def post(self, request: Any, *, body: ChoosePassword) -> dict[str, Any]:
        """For whoever proves the phone; everything signed in before is signed out."""
        return token_out(
            sessions.choose_password(
                phone=body.phone, code=body.otp_code, password=body.new_password, caller=self.caller
            )
        )


class CompleteView(AuthDoor):
    """Opening a shop."""

    @endpoint(
        summary="Open a shop",
        body=Complete,
        answers={201: TokenOut},
        refusals=[
            Unauthenticated,
            errors.RegistrationTokenInvalid,
            errors.RegistrationExpired,
            errors.ShopExists,
            accounts.PersonBlocked,
        ],
    )
    def post(self, request: Any, *, body: Complete) -> dict[str, Any]:
        """With the token of a proved phone as bearer; it serves once."""
        if not (token := bearer(request)):
            raise Unauthenticated()
        entrance = registration.complete(token=token, **body.model_dump(), caller=self.caller)
        return token_out(entrance)


class LogOutView(AuthDoor):
    """Signing out."""

    @endpoint(summary="Sign out", login="required", body=LogOut, body_optional=True, answers={204: None})
    def post(self, request: Any, *, body: LogOut) -> None:
        """The session of the access token ends, and that of the refresh token when one is sent."""
        accounts.log_out(bearer(request), audience=self.product, caller=self.caller)
        if body.refresh_token:
            accounts.log_out(body.refresh_token, audience=self.product, caller=self.caller)


class TelegramView(AuthDoor):
    """The Mini App's way in."""

    roles: frozenset[str] = frozenset()

    @endpoint(
        summary="Sign in from Telegram",
        body=TelegramLogIn,
        answers={200: TokenOut},
        refusals=[
            errors.InitDataMalformed,
            accounts.InitDataInvalid,
            errors.NoShopForTelegram,
            accounts.PersonBlocked,
            accounts.TooManyTries,
        ],
    )
    def post(self, request: Any, *, body: TelegramLogIn) -> dict[str, Any]:
        """initData not older than five minutes; the account was linked by a contact shared with our bot."""
        return token_out(sessions.log_in_by_telegram(init_data=body.init_data, roles=self.roles, caller=self.caller))


class FloristTelegramView(TelegramView):
    """The florist's Mini App."""

    roles = frozenset({Role.FLORIST})


class TelegramRegisterView(AuthDoor):
    """Opening a shop through the bot."""

    @endpoint(
        summary="Open a shop through the bot",
        body=TelegramRegister,
        answers={201: TokenOut},
        refusals=[errors.UpdateForged, errors.ShopExists, accounts.PersonBlocked],
    )
    def post(self, request: Any, *, body: TelegramRegister) -> dict[str, Any]:
        """Proved by the bot's secret in `X-Telegram-Bot-Api-Secret-Token`."""
        bot.ensure_genuine(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""))
        owner = " ".join(filter(None, [body.first_name, body.last_name]))
        application = Application(
            phone=body.phone,
            name=body.shop_name,
            city=body.city,
            owner_name=owner,
            telegram_username=body.telegram_username,
        )
        employee = bot.open_shop(application, telegram_id=body.telegram_id, caller=self.caller)
        pair = sessions.open_session(employee, caller=self.caller)
        return token_out(Entrance(pair=pair, employee=employee, is_new=True))


class Me(AuthDoor):
    """My shop."""

    @endpoint(summary="My shop", login="required", answers={200: ShopOut})
    def get(self, request: Any) -> dict[str, Any]:
        """Of everybody who works there."""
        return shop_out(request.member.shop)


class CurrentUserView(AuthDoor):
    """Me and my shop."""

    @endpoint(summary="Who am I", login="required", answers={200: CurrentUser})
    def get(self, request: Any) -> dict[str, Any]:
        """With what I may do."""
        return {"user": person_out(request.member), "shop": ShopCard.model_validate(request.member.shop)}


def person_out(employee: Employee) -> dict[str, Any]:
    """The signed-in employee with his switches."""
    names = ("id", "phone", "name", "email", "role", "is_active", "telegram_id")
    return {**{name: getattr(employee, name) for name in names}, "permissions": switches(employee)}


class OtpStatusView(AuthDoor):
    """About the last code."""

    needs = ("users", "write")

    @endpoint(
        summary="State of my last code",
        login="required",
        answers={200: OtpStatus},
        refusals=[errors.EmployeeNotFound, errors.NotEnoughPermissions],
    )
    def get(self, request: Any, *, phone: str) -> dict[str, Any]:
        """Of one's own phone only; anybody else's is 404."""
        if phone != request.member.user.phone:
            raise errors.EmployeeNotFound()
        return codes.status(phone)


urlpatterns = [
    path("api/auth/login", LogInView, name="login"),
    path("api/auth/refresh", RefreshView, name="refresh"),
    path("api/auth/password", PasswordView, name="password"),
    path("api/auth/request-otp", RequestCode, name="request-otp"),
    path("api/auth/verify-otp", ProveCode, name="verify-otp"),
    path("api/telegram/send-otp", RequestCode, name="telegram-send-otp"),
    path("api/telegram/verify-otp", ProveCode, name="telegram-verify-otp"),
    path("api/auth/complete-registration", CompleteView, name="complete-registration"),
    path("api/auth/me", Me, name="me"),
    path("api/auth/current-user", CurrentUserView, name="current-user"),
    path("api/auth/logout", LogOutView, name="logout"),
    path("api/auth/telegram-login", TelegramView, name="telegram-login"),
    path("api/auth/florist-login", FloristTelegramView, name="florist-login"),
    path("api/auth/telegram-register", TelegramRegisterView, name="telegram-register"),
    path("api/auth/otp-status/<str:phone>", OtpStatusView, name="otp-status"),
]
