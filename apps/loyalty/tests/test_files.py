"""Profile photos and news pictures (contract loyalty 1.5, rows 36 to 42; 7, defects 7, 8, 26)."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from PIL import Image

from apps.core.testing import deliver, outcomes, query_budget, race
from apps.loyalty.actions import clients, files
from apps.loyalty.models import Client, StoredFile
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db
PHOTO, NEWS = "files/profile-photo", "files/news_images"
NAME = re.compile(r"[0-9a-f-]{36}\.(jpg|png|webp)")


def picture(name: str = "me.png", form: str = "PNG", content: bytes | None = None) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(out, format=form)
    return SimpleUploadedFile(name, out.getvalue() if content is None else content)


def upload(caller: Caller, path: str = PHOTO, field: str = "file", **fields: Any) -> Any:
    """Multipart, as the clients send it."""
    fields = fields or {field: picture()}
    return caller.client.post(
        f"{caller.base}/api/v1/{path}", fields, headers={"Authorization": f"Bearer {caller.token}"}
    )


def stored() -> list[str]:
    """Names in the storage."""
    found = []
    for folder in files.FOLDERS.values():
        if default_storage.exists(folder):
            found += default_storage.listdir(folder)[1]
    return sorted(found)


def settle() -> None:
    """The outbox moves, and what waits for the commit happens."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        deliver()


@pytest.fixture(autouse=True)
def _empty_storage() -> None:
    for folder in files.FOLDERS.values():
        for name in default_storage.listdir(folder)[1] if default_storage.exists(folder) else []:
            default_storage.delete(folder + name)


class TestPhoto:
    @pytest.mark.parametrize(
        ("name", "form", "extension"),
        [
            ("a.jpg", "JPEG", "jpg"),
            ("a.JPEG", "JPEG", "jpg"),
            ("a.png", "PNG", "png"),
            ("a.webp", "WEBP", "webp"),
            ("a.png", "JPEG", "jpg"),
        ],
    )
    def test_up_and_down_again(self, gulnora, name, form, extension):
        answer = upload(Caller(gulnora), file=picture(name, form))
        assert answer.status_code == 201
        url = answer.json()["profile_photo_url"]
        assert url.startswith("/api/v1/files/profile-photo/") and url.endswith(extension)
        assert NAME.fullmatch(url.rsplit("/", 1)[1])
        shown = Caller().get(url.removeprefix("/api/v1/"))
        assert (shown.status_code, shown["Content-Type"]) == (200, f"image/{extension.replace('jpg', 'jpeg')}")
        assert (shown["X-Content-Type-Options"], Image.open(io.BytesIO(shown.content)).size) == ("nosniff", (20, 10))
        assert Caller(gulnora).get("auth/me").json()["profile"]["profile_photo_url"] == url

    def test_the_one_before_goes(self, gulnora):
        upload(Caller(gulnora))
        first = stored()
        upload(Caller(gulnora))
        assert len(stored()) == 2
        settle()
        assert len(stored()) == 1 and stored() != first
        assert StoredFile.objects.count() == 1

    def test_away_and_again_away(self, gulnora):
        caller = Caller(gulnora)
        upload(caller)
        assert caller.delete(PHOTO).status_code == 204
        assert caller.delete(PHOTO).status_code == 204
        gulnora.refresh_from_db()
        assert gulnora.photo_name == ""
        settle()
        assert (stored(), StoredFile.objects.count()) == ([], 0)

    def test_a_deleted_accounts_photo_goes(self, gulnora):
        upload(Caller(gulnora))
        clients.delete(by=gulnora)
        settle()
        assert stored() == []

    def test_a_manager_hangs_one_on_a_guest(self, malika, gulnora):
        answer = upload(Caller(malika), file=picture(), user_id=str(gulnora.pk))
        assert (answer.status_code, answer.json()["id"]) == (201, gulnora.pk)
        assert upload(Caller(malika), file=picture(), user_id="999999").status_code == 404
        assert upload(Caller(malika), file=picture()).status_code == 404
        assert upload(Caller(malika), file=picture(), user_id="x").status_code == 422

    @pytest.mark.parametrize(
        "file",
        [
            picture("me.gif", "PNG"),
            picture("me", "PNG"),
            picture("me.png.exe", "PNG"),
            picture("me.png", content=b""),
            picture("me.png", content=b"<svg onload=alert(1)>"),
            picture("me.png", "GIF"),
        ],
        ids=["gif", "none", "exe", "empty", "svg", "gif inside"],
    )
    def test_no_picture(self, gulnora, file):
        answer = upload(Caller(gulnora), file=file)
        assert (answer.status_code, set(answer.json()["detail"])) == (400, {"ru", "uz"})
        assert (stored(), StoredFile.objects.count()) == ([], 0)

    def test_no_file(self, gulnora):
        assert upload(Caller(gulnora), other="x").status_code == 400
        assert Caller(gulnora).post(PHOTO, {}).status_code == 400

    def test_too_large(self, gulnora, settings):
        settings.LOYALTY = replace(settings.LOYALTY, max_image_mb=1)
        big = picture(content=picture().read() + b"\0" * (2 * 2**20))
        assert upload(Caller(gulnora), file=big).status_code == 413
        assert stored() == []

    def test_who_may(self, vali, gulnora):
        assert upload(Caller(vali), file=picture(), user_id=str(gulnora.pk)).status_code == 403
        assert upload(Caller()).status_code == 401
        assert upload(Caller(token=cast.doors.open_demo().access)).status_code == 401
        assert Caller(vali).delete(PHOTO).status_code == 403
        assert stored() == []

    def test_an_address_from_the_client_is_never_believed(self, gulnora, jasur):
        """In the original a guest could name another's photo as his own and have it deleted with the next upload."""
        upload(Caller(gulnora))
        url = Caller(gulnora).get("auth/me").json()["profile"]["profile_photo_url"]
        Caller(jasur).put("users/me", {"profile_photo_url": url})
        upload(Caller(jasur))
        Caller(jasur).delete(PHOTO)
        settle()
        assert Caller().get(url.removeprefix("/api/v1/")).status_code == 200

    @pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "x.jpg", "%00.jpg"])
    def test_other_names(self, name, db):
        assert Caller().get(f"{PHOTO}/{name}").status_code in (404, 422)

    def test_a_lost_file_is_not_found(self, gulnora):
        upload(Caller(gulnora))
        row = StoredFile.objects.get()
        default_storage.delete(files.FOLDERS[StoredFile.Kind.PROFILE_PHOTO] + row.name)
        assert Caller().get(f"{PHOTO}/{row.name}").status_code == 404


