"""Pictures: limited while read, proved, re-encoded, stripped; public, or behind a signature (3.15, defect 23)."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import ExifTags, Image

from apps.florist.actions import uploads
from apps.florist.models import Employee, OrderPhoto, Product, Shop, StoredFile
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller
from apps.florist.tests.rows import order

pytestmark = pytest.mark.django_db


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 480), exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, (200, 30, 60))
    image.save(out, kind, **({"exif": exif} if exif else {}))
    return out.getvalue()


def camera() -> Image.Exif:
    """What a phone writes: where, when, and whose phone it is."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret phone"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:20 14:30:00"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps.update({1: "N", 2: (43.0, 15.0, 0.0), 3: "E", 4: (76.0, 54.0, 0.0)})
    return exif


def post(who: Employee | None, *files: bytes, path: str = "image", field: str = "file", name: str = "a.jpg") -> Any:
    caller = Caller(who)
    sent = [SimpleUploadedFile(name, raw, "image/jpeg") for raw in files]
    return caller.client.post(
        f"/florist/api/upload/{path}", {field: sent if len(sent) > 1 else sent[0]}, headers=caller.headers
    )


def stored(shop: Shop, *, is_public: bool, raw: bytes = b"") -> StoredFile:
    file = SimpleUploadedFile("a.jpg", raw or picture())
    return uploads.store(by=None, shop=shop, file=file, is_public=is_public)


@pytest.mark.parametrize(("kind", "extension"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
def test_everybody_of_the_shop_uploads_and_everybody_sees(
    olga: Employee, bek: Employee, aida: Employee, ruslan: Employee, kind: str, extension: str
) -> None:
    for who in (olga, bek, aida, ruslan):
        answer = post(who, picture(kind), name="../../Моя роза.jpg")
        body = answer.json()
        assert (answer.status_code, set(body)) == (201, {"message", "url", "original_name", "size"})
        name = body["url"].removeprefix("/uploads/")
        assert uploads.NAME.fullmatch(name)
        assert name.endswith(extension)
    for base in ("", "/florist"):
        shown = Caller(base=base)("GET", body["url"])
        assert (shown.status_code, shown.headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert shown.headers["Content-Type"] == f"image/{'jpeg' if kind == 'JPEG' else kind.lower()}"
        assert "immutable" in shown.headers["Cache-Control"]
        assert len(shown.content) == body["size"]


def test_it_lies_in_the_shops_folder_with_a_small_copy(aida: Employee) -> None:
    url = post(aida, picture(size=(1600, 900))).json()["url"]
    row = StoredFile.objects.get()
    assert default_storage.exists(f"florist/{aida.shop_id}/{row.name}")
    small = Caller()("GET", url.replace(".jpg", "-small.jpg"))
    assert max(Image.open(io.BytesIO(small.content)).size) == uploads.THUMBNAIL_SIDE


def test_where_and_when_are_kept_privately_and_stripped_from_the_file(aida: Employee) -> None:
    url = post(aida, picture(exif=camera())).json()["url"]
    row = StoredFile.objects.get()
    assert (row.latitude, row.longitude) == (43.25, 76.9)
    assert row.taken_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC), "the shop's clock is five hours ahead"
    shown = Image.open(io.BytesIO(Caller()("GET", url).content))
    assert dict(shown.getexif()) == {}
    assert b"Secret phone" not in Caller()("GET", url).content


def test_a_camera_that_lies_does_no_harm(rosa: Shop) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "yesterday"
    row = stored(rosa, is_public=True, raw=picture(exif=exif))
    assert (row.taken_at, row.latitude) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [b"<script>alert(1)</script>", b"", b"GIF89a" + b"\x00" * 64, picture("GIF"), picture("BMP"), picture()[:200]],
    ids=["script", "empty", "cut gif", "gif", "bmp", "cut jpeg"],
)
def test_what_is_no_picture_is_400(aida: Employee, raw: bytes) -> None:
    """Defect 23: as-is script bytes passed as .png."""
    assert post(aida, raw, name="a.png").status_code == 400
    assert not StoredFile.objects.exists()


class TestSize:
    @pytest.fixture(autouse=True)
    def small_limit(self, settings: Any) -> None:
        settings.FLORIST = dataclasses.replace(settings.FLORIST, upload_max_mb=1)

    def test_too_large_is_413_whatever_it_says_of_itself(self, aida: Employee) -> None:
        for size in (2**20 + 1, 2**21 + 1):
            answer = post(aida, picture() + b"\x00" * size)
            assert (answer.status_code, answer.json()["detail"]) == (413, "File is larger than 1 MB")
        assert not StoredFile.objects.exists()

    def test_a_picture_that_unpacks_to_a_giant_is_refused(self, aida: Employee) -> None:
        assert post(aida, picture("PNG", (9000, 9000))).status_code == 400


def test_several_at_once(aida: Employee) -> None:
    for field in ("files", "files[]"):
        body = post(aida, picture(), picture("PNG"), path="images", field=field).json()
        assert set(body) == {"message", "images"}
        assert [set(image) for image in body["images"]] == [{"original_name", "url", "size"}] * 2
    assert post(aida, *[picture()] * 6, path="images", field="files").status_code == 422


def test_no_file_is_422_and_nobody_is_401(aida: Employee) -> None:
    assert Caller(aida)("POST", "/api/upload/image", {"file": "x"}).status_code == 422
    assert post(None, picture()).status_code == 401


class TestPrivatePictures:
    def test_nobody_without_the_link(self, rosa: Shop, dana: Employee) -> None:
        path = uploads.path_of(stored(rosa, is_public=False))
        for who in (None, dana):
            answer = Caller(who)("GET", path)
            assert (answer.status_code, answer.json()["detail"]) == (404, "File not found")

    def test_the_signed_link_opens_for_a_week_and_the_small_copy_too(self, rosa: Shop) -> None:
        row = stored(rosa, is_public=False)
        url = uploads.url_of(row)
        assert url.startswith(f"/uploads/{row.name}?until=")
        shown = Caller()("GET", url)
        assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "private, max-age=3600")
        assert Caller()("GET", url.replace(".jpg", "-small.jpg")).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(days=7, hours=2), tick=False):
            assert Caller()("GET", url).status_code == 404

    def test_a_signature_of_another_picture_or_time_opens_nothing(self, rosa: Shop) -> None:
        first, second = (stored(rosa, is_public=False) for _ in range(2))
        signed = uploads.url_of(first)
        query = signed.partition("?")[2]
        until = query.split("&")[0].removeprefix("until=")
        for path in (
            f"/uploads/{second.name}?{query}",
            signed.replace(until, str(int(until) + 3600)),
            signed[:-1],
            f"/uploads/{first.name}?until=x&sig=y",
            f"/uploads/{first.name}?until={until}&sig=",
        ):
            assert Caller()("GET", path).status_code == 404

    def test_the_shops_people_look_without_a_link(self, aida: Employee, ruslan: Employee) -> None:
        path = uploads.path_of(stored(aida.shop, is_public=False))
        assert Caller(aida)("GET", path).status_code == 200
        assert Caller(ruslan)("GET", path).status_code == 404, "couriers get links to what is theirs"

    def test_links_are_stable_for_an_hour_and_leave_other_addresses_alone(self, rosa: Shop) -> None:
        row = stored(rosa, is_public=False)
        moment = datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC)
        with time_machine.travel(moment, tick=False) as clock:
            first = uploads.url_of(row)
            clock.shift(3500)
            assert uploads.url_of(row) == first
        assert uploads.link("https://elsewhere.kz/a.jpg") == "https://elsewhere.kz/a.jpg"
        assert uploads.url_of(stored(rosa, is_public=True)).count("?") == 0


