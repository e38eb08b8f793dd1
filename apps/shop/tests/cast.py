"""The standing people: administrator Anora, buyers Bobur and Dilya, stranger Farid; how to call as them."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from apps.accounts.models import User
from apps.shop.actions import placing, sessions
from apps.shop.actions.placing import Wish
from apps.shop.models import Category, Customer, Order, Slipper

PASSWORD = "a good password"
PHONES = {"anora": "+998901111111", "bobur": "+998902222222", "dilya": "+998903333333", "farid": "+998904444444"}


def customer(name: str, *, phone: str | None = None, is_admin: bool = False, **more: Any) -> Customer:
    """Somebody who registered."""
    found = sessions.register(
        name=name, password=PASSWORD, surname=more.pop("surname", "Karimov"), phone_number=phone, **more
    )
    if is_admin:
        Customer.objects.filter(pk=found.pk).update(is_admin=True)
        found.is_admin = True
    return found


def staff(*permissions: str) -> User:
    """A superuser of the back office."""
    return User.objects.create_superuser(username=f"staff-{uuid4().hex[:8]}", password="irrelevant-here")


def category(name: str = "Домашние", **more: Any) -> Category:
    """A shelf."""
    return Category.objects.create(name=name, **more)


def slipper(name: str = "Тапочки", *, price: str = "50000", quantity: int = 10, **more: Any) -> Slipper:
    """A product in stock."""
    return Slipper.objects.create(
        name=name, size=more.pop("size", "42"), price=Decimal(price), quantity=quantity, **more
    )


def order(by: Customer, *lines: tuple[Slipper, int], **more: Any) -> Order:
    """An unpaid order of these products and pieces."""
    return placing.place(by=by, wishes=[Wish(slipper.pk, quantity) for slipper, quantity in lines], **more)


def left(*slippers: Slipper) -> list[int]:
    """Pieces on the shelf."""
    found = dict(Slipper.objects.filter(pk__in=[slipper.pk for slipper in slippers]).values_list("pk", "quantity"))
    return [found[slipper.pk] for slipper in slippers]


def picture(
    name: str = "one.jpg", *, kind: str = "JPEG", size: tuple[int, int] = (640, 480), colour: str = "red"
) -> SimpleUploadedFile:
    """A real picture as a browser sends it."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, format=kind)
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


class Caller:
    """A client of the shop; JSON, a fresh bearer token unless anonymous or told to use cookies."""

    def __init__(self, member: Customer | None = None, *, token: str = "", base: str = "/shop") -> None:
        self.base = base
        self.member = member
        self.token = token or (sessions.open_session(member).access if member else "")
        self.client = Client()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        answer: HttpResponse = self.client.generic(
            method, f"{self.base}/{path}", raw, content_type="application/json", headers=headers
        )
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self("PUT", path, body, **headers)

    def delete(self, path: str) -> HttpResponse:
        return self("DELETE", path)

    def upload(self, path: str, *files: Any, field: str = "images") -> HttpResponse:
        """Multipart with one repeated field."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer: HttpResponse = self.client.post(f"{self.base}/{path}", {field: list(files)}, headers=headers)
        return answer
