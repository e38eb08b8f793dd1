"""Base of the shop's views: a bearer token or a cookie signs people in, `request.member` is the customer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings

from apps.accounts.authentication import BearerAuthentication, CookieAuthentication
from apps.accounts.kit import AuthView
from apps.accounts.tokens import CookieFigures
from apps.core.errors import Unauthenticated
from apps.shop import access
from apps.shop.api.wire import WIRE, ShopWire
from apps.shop.conf import PRODUCT
from apps.shop.models import Customer


class ShopBearer(BearerAuthentication):
    """`Authorization: Bearer <token>`; like the original, a bare token without a scheme is taken too."""

    audience = PRODUCT

    def credentials(self, request: Any) -> str:
        """The token of the header, or an empty text."""
        given = request.META.get("HTTP_AUTHORIZATION", "").strip()
        if " " not in given:
            return given if given.count(".") == 2 else ""
        return super().credentials(request)


class ShopCookie(CookieAuthentication):
    """The access token in its cookie; changing something needs a page of ours (contract shop 3.1)."""

    audience = PRODUCT


class RefreshCookie(CookieAuthentication):
    """The refresh token in its cookie, under the same rule."""

    audience = PRODUCT
    cookie_name = "refresh_token"


class ShopView(AuthView):
    """One wire and one sign-in for the whole product; a header wins over the cookie (K1)."""

    wire: ClassVar[ShopWire] = WIRE
    tag = "shop"
    product = PRODUCT
    authentication_classes = (ShopBearer, ShopCookie)

    def membership(self, user: Any) -> Customer:
        """The customer row. Rights are read from it on each request, never from the token."""
        customer = Customer.objects.filter(user=user, deleted_at=None).first()
        if customer is None:
            raise Unauthenticated()
        customer.user = user
        return customer


class AdminView(ShopView):
    """For administrators of the shop only: 401 without a sign-in, 403 without the right, then the rest."""

    def sign_in(self, request: Any, login: Any) -> None:
        """Raises `NotAnAdmin` before the shape of the request is looked at."""
        super().sign_in(request, login)
        if login == "required":
            access.ensure_admin(request.member)


def cookies_for(path: str) -> CookieFigures:
    """Names and flags of the token cookies; the refresh token only travels to the auth paths of this mount."""
    return CookieFigures(
        refresh_path=f"{path.partition('/auth/')[0]}/auth",
        is_secure=settings.SHOP.cookie_secure,
        same_site=settings.SHOP.cookie_same_site,
        domain=settings.SHOP.cookie_domain or None,
    )
