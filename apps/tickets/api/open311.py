"""Open311 GeoReport v2, we are the server (contract integrations 11)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import BeforeValidator, Field, field_validator, model_validator
from rest_framework.parsers import FormParser, MultiPartParser

from apps.core.access import ensure
from apps.core.routing import path
from apps.core.wire import Shape, endpoint, read_shape, refuse_nul
from apps.tickets import errors
from apps.tickets.access import PUBLIC_READS
from apps.tickets.actions import open311
from apps.tickets.api.georeport import FORMATS, GeoReportView
from apps.tickets.api.places import Latitude, Longitude
from apps.tickets.queries import open311 as questions

BASE = "open311/v2"
CHANGESET = "2026-11-21T00:00:00+00:00"
"""When this interface last changed."""
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"


def _absent(given: Any) -> Any:
    """An empty parameter counts as absent."""
    return None if given == "" else given


def _split(given: list[str]) -> list[str]:
    """A query's repeats, each a list separated by commas."""
    return [part.strip() for words in given for part in words.split(",") if part.strip()]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Absent = BeforeValidator(_absent)
Words = Annotated[str, BeforeValidator(lambda given: given or "")]


class Jurisdiction(Shape):
    """Only one is served here."""

    jurisdiction_id: str = ""

    def ensure_ours(self) -> None:
        """Raises `JurisdictionNotFound`."""
        ours = settings.TICKETS.open311_jurisdiction
        ensure(not ours or self.jurisdiction_id in ("", ours), errors.JurisdictionNotFound)


class RequestsQuery(Jurisdiction):
    """Which reports; lists are separated by commas."""

    service_request_id: Annotated[list[UUID], BeforeValidator(_split)] = Field([], max_length=questions.MOST)
    service_code: Annotated[list[str], BeforeValidator(_split)] = Field([], max_length=100)
    start_date: Annotated[datetime | None, Absent] = None
    end_date: Annotated[datetime | None, Absent] = None
    status: Annotated[list[str], BeforeValidator(_split)] = Field([], max_length=2)

    @field_validator("start_date", "end_date")
    @classmethod
    def in_utc(cls, moment: datetime | None) -> datetime | None:
        """A moment without a zone is UTC; neither end of time can be counted from."""
        if moment is not None and not 1970 <= moment.year <= 9000:
            raise ValueError("out of range")
        return _aware(moment) if moment else None

    @field_validator("status")
    @classmethod
    def is_known(cls, words: list[str]) -> list[str]:
        """open, closed, or both."""
        if not set(words) <= {"open", "closed"}:
            raise ValueError("status is open or closed")
        return words

    @model_validator(mode="after")
    def is_short_enough(self) -> RequestsQuery:
        """At most 90 days, the right way round."""
        start, end = questions.span(self.start_date, self.end_date)
        if not start <= end <= start + questions.LONGEST_SPAN:
            raise ValueError("start_date and end_date are at most 90 days apart")
        return self

    def asked(self) -> questions.Asked:
        """In the words of the query."""
        return questions.Asked(
            tuple(self.service_request_id),
            tuple(self.service_code),
            self.start_date,
            self.end_date,
            frozenset(self.status),
        )


class NewReport(Jurisdiction):
    """A report's form."""

    api_key: Words = ""
    service_code: str = Field(min_length=1, max_length=100)
    lat: Annotated[Latitude | None, Absent] = None
    long: Annotated[Longitude | None, Absent] = None
    address_string: Words = Field("", max_length=500)
    address_id: Words = Field("", max_length=100)
    description: Words = Field("", max_length=4000)
    account_id: Words = Field("", max_length=100)
    device_id: Words = Field("", max_length=100)
    first_name: Words = Field("", max_length=100)
    last_name: Words = Field("", max_length=100)
    email: Words = Field("", max_length=254)
    phone: Words = Field("", max_length=32)
    media_url: Words = Field("", max_length=500)
    district: Words = Field("", alias="attribute[district]", max_length=100)

    @field_validator("media_url")
    @classmethod
    def is_an_address(cls, given: str) -> str:
        """A link on the web, nothing that a browser would run."""
        if given and (urlsplit(given).scheme not in ("http", "https") or not urlsplit(given).hostname):
            raise ValueError("not a web address")
        return given

    @model_validator(mode="after")
    def place_is_whole(self) -> NewReport:
        """Half a point is no point."""
        if (self.lat is None) != (self.long is None):
            raise ValueError("lat and long are given together")
        return self

    def report(self) -> open311.Report:
        """In the words of the action."""
        given = self.model_dump(exclude={"api_key", "jurisdiction_id", "lat", "long"})
        return open311.Report(latitude=self.lat, longitude=self.long, **given)


