"""Push notifications (contract integrations 9): Firebase for apps, Web Push with VAPID for browsers.

Both vendors ask to drop dead addresses, hence `VendorRefused(dead=True)`; neither charges, so a fault of theirs is
simply `VendorBusy`. One request per message; loops and queues belong to the caller.
"""

from __future__ import annotations

import binascii
import json
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from google.auth import exceptions as google_errors
from google.auth import transport as google_transport
from google.oauth2 import service_account
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher, WebPushException

from apps.integrations import http
from apps.integrations.ports import PushTarget, VendorBusy, VendorError, VendorRefused
from apps.integrations.sandbox import vendors

FCM_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TTL_S = 3600
LARGEST_PAYLOAD_BYTES = 3800
VAPID_LIFE_S = 12 * 3600
Payload = Mapping[str, Any] | None


class Fcm:
    """FCM HTTP v1. Access tokens come from the service account's file and are renewed by google-auth."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send
        self._lock = Lock()
        self._credentials: service_account.Credentials | None = None
        self._credentials_of = ""

    def send(self, *, target: PushTarget, title: str, body: str, payload: Payload = None) -> None:
        """Send to the device with `target.token`; payload values are passed as text, because FCM takes nothing else."""
        conf = settings.INTEGRATIONS
        if not conf.fcm_project_id:
            raise VendorRefused("fcm is not configured")
        message: dict[str, Any] = {
            "token": target.token,
            "notification": {"title": title, "body": body},
            "data": {str(name): _as_text(value) for name, value in (payload or {}).items()},
            "android": {"priority": "high", "ttl": f"{TTL_S}s"},
            "apns": {"headers": {"apns-priority": "10"}, "payload": {"aps": {"sound": "default"}}},
        }
        answer = self._send(
            http.Call(
                vendor="fcm",
                method="POST",
                url=f"{conf.fcm_base_url}/v1/projects/{conf.fcm_project_id}/messages:send",
                headers={"Authorization": f"Bearer {self._access_token()}"},
                json={"message": message},
            )
        )
        if answer.status != 200:
            raise self._problem(answer)

    def _access_token(self) -> str:
        """A token good for some minutes more; only one thread renews it."""
        with self._lock:
            credentials = self._account()
            if not credentials.valid:
                try:
                    credentials.refresh(_GoogleRequest(self._send))
                except google_errors.GoogleAuthError as problem:
                    if problem.retryable or isinstance(problem, google_errors.TransportError):
                        raise VendorBusy("fcm: no access token") from None
                    raise VendorRefused("fcm: the service account is refused") from None
            return str(credentials.token)

    def _account(self) -> service_account.Credentials:
        conf = settings.INTEGRATIONS
        source = conf.fcm_credentials_file or conf.fcm_base_url
        if self._credentials is None or self._credentials_of != source:
            self._credentials = _credentials()
            self._credentials_of = source
        return self._credentials

    def _problem(self, answer: http.Answer) -> VendorError:
        code, field = _fcm_error(answer)
        if answer.status == 401:
            with self._lock:
                self._credentials = None
        if code == "QUOTA_EXCEEDED" or answer.status == 429 or answer.status >= 500:
            return VendorBusy(f"fcm: {code or answer.status}", retry_after=answer.retry_after)
        is_bad_token = code == "INVALID_ARGUMENT" and field == "message.token"
        is_dead = is_bad_token or code in ("UNREGISTERED", "SENDER_ID_MISMATCH")
        return VendorRefused(f"fcm: {code or answer.status}", dead=is_dead)


class WebPush:
    """RFC 8030 push, encrypted for the browser and signed with our VAPID key."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def send(self, *, target: PushTarget, title: str, body: str, payload: Payload = None) -> None:
        """Send to one subscription: the service worker gets JSON with title, body and the payload's fields."""
        text = json.dumps({**(payload or {}), "title": title, "body": body}, ensure_ascii=False, default=str).encode()
        if len(text) > LARGEST_PAYLOAD_BYTES:
            raise VendorRefused("web push: the message is too big")
        answer = self._post(target, _encrypted(target, text))
        if answer.status in (404, 410):
            raise VendorRefused(f"web push: {answer.status}", dead=True)
        if http.refuse_trouble(answer).status > 202:
            raise VendorRefused(f"web push: {answer.status}")

    def _post(self, target: PushTarget, body: bytes) -> http.Answer:
        headers = {
            **_vapid_headers(target.endpoint),
            "TTL": str(TTL_S),
            "Urgency": "high",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
        }
        call = http.Call(vendor="webpush", method="POST", url=target.endpoint, headers=headers, body=body)
        try:
            return self._send(call)
        except http.AddressRefused as refused:
            # Browsers name the address, so anybody may name any; one that we never call is of no use.
            raise VendorRefused(refused.reason, dead=True) from None


