"""Codes, registering, signing in, letters (contract tickets 1.2)."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import Field, StringConstraints

from apps.accounts import actions as accounts
from apps.accounts.authentication import bearer
from apps.core.errors import Invalid, Refused
from apps.core.routing import path
from apps.core.texts import LANGUAGES
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.actions import letters, registration, sessions
from apps.tickets.actions.registration import Application
from apps.tickets.actions.sessions import Entrance
from apps.tickets.api.base import TicketsView
from apps.tickets.api.shapes import AnyPassword, Email, Message, Mobile, Name, NewPassword, Phone, Renewed, Tokens, User
from apps.tickets.queries import members

Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
LinkToken = Annotated[str, Field(min_length=1, max_length=200)]


class RequestOtp(Shape):
    """`purpose` login lets an account with a password in by phone too (C3)."""

    phone_number: Mobile
    purpose: Literal["", "login"] = ""


class CodeSent(Message):
    """Words and the code's life."""

    expires_in_seconds: int


class VerifyOtp(Shape):
    """The phone and the code that it got."""

    phone_number: Mobile
    code: Code


class Proved(Tokens):
    """Without an account the tokens are good for registering only."""

    requires_registration: bool


class Register(Shape):
    """Both forms (C1): with `otp_code` or with e-mail and password."""

    phone_number: Phone
    full_name: Name
    otp_code: Code | None = None
    email: Email | None = None
    password: NewPassword | None = None

    def ensure_complete(self, has_proof: bool) -> None:
        """Without a proved phone, e-mail and password are required. Raises `Invalid`."""
        missing = [name for name in ("email", "password") if getattr(self, name) is None and not has_proof]
        if missing:
            raise Invalid(
                [{"type": "missing", "loc": ["body", name], "msg": "Field required", "input": None} for name in missing]
            )


class Registered(Message):
    """Words; and tokens when the phone is proved."""

    access_token: str | None = None
    refresh_token: str | None = None
    token_type: str | None = None
    user_id: str | None = None


class LogIn(Shape):
    """E-mail and password."""

    email: Email
    password: AnyPassword


class Refresh(Shape):
    """The newest refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=4096)]


class OnlyEmail(Shape):
    """Whom a letter goes to."""

    email: Email


class LinkQuery(Shape):
    """The token of a link."""

    token: LinkToken


class SetPassword(Shape):
    """An invited member's first password."""

    token: LinkToken
    phone_number: Phone
    password: NewPassword


class ResetPassword(Shape):
    """A forgotten password's successor."""

    token: LinkToken
    password: NewPassword


class DoorView(TicketsView):
    """Answers with a pair of tokens."""

    tag = "auth"

    def handed_out(self, entrance: Entrance) -> dict[str, Any]:
        """The pair and whose it is."""
        return {
            "access_token": entrance.pair.access,
            "refresh_token": entrance.pair.refresh,
            "token_type": "bearer",
            "user_id": entrance.member.pk if entrance.member else None,
        }


class RequestCode(DoorView):
    """Step one of a phone."""

    @endpoint(
        summary="Send a code",
        body=RequestOtp,
        answers={200: CodeSent},
        refusals=[
            errors.AlreadyRegistered,
            accounts.TooManyTries,
            accounts.PrefixNotServed,
            accounts.CodeNotSent,
            accounts.SpendCapReached,
        ],
    )
    def post(self, request: Any, *, body: RequestOtp) -> dict[str, Any]:
        """A new code kills the old one."""
        seconds = sessions.request_code(phone=body.phone_number, purpose=body.purpose, caller=self.caller)
        return {"message": "OTP sent successfully", "expires_in_seconds": seconds}


