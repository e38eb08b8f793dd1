"""Tokens on simplejwt: signed, for one product, short; and refresh families of which only the newest token is good.

`sub` is the id that the product's clients expect (the membership); the person and the session sit in private claims
(design 3.23). A product whose clients bring tokens without `jti` says `accepts_bare`: those rest on the signature, the
person's `tokens_valid_from` and nothing else.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from apps.accounts.caller import NOWHERE, Caller, address_or_none, printable
from apps.accounts.errors import TokenExpired, TokenInvalid
from apps.accounts.models import Session, User

Kind = Literal["access", "refresh"]
ALGORITHM = "HS256"
LONGEST_TOKEN = 4096
PROOFS_KEPT = 2048
"""Tokens that a process remembers as proved; about 2 kB each."""
BARE_MARGIN_SECONDS = 1
"""A bare token counts whole seconds; one issued in the very second of a revocation is still good."""
UNDATED = datetime.min.replace(tzinfo=UTC)
"""When a token without `iat` was issued: its `exp` proves nothing, so it is older than every revocation."""

PRIVATE = ("sub", "aud", "type", "scope", "exp", "iat", "jti", "sid", "person", "sess_exp")
"""Claims that we set; a product's own may not replace them."""


@dataclass(frozen=True)
class TokenFigures:
    """How one product's tokens behave. Times in seconds; an empty key means the house's."""

    access_seconds: int
    refresh_seconds: int
    signing_key: str = field(default="", repr=False)
    refresh_key: str = field(default="", repr=False)
    """Loyalty signs refresh tokens with a key of their own."""
    session_seconds: int = 0
    """Absolute end of a session, however often it is renewed; 0 is none (shop's `sess_exp`)."""
    accepts_bare: bool = False
    """Take access tokens that hold only `sub`, `type`, `exp` (contract tickets)."""


@dataclass(frozen=True)
class Pair:
    """What a sign-in hands out."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_seconds: int = 0
    refresh_seconds: int = 0


@dataclass(frozen=True)
class Link:
    """The private claims of a token that belongs to a session."""

    person_id: int
    session_id: uuid.UUID
    token_id: uuid.UUID


@dataclass(frozen=True)
class Proof:
    """A token that was read: who, for which product, until when. `link` is None for bare tokens."""

    kind: Kind
    audience: str
    subject: str
    claims: Mapping[str, Any]
    issued_at: datetime
    expires_at: datetime
    link: Link | None = None


_figures: dict[str, Callable[[], TokenFigures]] = {}


def register(audience: str, figures: Callable[[], TokenFigures]) -> None:
    """Tell a product's figures, once, in its `AppConfig.ready`.

    Read anew at each use so that tests may change settings.
    """
    _figures[audience] = figures


def figures_of(audience: str) -> TokenFigures:
    """The product's figures, or the house's for a product that told none."""
    if audience in _figures:
        return _figures[audience]()
    return TokenFigures(settings.ACCOUNTS.access_seconds, settings.ACCOUNTS.refresh_seconds)


def issue(
    user: User,
    audience: str,
    subject: object,
    claims: Mapping[str, Any] | None = None,
    *,
    caller: Caller = NOWHERE,
    now: datetime | None = None,
) -> Pair:
    """Open a session for a person who has just proved himself, and sign its first pair."""
    now = now or timezone.now()
    figures = figures_of(audience)
    life = figures.session_seconds or figures.refresh_seconds
    session = Session.objects.create(
        user=user,
        audience=audience,
        subject=str(subject),
        created_at=now,
        expires_at=now + timedelta(seconds=life),
        address=address_or_none(caller.address),
        user_agent=printable(caller.user_agent)[:255],
    )
    return pair_of(session, claims or {}, now)


def pair_of(session: Session, claims: Mapping[str, Any], now: datetime) -> Pair:
    """Both tokens of a session's newest link."""
    figures = figures_of(session.audience)
    own = {"person": session.user_id, "sid": str(session.pk)}
    if figures.session_seconds:
        own["sess_exp"] = int(session.expires_at.timestamp())
    base = {**claims, **own, "sub": session.subject, "aud": session.audience}
    latest = session.expires_at if figures.session_seconds else None
    return Pair(
        access=_sign(base | {"jti": uuid.uuid4().hex}, "access", figures, now, latest),
        refresh=_sign(base | {"jti": session.refresh_id.hex}, "refresh", figures, now, latest),
        access_seconds=figures.access_seconds,
        refresh_seconds=figures.refresh_seconds,
    )


def bare(
    audience: str, subject: object, claims: Mapping[str, Any] | None = None, *, now: datetime | None = None
) -> Pair:
    """A pair without person and session, for a product's demo login; cannot be revoked."""
    now, figures = now or timezone.now(), figures_of(audience)
    base = {**(claims or {}), "sub": str(subject), "aud": audience}
    pair = (_sign(base, "access", figures, now, None), _sign(base, "refresh", figures, now, None))
    return Pair(*pair, access_seconds=figures.access_seconds, refresh_seconds=figures.refresh_seconds)