class TestNewsImages:
    @pytest.mark.parametrize("field", ["file", "image", "news_image"])
    @pytest.mark.parametrize("path", ["news_images", "news-images", "news-image", "news_image"])
    def test_up(self, malika, field, path):
        answer = upload(Caller(malika), f"files/{path}", field)
        assert answer.status_code == 201
        url = answer.json()["image_url"]
        assert url.startswith("/api/v1/files/news_images/")
        name = url.rsplit("/", 1)[1]
        for alias in ("news_images", "news-image"):
            assert Caller().get(f"files/{alias}/{name}").status_code == 200
        assert Caller().get(f"{PHOTO}/{name}").status_code == 404

    @pytest.mark.parametrize("alias", ["news_images", "news-image"])
    def test_away(self, malika, alias):
        name = upload(Caller(malika), NEWS).json()["image_url"].rsplit("/", 1)[1]
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert Caller(malika).delete(f"files/{alias}/{name}").status_code == 204
        assert stored() == []
        assert Caller(malika).delete(f"files/{alias}/{name}").status_code == 404

    def test_a_guests_photo_is_no_news_picture(self, malika, gulnora):
        upload(Caller(gulnora))
        assert Caller(malika).delete(f"{NEWS}/{StoredFile.objects.get().name}").status_code == 404
        assert len(stored()) == 1

    def test_managers_only(self, vali, gulnora):
        for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(gulnora), 403)):
            assert upload(caller, NEWS).status_code == status
            assert caller.delete(f"{NEWS}/x.png").status_code == status
        assert stored() == []


class TestList:
    def test_newest_first(self, malika, gulnora):
        upload(Caller(gulnora))
        upload(Caller(malika), NEWS)
        told = Caller(malika).get("files").json()
        assert told["pagination"] == {"page": 1, "size": 12, "total": 2}
        news, photo = told["items"]
        assert (news["type"], photo["type"]) == ("news_image", "profile_photo")
        row = StoredFile.objects.get(kind="profile_photo")
        assert photo == {
            "id": row.pk,
            "name": row.name,
            "url": f"/api/v1/{PHOTO}/{row.name}",
            "size": row.size,
            "created_at": photo["created_at"],
            "type": "profile_photo",
        }
        assert len(Caller(malika).get("files?page=2&page_size=1").json()["items"]) == 1

    def test_three_queries_however_many(self, malika):
        caller = Caller(malika)
        StoredFile.objects.bulk_create(
            StoredFile(name=f"{n}.jpg", kind="news_image", content_type="image/jpeg", size=1) for n in range(50)
        )
        with query_budget(4):
            assert len(caller.get("files?page_size=50").json()["items"]) == 50

    @pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=0", "page_size=101"])
    def test_malformed(self, malika, query):
        assert Caller(malika).get(f"files?{query}").status_code == 422

    def test_managers_only(self, vali, gulnora):
        for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(gulnora), 403)):
            assert caller.get("files").status_code == status
            assert caller.delete("files/1").status_code == status

    def test_a_row_is_deleted_by_its_id(self, malika, gulnora):
        upload(Caller(gulnora))
        upload(Caller(malika), NEWS)
        for row in StoredFile.objects.all():
            assert Caller(malika).delete(f"files/{row.pk}").status_code == 204
        gulnora.refresh_from_db()
        settle()
        assert (gulnora.photo_name, stored(), StoredFile.objects.count()) == ("", [], 0)
        assert Caller(malika).delete("files/999999").status_code == 404


@pytest.mark.race
def test_two_uploads_at_once_leave_one(gulnora):
    results = race(6, lambda number: files.set_profile_photo(by=gulnora, file=picture()))
    assert outcomes(results) == {"ok": 6}
    deliver()
    assert stored() == [Client.objects.get(pk=gulnora.pk).photo_name]
