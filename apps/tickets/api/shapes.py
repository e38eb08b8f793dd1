"""Words that several requests share: names, phones, e-mails, passwords, members, tokens (contract tickets 1.1, 3)."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from apps.core import phones
from apps.core.errors import Invalid
from apps.core.wire import Shape
from apps.tickets.actions import passwords
from apps.tickets.models import Member

ANY_TURKISH = re.compile(r"\+90[0-9]{10}")


def _spaces_once(given: Any) -> Any:
    return " ".join(given.split()) if isinstance(given, str) else given


def _phone(text: str) -> str:
    """`0 5xx…`, `905…`, `5xx…`, `+90 5xx…` to E.164; the ten digits are not looked at, as in the original."""
    try:
        found = phones.normalise(text, "TR")
    except Invalid as problem:
        raise ValueError("phone number must be +90 followed by 10 digits") from problem
    if not ANY_TURKISH.fullmatch(found):
        raise ValueError("phone number must be +90 followed by 10 digits")
    return found


def _mobile(phone: str) -> str:
    if not phone.startswith("+905"):
        raise ValueError("text messages go to mobile numbers only (+90 5…)")
    return phone


def _email(text: str) -> str:
    """Small letters throughout: J@ and j@ are one person (D17)."""
    try:
        validate_email(text)
    except ValidationError as problem:
        raise ValueError("value is not a valid email address") from problem
    if not text.isascii():
        raise ValueError("value is not a valid email address")
    return text.lower()


def _strong(password: str) -> str:
    if missing := passwords.weakness(password):
        raise ValueError(f"password must contain {missing}")
    return password


Trimmed = StringConstraints(strip_whitespace=True)
Name = Annotated[str, BeforeValidator(_spaces_once), Field(min_length=2, max_length=100)]
Phone = Annotated[str, Trimmed, Field(min_length=10, max_length=32), AfterValidator(_phone)]
Mobile = Annotated[Phone, AfterValidator(_mobile)]
Email = Annotated[str, Trimmed, Field(max_length=254), AfterValidator(_email)]
AnyPassword = Annotated[str, Field(min_length=1, max_length=128)]
NewPassword = Annotated[str, Field(min_length=8, max_length=128), AfterValidator(_strong)]
OptionalWords = Annotated[str | None, Trimmed]


class Message(Shape):
    """Words."""

    message: str


class Renewed(Shape):
    """A pair."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - a word of the wire, not a secret


class Tokens(Renewed):
    """A pair and whose it is; null while the phone is proved and nobody has registered with it."""

    user_id: uuid.UUID | None


class User(Shape):
    """A member. `phone_number` is empty once somebody else has proved that phone."""

    id: uuid.UUID
    phone_number: str
    name: str
    email: str | None
    role: Member.Role
    is_verified: bool
    is_active: bool
    team_id: uuid.UUID | None
    team_name: str | None
    created_at: datetime
    updated_at: datetime


def without_nulls(body: Shape, *, nullable: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What was sent of a partial change. Raises `Invalid` for an explicit null where a value is needed (D12)."""
    sent = body.model_dump(exclude_unset=True)
    wrong = [name for name, value in sent.items() if value is None and name not in nullable]
    if wrong:
        raise Invalid(
            [
                {"type": "string_type", "loc": ["body", name], "msg": "Input should not be null", "input": None}
                for name in wrong
            ]
        )
    return sent
