"""Devices, wishes, quiet hours: where and when a person wants to be reached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core.texts import LANGUAGES
from apps.notifications import channels
from apps.notifications.errors import BadDevice, BadWish
from apps.notifications.models import Device, QuietHours, Wish

LONGEST_ADDRESS = 2048
MOST_DEVICES = 20
"""Per person and product; the ones not seen for longest give way."""


def register_device(
    *,
    user: Any,
    product: str,
    kind: str,
    token: str,
    p256dh: str = "",
    auth: str = "",
    platform: str = "",
    language: str = "",
    is_only_of_platform: bool = False,
    now: datetime | None = None,
) -> Device:
    """Remember where to push. `kind` fcm: `token` is the FCM token; web: the subscription's endpoint with its two keys.

    The same token of another person moves to this one (contract loyalty 3.10). `is_only_of_platform` drops the person's
    other devices of the platform, for clients that keep one row per type. Raises `BadDevice`.
    """
    _check_device(kind, token, p256dh, auth)
    values = {
        "user_id": user.pk,
        "kind": kind,
        "platform": platform[:16],
        "address": token,
        "p256dh": p256dh,
        "auth": auth,
        "language": language if language in LANGUAGES else "",
        "seen_at": now or timezone.now(),
    }
    with transaction.atomic():
        mark = _fingerprint(token)
        device, _ = Device.objects.update_or_create(product=product, fingerprint=mark, defaults=values)
        _drop_others(device, is_only_of_platform)
    return device


def _check_device(kind: str, token: str, p256dh: str, auth: str) -> None:
    if kind not in Device.Kind.values:
        raise BadDevice(reason="unknown kind")
    if not token or len(token) > LONGEST_ADDRESS or any(sign.isspace() or not sign.isprintable() for sign in token):
        raise BadDevice(reason="no token")
    if kind == Device.Kind.WEB:
        _check_subscription(token, p256dh, auth)


def _check_subscription(endpoint: str, p256dh: str, auth: str) -> None:
    if not (_is_public(endpoint) or _is_of_the_sandbox(endpoint)):
        raise BadDevice(reason="the endpoint is not an https address")
    if not (0 < len(p256dh) <= 160 and 0 < len(auth) <= 64):
        raise BadDevice(reason="the keys of the subscription are missing")


def _is_public(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return bool(parts.scheme == "https" and parts.hostname and not parts.username and parts.port in (None, 443))
    except ValueError:
        return False


def _is_of_the_sandbox(endpoint: str) -> bool:
    """On a laptop the push service is our own imitation, and that one speaks plain HTTP."""
    return bool(
        settings.SANDBOX_ENABLED and endpoint.startswith(f"{settings.INTEGRATIONS.sandbox_url}/__sandbox/webpush/")
    )


def _drop_others(device: Device, is_only_of_platform: bool) -> None:
    others = Device.objects.filter(user_id=device.user_id, product=device.product).exclude(pk=device.pk)
    if is_only_of_platform:
        others.filter(platform=device.platform).delete()
    stale = others.order_by("-seen_at").values_list("pk", flat=True)[MOST_DEVICES - 1 :]
    Device.objects.filter(pk__in=list(stale)).delete()


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def forget_device(*, user: Any, product: str, token: str = "", device_id: int | None = None) -> bool:
    """Push there no more: by token (a client at log-out) or by id. Returns whether there was such a device of theirs.

    Repeating is free, and other people's devices are never touched.
    """
    own = Device.objects.filter(user_id=user.pk, product=product)
    about = {"pk": device_id} if device_id is not None else {"fingerprint": _fingerprint(token)}
    return bool(own.filter(**about).delete()[0])


def set_wishes(*, by: Any, product: str, wishes: Iterable[Mapping[str, Any]]) -> None:
    """Switch channels on or off: each wish is {channel, is_on, kind?}; without a kind it is for the whole product.

    `is_on` None takes the wish back. Raises `BadWish` for a channel we do not have, then nothing is changed.
    """
    wanted = list(wishes)
    for wish in wanted:
        if wish.get("channel") not in channels.CHANNELS:
            raise BadWish(reason="unknown channel")
    with transaction.atomic():
        for wish in wanted:
            _set_wish(by.user.pk, product, wish)


def _set_wish(user_id: int, product: str, wish: Mapping[str, Any]) -> None:
    about = {"user_id": user_id, "product": product, "kind": wish.get("kind") or "", "channel": wish["channel"]}
    if wish.get("is_on") is None:
        Wish.objects.filter(**about).delete()
    else:
        Wish.objects.update_or_create(**about, defaults={"is_on": bool(wish["is_on"])})


def set_quiet_hours(*, by: Any, product: str, starts: time, ends: time, time_zone: str = "Asia/Tashkent") -> QuietHours:
    """Nothing rings between `starts` and `ends` on the person's clock. Raises `BadWish` for an unknown time zone."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadWish(reason="unknown time zone") from None
    values = {"starts": starts, "ends": ends, "time_zone": time_zone}
    hours, _ = QuietHours.objects.update_or_create(user_id=by.user.pk, product=product, defaults=values)
    return hours


def clear_quiet_hours(*, by: Any, product: str) -> None:
    """It may ring at any time."""
    QuietHours.objects.filter(user_id=by.user.pk, product=product).delete()
