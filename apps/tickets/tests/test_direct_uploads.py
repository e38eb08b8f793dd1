"""Pictures in a real bucket: the usual way, and straight from the browser (contract integrations 10)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from storages.backends.s3 import S3Storage

from apps.core.buckets import Bucket
from apps.core.testing import deliver, outcomes, race
from apps.tickets.actions import direct_uploads, photos, tickets
from apps.tickets.models import Member, Photo, PhotoUpload, Ticket
from apps.tickets.queries import photos as questions
from apps.tickets.tests import city
from apps.tickets.tests.city import Phone, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bucket")]
JPEG = "image/jpeg"


class HoldsOn(S3Storage):
    """Gives nothing away."""

    def delete(self, name: str) -> None:
        raise OSError("no answer")


FIRST: list[str] = []


class HoldsOnToTheFirst(S3Storage):
    """Gives nothing away of what stands in `FIRST`."""

    def delete(self, name: str) -> None:
        if name in FIRST:
            raise OSError("no answer")
        super().delete(name)


@pytest.fixture
def reporter() -> Member:
    return city.member()


@pytest.fixture
def ticket(reporter: Member) -> Ticket:
    return city.ticket(by=reporter)


def begin(phone: Phone, ticket: Ticket, **more: Any) -> dict[str, Any]:
    answer = phone.send("POST", f"tickets/{ticket.pk}/photos/direct", {"content_type": JPEG, **more})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def post(form: dict[str, Any], body: bytes) -> int:
    return httpx.post(form["url"], data=form["fields"], files={"file": ("x", body, JPEG)}).status_code


def finish(phone: Phone, ticket: Ticket, form: dict[str, Any]) -> Any:
    return phone.send("POST", f"tickets/{ticket.pk}/photos/direct/{form['upload_id']}")


def test_from_the_browser_into_the_bucket_and_onto_the_ticket(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    form = begin(phone, ticket, filename="lamp.jpg")
    assert form["expires_in_seconds"] == 900
    assert post(form, picture(gps=(40.9819, 29.0216)).read()) == 204
    answer = finish(phone, ticket, form)
    body = answer.json()
    assert answer.status_code == 201, body
    assert (body["filename"], body["taken_at_place"]) == ("lamp.jpg", {"latitude": 40.9819, "longitude": 29.0216})
    photo = Photo.objects.get()
    raw = default_storage.open(photo.name).read()
    assert b"SecretCamera" not in raw and Image.open(io.BytesIO(raw)).size == (64, 48)
    assert not default_storage.exists(PhotoUpload.objects.get().name)
    again = finish(phone, ticket, form)
    assert (again.status_code, again.json()["id"]) == (201, body["id"])
    assert Photo.objects.count() == 1


def test_the_address_lets_nobody_write(reporter: Member, ticket: Ticket, bucket: Bucket) -> None:
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    url = questions.url(photo.name)
    assert url == f"{bucket.endpoint_url}/{bucket.name}/{photo.name}"
    before = default_storage.open(photo.name).read()
    for method in ("PUT", "DELETE", "POST"):
        assert httpx.request(method, url, content=b"<script>").status_code in (400, 403, 405)
    assert default_storage.open(photo.name).read() == before


def test_strangers_read_proved_pictures_only(reporter: Member, ticket: Ticket, bucket: Bucket) -> None:
    """The bucket's server has the rights of `docker-compose.yml`: raw uploads still say where they were taken."""
    assert post(begin(Phone(reporter), ticket), picture(gps=(40.9819, 29.0216)).read()) == 204
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    shop = default_storage.save("products/lamp.jpg", ContentFile(b"?"))
    raw = PhotoUpload.objects.get().name
    assert all(default_storage.exists(name) for name in (photo.name, photo.thumbnail_name, shop, raw))

    def status(name: str) -> int:
        return httpx.get(f"{bucket.endpoint_url}/{bucket.name}/{name}").status_code

    assert (status(photo.name), status(photo.thumbnail_name)) == (200, 200)
    assert {status(name) for name in (shop, raw, "", "?list-type=2&prefix=tickets/", f"tickets/../{raw}")} <= {403, 404}


