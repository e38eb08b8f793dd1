"""Pictures: what is taken, in which order, what happens on removal (contract shop 1.4, 3.2, D21)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.core.testing import outcomes, race
from apps.shop.actions import images
from apps.shop.models import Customer, Slipper, SlipperImage
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller, picture

pytestmark = pytest.mark.django_db(transaction=True)


def files() -> list[str]:
    try:
        return sorted(default_storage.listdir(images.FOLDER)[1])
    except FileNotFoundError:
        return []


@pytest.fixture(autouse=True)
def _empty_folder() -> None:
    for name in files():
        default_storage.delete(images.FOLDER + name)


def bomb() -> SimpleUploadedFile:
    return picture("big.png", kind="PNG", size=(6000, 5000))


@pytest.mark.parametrize("path", ["slippers/{}/upload-images", "slippers/{}/upload-images/"])
@pytest.mark.parametrize("base", ["/shop", ""])
def test_an_upload(anora: Customer, path: str, base: str) -> None:
    slipper = cast.slipper()
    answer = Caller(anora, base=base).upload(path.format(slipper.pk), picture(), picture("two.PNG", kind="PNG"))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    first, second = body["uploaded_images"]
    assert (body["slipper_id"], body["total_uploaded"]) == (slipper.pk, 2)
    assert (first["is_primary"], first["order_index"]) == (True, 0)
    assert (second["is_primary"], second["order_index"]) == (False, 1)
    assert first["image_path"].startswith("/static/images/") and second["image_path"].endswith(".png")
    shown = Caller().get(f"slippers/{slipper.pk}").json()
    assert (shown["image"], shown["primary_image"]) == (first["image_path"], first["image_path"])
    assert shown["image_gallery"] == [first["image_path"], second["image_path"]]
    assert set(shown["images"][0]) == {"id", "image_path", "is_primary", "alt_text", "order_index"}
    assert len(files()) == 4


def test_files_are_served_under_both_bases_and_nothing_else_is(anora: Customer) -> None:
    slipper = cast.slipper()
    path = images.add(by=anora, slipper_id=slipper.pk, files=[picture()])[0].image_path
    for address in (path, f"/shop{path}", images.thumbnail_path(path)):
        answer = Caller().client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        Image.open(io.BytesIO(answer.content)).verify()
    for name in ("nothing.jpg", "..%2f..%2fsettings.py", f"{'0' * 32}.jpg"):
        assert Caller().client.get(f"/shop/static/images/{name}").status_code == 404


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_four_formats_are_re_encoded_without_metadata(anora: Customer, kind: str) -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", (50, 50), "blue").save(out, format=kind, exif=exif)
    file = SimpleUploadedFile("x.jpg", out.getvalue() + b"SecretTail")
    path = images.add(by=anora, slipper_id=cast.slipper().pk, files=[file])[0].image_path
    stored = default_storage.open(images.stored_name(path)).read()
    assert Image.open(io.BytesIO(stored)).format == kind
    assert b"SecretCamera" not in stored and b"SecretTail" not in stored


@pytest.mark.parametrize(
    ("upload", "status", "code"),
    [
        ([SimpleUploadedFile("a.jpg", b"only text")], 400, "image_unreadable"),
        ([SimpleUploadedFile("a.svg", b"<svg/>")], 400, "image_type_not_allowed"),
        ([SimpleUploadedFile("a", b"x")], 400, "image_type_not_allowed"),
        ([picture(), SimpleUploadedFile("b.jpg", b"only text")], 400, "image_unreadable"),
        ([picture("b.jpg", kind="BMP")], 400, "image_unreadable"),
        ([picture() for _ in range(11)], 400, "too_many_images"),
        ([SimpleUploadedFile("a.jpg", b"x" * (5 * 2**20 + 1))], 413, "too_large"),
        ([], 400, "no_images"),
    ],
)
def test_one_bad_file_and_nothing_is_stored(
    anora: Customer, upload: list[SimpleUploadedFile], status: int, code: str
) -> None:
    slipper = cast.slipper()
    for file in upload:
        file.seek(0)
    answer = Caller(anora).upload(f"slippers/{slipper.pk}/upload-images", *upload)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not SlipperImage.objects.exists() and not files()


def test_too_many_pixels_are_refused(anora: Customer) -> None:
    answer = Caller(anora).upload(f"slippers/{cast.slipper().pk}/upload-images", bomb())
    assert (answer.status_code, answer.json()["code"]) == (400, "image_unreadable")


def test_what_is_no_multipart_is_400(anora: Customer) -> None:
    slipper = cast.slipper()
    assert Caller(anora).post(f"slippers/{slipper.pk}/upload-images", {"images": []}).status_code == 400
    broken = Caller(anora).client.generic(
        "POST",
        f"/shop/slippers/{slipper.pk}/upload-images",
        b"nonsense",
        content_type="multipart/form-data",
        headers={"Authorization": f"Bearer {Caller(anora).token}"},
    )
    assert broken.status_code == 400


def test_the_next_batch_goes_on_and_ten_is_all(anora: Customer) -> None:
    slipper = cast.slipper()
    images.add(by=anora, slipper_id=slipper.pk, files=[picture() for _ in range(4)])
    more = images.add(by=anora, slipper_id=slipper.pk, files=[picture() for _ in range(5)])
    assert [image.order_index for image in more] == [4, 5, 6, 7, 8]
    assert not any(image.is_primary for image in more)
    answer = Caller(anora).upload(f"slippers/{slipper.pk}/upload-images", picture(), picture())
    assert (answer.status_code, answer.json()["detail"]) == (400, "Maximum 10 images allowed")
    assert (slipper.images.count(), len(files())) == (9, 18)


def test_a_removed_main_picture_has_an_heir(anora: Customer) -> None:
    slipper = cast.slipper()
    first, second = images.add(by=anora, slipper_id=slipper.pk, files=[picture(), picture()])
    listed = Caller().get(f"slippers/{slipper.pk}/images").json()
    ids = [image["id"] for image in listed["images"]]
    assert (listed["total_images"], listed["slipper_id"]) == (2, slipper.pk)
    answer = Caller(anora).delete(f"slippers/{slipper.pk}/images/{ids[0]}")
    assert answer.json() == {"message": "Image deleted successfully", "deleted_image_id": ids[0]}
    shown = Caller().get(f"slippers/{slipper.pk}").json()
    assert shown["image"] == shown["primary_image"] == second.image_path
    assert [image["is_primary"] for image in shown["images"]] == [True]
    assert images.stored_name(first.image_path).rpartition("/")[2] not in files() and len(files()) == 2
    Caller(anora).delete(f"slippers/{slipper.pk}/images/{ids[1]}")
    assert (Slipper.objects.get().image, files()) == ("", [])


def test_a_picture_of_another_product_is_404(anora: Customer) -> None:
    mine, other = cast.slipper(), cast.slipper()
    images.add(by=anora, slipper_id=other.pk, files=[picture()])
    image = other.images.get()
    answer = Caller(anora).delete(f"slippers/{mine.pk}/images/{image.pk}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Image not found")
    assert (SlipperImage.objects.count(), len(files())) == (1, 2)


def test_another_main_picture(anora: Customer) -> None:
    slipper = cast.slipper()
    images.add(by=anora, slipper_id=slipper.pk, files=[picture(), picture()])
    second = slipper.images.get(order_index=1)
    images.make_primary(by=anora, slipper_id=slipper.pk, image_id=second.pk)
    assert [image["order_index"] for image in Caller().get(f"slippers/{slipper.pk}").json()["images"]] == [1, 0]
    assert Slipper.objects.get().image == second.image_path


@pytest.mark.parametrize("dies_at", [1, 2, 4, 5])
def test_a_storage_that_fails_half_way_leaves_no_file(
    anora: Customer, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    slipper, real, saved = cast.slipper(), default_storage.save, []

    def save(name: str, content: Any) -> str:
        saved.append(name)
        if len(saved) == dies_at:
            raise OSError("the disk is full")
        return str(real(name, content))

    monkeypatch.setattr(default_storage, "save", save)
    with pytest.raises(OSError, match="full"):
        images.add(by=anora, slipper_id=slipper.pk, files=[picture() for _ in range(3)])
    assert (SlipperImage.objects.count(), files()) == (0, [])


def test_a_bucket_that_does_not_answer_leaves_an_orphan_not_an_error(
    anora: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ClientError(Exception):
        """As buckets raise it: no OSError."""

    def delete(name: str) -> None:
        raise ClientError

    slipper = cast.slipper()
    image = images.add(by=anora, slipper_id=slipper.pk, files=[picture()])[0]
    monkeypatch.setattr(default_storage, "delete", delete)
    assert Caller(anora).delete(f"slippers/{slipper.pk}/images/{image.pk}").status_code == 200
    assert not SlipperImage.objects.exists()
    monkeypatch.undo()


@pytest.mark.race
def test_five_uploads_at_once_keep_their_places(anora: Customer) -> None:
    slipper = cast.slipper()

    def upload(number: int) -> list[SlipperImage]:
        return images.add(by=anora, slipper_id=slipper.pk, files=[picture() for _ in range(3)])

    assert outcomes(race(5, upload)) == {"ok": 3, "TooManyImages": 2}
    assert list(slipper.images.order_by("order_index").values_list("order_index", flat=True)) == list(range(9))
    assert slipper.images.filter(is_primary=True).count() == 1
    assert len(files()) == 18
