"""The S3 bucket: its settings from the environment, and forms by which a browser uploads straight into it.

The original of tickets named its server `MINIO_*` (contract tickets 5); those names work where `S3_*` are not set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import default_storage

from apps.core import env

DEFAULT_REGION = "us-east-1"

TROUBLE = (OSError, BotoCoreError, ClientError)
"""What storages raise when the disk or the bucket's server does not do what it was asked."""

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3, 20


@dataclass(frozen=True)
class Bucket:
    """Where files lie, when not on the disk. An empty name: there is no bucket."""

    name: str
    endpoint_url: str
    """The server as we reach it; empty is Amazon's own."""
    public_endpoint_url: str
    """The server as browsers reach it; empty: as we do."""
    public_domain: str
    """Host and path under which everybody reads the files; empty: the server's own address."""
    region: str
    addressing_style: str
    has_signed_urls: bool
    """Reading needs a signature that runs out; off: everybody may read who knows the name."""
    is_secure: bool
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


def load() -> Bucket:
    """Read the environment. Raises `environs.EnvError` for a malformed value."""
    scheme = "https" if env.flag("MINIO_SECURE") else "http"
    host, public_host = env.text("MINIO_ENDPOINT"), env.text("MINIO_PUBLIC_ENDPOINT")
    names = env.text("MINIO_BUCKET_NAME", "sosoft-uploads")
    name = env.text("S3_BUCKET") or (names if host else "")
    return Bucket(
        name=name,
        endpoint_url=env.text("S3_ENDPOINT_URL") or _url(scheme, host),
        public_endpoint_url=env.text("S3_PUBLIC_ENDPOINT_URL") or _url(scheme, public_host),
        public_domain=env.text("S3_PUBLIC_DOMAIN") or (f"{public_host}/{name}" if public_host else ""),
        region=env.text("S3_REGION", DEFAULT_REGION),
        addressing_style=env.text("S3_ADDRESSING_STYLE", "path"),
        has_signed_urls=env.flag("S3_SIGNED_URLS"),
        is_secure=scheme == "https" or not public_host,
        access_key=env.secret("S3_ACCESS_KEY") or env.secret("MINIO_ACCESS_KEY"),
        secret_key=env.secret("S3_SECRET_KEY") or env.secret("MINIO_SECRET_KEY"),
    )


def _url(scheme: str, host: str) -> str:
    return f"{scheme}://{host}" if host else ""


def origins(bucket: Bucket) -> list[str]:
    """Where browsers read its files, for the pages' content security policy."""
    if not bucket.name:
        return []
    if bucket.public_domain:
        return [_url("https" if bucket.is_secure else "http", bucket.public_domain.partition("/")[0])]
    if bucket.endpoint_url:
        parts = urlsplit(bucket.endpoint_url)
        return [f"{parts.scheme}://{parts.netloc}"]
    return ["https://*.amazonaws.com"]


def storage(bucket: Bucket) -> dict[str, Any]:
    """The bucket as an entry of Django's `STORAGES`."""
    options = {
        "bucket_name": bucket.name,
        "access_key": bucket.access_key,
        "secret_key": bucket.secret_key,
        "endpoint_url": bucket.endpoint_url or None,
        "region_name": bucket.region,
        "client_config": _client_config(bucket),
        "file_overwrite": False,
        "querystring_auth": bucket.has_signed_urls,
        "custom_domain": bucket.public_domain or None,
        "url_protocol": "https:" if bucket.is_secure else "http:",
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _client_config(bucket: Bucket) -> Config:
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": bucket.addressing_style},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": 2},
        # Servers other than Amazon's do not all know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@dataclass(frozen=True)
class UploadForm:
    """What a browser posts, with the file as its last field. `fields` hold a signature, so they are not printed."""

    url: str
    fields: dict[str, str] = field(repr=False)
    expires_in_seconds: int


def takes_uploads() -> bool:
    """Whether browsers can upload directly: the files lie in a bucket, not on the disk."""
    return hasattr(default_storage, "bucket_name")


def upload_form(
    *, name: str, content_type: str, max_bytes: int, seconds: int, public_endpoint_url: str = ""
) -> UploadForm:
    """A form for one file of that name and kind, of at most `max_bytes`; the server itself holds to all three.

    A POST policy does not sign the host, so the address may be the one that browsers know. Call only where
    `takes_uploads()`.
    """
    bucket: str = default_storage.bucket_name  # type: ignore[attr-defined]
    client: Any = default_storage.connection.meta.client  # type: ignore[attr-defined]
    signed = client.generate_presigned_post(
        Bucket=bucket,
        Key=name,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]],
        ExpiresIn=seconds,
    )
    url = f"{public_endpoint_url.rstrip('/')}/{bucket}" if public_endpoint_url else signed["url"]
    return UploadForm(url, signed["fields"], seconds)
