"""Comments and pictures of orders: who says what, who may change it, whose pictures they are (contract florist 1.2)."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from PIL import Image

from apps.core.errors import Invalid
from apps.core.testing import assert_refused
from apps.florist import errors
from apps.florist.actions import comments, photos, uploads
from apps.florist.models import (
    Comment,
    Employee,
    Order,
    OrderPhoto,
    Product,
    ProductImage,
    ProductionTask,
    Shop,
    StoredFile,
)
from apps.florist.tests import taking
from apps.florist.tests.cast import Caller

COMMENT = {
    "id", "order_id", "user_id", "text", "author_type", "customer_name", "created_at", "updated_at", "user",
    "is_public",
}  # fmt: skip
PHOTO = {
    "id", "photo_url", "photo_type", "description", "customer_feedback", "feedback_comment", "created_at",
}  # fmt: skip


def picture(kind: str = "JPEG", side: int = 40) -> io.BytesIO:
    raw = io.BytesIO()
    Image.new("RGB", (side, side), "crimson").save(raw, kind)
    raw.seek(0)
    raw.name = "bouquet.jpg"
    return raw


def posted(by: Employee, order: Order, **fields: Any) -> Any:
    """A form as phones send it."""
    call = Caller(by)
    return call.client.post(f"/florist/api/orders/{order.pk}/photos", fields, headers=call.headers)


# ── Comments ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_comment_is_said_and_read(rosa: Shop, bek: Employee) -> None:
    """Defect 20: the original saved it, answered 500, and 500 on each reading from then on."""
    order = taking.taken(rosa)
    call, where = Caller(bek), f"/api/orders/{order.pk}/comments"
    made = call("POST", where, {"text": " Ring twice ", "author_type": "customer", "customer_name": "Ivan"})
    word = json.loads(made.content)
    assert (made.status_code, set(word)) == (201, COMMENT)
    assert (word["text"], word["author_type"], word["user"]) == ("Ring twice", "staff", {"id": bek.pk, "name": "Bek"})
    assert (word["is_public"], word["customer_name"]) == (False, "Ivan")
    page = json.loads(call("GET", where).content)
    assert (page["total"], page["items"]) == (1, [word])
    assert [row.event_type for row in order.history.all()] == ["created", "comment_added"]
    for query, count in (("skip=1", 0), ("limit=1000", 1)):
        assert len(json.loads(call("GET", f"{where}?{query}").content)["items"]) == count
    assert call("GET", f"{where}?limit=1001").status_code == 422


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, None])
def test_an_empty_comment_is_422(rosa: Shop, bek: Employee, text: str | None) -> None:
    order = taking.taken(rosa)
    assert Caller(bek)("POST", f"/api/orders/{order.pk}/comments", {"text": text}).status_code == 422
    assert not Comment.objects.exists()


def test_its_author_changes_it_and_the_owner_deletes_anybodys(
    rosa: Shop, olga: Employee, bek: Employee, aida: Employee, dana: Employee
) -> None:
    order = taking.taken(rosa, florist_id=aida.pk)
    said = [comments.add(by=aida, order_id=order.pk, text=f"word {number}") for number in range(2)]
    where = f"/api/comments/{said[0].pk}"
    for by, patched, deleted in ((bek, 403, 403), (olga, 403, 200), (dana, 404, 404)):
        assert Caller(by)("PATCH", where, {"text": "mine"}).status_code == patched
        if by is not olga:
            assert Caller(by)("DELETE", where).status_code == deleted
    assert Comment.objects.get(pk=said[0].pk).text == "word 0"
    changed = Caller(aida)("PATCH", where, {"text": "better", "is_public": True})
    found = json.loads(changed.content)
    assert (changed.status_code, set(found)) == (200, COMMENT)
    assert (found["text"], found["is_public"], found["updated_at"] > found["created_at"]) == ("better", True, True)
    assert Caller(olga)("DELETE", where).status_code == 200
    assert set(json.loads(Caller(aida)("DELETE", f"/api/comments/{said[1].pk}").content)) == {"detail"}
    assert not Comment.objects.exists()
    assert Caller(aida)("DELETE", f"/api/comments/{said[1].pk}").status_code == 404


def test_the_buyers_words_are_public_and_nobodys_to_change(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    word = comments.add(by=None, order_id=order.pk, text="Thanks", customer_name="Ivan")
    assert (word.author_type, word.is_public, word.user) == ("customer", True, None)
    refused = lambda: comments.change(by=bek, comment_id=word.pk, text="Thanks!!")  # noqa: E731
    assert_refused(errors.NotEnoughPermissions, refused, unchanged=[Comment.objects.all()])


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_couriers_do_not_read_who_sends_a_secret_gift(
    rosa: Shop, bek: Employee, ruslan: Employee, is_anonymous: bool
) -> None:
    order = taking.taken(rosa, courier_id=ruslan.pk, is_anonymous=is_anonymous)
    comments.add(by=None, order_id=order.pk, text="Thanks", customer_name="Ivan")
    names = [
        json.loads(Caller(who)("GET", f"/api/orders/{order.pk}/comments").content)["items"][0]["customer_name"]
        for who in (bek, ruslan)
    ]
    assert names == ["Ivan", None if is_anonymous else "Ivan"]


def test_a_free_order_is_read_by_florists_and_not_commented(rosa: Shop, aida: Employee) -> None:
    order = taking.taken(rosa)
    assert Caller(aida)("GET", f"/api/orders/{order.pk}/comments").status_code == 200
    assert Caller(aida)("POST", f"/api/orders/{order.pk}/comments", {"text": "x"}).status_code == 403


# ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_uploaded_picture_is_private_and_marks_the_order(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    made = posted(bek, order, file=picture(), photo_type="pre_delivery", description="Ready")
    shown = json.loads(made.content)
    assert (made.status_code, set(shown)) == (201, PHOTO)
    assert (shown["photo_type"], shown["description"]) == ("pre_delivery", "Ready")
    stored, photo = StoredFile.objects.get(), OrderPhoto.objects.get()
    assert (stored.is_public, stored.shop, photo.file, photo.uploaded_by) == (False, rosa, stored, bek)
    assert taking.fresh(order).has_pre_delivery_photos
    assert "sig=" in shown["photo_url"]
    assert Caller().client.get(f"/florist{shown['photo_url']}").status_code == 200
    assert Caller().client.get(f"/florist{photo.photo_url}").status_code in (403, 404)
    listed = json.loads(Caller(bek)("GET", f"/api/orders/{order.pk}/photos").content)
    assert (listed["total"], listed["items"][0]["id"]) == (1, photo.pk)


def test_a_picture_of_the_shop_by_its_address(rosa: Shop, tulip: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    mine = uploads.store(by=bek, shop=rosa, file=picture(), is_public=False)
    theirs = uploads.store(by=None, shop=tulip, file=picture(), is_public=False)
    call, where = Caller(bek), f"/api/orders/{order.pk}/photos"
    for url, status in (
        (uploads.url_of(mine), 201),
        ("https://cdn.example.com/a.jpg", 201),
        (uploads.path_of(theirs), 422),
        (f"https://example.com{uploads.path_of(theirs)}", 422),
        ("http://example.com/a.jpg", 422),
        ("javascript:alert(1)", 422),
        ("/etc/passwd", 422),
    ):
        assert call("POST", where, {"url": url, "photo_type": "process"}).status_code == status, url
    assert list(OrderPhoto.objects.values_list("file_id", flat=True)) == [mine.pk, None]


@pytest.mark.parametrize("shown_by", ["nobody", "product", "gallery", "logo"])
def test_a_picture_attached_by_its_address_is_private_unless_the_catalogue_shows_it(
    rosa: Shop, bek: Employee, shown_by: str
) -> None:
    order = taking.taken(rosa)
    mine = uploads.store(by=bek, shop=rosa, file=picture(), is_public=True)
    url = f"https://mahalla.example{uploads.path_of(mine)}"
    if shown_by == "product":
        Product.objects.update(image_url=url)
    elif shown_by == "gallery":
        ProductImage.objects.create(product=Product.objects.get(), image_url=url)
    elif shown_by == "logo":
        Shop.objects.filter(pk=rosa.pk).update(shop_logo_url=url)
    made = Caller(bek)("POST", f"/api/orders/{order.pk}/photos", {"url": uploads.path_of(mine)})
    mine.refresh_from_db()
    assert (made.status_code, mine.is_public) == (201, shown_by != "nobody")
    stranger = Caller().client
    assert stranger.get(f"/florist{uploads.path_of(mine)}").status_code == (404 if shown_by == "nobody" else 200)
    assert stranger.get(f"/florist{json.loads(made.content)['photo_url']}").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 422),
        ({"file": "text"}, 422),
        ({"file": b"<script>", "photo_type": "process"}, 422),
        ({"file": "ok", "photo_type": "selfie"}, 422),
    ],
)
def test_what_is_no_picture_is_refused(rosa: Shop, bek: Employee, fields: dict[str, Any], status: int) -> None:
    order = taking.taken(rosa)
    given = dict(fields)
    if given.get("file") == "ok":
        given["file"] = picture()
    elif isinstance(given.get("file"), bytes):
        given["file"] = io.BytesIO(given["file"])
        given["file"].name = "evil.png"
    assert posted(bek, order, **given).status_code == status
    assert not OrderPhoto.objects.exists()


def test_a_picture_past_the_limit_is_413(rosa: Shop, bek: Employee, settings: Any) -> None:
    order = taking.taken(rosa)
    settings.FLORIST = dataclasses.replace(settings.FLORIST, upload_max_mb=0)
    assert posted(bek, order, file=picture()).status_code == 413
    assert not OrderPhoto.objects.exists()


def test_whoever_makes_it_photographs_it(rosa: Shop, aida: Employee, gulnar: Employee) -> None:
    order = taking.standing_at(rosa, "paid", florist_id=gulnar.pk)
    deed = lambda: photos.add(by=aida, order_id=order.pk, photo_type="completion", file=picture())  # noqa: E731
    assert_refused(errors.OrderNotFound, deed, unchanged=[OrderPhoto.objects.all(), StoredFile.objects.all()])
    ProductionTask.objects.create(shop=rosa, order=order, florist=aida)
    assert deed().uploaded_by == aida


def test_an_order_has_so_many_pictures(rosa: Shop, bek: Employee, monkeypatch: pytest.MonkeyPatch) -> None:
    order = taking.taken(rosa)
    monkeypatch.setattr(photos, "MOST_PHOTOS", 1)
    photos.add(by=bek, order_id=order.pk, photo_type="process", url="https://example.com/a.jpg")
    deed = lambda: photos.add(by=bek, order_id=order.pk, photo_type="process", url="https://example.com/b.jpg")  # noqa: E731
    assert_refused(Invalid, deed, unchanged=[OrderPhoto.objects.all()])