@pytest.mark.parametrize("name", ["..%2f..%2fmanage.py", "a.jpg", "0" * 32 + ".svg", "0" * 32 + ".jpg", "%00"])
def test_other_names_are_404(rosa: Shop, name: str) -> None:
    assert Caller()("GET", f"/uploads/{name}").status_code in (404, 422)


class TestOrphans:
    def test_only_what_nothing_names_goes(self, rosa: Shop, tulip: Shop) -> None:
        with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
            kept, held, orphan, foreign = (stored(rosa, is_public=True) for _ in range(4))
        young = stored(rosa, is_public=True)
        cast.product(rosa, image_url=f"https://rosa.kz{uploads.path_of(kept)}")
        cast.product(tulip, image_url=uploads.path_of(foreign))
        OrderPhoto.objects.create(order=order(rosa), file=held, photo_url="", photo_type="process")
        assert uploads.sweep_orphans() == 2
        assert set(StoredFile.objects.all()) == {kept, held, young}
        assert not default_storage.exists(uploads.key_of(rosa.pk, orphan.name))
        assert not default_storage.exists(uploads.key_of(rosa.pk, uploads.small(orphan.name)))
        assert default_storage.exists(uploads.key_of(rosa.pk, kept.name))
        assert uploads.sweep_orphans() == 0
        assert Product.objects.count() == 2

    def test_old_ones_are_left_alone(self, rosa: Shop) -> None:
        with time_machine.travel(timezone.now() - timedelta(days=30), tick=False):
            stored(rosa, is_public=True)
        assert uploads.sweep_orphans() == 0


def test_a_storage_that_is_out_is_503(aida: Employee, monkeypatch: pytest.MonkeyPatch) -> None:
    def out(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(default_storage, "save", out)
    assert post(aida, picture()).status_code == 503
    assert not StoredFile.objects.exists()
