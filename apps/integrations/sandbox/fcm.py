"""A Firebase Cloud Messaging that gives out access tokens against a service account and takes messages."""

from __future__ import annotations

import re
import secrets
from functools import cached_property
from threading import Lock
from typing import Any, ClassVar

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.vendor import Body, Bounded, Control, Vendor, form, parameters, word

SEND = re.compile(r"/v1/projects/(?P<project>[\w-]+)/messages:send$")
# google-auth names Google's own endpoint here, wherever it sends the assertion.
AUDIENCE = "https://oauth2.googleapis.com/token"
CLIENT_EMAIL = "push@mahalla-sandbox.iam.gserviceaccount.com"
LARGEST_PAYLOAD_BYTES = 4096
# status of the wire → (HTTP status, gRPC word, FcmError code)
WORDS = {
    400: ("INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    401: ("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
    403: ("PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    404: ("NOT_FOUND", "UNREGISTERED"),
    429: ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    500: ("INTERNAL", "INTERNAL"),
    503: ("UNAVAILABLE", "UNAVAILABLE"),
}


class FakeFcm(Vendor):
    """FCM for one project, the configured one."""

    name: ClassVar[str] = "fcm"

    def __init__(self) -> None:
        self._key_lock = Lock()
        super().__init__()

    def forget(self) -> None:
        self.messages: dict[str, dict[str, Any]] = Bounded()
        self.unregistered: set[str] = set()
        self.strangers: set[str] = set()
        self.access_tokens: dict[str, bool] = Bounded()

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def service_account(self) -> dict[str, str]:
        """The JSON that a real project downloads from its console; made up at the first call of the process."""
        with self._key_lock:
            key = self._key
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": settings.INTEGRATIONS.fcm_project_id,
            "private_key_id": "sandbox",
            "private_key": pem.decode(),
            "client_email": CLIENT_EMAIL,
            "client_id": "1",
            "token_uri": f"{settings.INTEGRATIONS.fcm_base_url}/token",
        }

    # The API

    def answer(self, asked: Asked) -> Reply:
        if asked.path.endswith("/token"):
            return self._token(form(asked))
        found = SEND.search(asked.path)
        if not found:
            return _error(404, "NOT_FOUND", "", "No such method")
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.access_tokens:
            return _error(401, "UNAUTHENTICATED", "", "Request had invalid authentication credentials.")
        if found["project"] != settings.INTEGRATIONS.fcm_project_id:
            return _error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch")
        message = parameters(asked).get("message")
        with self.lock:
            return self._take(message if isinstance(message, dict) else {}, len(asked.body))

    def failure(self, status: int, retry_after: int | None) -> Reply:
        word_, code = WORDS.get(status, ("INTERNAL", "INTERNAL"))
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return _error(status, word_, code, "failure on request", **headers)

    def _token(self, fields: Body) -> Reply:
        """OAuth 2.0 for service accounts: a JWT signed with the account's key buys an hour."""
        try:
            claims = jwt.decode(
                str(fields.get("assertion", "")),
                self._key.public_key(),
                algorithms=["RS256"],
                audience=AUDIENCE,
            )
        except jwt.InvalidTokenError:
            return Reply.json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        if claims.get("iss") != CLIENT_EMAIL:
            return Reply.json({"error": "invalid_grant", "error_description": "Unknown account."}, 400)
        token = secrets.token_urlsafe(24)
        self.access_tokens[token] = True
        return Reply.json({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _take(self, message: Body, size: int) -> Reply:
        token = message.get("token") or message.get("fid")
        if not isinstance(token, str) or not token:
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Recipient of the message is not set.")
        if token.startswith("invalid"):
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "not a valid FCM token", field="message.token")
        if token in self.unregistered:
            return _error(404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found.")
        if token in self.strangers:
            return _error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch")
        values = message.get("data") or {}
        if size > LARGEST_PAYLOAD_BYTES or any(not isinstance(value, str) for value in values.values()):
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid payload", field="message.data")
        name = f"projects/{settings.INTEGRATIONS.fcm_project_id}/messages/{secrets.randbelow(10**18)}"
        self.messages[name] = dict(message)
        shown = message.get("notification") or {}
        recorder.record("push", token, f"{shown.get('title', '')}\n{shown.get('body', '')}")
        return Reply.json({"name": name})

    # Control calls

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "unregister": lambda body: self._mark(self.unregistered, body),
            "mismatch": lambda body: self._mark(self.strangers, body),
            "expire-tokens": self._control_expire_tokens,
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"messages": dict(list(self.messages.items())[-100:]), "unregistered": sorted(self.unregistered)}

    def _mark(self, tokens: set[str], body: Body) -> dict[str, Any]:
        tokens.add(word(body, "token"))
        return {"ok": True}

    def _control_expire_tokens(self, body: Body) -> dict[str, Any]:
        self.access_tokens.clear()
        return {"ok": True}


def _error(status: int, word_: str, code: str, message: str, *, field: str = "", **headers: str) -> Reply:
    details: list[dict[str, Any]] = []
    if code:
        details.append({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code})
    if field:
        violations = [{"field": field, "description": message}]
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations})
    body = {"error": {"code": status, "message": message, "status": word_, "details": details}}
    return Reply.json(body, status, **headers)
