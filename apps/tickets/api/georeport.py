"""The dialect of Open311 GeoReport v2: XML or JSON by the ending of the address, errors as a list.

Numbers that are codes are texts in JSON; nothing is null in XML, it is empty. No namespace (contract integrations 11).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from xml.etree import ElementTree

import orjson
from django.http import HttpResponse
from pydantic import RootModel

from apps.core.wire import Shape
from apps.tickets.api.base import TicketsView
from apps.tickets.api.wire import TicketsWire

Format = Literal["json", "xml"]
FORMATS: tuple[Format, ...] = ("json", "xml")
CONTENT_TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}

CHILDREN = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "attributes": "attribute",
    "values": "value",
}
"""What a member of each list is called in XML."""

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
KEPT_STATUSES = frozenset({403, 404, 405, 413, 429, 503})
"""The standard knows 400, 403 and 404; everything that these do not say is 400."""


class GeoError(Shape):
    """One thing that is wrong."""

    code: int
    description: str


class GeoErrors(RootModel[list[GeoError]]):
    """Everything that is wrong."""


class GeoWire(TicketsWire):
    """What the documents say of our errors; `GeoReportView` writes them."""

    error_body = GeoErrors
    error_list = GeoErrors
    malformed_status = 400


class GeoReportView(TicketsView):
    """Base of the Open311 views. Everybody may read from every page of the web."""

    wire = GeoWire()
    tag = "open311"
    root: ClassVar[str] = "service_requests"

    def media_type(self, path: str, status: int) -> str:
        """By the ending of the address."""
        return "text/xml" if path.endswith(".xml") else "application/json"

    def answer(self, body: Any, status: int = 200, root: str = "") -> HttpResponse:
        """The body in the format of the address."""
        form: Format = self.kwargs.get("form", "json")
        raw = as_xml(root or self.root, body) if form == "xml" else as_json(body)
        found = HttpResponse(raw, status=status, content_type=CONTENT_TYPES[form])
        if self.request.method in ("GET", "HEAD"):
            found.headers["Access-Control-Allow-Origin"] = "*"
        return found

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """A refusal in the standard's form."""
        refused = super().handle_exception(exc)
        said = orjson.loads(refused.content)["detail"]
        words = said if isinstance(said, str) else "; ".join(_malformed(error) for error in said)
        status = refused.status_code if refused.status_code in KEPT_STATUSES else 400
        found = self.answer([{"code": status, "description": words}], status, "errors")
        for name in ("Retry-After", "Allow"):
            if name in refused.headers:
                found.headers[name] = refused.headers[name]
        return found


def _malformed(error: dict[str, Any]) -> str:
    return f"{error['loc'][-1]}: {error['msg']}"


def as_json(body: Any) -> bytes:
    """JSON with W3C moments."""
    return orjson.dumps(body, option=orjson.OPT_PASSTHROUGH_DATETIME, default=_moment)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    raise TypeError(type(value).__name__)


def as_xml(root: str, body: Any) -> bytes:
    """XML without attributes and namespaces."""
    return ElementTree.tostring(_element(root, body), encoding="utf-8", xml_declaration=True)


def _element(name: str, value: Any) -> ElementTree.Element:
    found = ElementTree.Element(name)
    if isinstance(value, dict):
        found.extend(_element(key, inner) for key, inner in value.items())
    elif isinstance(value, list):
        found.extend(_element(CHILDREN[name], inner) for inner in value)
    elif value is not None:
        found.text = NOT_XML.sub("", _words(value))
    return found


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _moment(value) if isinstance(value, datetime) else str(value)
