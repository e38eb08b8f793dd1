"""Who calls? DRF classes: Telegram initData, bearer token, cookie; and Django's backend for the back office."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts import actions, queries, tokens
from apps.accounts.actions import passwords
from apps.accounts.errors import InitDataInvalid, OriginRefused, PersonBlocked, SessionEnded, TokenInvalid
from apps.accounts.models import User
from apps.core.access import ensure
from apps.integrations.telegram import InitDataRefused, TelegramProfile, read_init_data


def bearer(request: Any) -> str:
    """What stands behind `Bearer ` in the Authorization header; the scheme in any case. Empty without one."""
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""


class InitDataAuthentication(BaseAuthentication):
    """`Authorization: Bearer <raw initData>` (contract urgent 1.0). `request.auth` is the proven `TelegramProfile`.

    A product's subclass may name its membership in `along`: one query then brings both rows.
    """

    along: ClassVar[tuple[str, ...]] = ()

    def authenticate(self, request: Request) -> tuple[User, TelegramProfile] | None:
        """The person, or None without credentials. Raises `InitDataInvalid` (401) and `PersonBlocked` (403)."""
        raw = bearer(request)
        if not raw:
            return None
        try:
            profile = read_init_data(raw)
        except InitDataRefused as refused:
            raise InitDataInvalid(reason=refused.reason) from refused
        return actions.person_from_telegram(profile, along=self.along), profile

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`. Products subclass it: `audience`, and `person_behind` for bare tokens.

    `request.auth` is the `tokens.Proof`; its `subject` is the membership that the product looks up.
    """

    audience: ClassVar[str] = ""

    def authenticate(self, request: Request) -> tuple[User, tokens.Proof] | None:
        """The person, or None without credentials.

        Raises `TokenInvalid`, `TokenExpired`, `SessionEnded`, `PersonBlocked`.
        """
        raw = self.credentials(request)
        if not raw:
            return None
        return self.prove(raw)

    def prove(self, raw: str) -> tuple[User, tokens.Proof]:
        """The person of an access token, wherever it came from: a socket shows it in a frame.

        Raises `TokenInvalid`, `TokenExpired`, `SessionEnded`, `PersonBlocked`.
        """
        proof = tokens.read(raw, self.audience)
        return self._person(proof), proof

    def credentials(self, request: Request) -> str:
        """The access token of this request."""
        return bearer(request)

    def person_behind(self, proof: tokens.Proof) -> User | None:
        """The person of a token without a session; only a product that accepts bare tokens knows how to find him."""
        return None

    def _person(self, proof: tokens.Proof) -> User:
        """One query: the session with its person."""
        if proof.link is None:
            return self._behind_bare(proof)
        session_id = proof.link.session_id
        user = queries.signed_in(session_id=session_id, audience=proof.audience, now=timezone.now())
        if user is None:
            raise SessionEnded()
        return _active(user)

    def _behind_bare(self, proof: tokens.Proof) -> User:
        user = self.person_behind(proof)
        if user is None or user.erased_at:
            raise TokenInvalid()
        if tokens.is_revoked(proof, user):
            raise SessionEnded()
        return _active(user)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _active(user: User) -> User:
    if not user.is_active:
        raise PersonBlocked()
    return user


class CookieAuthentication(BearerAuthentication):
    """The access token in a cookie; stands behind `BearerAuthentication` in a view's list, so that a header wins.

    A method that changes something must come from a page of ours: a known Origin (or Referer), or Django's CSRF token.
    """

    cookie_name: ClassVar[str] = "access_token"

    def credentials(self, request: Request) -> str:
        """The cookie, unless another site makes the browser send it: `OriginRefused`."""
        raw = request.COOKIES.get(self.cookie_name, "")
        if raw and request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            _ensure_own_page(request)
        return str(raw)


def _ensure_own_page(request: Any) -> None:
    origin = request.META.get("HTTP_ORIGIN") or _origin_of(request.META.get("HTTP_REFERER", ""))
    if origin and origin != "null":
        own = {
            f"{request.scheme}://{request.get_host()}",
            *settings.CORS_ALLOWED_ORIGINS,
            *settings.CSRF_TRUSTED_ORIGINS,
        }
        ensure(origin.rstrip("/") in {known.rstrip("/") for known in own}, OriginRefused)
        return
    sent, kept = request.META.get("HTTP_X_CSRFTOKEN", ""), request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    ensure(bool(kept) and constant_time_compare(sent, kept), OriginRefused)


def _origin_of(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if rest else ""


class StaffBackend(ModelBackend):
    """The back office: sign in by name, e-mail or phone, at a constant price; rights stay Django's."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The active person, or None. Never says which of the two was wrong."""
        identifier = username or kwargs.get(User.USERNAME_FIELD) or ""
        if not identifier or password is None:
            return None
        user = queries.person_called(identifier)
        if passwords.is_right(user, password) and user is not None and self.user_can_authenticate(user):
            return user
        return None
