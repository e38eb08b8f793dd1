"""Real threads with their own database connections, started at one whistle."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connections


def race(runners: int, deed: Callable[[int], Any], *, seconds: float = 60) -> list[Any]:
    """Call `deed(0…runners-1)` at the same moment; returns each result, or the exception it raised.

    Raises `AssertionError` when a thread is still running after `seconds`: a deadlock must fail, not hang.
    """
    whistle = threading.Barrier(runners)
    results: list[Any] = [None] * runners

    def run(number: int) -> None:
        try:
            whistle.wait(timeout=seconds)
            results[number] = deed(number)
        except Exception as problem:  # the test decides which exceptions are expected
            results[number] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    assert not any(thread.is_alive() for thread in threads), f"still running after {seconds} s"
    return results


def outcomes(results: list[Any]) -> Counter[str]:
    """How often each ended: the class of a refusal, or `ok`."""
    return Counter(type(result).__name__ if isinstance(result, Exception) else "ok" for result in results)
