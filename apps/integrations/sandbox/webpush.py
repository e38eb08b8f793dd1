"""A push service of a browser: issues subscriptions, checks VAPID, decrypts what it is sent."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Vendor, word

LARGEST_BODY_BYTES = 4096
LONGEST_VAPID_S = 24 * 3600 + 60


@dataclass(frozen=True)
class Subscription:
    """A browser that said yes: its private half, and what it gave to the page."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def p256dh(self) -> str:
        return encode(self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def auth(self) -> str:
        return encode(self.secret)

    def as_json(self) -> dict[str, Any]:
        """What PushManager.subscribe() gives in a browser."""
        return {"endpoint": self.endpoint, "keys": {"p256dh": self.p256dh, "auth": self.auth}}


class FakeWebPush(Vendor):
    """One push service; endpoints live at /__sandbox/webpush/<id>."""

    name: ClassVar[str] = "webpush"

    def forget(self) -> None:
        self.subscriptions: dict[str, Subscription] = Bounded()
        self.gone: set[str] = set()

    def subscribe(self) -> Subscription:
        """A new browser."""
        endpoint = f"{settings.INTEGRATIONS.sandbox_url}/__sandbox/webpush/{secrets.token_urlsafe(16)}"
        made = Subscription(endpoint, ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16))
        self.subscriptions[_code(endpoint)] = made
        return made

    def answer(self, asked: Asked) -> Reply:
        code = _code(asked.path)
        subscription = self.subscriptions.get(code)
        if not subscription:
            return Reply.json({"message": "No such subscription"}, 404)
        if not _is_signed(asked, subscription.endpoint):
            return Reply.json({"message": "VAPID credentials are not valid"}, 403)
        if not asked.headers.get("ttl", "").isdigit() or asked.headers.get("content-encoding") != "aes128gcm":
            return Reply.json({"message": "TTL and Content-Encoding: aes128gcm are required"}, 400)
        if len(asked.body) > LARGEST_BODY_BYTES:
            return Reply.json({"message": "Payload too large"}, 413)
        text = _decrypted(asked.body, subscription)
        return (
            Reply.json({"message": "Cannot decrypt"}, 400) if text is None else self.accept(subscription.endpoint, text)
        )

    def accept(self, endpoint: str, text: str) -> Reply:
        """Deliver a decrypted message to a browser, unless the browser is gone."""
        if _code(endpoint) in self.gone:
            return Reply.json({"message": "push subscription has unsubscribed or expired"}, 410)
        recorder.record("push", endpoint, _shown(text))
        return Reply(201, b"", {"location": f"{endpoint}/m/{secrets.token_hex(8)}"})

    def leave(self, endpoint: str) -> None:
        """The person withdraws the permission: 410 from now on."""
        self.gone.add(_code(endpoint))

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "subscribe": lambda body: self.subscribe().as_json(),
            "leave": self._control_leave,
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"endpoints": [made.endpoint for made in self.subscriptions.values()], "gone": sorted(self.gone)}

    def _control_leave(self, body: Body) -> dict[str, Any]:
        endpoint = word(body, "endpoint")
        if _code(endpoint) not in self.subscriptions:
            raise ControlRefused("No such subscription", 404)
        self.leave(endpoint)
        return {"ok": True}


def encode(raw: bytes) -> str:
    """Base64url without padding, as browsers write keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _code(endpoint: str) -> str:
    return endpoint.rstrip("/").rpartition("/")[2]


def _is_signed(asked: Asked, endpoint: str) -> bool:
    """`Authorization: vapid t=<JWT>, k=<our public key>`: our key, our origin, at most a day."""
    scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    expected = settings.INTEGRATIONS.vapid_public_key
    if scheme.lower() != "vapid" or not expected or parts.get("k", "").rstrip("=") != expected.rstrip("="):
        return False
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(endpoint))
    try:
        point = base64.urlsafe_b64decode(expected + "=" * (-len(expected) % 4))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        claims = jwt.decode(parts.get("t", ""), key, algorithms=["ES256"], audience=origin)
    except (jwt.InvalidTokenError, ValueError):
        return False
    return claims.get("exp", 0) <= time.time() + LONGEST_VAPID_S and str(claims.get("sub", "")).startswith(
        ("mailto:", "https:")
    )


def _decrypted(body: bytes, subscription: Subscription) -> str | None:
    try:
        plain = http_ece.decrypt(
            body, private_key=subscription.key, auth_secret=subscription.secret, version="aes128gcm"
        )
        return str(plain.decode())
    except (http_ece.ECEException, ValueError):
        return None


def _shown(text: str) -> str:
    """Title and body of the JSON that our service worker reads; anything else as it is."""
    try:
        message = json.loads(text)
        return f"{message['title']}\n{message['body']}"
    except (ValueError, TypeError, KeyError):
        return text
