"""Pictures: what is taken, how many, what is left of them, who sees what (contract tickets 1.4, 3, C11, D10)."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.tickets import errors
from apps.tickets.actions import photos, tickets
from apps.tickets.models import Member, Photo, Ticket
from apps.tickets.queries import photos as questions
from apps.tickets.tests import city
from apps.tickets.tests.city import Phone, Role, picture

NOBODY = "00000000-0000-4000-8000-000000000000"
"""Nobody's number, the same in every process of a test run."""

pytestmark = pytest.mark.django_db(transaction=True)


def stored(ticket: Ticket) -> list[str]:
    try:
        return sorted(default_storage.listdir(f"tickets/{ticket.pk}")[1])
    except FileNotFoundError:
        return []


@pytest.fixture
def reporter() -> Member:
    return city.member()


@pytest.fixture
def ticket(reporter: Member) -> Ticket:
    return city.ticket(by=reporter, team=city.team())


@pytest.mark.parametrize("base", ["/tickets", ""])
def test_the_reporter_adds_a_photo(reporter: Member, ticket: Ticket, base: str) -> None:
    answer = Phone(reporter, base).upload(ticket, picture("my lamp.jpg"))
    body = answer.json()
    photo = Photo.objects.get()
    assert answer.status_code == 201, body
    assert body == {
        "id": str(photo.pk),
        "url": f"http://127.0.0.1:8000/tickets/api/v1/files/{photo.name}",
        "thumbnail_url": f"http://127.0.0.1:8000/tickets/api/v1/files/{photo.thumbnail_name}",
        "filename": "my lamp.jpg",
        "message": "Photo uploaded successfully",
        "taken_at_place": None,
    }
    assert (photo.photo_type, photo.slot, photo.uploaded_by) == ("REPORT", 1, reporter)
    assert (photo.width, photo.height, photo.content_type) == (64, 48, "image/jpeg")
    assert photo.name.startswith(f"tickets/{ticket.pk}/")
    assert len(stored(ticket)) == 2


def test_the_file_is_served_to_everybody_for_a_year(reporter: Member, ticket: Ticket) -> None:
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture(size=(900, 600)))
    for name, longest in ((photo.name, 900), (photo.thumbnail_name, 320)):
        path = questions.url(name).removeprefix("http://127.0.0.1:8000")
        answer = Phone().client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert max(Image.open(io.BytesIO(answer.content)).size) == longest


@pytest.mark.parametrize(
    "name", ["x.jpg", "tickets/../secret.jpg", "incoming/abc", f"tickets/{NOBODY}/{'0' * 32}.jpg", "tickets/%2e%2e/a"]
)
def test_no_other_file_is_served(name: str) -> None:
    default_storage.save("secret.jpg", ContentFile(b"x"))
    assert Phone().get(f"files/{name}").status_code == 404


def test_where_it_was_taken_is_read_before_it_is_removed(reporter: Member, ticket: Ticket) -> None:
    answer = Phone(reporter).upload(ticket, picture(gps=(40.9819, 29.0216)))
    assert answer.json()["taken_at_place"] == {"latitude": 40.9819, "longitude": 29.0216}
    raw = default_storage.open(Photo.objects.get().name).read()
    assert b"SecretCamera" not in raw
    assert not Image.open(io.BytesIO(raw)).getexif()


def test_the_place_is_for_staff_and_its_sender(reporter: Member, ticket: Ticket) -> None:
    photos.add(by=reporter, ticket_id=ticket.pk, file=picture(gps=(40.9819, 29.0216)))
    place = {"latitude": 40.9819, "longitude": 29.0216}
    for by, seen in ((reporter, place), (city.member(Role.SUPPORT), place), (city.member(), None), (None, None)):
        (shown,) = questions.of_ticket(ticket.pk, by=by)
        assert shown["taken_at_place"] == seen
        assert shown["uploaded_by_id"] == (reporter.pk if seen else None)


