"""The schedule's heartbeat inside the embedded server: no beat, no worker, one process."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

from apps.portal.ticking import Ticker

TICK_SECONDS = 1.0


class Lifespan:
    """Wraps the ASGI app; in embedded mode it runs due jobs once a second, in the server's own event loop.

    The memory channel layer cannot leave its loop, so a thread of its own could not reach the sockets.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.inner(scope, receive, send)
            return
        await receive()
        heartbeat = asyncio.create_task(self._beat()) if settings.TICK_IN_PROCESS else None
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if heartbeat:
            heartbeat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heartbeat
        await send({"type": "lifespan.shutdown.complete"})

    async def _beat(self) -> None:
        ticker = Ticker()
        while True:
            await sync_to_async(_tick, thread_sensitive=False)(ticker)
            await asyncio.sleep(TICK_SECONDS)


def _tick(ticker: Ticker) -> None:
    ticker.run_due()
    close_old_connections()
