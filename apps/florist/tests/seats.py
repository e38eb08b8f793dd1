"""Browsers without JavaScript in which somebody of the cast has signed in at the desk."""

from __future__ import annotations

import html
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from apps.florist.models import Employee
from apps.florist.pages import desk


def seated(who: Employee, language: str = "en", **headers: str) -> Client:
    """Signed in, and speaking English unless said otherwise."""
    client = Client(headers=headers)
    request = HttpRequest()
    request.session = client.session
    desk.enter(request, who)
    request.session[desk.LANGUAGE] = language
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(request.session.session_key)
    return client


def text(answer: Any) -> str:
    """The page as it came."""
    return answer.content.decode()


def words(answer: Any) -> str:
    """What is read on the page: without tags, with single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text(answer))).split())


def told(client: Client, answer: Any) -> str:
    """After a button: where it leads, opened; returns what stands in the message there."""
    assert answer.status_code == 302, text(answer)[:2000]
    page = client.get(answer["Location"])
    assert page.status_code == 200, answer["Location"]
    found = re.search(r'<ul class="messages".*?</ul>', text(page), re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[0])).split()) if found else ""
