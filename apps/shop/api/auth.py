"""Registering, signing in and out, renewing, forgotten passwords (contract shop 1.1)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, StringConstraints, model_validator

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.actions import OriginRefused
from apps.core.errors import Invalid, Unauthenticated
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.shop import errors
from apps.shop.actions import sessions
from apps.shop.api.base import RefreshCookie, ShopView, cookies_for
from apps.shop.models import Customer

TOKEN_HEADERS = ("Refresh-Token", "X-Refresh-Token")


def _phone(text: str) -> str:
    plain = re.sub(r"[\s()-]", "", text)
    if not re.fullmatch(r"\+[0-9]{6,15}", plain):
        raise ValueError("phone number must start with + and contain 6 to 15 digits")
    if not plain.startswith(tuple(settings.SHOP.phone_prefixes)):
        raise ValueError("phone numbers of this country are not accepted")
    return plain


def _no_nothing(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Trimmed = StringConstraints(strip_whitespace=True)
Name = Annotated[str, Trimmed, Field(min_length=2, max_length=100)]
Phone = Annotated[str, Trimmed, Field(min_length=7, max_length=20), AfterValidator(_phone)]
MaybePhone = Annotated[Phone | None, BeforeValidator(_no_nothing)]
"""An empty text is no phone: the original's front end sends one for a field left alone."""

