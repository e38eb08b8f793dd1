"""The vendors' fakes as a server of their own, for a rehearsal of the full set of processes. Never for production."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management.base import BaseCommand, CommandParser

from apps.portal.management.commands.serve import ensure_port_is_free


class Command(BaseCommand):
    help = "Serve only the vendors' fakes under /__sandbox/. Point the *_API_BASE and *_BASE_URL variables here."
    # The real server's rules forbid sandboxes; this process is one on purpose.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=9000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        ensure_port_is_free(host, port)
        become_sandbox(f"http://{host}:{port}")
        self.stdout.write(f"Sandbox: http://{host}:{port}/__sandbox/  webhooks go to {settings.PUBLIC_URL}")
        self.stdout.flush()
        uvicorn.run(get_asgi_application(), host=host, port=port, log_config=None, access_log=False, lifespan="off")


def become_sandbox(address: str) -> None:
    """Turn this process into the sandbox: its own addresses, no pages, no database."""
    settings.SANDBOX_ENABLED = True
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, sandbox_url=address)
    settings.ROOT_URLCONF = "apps.portal.sandbox_urls"
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "apps.core.middleware.Locale"]
    settings.SECURE_SSL_REDIRECT = False
    settings.ALLOWED_HOSTS = ["*"]