def _sign(claims: dict[str, Any], kind: Kind, figures: TokenFigures, now: datetime, latest: datetime | None) -> str:
    life = figures.access_seconds if kind == "access" else figures.refresh_seconds
    until = now + timedelta(seconds=life)
    end = min(until, latest) if latest else until
    payload = claims | {"type": kind, "iat": int(now.timestamp()), "exp": int(end.timestamp())}
    if kind == "refresh":
        payload["scope"] = "refresh"
    return str(_backend(figures, kind).encode(payload))


def _backend(figures: TokenFigures, kind: Kind) -> TokenBackend:
    return _backend_of(_key(figures, kind))


def _key(figures: TokenFigures, kind: Kind) -> str:
    key = figures.signing_key or settings.SIMPLE_JWT["SIGNING_KEY"]
    return str(figures.refresh_key or key if kind == "refresh" else key)


@functools.lru_cache(maxsize=32)
def _backend_of(key: str) -> TokenBackend:
    """One per key: making its key ready costs more than reading a token."""
    return TokenBackend(ALGORITHM, signing_key=key)


def read(token: str, audience: str, kind: Kind = "access") -> Proof:
    """Prove a token of this product and kind.

    Signature, time and purpose only: whether the session lives, the caller asks.

    Raises `TokenExpired`, `TokenInvalid`.
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenInvalid()
    figures = figures_of(audience)
    proof = _proved(token, audience, kind, _key(figures, kind), figures.accepts_bare)
    if proof.expires_at <= timezone.now():
        raise TokenExpired()
    return proof


@functools.lru_cache(maxsize=PROOFS_KEPT)
def _proved(token: str, audience: str, kind: Kind, key: str, accepts_bare: bool) -> Proof:
    """A signature that was right stays right, only its time passes: a client shows one token many times in a row.

    What is refused is not kept.
    """
    claims = _decode(token, key)
    is_bare = "sid" not in claims
    if claims.get("type") != kind or (is_bare and kind == "access" and "aud" not in claims and not accepts_bare):
        raise TokenInvalid()
    if claims.get("aud", audience) != audience or not isinstance(claims.get("sub"), str | int):
        raise TokenInvalid()
    return _proof(claims, audience, kind)


def _decode(token: str, key: str) -> dict[str, Any]:
    try:
        return dict(_backend_of(key).decode(token.encode()))  # type: ignore[arg-type]
    except TokenBackendExpiredToken as problem:
        raise TokenExpired() from problem
    except (TokenBackendError, UnicodeError, TypeError, ValueError) as problem:
        raise TokenInvalid() from problem


def _proof(claims: dict[str, Any], audience: str, kind: Kind) -> Proof:
    """Claims to values."""
    try:
        return Proof(
            kind=kind,
            audience=audience,
            subject=str(claims["sub"]),
            claims={name: value for name, value in claims.items() if name not in PRIVATE},
            issued_at=datetime.fromtimestamp(claims["iat"], UTC) if "iat" in claims else UNDATED,
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            link=_link(claims) if "sid" in claims else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as problem:
        raise TokenInvalid() from problem


def _link(claims: dict[str, Any]) -> Link:
    return Link(int(claims["person"]), uuid.UUID(claims["sid"]), uuid.UUID(claims["jti"]))


def audience_of(token: str) -> str:
    """Which product a token names, not yet proved; for paths that serve every product (design 3.12).

    Empty when unreadable.
    """
    try:
        claims = TokenBackend(ALGORITHM).decode(token[:LONGEST_TOKEN].encode(), verify=False)  # type: ignore[arg-type]
    except (TokenBackendError, UnicodeError, TypeError, ValueError):
        return ""
    return str(claims.get("aud", ""))


def is_revoked(proof: Proof, user: User) -> bool:
    """Whether a token without a session is older than the person's revocation mark."""
    mark = user.tokens_valid_from
    return mark is not None and proof.issued_at < mark - timedelta(seconds=BARE_MARGIN_SECONDS)


@dataclass(frozen=True)
class CookieFigures:
    """Names and flags of a product's token cookies (contract shop 3.1)."""

    access_name: str = "access_token"
    refresh_name: str = "refresh_token"
    access_path: str = "/"
    refresh_path: str = "/"
    is_secure: bool = True
    same_site: Literal["Lax", "Strict", "None"] = "Lax"
    domain: str | None = None


def set_cookies(response: Any, pair: Pair, cookies: CookieFigures) -> None:
    """Hand a pair out as HttpOnly cookies that live as long as the tokens."""
    for name, value, seconds, path in (
        (cookies.access_name, pair.access, pair.access_seconds, cookies.access_path),
        (cookies.refresh_name, pair.refresh, pair.refresh_seconds, cookies.refresh_path),
    ):
        response.set_cookie(
            name, value, max_age=seconds, path=path, **_flags(cookies), httponly=True, secure=cookies.is_secure
        )


def drop_cookies(response: Any, cookies: CookieFigures) -> None:
    """Take both cookies away; name, path and domain must be those they were set with."""
    response.delete_cookie(cookies.access_name, path=cookies.access_path, **_flags(cookies))
    response.delete_cookie(cookies.refresh_name, path=cookies.refresh_path, **_flags(cookies))


def _flags(cookies: CookieFigures) -> dict[str, Any]:
    return {"domain": cookies.domain, "samesite": cookies.same_site}
