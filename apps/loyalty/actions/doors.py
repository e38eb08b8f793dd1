"""In and out: tokens of guests and staff, the demo's guest, passwords of staff (contract loyalty 3.2, 3.3, 3.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.accounts import actions as accounts
from apps.accounts import tokens
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.kit import LoginFigures
from apps.accounts.models import User
from apps.core import phones
from apps.core.errors import TooMany
from apps.core.throttle import Limit
from apps.loyalty import errors
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import Client, Staff
from apps.loyalty.queries import clients as guests
from apps.loyalty.queries import staff as questions

CLIENT, STAFF = "CLIENT", "STAFF"
"""Actor types in tokens and logs."""

DEMO_SUBJECT = "0"


@dataclass(frozen=True)
class DemoGuest:
    """Whoever signed in with the demo's phone and code: a name and nothing else, no row anywhere."""

    phone: str
    pk: int = 0
    name: str = "Test User"


def token_figures() -> tokens.TokenFigures:
    """Lives and keys of this product's tokens."""
    figures = settings.LOYALTY
    return tokens.TokenFigures(
        access_seconds=figures.access_minutes * 60,
        refresh_seconds=figures.refresh_days * 86_400,
        signing_key=figures.jwt_secret,
        refresh_key=figures.jwt_refresh_secret,
    )


tokens.register(PRODUCT, token_figures)


def is_demo(phone: str) -> bool:
    """Whether this is the demo's number."""
    return bool(settings.LOYALTY.demo_phone) and phone == demo_phone()


def demo_phone() -> str:
    """The demo's number without spaces; empty when there is no demo."""
    return str(settings.LOYALTY.demo_phone).replace(" ", "")


def open_demo() -> tokens.Pair:
    """Tokens of the demo's guest; they name no person and no session."""
    return tokens.bare(PRODUCT, DEMO_SUBJECT, {"actor_type": CLIENT, "mock_user": True, "phone": demo_phone()})


def demo_guest(proof: tokens.Proof) -> DemoGuest:
    """The guest of a bare token, which only the demo hands out. Raises `accounts.TokenInvalid`, also when it is off."""
    told = proof.claims
    if proof.subject != DEMO_SUBJECT or told.get("mock_user") is not True or not is_demo(str(told.get("phone"))):
        raise accounts.TokenInvalid()
    return DemoGuest(phone=demo_phone())


def open_session(member: Client | Staff, *, caller: Caller = NOWHERE) -> tokens.Pair:
    """The first pair of tokens after a proof."""
    return tokens.issue(member.user, PRODUCT, member.pk, claims_of(member), caller=caller)


def claims_of(member: Client | Staff) -> dict[str, Any]:
    """What old clients read in a token."""
    if isinstance(member, Staff):
        return {"actor_type": STAFF, "role": member.role}
    return {"actor_type": CLIENT}


def member(user: User | None, proof: tokens.Proof) -> Client | Staff:
    """Whom a token names, read anew. Raises `UnknownActor`, `AccountGone`, `AccountSwitchedOff`."""
    kind = proof.claims.get("actor_type")
    found: Client | Staff | None
    if kind == CLIENT:
        found = guests.brief(int(proof.subject))
    elif kind == STAFF:
        found = Staff.objects.living().filter(pk=proof.subject).first()
    else:
        raise errors.UnknownActor()
    if found is None:
        raise errors.AccountGone()
    if isinstance(found, Client) and not found.is_active:
        raise errors.AccountSwitchedOff()
    if user is not None and user.pk == found.user_id:
        found.user = user
    return found


def renew(*, refresh: str, caller: Caller = NOWHERE) -> tokens.Pair:
    """A new pair for the newest refresh token; one that was used before ends its session.

    A token of another product is renewed by that product's figures (design 3.12).
    Raises `RefreshMissing`, `RefreshInvalid`, `UnknownActor`.
    """
    if not refresh:
        raise errors.RefreshMissing()
    try:
        if tokens.audience_of(refresh) not in ("", PRODUCT):
            return accounts.rotate(refresh, caller=caller)
        proof = tokens.read(refresh, PRODUCT, "refresh")
        if proof.link is None:
            demo_guest(proof)
            return open_demo()
        whom = member(None, proof)
        return accounts.rotate(refresh, audience=PRODUCT, claims=lambda _: claims_of(whom), caller=caller)
    except (accounts.TokenInvalid, accounts.PersonBlocked, errors.AccountGone, errors.AccountSwitchedOff) as problem:
        raise errors.RefreshInvalid() from problem


def log_in_staff(*, phone: str, password: str, caller: Caller = NOWHERE) -> Staff:
    """The member of staff behind a phone. Limits come first: a right password is refused too once they are reached.

    Raises `WrongCredentials`, `TooManyRequests`.
    """
    figures = settings.LOYALTY
    limit = Limit(figures.login_rate_limit, figures.rate_limit_block_minutes * 60)
    doors = LoginFigures(by_address=limit, by_identifier=limit)
    try:
        user = accounts.log_in(
            identifier=phone, password=password, figures=doors, caller=caller, find=questions.person_of_phone
        )
    except TooMany as problem:
        raise too_many(problem) from problem
    except (accounts.WrongCredentials, accounts.PersonBlocked) as problem:
        raise errors.WrongCredentials() from problem
    return Staff.objects.select_related("user").get(user=user)


def too_many(problem: TooMany) -> errors.TooManyRequests:
    """The same refusal with the minutes to wait, rounded up."""
    seconds = problem.retry_after or 60
    return errors.TooManyRequests(retry_after=seconds, minutes=-(-seconds // 60))


def change_password(*, by: Staff, old: str, new: str, caller: Caller = NOWHERE) -> None:
    """Replace a known password; every token issued before is dead. Raises `OldPasswordWrong`, `PasswordTooWeak`."""
    try:
        accounts.change_password(by=by.user, old=old, new=new, caller=caller, strength=accounts.check_length)
    except accounts.OldPasswordWrong as problem:
        raise errors.OldPasswordWrong() from problem


def staff_phone(text: str) -> str:
    """One spelling of a number of this country; anything else stays as typed (contract loyalty 3.4)."""
    try:
        return guest_phone(text)
    except phones.InvalidPhone:
        return text.strip()


def guest_phone(text: str) -> str:
    """`+998` and nine digits. Raises `phones.InvalidPhone` for anything else (contract loyalty 3.4)."""
    digits = "".join(letter for letter in text if letter.isascii() and letter.isdigit())
    if len(digits) == 12 and digits.startswith("998"):
        return f"+{digits}"
    if len(digits) == 9:
        return f"+998{digits}"
    raise phones.InvalidPhone()
