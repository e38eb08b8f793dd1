"""Read models kept as bytes with an ETag, in versioned namespaces (contract shop 3.5).

A write bumps the version of what it touched after its commit; the old bytes are never asked for again and run out by
themselves. Only public answers of 200 are kept: neither errors nor anything about a person.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from django.db import transaction

SLIPPERS, CATEGORIES = "slippers", "categories"
SECONDS = {SLIPPERS: 300, "slipper": 600, CATEGORIES: 600, "category": 600}
"""How long bytes are kept; the detail lives in its list's namespace, so that no pattern can miss it (D25)."""

NAMESPACE = {SLIPPERS: SLIPPERS, "slipper": SLIPPERS, CATEGORIES: CATEGORIES, "category": CATEGORIES}
VERSION_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Kept:
    """Bytes of JSON and their mark."""

    body: bytes
    etag: str


def answer(kind: str, question: str, make: Callable[[], bytes]) -> Kept:
    """The bytes for a question, from the cache or made now. What `make` raises is not kept.

    The version is read before the rows: what was read before a write can only be kept under the old version.
    """
    key = f"shop:{kind}:v{version(NAMESPACE[kind])}:{_digest(question)}"
    kept = cache.get(key)
    if kept is None:
        body = make()
        kept = (body, f'"{zlib.crc32(body):08x}{len(body):x}"')
        cache.set(key, kept, timeout=SECONDS[kind])
    return Kept(*kept)


def counted(question: str, count: Callable[[], int], seconds: int) -> int:
    """A `total` of the catalogue, kept by its filter and version: an exact count costs more than the page."""
    key = f"shop:count:v{version(SLIPPERS)}:{_digest(question)}"
    found = cache.get(key)
    if found is None:
        found = count()
        cache.set(key, found, timeout=seconds)
    return int(found)


def version(namespace: str) -> int:
    """The present version of a namespace."""
    found = cache.get(_version_key(namespace))
    if found is None:
        _start(namespace)
        found = cache.get(_version_key(namespace)) or 0
    return int(found)


def forget(*namespaces: str) -> None:
    """Call inside the transaction of a write: after its commit nobody gets the old bytes any more."""
    for namespace in namespaces:
        transaction.on_commit(lambda namespace=namespace: _bump(namespace))  # type: ignore[misc]


def _bump(namespace: str) -> None:
    try:
        cache.incr(_version_key(namespace))
    except ValueError:  # never read, or forgotten by the cache
        _start(namespace)


def _start(namespace: str) -> None:
    """Versions start at the clock: one that the cache forgot does not come back with its old bytes."""
    cache.add(_version_key(namespace), int(time.time() * 1000), timeout=VERSION_SECONDS)


def _version_key(namespace: str) -> str:
    return f"shop:version:{namespace}"


def _digest(question: str) -> str:
    """Question texts come from strangers: of any length, with any letters."""
    return hashlib.sha256(question.encode("utf-8", "replace")).hexdigest()[:32]