def test_an_impossible_place_is_no_place(reporter: Member, ticket: Ticket) -> None:
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture(gps=(140.0, 29.0)))
    assert (photo.latitude, photo.longitude) == (None, None)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_format_is_looked_at_and_not_the_name(reporter: Member, ticket: Ticket, kind: str) -> None:
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture("evil.html", kind=kind))
    assert photo.name.endswith({"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[kind])
    assert photo.filename == "evil.html"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        (SimpleUploadedFile("a.jpg", b"only text", "image/jpeg"), 415, "photo_unreadable"),
        (SimpleUploadedFile("a.svg", SVG, "image/svg+xml"), 415, "photo_unreadable"),
        (SimpleUploadedFile("a.html", b"<script>"), 415, "photo_unreadable"),
        (picture("a.gif", kind="GIF"), 415, "photo_unreadable"),
        (picture("a.bmp", kind="BMP"), 415, "photo_unreadable"),
        (picture("bomb.png", kind="PNG", size=(8000, 5001)), 415, "photo_unreadable"),
        (SimpleUploadedFile("big.jpg", b"x" * (10 * 2**20 + 1)), 413, "too_large"),
    ],
)
def test_what_is_not_taken(reporter: Member, ticket: Ticket, file: Any, status: int, code: str) -> None:
    file.seek(0)
    answer = Phone(reporter).upload(ticket, file)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Photo.objects.exists()
    assert stored(ticket) == []


def test_a_much_too_long_body_is_not_read(reporter: Member, ticket: Ticket) -> None:
    answer = Phone(reporter).upload(ticket, SimpleUploadedFile("big.jpg", b"x" * (12 * 2**20)))
    assert (answer.status_code, answer.json()["detail"]) == (413, "File is larger than 10 MB")


def test_without_a_file_it_is_422(reporter: Member, ticket: Ticket) -> None:
    phone = Phone(reporter)
    for answer in (
        phone.client.post(f"/tickets/api/v1/tickets/{ticket.pk}/photos", {"x": "y"}, headers=phone.headers),
        phone.send("POST", f"tickets/{ticket.pk}/photos", {"file": "text"}),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "file"]


def test_the_type_is_read_from_the_form_then_from_the_query(ticket: Ticket) -> None:
    support = city.member(Role.SUPPORT, ticket.team)
    phone = Phone(support)
    assert phone.upload(ticket, picture(), photo_type="PROOF").status_code == 201
    assert phone.upload(ticket, picture(), "?photo_type=proof").status_code == 201
    assert phone.upload(ticket, picture(), "?photo_type=REPORT", photo_type="PROOF").status_code == 201
    assert list(Photo.objects.values_list("photo_type", "slot")) == [("PROOF", 1), ("PROOF", 2), ("PROOF", 3)]
    for query, form in (("?photo_type=SELFIE", {}), ("", {"photo_type": "SELFIE"})):
        answer = phone.upload(ticket, picture(), query, **form)
        assert (answer.status_code, answer.json()["detail"][0]["loc"][-1]) == (422, "photo_type")


def test_who_may_add_what(reporter: Member, ticket: Ticket) -> None:
    own, other = city.member(Role.SUPPORT, ticket.team), city.member(Role.SUPPORT, city.team())
    manager, stranger = city.member(Role.MANAGER), city.member()
    for by, photo_type, refusal in (
        (stranger, "REPORT", errors.NotYourTicket),
        (own, "REPORT", errors.NotYourTicket),
        (manager, "REPORT", errors.NotYourTicket),
        (reporter, "PROOF", errors.StaffOnly),
        (other, "PROOF", errors.OtherTeamsTicket),
    ):
        assert_refused(
            refusal,
            lambda by=by, photo_type=photo_type: photos.add(  # type: ignore[misc]
                by=by, ticket_id=ticket.pk, file=picture(), photo_type=photo_type
            ),
            unchanged=[Photo.objects.all()],
        )
    answer = Phone(stranger).upload(ticket, picture())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_ticket")
    for by in (own, manager):
        photos.add(by=by, ticket_id=ticket.pk, file=picture(), photo_type="PROOF")
    assert stored(ticket) != [] and Photo.objects.count() == 2


def test_a_ticket_that_is_not_there(reporter: Member) -> None:
    gone = city.ticket(by=reporter, deleted_at=city.later())
    for key in (uuid4(), gone.pk):
        assert_refused(errors.TicketNotFound, lambda key=key: photos.add(by=reporter, ticket_id=key, file=picture()))  # type: ignore[misc]
    assert Phone(reporter).upload(gone, picture()).json()["code"] == "ticket_not_found"
    assert Phone(reporter).send("POST", "tickets/nonsense/photos").status_code == 422
    assert Phone().upload(gone, picture()).status_code == 401


def test_five_of_each_type_and_no_more(reporter: Member, ticket: Ticket) -> None:
    for _ in range(5):
        photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    answer = Phone(reporter).upload(ticket, picture())
    assert (answer.status_code, answer.json()["detail"]) == (409, "Maximum 5 photos of this type per ticket")
    assert (ticket.photos.count(), len(stored(ticket))) == (5, 10)
    manager = city.member(Role.MANAGER)
    assert photos.add(by=manager, ticket_id=ticket.pk, file=picture(), photo_type="PROOF").slot == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\lamp.jpg", "lamp.jpg"),
        ("a\x00b\u202e.jpg", "ab.jpg"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("", "photo"),
        (None, "photo"),
        ("лампа.jpg", "лампа.jpg"),
    ],
)
def test_the_senders_name_is_only_shown(given: Any, kept: str) -> None:
    assert photos.clean_filename(given) == kept


