"""The bucket: names of variables, and forms that a real S3 server holds to."""

from __future__ import annotations

import time

import httpx
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.core import buckets
from apps.core.buckets import Bucket, UploadForm

JPEG = "image/jpeg"


def form(name: str = "incoming/one", *, seconds: int = 60, **more: str) -> UploadForm:
    return buckets.upload_form(name=name, content_type=JPEG, max_bytes=1000, seconds=seconds, **more)


def post(to: UploadForm, body: bytes, **changed: str) -> httpx.Response:
    return httpx.post(to.url, data={**to.fields, **changed}, files={"file": ("x.jpg", body, JPEG)})


def test_a_browser_uploads_straight_into_the_bucket(bucket: Bucket) -> None:
    assert buckets.takes_uploads()
    assert post(form("incoming/straight"), b"picture").status_code == 204
    assert default_storage.open("incoming/straight").read() == b"picture"


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b"x" * 1001, {}),
        (b"", {}),
        (b"ok", {"Content-Type": "text/html"}),
        (b"ok", {"key": "tickets/of-another.jpg"}),
        (b"ok", {"x-amz-signature": "0" * 64}),
    ],
)
def test_the_server_holds_to_the_form(bucket: Bucket, body: bytes, changed: dict[str, str]) -> None:
    assert post(form("incoming/refused"), body, **changed).status_code in (400, 403)
    assert not default_storage.exists("incoming/refused")
    assert not default_storage.exists("tickets/of-another.jpg")


def test_a_form_runs_out(bucket: Bucket) -> None:
    late = form("incoming/late", seconds=1)
    time.sleep(2.1)
    assert post(late, b"x").status_code in (400, 403)
    assert not default_storage.exists("incoming/late")


def test_a_stranger_without_a_form_cannot_write(bucket: Bucket) -> None:
    answer = httpx.put(f"{bucket.endpoint_url}/{bucket.name}/tickets/x.html", content=b"<script>")
    assert answer.status_code == 403
    assert not default_storage.exists("tickets/x.html")


def test_the_form_names_the_address_that_browsers_know(bucket: Bucket) -> None:
    shown = form(public_endpoint_url="https://files.example/")
    assert shown.url == f"https://files.example/{bucket.name}"
    assert "signature" not in repr(shown)


def test_a_stored_file_keeps_its_name_and_is_never_overwritten(bucket: Bucket) -> None:
    first = default_storage.save("tickets/a.txt", ContentFile(b"one"))
    second = default_storage.save("tickets/a.txt", ContentFile(b"two"))
    assert first != second
    assert default_storage.open(first).read() == b"one"


def test_a_disk_takes_no_direct_uploads() -> None:
    assert not buckets.takes_uploads()


@pytest.fixture
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUCKET", "ENDPOINT_URL", "PUBLIC_ENDPOINT_URL", "PUBLIC_DOMAIN", "ACCESS_KEY", "SECRET_KEY"):
        monkeypatch.delenv(f"S3_{name}", raising=False)


@pytest.mark.usefixtures("_no_variables")
def test_the_names_of_the_original_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert buckets.load().name == ""
    assert buckets.origins(buckets.load()) == []
    monkeypatch.setenv("MINIO_ENDPOINT", "minio:9000")
    monkeypatch.setenv("MINIO_SECRET_KEY", "hidden")
    monkeypatch.setenv("MINIO_PUBLIC_ENDPOINT", "files.example:9000")
    found = buckets.load()
    assert (found.name, found.endpoint_url) == ("sosoft-uploads", "http://minio:9000")
    assert found.public_domain == "files.example:9000/sosoft-uploads"
    assert buckets.storage(found)["OPTIONS"]["url_protocol"] == "http:"
    assert "hidden" not in repr(found)
    assert buckets.origins(found) == ["http://files.example:9000"]
    monkeypatch.setenv("S3_BUCKET", "ours")
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://storage:8333")
    assert (buckets.load().name, buckets.load().endpoint_url) == ("ours", "http://storage:8333")
    monkeypatch.delenv("MINIO_PUBLIC_ENDPOINT")
    assert buckets.origins(buckets.load()) == ["http://storage:8333"]
    monkeypatch.setenv("S3_PUBLIC_DOMAIN", "city.example/media")
    assert buckets.origins(buckets.load()) == ["https://city.example"]