class DevicePush:
    """The `Push` port: apps by FCM, browsers by Web Push."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._fcm, self._web = Fcm(send), WebPush(send)

    def send(self, *, target: PushTarget, title: str, body: str, payload: Payload = None) -> None:
        sender = self._fcm if target.kind == "fcm" else self._web
        sender.send(target=target, title=title, body=body, payload=payload)


class FakePush:
    """FCM by its fake; browsers without the encryption, so that any endpoint and keys will do in a test.

    `sent` keeps (target, title, body, payload), oldest first. `vendor_fcm.unregistered` and
    `vendor_web.leave(endpoint)` make addresses dead.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[PushTarget, str, str, Payload]] = []
        self.vendor_fcm, self.vendor_web = vendors.fcm, vendors.webpush
        self._fcm = Fcm(http.to_fake(lambda asked: self.vendor_fcm.handle(asked)))
        self._problems: list[VendorError] = []

    def fail_with(self, problem: VendorError, count: int = 1) -> None:
        """The next `count` messages raise that error and are not sent."""
        self._problems = [problem] * count

    def send(self, *, target: PushTarget, title: str, body: str, payload: Payload = None) -> None:
        if self._problems:
            raise self._problems.pop()
        if target.kind == "fcm":
            self._fcm.send(target=target, title=title, body=body, payload=payload)
        elif self.vendor_web.accept(target.endpoint, json.dumps({"title": title, "body": body})).status != 201:
            raise VendorRefused("web push: 410", dead=True)
        self.sent.append((target, title, body, payload))


class _GoogleAnswer(google_transport.Response):
    """Our answer in google-auth's clothes."""

    def __init__(self, answer: http.Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.body


class _GoogleRequest(google_transport.Request):
    """Lets google-auth fetch its token through `integrations.http`; the repeats are google-auth's own."""

    def __init__(self, send: http.Send) -> None:
        self._send = send

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> _GoogleAnswer:
        call = http.Call(vendor="google", method=method, url=url, headers=headers or {}, body=body)
        try:
            return _GoogleAnswer(self._send(call))
        except VendorError as problem:
            raise google_errors.TransportError(str(problem)) from None


def _credentials() -> service_account.Credentials:
    try:
        return service_account.Credentials.from_service_account_info(_account_info(), scopes=[FCM_SCOPE])
    except (ValueError, AttributeError, google_errors.GoogleAuthError):
        raise VendorRefused("fcm: the credentials are not those of a service account") from None


def _account_info() -> dict[str, str]:
    """The service account: the operator's file, or the sandbox's own when the sandbox is on."""
    path = settings.INTEGRATIONS.fcm_credentials_file
    if path:
        try:
            info: dict[str, str] = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise VendorRefused("fcm: the credentials file cannot be read") from None
        return info
    if settings.SANDBOX_ENABLED:
        return vendors.fcm.service_account()
    raise VendorRefused("fcm has no credentials")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _fcm_error(answer: http.Answer) -> tuple[str, str]:
    """(FcmError code, field of the first violation), empty where the vendor said nothing of the kind."""
    error = answer.fields().get("error")
    details = error.get("details") if isinstance(error, dict) else None
    code = field = ""
    for detail in details if isinstance(details, list) else []:
        code = code or str(detail.get("errorCode", ""))
        for violation in detail.get("fieldViolations", []):
            field = field or str(violation.get("field", ""))
    return code, field


def _vapid_headers(endpoint: str) -> dict[str, str]:
    """A fresh claim per endpoint: the library writes audience and expiry into the dict it is given."""
    conf = settings.INTEGRATIONS
    if not conf.vapid_private_key:
        raise VendorRefused("web push is not configured")
    claims = {
        "aud": _origin(endpoint),
        "sub": conf.vapid_subject,
        "exp": int(time.time()) + VAPID_LIFE_S,
    }
    try:
        signed: dict[str, str] = Vapid02.from_string(conf.vapid_private_key).sign(claims)
    except (VapidException, ValueError, binascii.Error):
        raise VendorRefused("web push: the VAPID key or subject is not valid") from None
    return signed


def _origin(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise VendorRefused("web push: the endpoint is no address", dead=True)
    return f"{parts.scheme}://{parts.netloc}"


def _encrypted(target: PushTarget, text: bytes) -> bytes:
    """Only the browser can read it. Keys that are no keys mean the subscription is useless."""
    subscription = {"endpoint": target.endpoint, "keys": {"p256dh": target.p256dh, "auth": target.auth}}
    try:
        return bytes(WebPusher(subscription).encode(text)["body"])
    except (WebPushException, ValueError, TypeError, binascii.Error, IndexError):
        raise VendorRefused("web push: the subscription's keys are not valid", dead=True) from None