Email = Annotated[str, Trimmed, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")]
Password = Annotated[str, Field(min_length=8, max_length=128)]
LooksLikeSomebody = Annotated[str, Trimmed, Field(min_length=1, max_length=254)]
WHO = AliasChoices("name", "username", "phone_number", "email")


class Register(Shape):
    """Both registration forms (K2): `name, surname, phone_number, password, confirm_password`, or
    `username, email, password`. `is_admin` is not read (D1).
    """

    name: Name = Field(validation_alias=AliasChoices("name", "username"))
    surname: Name | None = None
    phone_number: MaybePhone = None
    email: Email | None = None
    password: Password
    confirm_password: str | None = None

    @model_validator(mode="after")
    def _is_typed_twice(self) -> Register:
        if self.confirm_password is not None and self.confirm_password != self.password:
            raise ValueError("passwords do not match")
        return self

    def ensure_complete(self) -> None:
        """Without an e-mail it is the first form, whose fields are all required. Raises `Invalid`."""
        needed = ("surname", "phone_number", "confirm_password")
        missing = [name for name in needed if getattr(self, name) is None] if self.email is None else []
        if missing:
            raise Invalid(
                [{"type": "missing", "loc": ["body", name], "msg": "Field required", "input": None} for name in missing]
            )


class LogIn(Shape):
    """A name, phone or e-mail under any of their names, and the password (K3)."""

    name: LooksLikeSomebody = Field(validation_alias=WHO)
    password: Annotated[str, Field(min_length=1, max_length=128)]


class Refresh(Shape):
    """The newest refresh token; may also come as a header or a cookie."""

    refresh_token: Annotated[str | None, Field(max_length=4096)] = None


class NewPassword(Shape):
    """A new password: with the present one when signed in, else with a code that was sent."""

    name: LooksLikeSomebody | None = Field(None, validation_alias=WHO)
    code: Annotated[str | None, Trimmed, Field(min_length=4, max_length=100)] = None
    current_password: Annotated[str | None, Field(max_length=128)] = None
    new_password: Password
    confirm_new_password: str | None = None

    @model_validator(mode="after")
    def _is_typed_twice(self) -> NewPassword:
        if self.confirm_new_password is not None and self.confirm_new_password != self.new_password:
            raise ValueError("passwords do not match")
        return self


class Forgot(Shape):
    """Who forgot. A new password in this request is not looked at (D2)."""

    name: LooksLikeSomebody = Field(validation_alias=WHO)


class SignedInUser(Shape):
    """The caller; the old clients know no id here."""

    name: str
    surname: str
    phone_number: str | None
    is_admin: bool
    created_at: datetime
    updated_at: datetime


class Tokens(Shape):
    """A pair. `expires_in` is in minutes."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    user: SignedInUser


class Message(Shape):
    """Words."""

    message: str


class LoggedOut(Message):
    """Words and the time."""

    timestamp: datetime


class DoorView(ShopView):
    """Answers with a pair of tokens: body, headers and cookies (K1)."""

    tag = "auth"

    def handed_out(self, customer: Customer, pair: tokens.Pair) -> HttpResponse:
        """The original's body and headers, and our cookies."""
        minutes = settings.SHOP.access_minutes
        response = self.reply(
            {
                "access_token": pair.access,
                "refresh_token": pair.refresh,
                "token_type": "bearer",
                "expires_in": minutes,
                "user": SignedInUser.model_validate(customer),
            },
            headers={
                "Authorization": f"Bearer {pair.access}",
                "Refresh-Token": pair.refresh,
                "Token-Type": "bearer",
                "X-Expires-In": str(minutes),
                "Cache-Control": "no-store",
            },
        )
        tokens.set_cookies(response, pair, cookies_for(self.request.path))
        return response


class RegisterView(DoorView):
    """Become a customer."""

    @endpoint(
        body=Register,
        answers={200: Tokens},
        refusals=[errors.NameTaken, errors.PhoneTaken, errors.EmailTaken],
        summary="Register",
    )
    def post(self, request: Any, *, body: Register) -> HttpResponse:
        """Both forms of the contract; nobody becomes an administrator here."""
        body.ensure_complete()
        customer = sessions.register(
            name=body.name,
            surname=body.surname or "",
            phone_number=body.phone_number,
            email=body.email,
            password=body.password,
            caller=self.caller,
        )
        return self.handed_out(customer, sessions.open_session(customer, caller=self.caller))


class LogInView(DoorView):
    """Sign in."""

    @endpoint(
        body=LogIn,
        answers={200: Tokens},
        refusals=[errors.WrongCredentials, accounts.PersonBlocked, accounts.TooManyTries],
        summary="Sign in",
    )
    def post(self, request: Any, *, body: LogIn) -> HttpResponse:
        """One message for an unknown name and a wrong password."""
        customer = sessions.log_in(identifier=body.name, password=body.password, caller=self.caller)
        return self.handed_out(customer, sessions.open_session(customer, caller=self.caller))


class RefreshView(DoorView):
    """Renew."""

    @endpoint(
        body=Refresh,
        body_optional=True,
        answers={200: Tokens},
        refusals=[errors.RefreshTokenMissing, errors.RefreshTokenInvalid, OriginRefused],
        summary="A new pair of tokens",
    )
    def post(self, request: Any, *, body: Refresh) -> HttpResponse:
        """JSON first, then a header, then the cookie. A token that was used before ends its session."""
        token = body.refresh_token or header_token(request) or RefreshCookie().credentials(request)
        if not token:
            raise errors.RefreshTokenMissing()
        return self.handed_out(*sessions.renew(refresh=token, caller=self.caller))


class LogOutView(ShopView):
    """Sign out."""

    tag = "auth"

    @endpoint(answers={200: LoggedOut}, summary="Sign out")
    def post(self, request: Any) -> HttpResponse:
        """Ends the session of every token that came along; never fails."""
        sessions.log_out(held=self._held(request), caller=self.caller)
        headers = {"Clear-Site-Data": '"cache", "storage"', "X-Logout": "true"}
        response = self.reply({"message": "Successfully logged out", "timestamp": timezone.now()}, headers=headers)
        tokens.drop_cookies(response, cookies_for(request.path))
        return response

    def _held(self, request: Any) -> list[str]:
        """Tokens of headers and cookies. Another site's page cannot make a browser end a session with its cookies."""
        found = [header_token(request)]
        for proof in (*self.get_authenticators(), RefreshCookie()):
            try:
                found.append(proof.credentials(request))  # type: ignore[attr-defined]
            except OriginRefused:
                continue
        return [token for token in found if token]


class ResetPasswordView(ShopView):
    """A new password."""

    tag = "auth"

    @endpoint(
        body=NewPassword,
        login="optional",
        answers={200: Message},
        refusals=[errors.CurrentPasswordWrong, errors.ResetCodeWrong, Unauthenticated, accounts.TooManyTries],
        summary="Replace a password",
    )
    def post(self, request: Any, *, body: NewPassword) -> dict[str, str]:
        """Signed in: with the present password. Otherwise: with the code that forgot-password sent."""
        if body.code is not None and body.name is not None:
            sessions.reset_password(identifier=body.name, code=body.code, new=body.new_password, caller=self.caller)
        elif request.member is not None:
            current = body.current_password or ""
            sessions.change_password(by=request.member, current=current, new=body.new_password, caller=self.caller)
        else:
            raise Unauthenticated()
        return {"message": "Password updated successfully"}


class ForgotPasswordView(ShopView):
    """A code for a new password."""

    tag = "auth"

    @endpoint(body=Forgot, answers={200: Message}, summary="Send a code for a new password")
    def post(self, request: Any, *, body: Forgot) -> dict[str, str]:
        """The same answer for everybody; changes nothing by itself (K4, D2)."""
        sessions.send_reset_code(identifier=body.name, caller=self.caller)
        return {"message": "If the account exists, a code has been sent"}


def header_token(request: Any) -> str:
    """The refresh token of a header, or an empty text."""
    return next((request.headers[name] for name in TOKEN_HEADERS if request.headers.get(name)), "")


urlpatterns = [
    path("auth/register", RegisterView, name="register"),
    path("auth/login", LogInView, name="login"),
    path("auth/refresh", RefreshView, name="refresh"),
    path("auth/logout", LogOutView, name="logout"),
    path("auth/reset-password", ResetPasswordView, name="reset-password"),
    path("auth/forgot-password", ForgotPasswordView, name="forgot-password"),
]
