"""How often is too often: counters in the shared cache, so all processes count together."""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import time
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.conf import settings
from django.core.cache import cache

from apps.core.errors import TooMany


@dataclass(frozen=True)
class Limit:
    """At most `count` times in `seconds`. Windows are fixed slices of the clock."""

    count: int
    seconds: int


@dataclass(frozen=True)
class Slowdown:
    """`free` tries within `seconds`; of all further ones a single one per pause.

    The pause is one second, doubles with each try and ends at `longest` seconds: nobody is shut out for longer.
    """

    free: int
    longest: int
    seconds: int


def hit(name: str, subject: object, limit: Limit, *, refusal: type[TooMany] = TooMany) -> int:
    """Count one try and return the number within the window. Raises `refusal` with Retry-After past the limit."""
    if limit.count <= 0:
        return 0
    slot, until = _slot(name, subject, limit)
    used = increment(slot, limit.seconds)
    if used > limit.count:
        raise refusal(retry_after=max(1, int(until - time.time()) + 1))
    return used


def used(name: str, subject: object, limit: Limit) -> int:
    """How many hits the current window holds."""
    return int(cache.get(_slot(name, subject, limit)[0]) or 0)


def give_back(name: str, subject: object, limit: Limit) -> None:
    """Undo one hit: the thing that was counted did not happen."""
    _take_one(_slot(name, subject, limit)[0])


def slow_down(name: str, subject: object, figures: Slowdown, *, refusal: type[TooMany] = TooMany) -> None:
    """Count one try. Raises `refusal` with Retry-After while a pause lasts; what was refused does not count.

    Of a thousand tries at the end of a pause one gets through: whoever sets the mark of the next.
    """
    if figures.free <= 0:
        return
    counter, gate = _marks(name, subject)
    over = increment(counter, figures.seconds) - figures.free
    if over <= 0:
        return
    pause = min(2 ** min(over - 1, 30), figures.longest)
    if cache.add(gate, time.time() + pause, timeout=pause):
        return
    _take_one(counter)
    left = float(cache.get(gate) or 0) - time.time()
    raise refusal(retry_after=max(1, ceil(left)))


def forgive(name: str, subject: object) -> None:
    """Take back one try counted by `slow_down`; a pause that it began goes on."""
    _take_one(_marks(name, subject)[0])


def _marks(name: str, subject: object) -> tuple[str, str]:
    """The counter and the gate that is closed during a pause."""
    mark = f"throttle:{name}:slow:{_digest(name, subject)}"
    return mark, f"{mark}:gate"


def _take_one(slot: str) -> None:
    if cache.get(slot):
        with suppress(ValueError):  # its time ended between the two calls
            cache.decr(slot)


def _slot(name: str, subject: object, limit: Limit) -> tuple[str, float]:
    """The counter's key and the end of its window."""
    window = int(time.time() // limit.seconds)
    slot = f"throttle:{name}:{limit.seconds}:{window}:{_digest(name, subject)}"
    return slot, float((window + 1) * limit.seconds)


def _digest(name: str, subject: object) -> str:
    """The subject is hashed: phones do not belong in a cache key."""
    return hashlib.sha256(f"{name}|{subject}".encode()).hexdigest()[:32]


def increment(slot: str, seconds: int) -> int:
    """Add one to a counter that lives `seconds`, atomically: `add` wins for the first hit only, `incr` is atomic in

    Redis and in memory.
    """
    cache.add(slot, 0, timeout=seconds + 5)
    try:
        return int(cache.incr(slot))
    except ValueError:  # the window ended between the two calls
        cache.add(slot, 0, timeout=seconds + 5)
        return int(cache.incr(slot))


def client_address(request: Any) -> str:
    """The caller's address. X-Forwarded-For is read from the right and only as far as `TRUSTED_PROXIES` reaches."""
    remote = request.META.get("REMOTE_ADDR", "") or "unknown"
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    while hops and _is_trusted(remote):
        remote = hops.pop()
    return remote


def neighbourhood(address: str) -> str:
    """Whom to count an address as: IPv6 by its /64, which is what one customer gets and may walk through freely."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)).network_address)


def _is_trusted(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in _network(text) for text in settings.TRUSTED_PROXIES)


@functools.lru_cache(maxsize=64)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Behind a proxy every request asks about the same few."""
    return ipaddress.ip_network(text, strict=False)
