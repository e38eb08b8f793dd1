"""Refusals about places, photos, figures, promised times and Open311 (contract tickets 1.3 to 1.5)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors
from apps.core.errors import Refused
from apps.tickets.errors.requests import BadRequest


class DistrictNotFound(errors.NotFound):
    """No district has that id."""

    code = "district_not_found"
    detail = "District not found"
    message = _("This district does not exist")


class NotAnOutline(errors.Invalid):
    """The GeoJSON is no polygon around the district's centre."""

    code = "not_an_outline"
    detail = "Outline must be a valid GeoJSON Polygon or MultiPolygon around the district's centre"
    message = _("This is not an outline of the district")


class PhotoUnreadable(Refused):
    """Not a picture of a kind that we take: 415 (contract tickets D10)."""

    status = 415
    code = "photo_unreadable"
    detail = "Only JPEG, PNG and WebP pictures can be uploaded"
    message = _("Only JPEG, PNG and WebP pictures can be uploaded")


class TooManyPhotos(errors.Conflict):
    """The ticket holds as many pictures of this type as it may (contract tickets 3)."""

    code = "too_many_photos"
    detail = "Maximum {most} photos of this type per ticket"
    message = _("There are {most} pictures already, no more fit in")


class FilesUnavailable(errors.VendorDown):
    """The disk or the bucket does not answer; nothing was kept: 503."""

    status = 503
    code = "files_unavailable"
    detail = "File storage is temporarily unavailable"
    message = _("Pictures cannot be stored at the moment, please try again later")


class DirectUploadOff(errors.Conflict):
    """Files lie on the disk here: send the picture to us."""

    code = "direct_upload_off"
    detail = "Direct uploads are not available here; upload the file to the photos endpoint"
    message = _("Please upload the picture the usual way")


class UploadNotFound(errors.NotFound):
    """Not the caller's form, or it has run out."""

    code = "upload_not_found"
    detail = "Upload not found or expired"
    message = _("This upload has expired, please begin again")


class UploadEmpty(errors.Conflict):
    """The form has not been used yet: nothing lies in the bucket."""

    code = "upload_empty"
    detail = "Nothing was uploaded with this form yet"
    message = _("The picture has not arrived yet")


class TooManyUploads(errors.TooMany):
    """Too many forms for direct uploads in an hour."""

    code = "too_many_uploads"
    detail = "Too many uploads, please wait"
    message = _("Too many uploads, please wait a little")


class PolicyExists(errors.Conflict):
    """There is a promise for this category and team already."""

    code = "policy_exists"
    detail = "A policy for this category and team already exists"
    message = _("There is such a promise already")


class PolicyNotFound(errors.NotFound):
    """No promise has that id."""

    code = "policy_not_found"
    detail = "Policy not found"
    message = _("This promise does not exist")


class KeyRefused(errors.NotAllowed):
    """The Open311 key is missing, unknown or revoked: 403 (contract integrations 11)."""

    code = "open311_key_refused"
    detail = "api_key is missing or not valid"
    message = _("This key is not valid")


class KeyNameTaken(errors.Conflict):
    """Another Open311 key has this name."""

    code = "open311_key_name_taken"
    detail = "A key with this name already exists"
    message = _("There is a key with this name already")


class ServiceNotFound(errors.NotFound):
    """No open category has this service code."""

    code = "open311_service_not_found"
    detail = "service_code was not found"
    message = _("This service does not exist")


class JurisdictionNotFound(errors.NotFound):
    """We serve another jurisdiction."""

    code = "open311_jurisdiction_not_found"
    detail = "jurisdiction_id was not found"
    message = _("This jurisdiction is not served here")


class RequestNotFound(errors.NotFound):
    """No report has this id or token."""

    code = "open311_request_not_found"
    detail = "service_request_id or token was not found"
    message = _("This report does not exist")


class PlaceUnknown(BadRequest):
    """Neither a point nor an address that we can find."""

    code = "open311_place_unknown"
    detail = "lat and long are required, or an address_string or address_id that names a known district"
    message = _("We do not know where that is")


class TooManyReports(errors.TooMany):
    """More reports of one Open311 key in a minute than allowed."""

    code = "open311_too_many"
    detail = "Too many reports, please wait"
    message = _("Too many reports, please wait a little")
