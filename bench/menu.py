"""`GET /catalog/live`, a menu kept as bytes, against a static file of the same size from the same process."""

from __future__ import annotations

import itertools
import time

from django.core.cache import cache

from apps.core.kept import sealed
from apps.loyalty.actions import menu
from bench import clients
from bench.stage import ROOT, Stage

CLIENTS = 16
SECONDS = 10
PEER = "htmx/htmx.min.js"
PATH = "/loyalty/api/v1/catalog/live"


def run(at: Stage) -> None:
    size = (ROOT / "static" / PEER).stat().st_size
    at.title(f"Bytes: {PATH}, {size} bytes, 2 web workers, {CLIENTS} clients, {SECONDS} s each")
    _serve(size)
    peer, ours = _ask(at, f"/static/{PEER}"), _ask(at, PATH)
    at.say("static file (req/s, p99 ms)", f"{peer.rate:.0f}, {peer.percentile(0.99):.1f}")
    at.say("ours (req/s, p99 ms)", f"{ours.rate:.0f}, {ours.percentile(0.99):.1f}")
    # A file is sent before the log, CORS, the router and the pages' stack, through which every API answer goes.
    at.want("menu: cached bytes / static file of the same size", ours.rate / peer.rate, least=0.5)


def _serve(size: int) -> None:
    """A menu of that many bytes, fresh for the whole run."""
    answer = sealed(b'{"success":true,"categories":["' + b"x" * (size - 34) + b'"]}')
    cache.set(menu.ANSWER, (answer.body, answer.etag, time.time() + 3600), timeout=3600)


def _ask(at: Stage, path: str) -> clients.Heard:
    port, asked = at.house.ports["web"], clients.request("GET", path)
    clients.run(port, [itertools.repeat(asked) for _ in range(CLIENTS)], seconds=1)
    heard = clients.run(port, [itertools.repeat(asked) for _ in range(CLIENTS)], seconds=SECONDS)
    if set(heard.statuses) != {200}:  # files are there after `manage.py collectstatic`
        raise SystemExit(f"{path} answered {dict(heard.statuses)}")
    return heard
