"""Public answers kept as bytes with an ETag, in namespaces that one write makes old (design 3.25).

Version and answer are read in one trip to the cache. The bytes carry the version that was read before their rows: what
was read before a write is never shown after it, and is replaced by the next reader.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import transaction

VERSION_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Kept:
    """Bytes of JSON and their mark."""

    body: bytes
    etag: str


def sealed(body: bytes) -> Kept:
    """Bytes with a mark that says what is in them."""
    return Kept(body, f'"{zlib.crc32(body):08x}{len(body):x}"')


@dataclass(frozen=True)
class Namespace:
    """What is made old together. `name` is its place in the cache, such as `shop:slippers`."""

    name: str

    def answer(self, question: str, make: Callable[[int], tuple[bytes, float]]) -> Kept:
        """The bytes for a question, from the cache or made now. What `make` raises is not kept.

        `make` is told the version, for the parts that it keeps itself, and says for how many seconds its bytes hold.
        """
        key = self._key("answer", question)
        version, found = self._both(key)
        if found is None or found[0] != version or time.time() >= found[3]:
            body, seconds = make(version)
            kept = sealed(body)
            seconds = max(1.0, seconds)
            found = (version, kept.body, kept.etag, time.time() + seconds)
            cache.set(key, found, timeout=int(seconds) + 1)
        return Kept(found[1], found[2])

    def number(self, version: int, question: str, count: Callable[[], int], seconds: int) -> int:
        """A count of rows, kept for a version that the caller has read: counting costs more than a page of them."""
        key = self._key("number", question)
        found = cache.get(key)
        if found is None or found[0] != version:
            found = (version, count())
            cache.set(key, found, timeout=seconds)
        return int(found[1])

    def forget(self) -> None:
        """Call inside the transaction of a write: after its commit nobody gets the old bytes any more."""
        transaction.on_commit(self.outdate)

    def outdate(self) -> None:
        """Nobody gets the old bytes from now on."""
        try:
            cache.incr(self._version_key)
        except ValueError:  # never read, or forgotten by the cache
            self._start()

    def _both(self, key: str) -> tuple[int, Any]:
        found = cache.get_many([self._version_key, key])
        version = found.get(self._version_key)
        return (self._start() if version is None else int(version)), found.get(key)

    def _start(self) -> int:
        """Versions start at the clock: one that the cache forgot does not come back with its old bytes."""
        cache.add(self._version_key, int(time.time() * 1000), timeout=VERSION_SECONDS)
        return int(cache.get(self._version_key) or 0)

    @property
    def _version_key(self) -> str:
        return f"{self.name}:version"

    def _key(self, kind: str, question: str) -> str:
        """Questions come from strangers: of any length, with any letters."""
        return f"{self.name}:{kind}:{hashlib.sha256(question.encode('utf-8', 'replace')).hexdigest()[:32]}"