def test_what_was_posted_is_proved(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    form = begin(phone, ticket)
    assert post(form, b"<html><script>alert(1)</script>") == 204
    answer = finish(phone, ticket, form)
    assert (answer.status_code, answer.json()["code"]) == (415, "photo_unreadable")
    assert not Photo.objects.exists()


def test_nothing_posted_yet(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    answer = finish(phone, ticket, begin(phone, ticket))
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_empty")


def test_another_kind_gets_no_form(reporter: Member, ticket: Ticket) -> None:
    answer = Phone(reporter).send("POST", f"tickets/{ticket.pk}/photos/direct", {"content_type": "text/html"})
    assert answer.status_code == 415
    assert not PhotoUpload.objects.exists()


def test_a_form_is_its_owners_and_its_tickets(reporter: Member, ticket: Ticket) -> None:
    form = begin(Phone(reporter), ticket)
    for phone, of in ((Phone(city.member()), ticket), (Phone(reporter), city.ticket(by=reporter))):
        answer = finish(phone, of, form)
        assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")
    stranger = Phone(city.member()).send("POST", f"tickets/{ticket.pk}/photos/direct", {"content_type": JPEG})
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_your_ticket")


def test_a_full_ticket_gives_no_form(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    form = begin(phone, ticket)
    assert post(form, picture().read()) == 204
    for _ in range(5):
        photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    assert finish(phone, ticket, form).status_code == 409
    answer = phone.send("POST", f"tickets/{ticket.pk}/photos/direct", {"content_type": JPEG})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_photos")


def test_forms_are_limited(reporter: Member, ticket: Ticket, settings: Any) -> None:
    settings.TICKETS = type(settings.TICKETS)(**{**vars(settings.TICKETS), "direct_uploads_per_hour": 2})
    phone = Phone(reporter)
    begin(phone, ticket)
    begin(phone, ticket)
    answer = phone.send("POST", f"tickets/{ticket.pk}/photos/direct", {"content_type": JPEG})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_uploads")
    assert int(answer["Retry-After"]) > 0


def test_what_is_never_finished_is_swept_away(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    done, left = begin(phone, ticket), begin(phone, ticket)
    for form in (done, left):
        assert post(form, picture().read()) == 204
    assert finish(phone, ticket, done).status_code == 201
    assert post(done, picture().read()) == 204  # the form is still good, and what it brings is nobody's
    lost = [upload.name for upload in PhotoUpload.objects.all()]
    assert all(default_storage.exists(name) for name in lost)
    soon = timezone.now() + timedelta(minutes=16)
    assert direct_uploads.sweep(now=soon) == 0
    assert direct_uploads.sweep(now=soon + timedelta(hours=1)) == 2
    assert not any(default_storage.exists(name) for name in lost)
    assert (PhotoUpload.objects.count(), Photo.objects.count()) == (0, 1)
    assert direct_uploads.sweep(now=soon + timedelta(hours=1)) == 0


def test_a_form_whose_file_stays_is_swept_later(
    reporter: Member, ticket: Ticket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nothing would know any more where those raw bytes lie (D10)."""
    monkeypatch.setattr(direct_uploads, "BATCH", 2)
    phone = Phone(reporter)
    forms = [begin(phone, ticket) for _ in range(5)]
    for form in forms:
        assert post(form, picture().read()) == 204
    stuck, *rest = PhotoUpload.objects.order_by("expires_at").values_list("name", flat=True)
    working, later = settings.STORAGES, timezone.now() + timedelta(hours=2)
    for storage, swept, left in (("HoldsOn", 0, {stuck, *rest}), ("HoldsOnToTheFirst", 4, {stuck}), ("", 1, set())):
        FIRST[:] = [stuck]
        backend = {**working["default"], "BACKEND": f"{__name__}.{storage}"} if storage else working["default"]
        settings.STORAGES = {**working, "default": backend}
        assert direct_uploads.sweep(now=later) == swept
        assert set(PhotoUpload.objects.values_list("name", flat=True)) == left
        assert {name for name in (stuck, *rest) if default_storage.exists(name)} == left


def test_the_pictures_of_a_deleted_ticket_are_gone_from_the_bucket(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    form = begin(phone, ticket)
    assert post(form, picture().read()) == 204
    assert finish(phone, ticket, form).status_code == 201
    photo = Photo.objects.get()
    assert default_storage.exists(photo.name) and default_storage.exists(photo.thumbnail_name)
    tickets.delete(by=reporter, ticket_id=ticket.pk)
    deliver()
    assert not default_storage.exists(photo.name) and not default_storage.exists(photo.thumbnail_name)
    assert (PhotoUpload.objects.get().photo, Photo.objects.count()) == (None, 0)
    assert finish(phone, ticket, form).json()["code"] == "ticket_not_found"


def test_a_bucket_that_is_away_is_503(reporter: Member, ticket: Ticket, settings: Any) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    answer = Phone(reporter).upload(ticket, picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "files_unavailable")
    assert not Photo.objects.exists()


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, deed: Callable[[], Any]) -> list[Any]:
    """Another worker does `deed` just before ours calls `name` for the first time; the list gets what came of it."""
    usual, came, begun = getattr(module, name), [], []

    def call(*given: Any, **named: Any) -> Any:
        if not begun:
            begun.append(True)
            came.append(deed())
        return usual(*given, **named)

    monkeypatch.setattr(module, name, call)
    return came


@pytest.mark.parametrize(("module", "name"), [(photos, "ensure_may_add"), (direct_uploads, "_arrived")])
@pytest.mark.parametrize("others", [0, 4])
def test_a_repeat_beside_the_first_answers_its_photo(
    reporter: Member, ticket: Ticket, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, others: int
) -> None:
    """Also where the photo has taken the last place of the ticket, or its file away."""
    for _ in range(others):
        photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    form = begin(Phone(reporter), ticket)
    assert post(form, picture().read()) == 204

    def done() -> Photo:
        return direct_uploads.finish(by=reporter, ticket_id=ticket.pk, upload_id=form["upload_id"])

    first = meanwhile(monkeypatch, module, name, done)
    assert [done()] == first
    assert Photo.objects.count() == others + 1


def test_an_upload_that_is_swept_away_meanwhile_is_not_found(
    reporter: Member, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(reporter)
    form = begin(phone, ticket)
    assert post(form, picture().read()) == 204
    later = timezone.now() + timedelta(hours=3)
    meanwhile(monkeypatch, direct_uploads, "_arrived", lambda: direct_uploads.sweep(now=later))
    answer = finish(phone, ticket, form)
    assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")
    assert not Photo.objects.exists()


@pytest.mark.race
@pytest.mark.parametrize("others", [0, 4])
def test_finishing_four_times_at_once_makes_one_photo(reporter: Member, ticket: Ticket, others: int) -> None:
    for _ in range(others):
        photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    form = begin(Phone(reporter), ticket)
    assert post(form, picture().read()) == 204
    results = race(4, lambda _: direct_uploads.finish(by=reporter, ticket_id=ticket.pk, upload_id=form["upload_id"]).pk)
    assert outcomes(results) == {"ok": 4}
    assert len(set(results)) == 1
    assert Photo.objects.count() == others + 1
