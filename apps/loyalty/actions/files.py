"""Pictures that people upload: proved by decoding, written anew, kept under names of ours (contract loyalty 1.5)."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from apps.core import events, uploads
from apps.core.uploads import NotAPicture, Picture
from apps.loyalty import access, errors
from apps.loyalty.actions import clients
from apps.loyalty.events import PhotoDropped
from apps.loyalty.models import Client, StoredFile

log = logging.getLogger(__name__)

Kind = StoredFile.Kind
EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
FOLDERS = {Kind.PROFILE_PHOTO: "loyalty/profile-photo/", Kind.NEWS_IMAGE: "loyalty/news-images/"}
MAX_PIXELS = 25_000_000


def set_profile_photo(*, by: Any, file: Any, client_id: int | None = None) -> Client:
    """A guest's own photo, or one that a manager hangs on a guest; the photo before it goes.

    Raises `WrongActor`, `ManagersOnly`, `ClientNotFound`, `FileMissing`, `FileTypeWrong`, `FileEmpty`, `TooLarge`.
    """
    owner_id = _whose(by, client_id)
    picture = _accepted(file)
    name = _store(Kind.PROFILE_PHOTO, picture)
    try:
        with transaction.atomic():
            client = Client.objects.living().lock(errors.ClientNotFound, pk=owner_id)
            clients.drop_photo(client)
            client.photo_name, client.updated_at = name, timezone.now()
            client.save(update_fields=["photo_name", "updated_at"])
            _keep(name, Kind.PROFILE_PHOTO, picture, owner=client)
    except BaseException:  # whatever happened, the row was rolled back: its file must not stay behind
        _remove_file(Kind.PROFILE_PHOTO, name)
        raise
    return client


def _whose(by: Any, client_id: int | None) -> int:
    if access.is_client(by):
        return int(by.pk)
    access.ensure_manager(by, "loyalty.change_client")
    if client_id is None:
        raise errors.ClientNotFound()
    return client_id


def drop_profile_photo(*, by: Any) -> None:
    """The guest shows no photo any more; without one nothing happens. Raises `WrongActor`, `AccountGone`."""
    access.ensure_client(by)
    with transaction.atomic():
        clients.drop_photo(Client.objects.living().lock(errors.AccountGone, pk=by.pk))


def add_news_image(*, by: Any, file: Any) -> StoredFile:
    """A picture for news. Raises `ManagersOnly`, `FileMissing`, `FileTypeWrong`, `FileEmpty`, `TooLarge`."""
    access.ensure_manager(by, "loyalty.add_news")
    picture = _accepted(file)
    name = _store(Kind.NEWS_IMAGE, picture)
    try:
        return _keep(name, Kind.NEWS_IMAGE, picture)
    except BaseException:
        _remove_file(Kind.NEWS_IMAGE, name)
        raise


def remove_news_image(*, by: Any, name: str) -> None:
    """Take a news picture away. Raises `ManagersOnly`, `FileNotFound`."""
    access.ensure_manager(by, "loyalty.delete_news")
    if not _remove(Kind.NEWS_IMAGE, name):
        raise errors.FileNotFound()


def remove(*, by: Any, file_id: int) -> None:
    """Take any uploaded picture away, a guest's photo included. Raises `ManagersOnly`, `FileNotFound`."""
    access.ensure_manager(by, "loyalty.delete_storedfile")
    with transaction.atomic():
        row = StoredFile.objects.filter(pk=file_id).first()
        if row is None:
            raise errors.FileNotFound()
        owner = Client.objects.select_for_update().filter(files=row, photo_name=row.name).first()
        if owner is not None:
            clients.drop_photo(owner)
        else:
            events.publish(PhotoDropped(client_id=row.owner_id or 0, name=row.name))


def forget(*, name: str) -> None:
    """Nobody shows this picture any more: row and file go. Repeating is free."""
    row = StoredFile.objects.filter(name=name).first()
    if row is not None:
        _remove(row.kind, name)


def _accepted(file: Any) -> Picture:
    if file is None or not file.name:
        raise errors.FileMissing()
    if PurePosixPath(str(file.name)).suffix.lower() not in EXTENSIONS:
        raise errors.FileTypeWrong()
    if not file.size:
        raise errors.FileEmpty()
    try:
        return uploads.accept_image(file, max_bytes=settings.LOYALTY.max_image_mb * 2**20, max_pixels=MAX_PIXELS)
    except NotAPicture as problem:
        raise errors.FileTypeWrong() from problem


def _store(kind: str, picture: Picture) -> str:
    name = f"{uuid4()}.{picture.extension}"
    default_storage.save(FOLDERS[Kind(kind)] + name, ContentFile(picture.content))
    return name


def _keep(name: str, kind: str, picture: Picture, owner: Client | None = None) -> StoredFile:
    return StoredFile.objects.create(
        name=name, kind=kind, owner=owner, content_type=picture.content_type, size=len(picture.content)
    )


def _remove(kind: str, name: str) -> bool:
    if not StoredFile.objects.filter(kind=kind, name=name).delete()[0]:
        return False
    transaction.on_commit(lambda: _remove_file(kind, name))
    return True


def _remove_file(kind: str, name: str) -> None:
    """A storage that does not answer leaves an orphan, not an error: the rows are already right."""
    try:
        default_storage.delete(FOLDERS[Kind(kind)] + name)
    except OSError:
        log.warning("an uploaded file could not be removed", exc_info=True)