class Discovery(GeoReportView):
    """Where to find us."""

    root = "discovery"

    @endpoint(answers={200: dict}, summary="Discovery")
    def get(self, request: Any, *, form: str) -> HttpResponse:
        """The standard's self-description."""
        kind = "production" if settings.TICKETS.open311_is_production else "test"
        address = {
            "specification": SPECIFICATION,
            "url": request.build_absolute_uri(request.path.rpartition("/")[0]),
            "changeset": CHANGESET,
            "type": kind,
            "formats": ["text/xml", "application/json"],
        }
        contact = settings.TICKETS.open311_contact
        body = {"changeset": CHANGESET, "contact": contact, "key_service": contact, "endpoints": [address]}
        return self.answer(body)


class Services(GeoReportView):
    """What can be reported."""

    root = "services"

    @endpoint(query=Jurisdiction, answers={200: list[dict]}, refusals=[errors.JurisdictionNotFound], summary="Services")
    def get(self, request: Any, *, form: str, query: Jurisdiction) -> HttpResponse:
        """Open categories."""
        query.ensure_ours()
        return self.answer(questions.services())


class ServiceDefinition(GeoReportView):
    """What is asked about a service."""

    root = "service_definition"

    @endpoint(
        query=Jurisdiction,
        answers={200: dict},
        refusals=[errors.JurisdictionNotFound, errors.ServiceNotFound],
        summary="Service definition",
    )
    def get(self, request: Any, *, form: str, service_code: str, query: Jurisdiction) -> HttpResponse:
        """Its attributes."""
        query.ensure_ours()
        return self.answer(questions.definition(service_code))


class Requests(GeoReportView):
    """Reports."""

    parser_classes = (FormParser, MultiPartParser)

    @endpoint(
        query=RequestsQuery,
        answers={200: list[dict]},
        refusals=[errors.JurisdictionNotFound, errors.ServiceNotFound],
        limit=PUBLIC_READS,
        summary="Service requests",
    )
    def get(self, request: Any, *, form: str, query: RequestsQuery) -> HttpResponse:
        """Newest first, at most 1,000, of the last 90 days when nothing is said."""
        query.ensure_ours()
        return self.answer(questions.requests(query.asked()))

    @extend_schema(request={"application/x-www-form-urlencoded": NewReport})
    @endpoint(
        answers={200: list[dict]},
        refusals=[errors.KeyRefused, errors.ServiceNotFound, errors.PlaceUnknown, errors.TooManyReports],
        summary="Report something",
    )
    def post(self, request: Any, *, form: str) -> HttpResponse:
        """Form-urlencoded with `api_key`; the same report on the same day answers the first one while that is open."""
        sent = {name: request.POST[name] for name in request.POST}
        key = open311.prove_key(sent.get("api_key", ""))
        refuse_nul(sent, ("body",))
        body: NewReport = read_shape(NewReport, sent, "body")
        body.ensure_ours()
        taken = open311.report(key=key, report=body.report())
        found = {
            "service_request_id": str(taken.ticket_id),
            "token": str(taken.pk),
            "service_notice": None,
            "account_id": taken.account_id or None,
        }
        return self.answer([found])


class OneRequest(GeoReportView):
    """One report."""

    @endpoint(
        query=Jurisdiction,
        answers={200: list[dict]},
        refusals=[errors.JurisdictionNotFound, errors.RequestNotFound],
        summary="Service request",
    )
    def get(self, request: Any, *, form: str, request_id: str, query: Jurisdiction) -> HttpResponse:
        """A list of one."""
        query.ensure_ours()
        return self.answer(questions.one(_uuid(request_id)))


class Token(GeoReportView):
    """From a token to the report."""

    @endpoint(
        query=Jurisdiction,
        answers={200: list[dict]},
        refusals=[errors.JurisdictionNotFound, errors.RequestNotFound],
        summary="Service request of a token",
    )
    def get(self, request: Any, *, form: str, token: str, query: Jurisdiction) -> HttpResponse:
        """A list of one."""
        query.ensure_ours()
        return self.answer(questions.of_token(_uuid(token)))


def _uuid(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError as problem:
        raise errors.RequestNotFound() from problem


urlpatterns = [
    found
    for form in FORMATS
    for found in (
        path(f"{BASE}/discovery.{form}", Discovery, name=f"open311-discovery-{form}", form=form),
        path(f"{BASE}/services.{form}", Services, name=f"open311-services-{form}", form=form),
        path(
            f"{BASE}/services/<str:service_code>.{form}", ServiceDefinition, name=f"open311-service-{form}", form=form
        ),
        path(f"{BASE}/requests.{form}", Requests, name=f"open311-requests-{form}", form=form),
        path(f"{BASE}/requests/<str:request_id>.{form}", OneRequest, name=f"open311-request-{form}", form=form),
        path(f"{BASE}/tokens/<str:token>.{form}", Token, name=f"open311-token-{form}", form=form),
    )
]