class ProveCode(DoorView):
    """Step two of a phone."""

    @endpoint(
        summary="Prove a phone",
        body=VerifyOtp,
        answers={200: Proved},
        refusals=[
            accounts.CodeWrong,
            accounts.CodeExpired,
            accounts.CodeBurnt,
            accounts.TooManyTries,
            accounts.PersonBlocked,
            errors.MemberGone,
        ],
    )
    def post(self, request: Any, *, body: VerifyOtp) -> dict[str, Any]:
        """Signs a member in; a new phone may register with the same code or with the tokens (C2).

        Who is signed in already, by e-mail, proves the phone of his own account.
        """
        with suppress(Refused):  # an old token that is sent along is no reason to refuse a code
            self.sign_in(request, "optional")
        entrance = sessions.prove_phone(phone=body.phone_number, code=body.code, by=request.member, caller=self.caller)
        return {**self.handed_out(entrance), "requires_registration": entrance.member is None}


class Registration(DoorView):
    """Become a citizen."""

    @endpoint(
        summary="Register",
        body=Register,
        answers={201: Registered},
        refusals=[
            errors.PhoneTaken,
            errors.EmailTaken,
            errors.RegistrationTokenInvalid,
            accounts.CodeWrong,
            accounts.CodeExpired,
            accounts.PersonBlocked,
            accounts.TooManyTries,
        ],
    )
    def post(self, request: Any, *, body: Register) -> dict[str, Any]:
        """With a proved phone: signed in at once. Otherwise a letter asks to prove the e-mail address."""
        token = sessions.registration_token(bearer(request))
        body.ensure_complete(has_proof=bool(body.otp_code or token))
        application = Application(body.full_name, body.phone_number, body.email, body.password, _language(request))
        entrance = registration.register(
            application, otp_code=body.otp_code or "", registration_token=token, caller=self.caller
        )
        if entrance is None:
            return {"message": "Registration successful. Please check your email to verify your account."}
        return {"message": "Registration successful.", **self.handed_out(entrance)}


def _language(request: Any) -> str:
    """What the browser asks for; the product's own for programs, which ask for nothing."""
    wanted = request.headers.get("Accept-Language", "")[:2].lower()
    return wanted if wanted in LANGUAGES else settings.TICKETS.language


class LogInView(DoorView):
    """E-mail and password."""

    @endpoint(
        summary="Sign in",
        body=LogIn,
        answers={200: Tokens},
        refusals=[errors.WrongCredentials, errors.NotVerified, accounts.PersonBlocked, accounts.TooManyTries],
    )
    def post(self, request: Any, *, body: LogIn) -> dict[str, Any]:
        """Any role."""
        return self.handed_out(sessions.log_in(email=body.email, password=body.password, caller=self.caller))


class StaffLogInView(DoorView):
    """The staff's door."""

    @endpoint(
        summary="Sign in as staff",
        body=LogIn,
        answers={200: Tokens},
        refusals=[
            errors.WrongCredentials,
            errors.NotVerified,
            errors.NotStaff,
            accounts.PersonBlocked,
            accounts.TooManyTries,
        ],
    )
    def post(self, request: Any, *, body: LogIn) -> dict[str, Any]:
        """Support and managers only."""
        return self.handed_out(
            sessions.log_in(email=body.email, password=body.password, caller=self.caller, staff_only=True)
        )


class RefreshView(DoorView):
    """Renewing."""

    @endpoint(
        summary="Renew tokens",
        body=Refresh,
        answers={200: Renewed},
        refusals=[errors.RefreshTokenInvalid, accounts.TooManyTries],
    )
    def post(self, request: Any, *, body: Refresh) -> dict[str, Any]:
        """A new pair; the old refresh token is dead."""
        pair = sessions.renew(refresh=body.refresh_token, caller=self.caller)
        return {"access_token": pair.access, "refresh_token": pair.refresh, "token_type": "bearer"}


class LogOut(DoorView):
    """Signing out; the original has no such path."""

    @endpoint(summary="Sign out", login="required", answers={204: None})
    def post(self, request: Any) -> None:
        """The session of this access token ends."""
        accounts.log_out(bearer(request), audience=self.product, caller=self.caller)


