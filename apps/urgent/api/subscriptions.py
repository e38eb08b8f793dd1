"""Where else to tell a member: an e-mail address and browsers (contract urgent 10, roadmap).

Ours; old clients never call it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import Field

from apps.accounts.actions import EmailTaken
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.urgent import errors
from apps.urgent.actions import subscriptions as actions
from apps.urgent.api.base import UrgentView
from apps.urgent.queries import subscriptions as queries

Address = Annotated[
    str, Field(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$")
]
KeyText = Annotated[str, Field(min_length=8, max_length=160, pattern=r"^[A-Za-z0-9_\-+/=]+$")]
PushEndpoint = Annotated[str, Field(min_length=1, max_length=1000)]


class Mail(Shape):
    """`email` is null when none was given; letters go only to a verified one."""

    email: str | None
    verified: bool
    verified_at: datetime | None


class MailIn(Shape):
    email: Address


class CodeIn(Shape):
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class Done(Shape):
    success: Literal[True]


class Keys(Shape):
    p256dh: KeyText
    auth: KeyText


class SubscriptionIn(Shape):
    """What `PushManager.subscribe()` gives, as it is."""

    endpoint: PushEndpoint
    keys: Keys


class EndpointIn(Shape):
    endpoint: Annotated[str, Field(max_length=1000)]


class PushKey(Shape):
    """The VAPID public key for `applicationServerKey`."""

    public_key: str


class MyMail(UrgentView):
    """The member's e-mail address."""

    tag = "users"

    @endpoint(summary="My e-mail", login="required", answers={200: Mail})
    def get(self, request: Any) -> dict[str, Any]:
        """The address and whether it was proved."""
        return queries.mail(request.member)

    @endpoint(
        summary="Set my e-mail", body=MailIn, login="required", answers={200: Done}, refusals=[errors.TooManyCodes]
    )
    def put(self, request: Any, *, body: MailIn) -> dict[str, bool]:
        """Sends a code to it; nothing else is sent there before the code comes back."""
        actions.set_mail_address(by=request.member, address=body.email)
        return {"success": True}

    @endpoint(summary="Forget my e-mail", login="required", answers={204: None})
    def delete(self, request: Any) -> None:
        """No more letters."""
        actions.forget_mail_address(by=request.member)


class ProveMail(UrgentView):
    """The code from the letter."""

    tag = "users"

    @endpoint(
        summary="Verify my e-mail",
        body=CodeIn,
        login="required",
        answers={200: Done},
        refusals=[errors.NoMailBox, errors.WrongMailCode, EmailTaken],
    )
    def post(self, request: Any, *, body: CodeIn) -> dict[str, bool]:
        """Five wrong codes burn it."""
        actions.prove_mail_address(by=request.member, code=body.code)
        return {"success": True}


class MyBrowsers(UrgentView):
    """Web push."""

    tag = "users"

    @endpoint(summary="Key for web push", login="none", answers={200: PushKey}, refusals=[errors.PushNotConfigured])
    def get(self, request: Any) -> dict[str, str]:
        """What the browser needs to subscribe."""
        if not settings.INTEGRATIONS.vapid_public_key:
            raise errors.PushNotConfigured()
        return {"public_key": settings.INTEGRATIONS.vapid_public_key}

    @endpoint(
        summary="Push to this browser",
        body=SubscriptionIn,
        login="required",
        answers={200: Done},
        refusals=[errors.PushNotConfigured],
    )
    def post(self, request: Any, *, body: SubscriptionIn) -> dict[str, bool]:
        """Repeating is free; a browser belongs to whoever registered it last."""
        actions.add_browser(by=request.member, endpoint=body.endpoint, p256dh=body.keys.p256dh, auth=body.keys.auth)
        return {"success": True}

    @endpoint(summary="No more pushes to this browser", body=EndpointIn, login="required", answers={204: None})
    def delete(self, request: Any, *, body: EndpointIn) -> None:
        """Repeating changes nothing."""
        actions.remove_browser(by=request.member, endpoint=body.endpoint)


urlpatterns = [
    path("api/users/me/email", MyMail, name="mail"),
    path("api/users/me/email/verify", ProveMail, name="mail-verify"),
    path("api/users/me/push", MyBrowsers, name="browsers"),
]
