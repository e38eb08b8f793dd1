"""A real browser before the whole house: HTTP and sockets of this process, on PostgreSQL for its many connections."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from channels.routing import get_default_application
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, sync_playwright

from apps.florist.models import Employee, Shop

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
PASSWORD = "correct horse battery"
SHOTS = os.environ.get("FLORIST_SHOTS", "")
"""A folder for screenshots, for people who want to look."""

TOO_SMALL = """
() => Array.from(document.querySelectorAll("main a.button, main button, .menu a, .chips a, main select, main summary,"
    + " main input:not([type=hidden]):not([type=checkbox]):not([type=radio])"))
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 43.5)
    .map((node) => `${node.tagName} ${node.textContent.trim().slice(0, 30)} ${node.getBoundingClientRect().height}`)
"""
WITHOUT_LABEL = """
() => Array.from(document.querySelectorAll("main input:not([type=hidden]), main select, main textarea, main button"))
    .filter((node) => !(node.labels && node.labels.length) && !node.getAttribute("aria-label")
        && !(node.tagName === "BUTTON" && node.textContent.trim()))
    .map((node) => node.outerHTML.slice(0, 120))
"""


def noon() -> str:
    """A time zone in which it is about midday now: no window is over, no day ends during a test."""
    ahead = 12 - timezone.now().hour
    return f"Etc/GMT{'-' if ahead >= 0 else '+'}{abs(ahead)}"


def has_password(who: Employee) -> Employee:
    """Somebody who signs in with a password."""
    who.user.set_password(PASSWORD)
    who.user.phone, who.user.phone_verified_at = who.phone, timezone.now()
    who.user.save()
    return who


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium of the system."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()
        connections.close_all()


@contextmanager
def house() -> Iterator[str]:
    """The address of this process's HTTP and sockets."""
    application = get_default_application()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        is_file = scope["type"] == "http" and scope["path"].startswith("/static/")
        await (files if is_file else application)(scope, receive, send)

    files = ASGIStaticFilesHandler(application)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="warning", lifespan="on", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    assert server.started
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join(10)


class Person:
    """Somebody of the shop with a device; every page that is opened is measured."""

    def __init__(self, browser: Browser, base: str, who: Employee, size: dict[str, int]) -> None:
        self.context = browser.new_context(viewport=size, locale="en-GB")  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.base, self.who, self.width = base, who, size["width"]
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda problem: self.troubles.append(str(problem)))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def sign_in(self) -> None:
        """By phone and password, in English."""
        self.page.goto(f"{self.base}/desk/florist/sign-in")
        self.page.get_by_role("button", name="English").click()
        self.page.get_by_label("Phone").fill(self.who.phone)
        self.page.get_by_text("With a password").click()
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/desk/**")

    def speak(self, language: str) -> None:
        """Another language, by its own name."""
        self.page.goto(f"{self.base}/desk/florist/more")
        self.press(language)

    def open(self, path: str, name: str = "") -> None:
        """Go there and look at it."""
        self.page.goto(f"{self.base}{path}")
        self.measure(name or path)

    def measure(self, name: str) -> None:
        """Nothing sticks out, nothing is too small for a thumb, everything has a name."""
        if SHOTS:
            file = f"{name.strip('/').replace('/', '-') or 'page'}-{self.width}.png"
            self.page.screenshot(path=Path(SHOTS) / file, full_page=True)
        wide = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1], (name, wide)
        assert self.page.evaluate(TOO_SMALL) == [], name
        assert self.page.evaluate(WITHOUT_LABEL) == [], name

    def press(self, label: str, exact: bool = True) -> None:
        """A button by its word."""
        self.page.get_by_role("button", name=label, exact=exact).first.click()
        self.page.wait_for_load_state()

    def said(self) -> str:
        """The message on the page."""
        return self.page.locator("#messages").inner_text().strip()


def midday(shop: Shop) -> None:
    """Put a shop where it is noon."""
    Shop.objects.filter(pk=shop.pk).update(timezone=noon())
    shop.refresh_from_db()