class Me(TicketsView):
    """Who am I?"""

    tag = "auth"

    @endpoint(summary="My account", login="required", answers={200: User})
    def get(self, request: Any) -> dict[str, Any]:
        """With the name of my team."""
        return members.as_row(request.member)


class VerifyEmail(TicketsView):
    """The link of the first letter."""

    tag = "auth"

    @endpoint(
        summary="Prove an e-mail address",
        query=LinkQuery,
        answers={200: Message},
        refusals=[accounts.MailTokenWrong, accounts.MailTokenExpired, errors.AlreadyVerified, accounts.TooManyTries],
    )
    def get(self, request: Any, *, query: LinkQuery) -> dict[str, Any]:
        """Once per link."""
        letters.verify_email(token=query.token, caller=self.caller)
        return {"message": "Email verified successfully. You can now log in."}


class Resend(TicketsView):
    """Another letter."""

    tag = "auth"

    @endpoint(
        summary="Send the verification letter again",
        body=OnlyEmail,
        answers={200: Message},
        refusals=[accounts.TooManyTries],
    )
    def post(self, request: Any, *, body: OnlyEmail) -> dict[str, Any]:
        """The same answer for everybody."""
        letters.resend(email=body.email, caller=self.caller)
        return {"message": "If this account exists and is not verified, a new letter is on its way."}


class FirstPassword(TicketsView):
    """The link of an invitation."""

    tag = "auth"

    @endpoint(
        summary="Accept an invitation",
        body=SetPassword,
        answers={200: Message},
        refusals=[
            accounts.MailTokenWrong,
            accounts.MailTokenExpired,
            errors.PhoneMismatch,
            accounts.PasswordTooWeak,
            accounts.TooManyTries,
        ],
    )
    def post(self, request: Any, *, body: SetPassword) -> dict[str, Any]:
        """Token and phone must be the invited ones."""
        letters.set_password(token=body.token, phone=body.phone_number, password=body.password, caller=self.caller)
        return {"message": "Password set successfully. You can now log in."}


class Forgot(TicketsView):
    """A forgotten password."""

    tag = "auth"

    @endpoint(
        summary="Ask for a new password", body=OnlyEmail, answers={200: Message}, refusals=[accounts.TooManyTries]
    )
    def post(self, request: Any, *, body: OnlyEmail) -> dict[str, Any]:
        """The same answer for everybody."""
        letters.forgot_password(email=body.email, caller=self.caller)
        return {"message": "If this account exists, a letter with a link is on its way."}


class Reset(TicketsView):
    """The link of that letter."""

    tag = "auth"

    @endpoint(
        summary="Choose a new password",
        body=ResetPassword,
        answers={200: Message},
        refusals=[
            accounts.MailTokenWrong,
            accounts.MailTokenExpired,
            accounts.PasswordTooWeak,
            accounts.TooManyTries,
        ],
    )
    def post(self, request: Any, *, body: ResetPassword) -> dict[str, Any]:
        """Everything signed in before is signed out."""
        letters.reset_password(token=body.token, password=body.password, caller=self.caller)
        return {"message": "Password reset successfully. You can now log in."}


urlpatterns = [
    path("api/v1/auth/request-otp", RequestCode, name="request-otp"),
    path("api/v1/auth/verify-otp", ProveCode, name="verify-otp"),
    path("api/v1/auth/register", Registration, name="register"),
    path("api/v1/auth/login", LogInView, name="login"),
    path("api/v1/auth/staff/login", StaffLogInView, name="staff-login"),
    path("api/v1/auth/refresh", RefreshView, name="refresh"),
    path("api/v1/auth/logout", LogOut, name="logout"),
    path("api/v1/auth/me", Me, name="me"),
    path("api/v1/auth/verify-email", VerifyEmail, name="verify-email"),
    path("api/v1/auth/resend-verification", Resend, name="resend-verification"),
    path("api/v1/auth/set-password", FirstPassword, name="set-password"),
    path("api/v1/auth/forgot-password", Forgot, name="forgot-password"),
    path("api/v1/auth/reset-password", Reset, name="reset-password"),
]