class BrokenStorage(InMemoryStorage):
    """A server that is away."""

    def _save(self, name: str, content: Any) -> str:
        raise OSError("no answer")


class FillsUp(InMemoryStorage):
    """Takes one file, then no more."""

    def _save(self, name: str, content: Any) -> str:
        if "-small" in name:
            raise OSError("disk full")
        return super()._save(name, content)


@pytest.mark.parametrize("storage", [BrokenStorage, FillsUp])
def test_a_storage_that_is_away_is_503_and_nothing_is_kept(
    reporter: Member, ticket: Ticket, settings: Any, storage: type
) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.{storage.__name__}"}}
    answer = Phone(reporter).upload(ticket, picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "files_unavailable")
    assert not Photo.objects.exists()
    assert stored(ticket) == []


def read(name: str) -> int:
    return Phone().client.get(questions.url(name).removeprefix("http://127.0.0.1:8000")).status_code


def test_the_pictures_of_a_deleted_ticket_are_gone(reporter: Member, ticket: Ticket) -> None:
    """Also by an address that somebody kept; those of other tickets stay."""
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    other = photos.add(by=reporter, ticket_id=city.ticket(by=reporter).pk, file=picture())
    tickets.delete(by=reporter, ticket_id=ticket.pk)
    deliver()
    assert (read(photo.name), read(photo.thumbnail_name), read(other.name)) == (404, 404, 200)
    assert (stored(ticket), list(Photo.objects.all())) == ([], [other])
    assert photos.forget(ticket_id=ticket.pk) == 0


def test_a_file_that_goes_while_it_is_asked_for_is_404(
    reporter: Member, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker removes it: whoever asked a moment ago was told that it is there."""
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    monkeypatch.setattr(default_storage, "exists", lambda name: True)
    default_storage.delete(photo.name)
    assert read(photo.name) == 404


def test_the_pictures_of_a_living_ticket_stay(reporter: Member, ticket: Ticket) -> None:
    photo = photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    assert photos.forget(ticket_id=ticket.pk) == 0
    assert (read(photo.name), Photo.objects.count()) == (200, 1)


class HoldsOn(InMemoryStorage):
    """Gives nothing away."""

    def delete(self, name: str) -> None:
        raise OSError("no answer")


def test_a_storage_that_is_away_is_asked_again(reporter: Member, ticket: Ticket, settings: Any) -> None:
    photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    tickets.delete(by=reporter, ticket_id=ticket.pk)
    working = settings.STORAGES
    settings.STORAGES = {**working, "default": {"BACKEND": f"{__name__}.HoldsOn"}}
    assert_refused(errors.FilesUnavailable, lambda: photos.forget(ticket_id=ticket.pk), unchanged=[Photo.objects.all()])
    settings.STORAGES = working
    assert photos.forget(ticket_id=ticket.pk) == 1
    assert not Photo.objects.exists()


def test_on_a_disk_there_are_no_direct_uploads(reporter: Member, ticket: Ticket) -> None:
    answer = Phone(reporter).send("POST", f"tickets/{ticket.pk}/photos/direct", {"content_type": "image/jpeg"})
    assert (answer.status_code, answer.json()["code"]) == (409, "direct_upload_off")


@pytest.mark.race
def test_eight_at_once_for_the_last_two_places(reporter: Member, ticket: Ticket) -> None:
    for _ in range(3):
        photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
    results = race(8, lambda _: photos.add(by=reporter, ticket_id=ticket.pk, file=picture()))
    assert outcomes(results) == {"ok": 2, "TooManyPhotos": 6}
    assert list(ticket.photos.order_by("slot").values_list("slot", flat=True)) == [1, 2, 3, 4, 5]
    assert len(stored(ticket)) == 10


@pytest.mark.race
def test_a_picture_that_comes_while_the_ticket_is_deleted_leaves_no_file(reporter: Member, ticket: Ticket) -> None:
    def run(number: int) -> Any:
        if number:
            return photos.add(by=reporter, ticket_id=ticket.pk, file=picture())
        return tickets.delete(by=reporter, ticket_id=ticket.pk)

    assert set(outcomes(race(4, run))) <= {"ok", "TicketNotFound"}
    deliver()
    assert (stored(ticket), Photo.objects.count()) == ([], 0)
