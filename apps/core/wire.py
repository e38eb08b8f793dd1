"""How we speak on the wire: a dialect (`Wire`), the view base, the endpoint decorator, the one exception handler.

Request shapes are Pydantic models: the five products that we replace answered malformed input with Pydantic's own 422
lists, and their clients read them. An endpoint checks in this order: JSON can be parsed → somebody is signed in → the
shape is right → the handler's one action (contract urgent 1.0, "precedence").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Any, ClassVar, Literal, get_args, get_origin

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse, UnreadablePostError
from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import errors, texts, throttle
from apps.core.errors import Refused
from apps.core.throttle import Limit

Login = Literal["required", "optional", "none"]
DEEPEST_JSON = 100
"""Levels of nesting in a body. orjson reads 1,024 but writes 254, and a 422 list repeats what it was given."""
JSON_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS


class Shape(BaseModel):
    """Base of request and answer shapes: lax coercion as in the originals, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)


class ErrorBody(Shape):
    """A refusal: English words for programs, a code, words for people."""

    detail: str
    code: str
    message: str


class FieldError(Shape):
    """One malformed field in FastAPI's form."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any = None


class ErrorList(Shape):
    """Everything that is malformed in one request."""

    detail: list[FieldError]


class Wire:
    """One product's dialect. Subclasses change what their clients expect; rules never learn of it (design 3.11)."""

    error_body: ClassVar[type[BaseModel]] = ErrorBody
    error_list: ClassVar[type[BaseModel]] = ErrorList
    malformed_status: ClassVar[int] = 422

    def refused(self, refused: Refused, request: Any) -> tuple[int, Any]:
        """Status and body of a refusal."""
        with texts.speaking(texts.language_of(request)):
            words = refused.words
        return refused.status, {"detail": str(refused), "code": refused.code, "message": words}

    def invalid(self, found: Sequence[Mapping[str, Any]]) -> tuple[int, Any]:
        """Status and body for malformed input."""
        return self.malformed_status, {"detail": list(found)}

    def page(self, items: Sequence[Any], total: int, **more: Any) -> Any:
        """A page of a list."""
        return {"items": items, "total": total, **more}

    def number(self, value: Decimal) -> int | float | str:
        """A decimal on the wire: whole numbers without a point."""
        return int(value) if value == value.to_integral_value() else float(value)

    def moment(self, value: datetime) -> str | datetime:
        """A time on the wire; orjson writes ISO 8601 in UTC with `Z`."""
        return value

    def dump(self, body: Any) -> bytes:
        """JSON bytes in this dialect."""
        return orjson.dumps(body, default=self._foreign, option=JSON_OPTIONS)

    def _foreign(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return self.number(value)
        if isinstance(value, BaseModel):
            return value.model_dump()
        if isinstance(value, bytes | memoryview):
            raise TypeError("bytes are not JSON")
        return str(value)


class AcceptAnything(BaseContentNegotiation):
    """The originals never looked at Accept; neither do we."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


@dataclass(frozen=True)
class Endpoint:
    """What one method of one path takes and gives."""

    body: type[BaseModel] | None
    query: type[BaseModel] | None
    path: type[BaseModel] | None
    login: Login
    limit: Limit | None
    success: int
    body_optional: bool


class View(APIView):
    """Base of every API view: one wire, one sign-in, one call into the rules.

    Products set `wire`, `authentication_classes`, `tag` and override `membership`; `request.member` is the result.
    """

    wire: ClassVar[Wire] = Wire()
    tag: ClassVar[str] = ""
    refusals: ClassVar[Sequence[type[Refused]]] = ()
    """What each endpoint behind a sign-in may answer beside its own refusals, for the document."""
    content_negotiation_class = AcceptAnything

    def membership(self, user: Any) -> Any:
        """The product's row for this person."""
        return user

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        handler = getattr(self, request.method.lower(), None) if request.method else None
        if handler is None:
            raise drf.MethodNotAllowed(request.method or "")
        self.format_kwarg = None
        request.user = None  # else DRF would sign in again when somebody reads it, and a bad proof would be a 500
        rule: Endpoint | None = getattr(handler, "endpoint", None)
        request.parsed_body = read_json(request, rule.body_optional) if rule and rule.body else None
        request.member = None
        if rule is None:
            return
        if rule.login != "none":
            self.sign_in(request, rule.login)
        if rule.limit:
            subject = (
                request.member.pk
                if request.member is not None
                else throttle.neighbourhood(throttle.client_address(request))
            )
            throttle.hit(f"{type(self).__module__}.{type(self).__name__}.{request.method}", subject, rule.limit)

    def media_type(self, path: str, status: int) -> str:
        """What the answer of that status is on that path, for the documents."""
        return "application/json"

    def sign_in(self, request: Any, login: Login) -> None:
        """Find out who calls. With `optional`, a missing or bad proof is an anonymous caller."""
        try:
            user = self._prove(request)
        except errors.Unauthenticated:
            if login == "required":
                raise
            return
        request.member = self.membership(user)

    def _prove(self, request: Any) -> Any:
        for authenticator in self.get_authenticators():
            if (found := authenticator.authenticate(request)) is not None:
                request.user, request.auth = found
                return found[0]
        raise errors.Unauthenticated()

    def reply(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """An answer in this product's dialect. `None` is 204 without a body; bytes go out as they are."""
        if body is None:
            return HttpResponse(status=204)
        raw = body if isinstance(body, bytes) else self.wire.dump(body)
        return HttpResponse(raw, status=status, content_type="application/json", headers=dict(headers or {}))


def read_json(request: Any, optional: bool = False) -> Any:
    """The body as JSON, whatever Content-Type says. Raises `Invalid` in FastAPI's form, `TooLarge` past the limit."""
    try:
        raw = request.body
    except RequestDataTooBig as problem:
        raise errors.TooLarge(megabytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20) from problem
    if not raw:
        if optional:
            return {}
        raise errors.Invalid([{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}])
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        found = {"type": "json_invalid", "loc": ["body", problem.pos], "msg": "JSON decode error", "input": {}}
        raise errors.Invalid([{**found, "ctx": {"error": problem.msg}}]) from problem
    if raw.count(b"[") + raw.count(b"{") > DEEPEST_JSON:  # the cheap question first: bodies are nearly always shallow
        refuse_depth(parsed)
    if b"\\u0000" in raw:
        refuse_nul(parsed, ("body",))
    return parsed


def refuse_depth(value: Any) -> None:
    """Raises `Invalid` when lists and objects lie in each other more than `DEEPEST_JSON` deep."""
    level = [value]
    for _ in range(DEEPEST_JSON + 1):
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [item for box in inner for item in (box.values() if isinstance(box, dict) else box)]
        if not level:
            return
    found = {"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error", "input": {}}
    raise errors.Invalid([{**found, "ctx": {"error": "nested too deeply"}}])


def refuse_nul(value: Any, loc: tuple[str | int, ...]) -> None:
    """PostgreSQL cannot store U+0000 in a text. Raises `Invalid` naming the field."""
    if isinstance(value, str) and "\x00" in value:
        msg = "Value error, text must not contain the NUL character"
        raise errors.Invalid([{"type": "value_error", "loc": list(loc), "msg": msg, "input": value}])
    if isinstance(value, dict):
        for key, item in value.items():
            refuse_nul(key, loc)
            refuse_nul(item, (*loc, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            refuse_nul(item, (*loc, place))


def read_shape(shape: type[BaseModel], given: Any, where: str) -> Any:
    """The model filled from `given`. Raises `Invalid` with locations that start with `where`."""
    try:
        return shape.model_validate(given)
    except ValidationError as problem:
        found = problem.errors(include_url=False)
        raise errors.Invalid([_field_error(dict(error), where) for error in found]) from problem


def _field_error(error: dict[str, Any], where: str) -> dict[str, Any]:
    error["loc"] = [where, *error["loc"]]
    if "ctx" in error:
        error["ctx"] = {
            key: value if isinstance(value, int | float | str) else str(value) for key, value in error["ctx"].items()
        }
    return error


def read_query(shape: type[BaseModel], request: Any) -> Any:
    """The query string as a model: lists collect repeats, for single values the last one wins."""
    given: dict[str, Any] = {}
    for name in request.GET:
        field = shape.model_fields.get(name)
        many = field is not None and get_origin(field.annotation) in (list, tuple)
        given[name] = request.GET.getlist(name) if many else request.GET[name]
    refuse_nul(given, ("query",))
    return read_shape(shape, given, "query")


def endpoint(
    *,
    answers: Mapping[int, Any] | Mapping[int | tuple[int, str], Any],
    body: type[BaseModel] | None = None,
    body_optional: bool = False,
    query: type[BaseModel] | None = None,
    path: type[BaseModel] | None = None,
    login: Login = "none",
    refusals: Sequence[type[Refused]] = (),
    limit: Limit | None = None,
    summary: str = "",
    tags: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a handler: its shapes, who may call, what it answers. One declaration serves checks and OpenAPI.

    The handler receives `body`, `query` (models) and the path's values by keyword, and returns a JSON-able value,
    `(status, value)`, bytes of JSON, `None` for 204, or a finished response. An answer that is no JSON is keyed by
    `(status, content type)`.
    """
    rule = Endpoint(
        body, query, path, login, limit, success=min(_status(answer) for answer in answers), body_optional=body_optional
    )

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def call(self: View, request: Any, **values: Any) -> HttpResponse:
            return _finish(self, rule, handler(self, request, **_arguments(rule, request, values)))

        call.endpoint = rule  # type: ignore[attr-defined]
        return _documented(call, rule, answers, refusals, summary, tags)

    return decorate


def _status(answer: int | tuple[int, str]) -> int:
    return answer if isinstance(answer, int) else answer[0]


def _arguments(rule: Endpoint, request: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Everything the handler is called with; malformed parts raise `Invalid`."""
    refuse_nul(values, ("path",))
    if rule.path:
        values = dict(read_shape(rule.path, values, "path"))
    if rule.query:
        values["query"] = read_query(rule.query, request)
    if rule.body:
        values["body"] = read_shape(rule.body, request.parsed_body, "body")
    return values


def _finish(view: View, rule: Endpoint, result: Any) -> HttpResponse:
    if isinstance(result, HttpResponse):
        return result
    if isinstance(result, tuple):
        return view.reply(result[1], result[0])
    return view.reply(result, rule.success)


def _documented(
    call: Callable[..., Any],
    rule: Endpoint,
    answers: Mapping[int, Any] | Mapping[int | tuple[int, str], Any],
    refusals: Sequence[type[Refused]],
    summary: str,
    tags: Sequence[str] | None,
) -> Callable[..., Any]:
    parameters = [*_parameters(rule.query, OpenApiParameter.QUERY), *_parameters(rule.path, OpenApiParameter.PATH)]
    decorated = extend_schema(
        summary=summary or None,
        description=(call.__doc__ or "").strip() or None,
        request=rule.body,
        parameters=parameters,
        responses={
            **_refusal_docs(rule, refusals),
            **{status: _named_shape(shape) for status, shape in answers.items()},
        },
        auth={"required": [{"bearer": []}], "optional": [{}, {"bearer": []}], "none": [{}]}[rule.login],  # type: ignore[arg-type]
        tags=tags,
    )(call)
    decorated.endpoint = rule  # type: ignore[attr-defined]
    return decorated


REF = "#/components/schemas/"


def _named_shape(shape: Any) -> Any:
    """`list[Out]`, `dict[str, Out]`, `Out | None` as shapes with names: `OutList`, `OutMap`, `OutOrNull`."""
    inner = [part for part in get_args(shape) if isinstance(part, type) and issubclass(part, BaseModel)]
    kind = {list: "List", dict: "Map", UnionType: "OrNull"}.get(get_origin(shape))
    if kind is None or len(inner) != 1:
        return shape
    return type(f"{inner[0].__name__}{kind}", (RootModel[shape],), {"__module__": inner[0].__module__})


def _parameters(shape: type[BaseModel] | None, location: Any) -> list[OpenApiParameter]:
    if shape is None:
        return []
    schema = shape.model_json_schema(ref_template=REF + "{model}")
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    return [
        OpenApiParameter(name, _inlined(field, definitions), location, required=name in required)
        for name, field in schema.get("properties", {}).items()
    ]


def _inlined(field: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with references to these definitions written out: parameters have no components of their own."""
    if isinstance(field, dict):
        if (name := str(field.get("$ref", "")).rsplit("/", 1)[-1]) in definitions:
            return {**definitions[name], **{key: value for key, value in field.items() if key != "$ref"}}
        return {key: _inlined(value, definitions) for key, value in field.items()}
    return [_inlined(item, definitions) for item in field] if isinstance(field, list) else field


def _refusal_docs(rule: Endpoint, refusals: Sequence[type[Refused]]) -> dict[int, Any]:
    found = list(refusals)
    if rule.login == "required":
        found.append(errors.Unauthenticated)
    if rule.limit:
        found.append(errors.TooMany)
    docs: dict[int, Any] = {}
    for status in sorted({refusal.status for refusal in found if refusal.status != 422}):
        words = sorted({refusal.detail for refusal in found if refusal.status == status})
        docs[status] = OpenApiResponse(ErrorBody, description="; ".join(words))
    if rule.body or rule.query or rule.path or any(refusal.status == 422 for refusal in found):
        docs[422] = OpenApiResponse(ErrorList, description="Validation error")
    if rule.body:
        docs[413] = OpenApiResponse(ErrorBody, description="Body too large")
    return docs


class ShapeExtension(PydanticExtension):  # type: ignore[no-untyped-call]
    """Shapes for the document. Choices stand where they are used: two products, or two nouns, both have a `Status`."""

    priority = 1

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        """The shape's schema; inner shapes become components of their own."""
        schema = self.target.model_json_schema(ref_template=REF + "{model}", mode="serialization")
        inner = schema.pop("$defs", {})
        choices = {name: found for name, found in inner.items() if "enum" in found}
        for name in inner.keys() - choices.keys():
            part = _inlined(inner[name], choices)
            auto_schema.registry.register_on_missing(
                ResolvedComponent(name, ResolvedComponent.SCHEMA, object=name, schema=part)  # type: ignore[no-untyped-call]
            )
        return _inlined(schema, choices)


class HouseSchema(AutoSchema):
    """OpenAPI from `endpoint`: the view's tag, and error shapes in the view's dialect."""

    def get_tags(self) -> list[str]:
        tag = getattr(self.view, "tag", "")
        return [tag] if tag else super().get_tags()

    def get_operation_id(self) -> str:
        """`get_api_orders_by_order_id`: unique because method and path are."""
        words = self.path.strip("/").replace("{", "by_")
        return re.sub(r"[^\w-]+", "_", f"{self.method.lower()}_{words}").strip("_")

    def map_parsers(self) -> list[str]:
        """Bodies are JSON, whatever their Content-Type says (`read_json`)."""
        return ["application/json"]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """What the endpoint says, and what its view refuses to whoever is signed in; malformed input in its dialect."""
        bodies = super()._get_response_bodies(direction)
        rule: Endpoint | None = getattr(getattr(self.view, self.method.lower(), None), "endpoint", None)
        if rule is not None and rule.login == "required":
            for refusal in getattr(self.view, "refusals", ()):
                answer = OpenApiResponse(ErrorBody, description=refusal.detail)
                bodies.setdefault(str(refusal.status), self._get_response_for_code(answer, str(refusal.status)))
        malformed = str(_wire_of(self.view).malformed_status)
        return {malformed if status == "422" else status: answer for status, answer in bodies.items()}

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        # `extend_schema` answers `get_response_serializers` itself: the dialect has to come in behind it.
        if media_types is None and isinstance(self.view, View):
            media_types = [self.view.media_type(self.path, int(status_code))]
        dialect = _in_dialect(serializer, _wire_of(self.view))
        return super()._get_response_for_code(dialect, status_code, media_types, direction)  # type: ignore[no-untyped-call]


def _wire_of(view: Any) -> Wire:
    wire: Wire = getattr(view, "wire", Wire())
    return wire


def _in_dialect(answer: Any, wire: Wire) -> Any:
    if isinstance(answer, OpenApiResponse) and answer.response in (ErrorBody, ErrorList):
        shape = wire.error_body if answer.response is ErrorBody else wire.error_list
        return OpenApiResponse(shape, description=answer.description)
    return answer


def handle_exception(problem: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's hook: a refusal becomes the dialect's answer; anything unexpected stays loud."""
    refused = _as_refused(problem)
    if refused is None:
        return None
    view, request = context["view"], context["request"]
    wire: Wire = getattr(view, "wire", Wire())
    found = refused.errors if isinstance(refused, errors.Invalid) else []
    status, body = wire.invalid(found) if found else wire.refused(refused, request)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    if isinstance(problem, drf.MethodNotAllowed):
        headers["Allow"] = ", ".join(view.allowed_methods)
    return HttpResponse(wire.dump(body), status=status, content_type="application/json", headers=headers)


class MethodNotAllowed(Refused):
    """The path exists, the method does not: 405."""

    status = 405
    code = "method_not_allowed"
    detail = "Method Not Allowed"


class BadRequest(Refused):
    """The request could not be read, or only an attacker would write it so: 400."""

    code = "bad_request"
    detail = "Bad request"


class UnsupportedMedia(Refused):
    """The body is of a kind that we do not read: 415."""

    status = 415
    code = "unsupported_media_type"
    detail = "Unsupported Media Type"


def _as_refused(problem: Exception) -> Refused | None:
    if isinstance(problem, Refused):
        return problem
    for kind, refusal in (
        (drf.MethodNotAllowed, MethodNotAllowed),
        (Http404, errors.NotFound),
        (drf.NotFound, errors.NotFound),
        (PermissionDenied, errors.NotAllowed),
        (drf.NotAuthenticated, errors.Unauthenticated),
        (drf.AuthenticationFailed, errors.Unauthenticated),
        (drf.PermissionDenied, errors.NotAllowed),
        (drf.UnsupportedMediaType, UnsupportedMedia),
        (drf.ParseError, BadRequest),
        (SuspiciousOperation, BadRequest),
        (UnreadablePostError, BadRequest),
    ):
        if isinstance(problem, kind):
            return refusal()
    return None
