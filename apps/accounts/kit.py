"""What products build their auth paths from: figures, request shapes, and a view base that knows the caller.

The figures of each product come from its own conf; the machine behind them is one (design 3.8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, Field, StringConstraints

from apps.accounts.caller import Caller
from apps.core import phones, throttle, wire
from apps.core.errors import Invalid
from apps.core.throttle import Limit, Slowdown


@dataclass(frozen=True)
class CodeFigures:
    """How one product's one-time codes behave. Times in seconds; a limit with count 0 is off."""

    product: str
    """Whose code: part of every limit's name and of the log."""
    brand: str = "Mahalla"
    """The first word of the text."""
    text: str | Promise = _("{brand}: your code is {code}. It is valid for {minutes} min. Tell it to nobody.")
    """The text; placeholders brand, code, minutes."""
    length: int = 6
    """Digits, 4 to 8."""
    life_seconds: int = 300
    tries: int = 5
    """Wrong tries that burn a code."""
    resend_seconds: int = 60
    """Pause between two codes for one phone."""
    lock_seconds: int = 900
    """After a code was burnt by wrong tries, no new one for this long, whatever the purpose; 0 is off."""
    by_phone: Limit = Limit(5, 900)
    """Codes per phone."""
    by_phone_long: Limit = Limit(20, 86_400)
    """A second, longer limit per phone."""
    by_address: Limit = Limit(30, 900)
    """Codes per calling address."""
    tries_by_address: Limit = Limit(60, 900)
    """Codes typed in per calling address."""
    unlimited_phones: frozenset[str] = field(default=frozenset(), repr=False)
    """E.164 numbers free of limits (load tests, reviewers of app stores)."""
    fixed_code: str = field(default="", repr=False)
    """Sends this instead of a random code. A product's system check refuses it in production."""


@dataclass(frozen=True)
class LoginFigures:
    """How one product guards its password door."""

    by_address: Limit = Limit(20, 900)
    by_identifier: Limit = Limit(5, 300)
    """Tries per calling address and claimed name together."""
    by_name: Slowdown = Slowdown(free=20, longest=60, seconds=3600)
    """Wrong tries per claimed name from all addresses and at all products: many machines may guess one password."""
    counts_successes: bool = False
    country: str = "UZ"
    """How a local phone number is read."""


def _phone(country: str) -> AfterValidator:
    def read(text: str) -> str:
        try:
            return phones.normalise(text, country)
        except Invalid as problem:
            raise ValueError("invalid phone number") from problem

    return AfterValidator(read)


Trimmed = StringConstraints(strip_whitespace=True)
PhoneUZ = Annotated[str, Field(min_length=7, max_length=32), Trimmed, _phone("UZ")]
PhoneTR = Annotated[str, Field(min_length=7, max_length=32), Trimmed, _phone("TR")]
PhoneKZ = Annotated[str, Field(min_length=7, max_length=32), Trimmed, _phone("KZ")]
"""A phone in a request, read with the product's country and handed on in E.164."""

CodeText = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{4,8}$")]
PasswordText = Annotated[str, Field(min_length=1, max_length=128)]


class RequestCode(wire.Shape):
    """Ask for a code. Products subclass it to name their country's phone type and further fields."""

    phone: PhoneUZ
    purpose: Annotated[str, Field(max_length=40)] = "login"


class ProveCode(wire.Shape):
    """Hand in a code."""

    phone: PhoneUZ
    code: CodeText
    purpose: Annotated[str, Field(max_length=40)] = "login"


class LogIn(wire.Shape):
    """Name (or phone, or e-mail) and password."""

    username: Annotated[str, Field(min_length=1, max_length=254)]
    password: PasswordText


class Refresh(wire.Shape):
    """The newest refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=4096)]


class ChangePassword(wire.Shape):
    """The present password and the next one."""

    current_password: PasswordText
    new_password: Annotated[str, Field(min_length=8, max_length=128)]


class TokenPair(wire.Shape):
    """The answer of most sign-ins."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - a word of the wire, not a secret


class AuthView(wire.View):
    """Base of a product's auth views: `self.caller` is what the login log and the limits want to know."""

    product = ""

    @property
    def caller(self) -> Caller:
        """Address, device and product of this request."""
        return caller_of(self.request, self.product)


def caller_of(request: Any, product: str) -> Caller:
    """Where a request came from, behind trusted proxies."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    return Caller(address=throttle.client_address(request), user_agent=agent, product=product)
