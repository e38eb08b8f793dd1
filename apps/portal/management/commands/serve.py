"""The embedded server: API, pages, sockets, schedule and vendor sandboxes in one process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from apps.portal import demo, products, seeding


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Serve everything in one process on PORT (embedded mode)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help="0.0.0.0 to be reached from a phone in the same network"
        )

    def handle(self, *args: Any, host: str, **options: Any) -> None:
        call_command("check_start", stdout=self.stdout)
        ensure_port_is_free(host, settings.PORT)
        with translation.override("en"):
            self.stdout.write("\n".join(banner(f"http://{host}:{settings.PORT}".replace("0.0.0.0", "127.0.0.1"))))  # noqa: S104
        self.stdout.flush()
        uvicorn.run(
            "config.asgi:application",
            host=host,
            port=settings.PORT,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
        )


def ensure_port_is_free(host: str, port: int) -> None:
    """Raise `CommandError` with one sentence when somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CommandError(f"Port {port} needs special rights; choose another: PORT=8001 make run") from None
        except OSError:
            raise CommandError(
                f"Port {port} is taken; stop what listens there or choose another: PORT={port + 1} make run"
            ) from None


def banner(address: str) -> Iterator[str]:
    """What a person wants to know before the first click."""
    yield from ("", f"Mahalla {settings.VERSION}", f"  home         {address}/", f"  back office  {address}/admin/")
    yield f"  documents    {address}/docs"
    for product in products.mounted():
        yield f"  {product.base:<12} {address}/{product.base}   documents {address}/{product.base}/docs"
    if settings.SANDBOX_ENABLED:
        yield f"  sandbox      {address}/__sandbox/"
    yield from _people(address)
    yield from ("", f"Embedded: {'; '.join(embedded()) or 'nothing, this is the full set of services'}.")
    yield from ("Stop with Ctrl-C.", "")


def _people(address: str) -> Iterator[str]:
    if not demo.is_in_place():
        yield from ("", "No sample people yet: manage.py seed")
        return
    yield from ("", f"Sample staff (password {demo.PASSWORD}):")
    yield from (f"  {name:<12} {does}" for name, (does, _roles) in demo.STAFF.items())
    for base in seeding.products_with_samples():
        yield from ("", f"Sample people of {products.get(base).title}:")
        yield from (f"  {line}".replace("{address}", address) for line in seeding.ways_in(base))


def embedded() -> Iterator[str]:
    """What stands in for a real service in this process."""
    if not settings.DATABASE_URL:
        yield f"SQLite in {settings.DATA_DIR}"
    if not settings.REDIS_URL:
        yield "cache and socket layer in memory"
    if not settings.BROKER_URL:
        yield "tasks and schedule inside the server"
    if not settings.S3_BUCKET:
        yield "files on disk"
    if settings.SANDBOX_ENABLED:
        yield "vendors are imitations"
