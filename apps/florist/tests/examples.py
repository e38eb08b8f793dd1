"""A well-formed body for any endpoint, read from its own schema, with ids of a given shop."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

WORDS: dict[str, Any] = {
    "phone": "+77017770000",
    "customer_phone": "+77017770000",
    "recipient_phone": "+77017770001",
    "date": "05-20",
    "day": "2027-01-15",
    "sku": "SKU-X",
    "currency": "KZT",
    "from": "2027-01-15T10:00:00Z",
    "to": "2027-01-15T12:00:00Z",
    "from_time": "2027-01-15T10:00:00Z",
    "to_time": "2027-01-15T12:00:00Z",
    "starts_at": "10:00",
    "ends_at": "12:00",
    "url": "https://example.kz/a.jpg",
    "text": "Роза 60 100 10",
    "otp_code": "123456",
    "key": "key-1",
}
"""What a field of this name wants; everything else follows from its type."""

FORMATS = {
    "date": "2027-01-15",
    "date-time": "2027-01-15T10:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "time": "10:00:00",
}


@cache
def _schema(shape: Any) -> dict[str, Any]:
    """Made once: walks ask for it hundreds of times."""
    schema: dict[str, Any] = shape.model_json_schema()
    return schema


def body(shape: Any, ids: dict[str, Any], **more: Any) -> Any:
    """An instance of a Pydantic model: what is required, and every id that it has a place for."""
    schema = _schema(shape)
    made = _made(schema, schema.get("$defs", {}), ids, "")
    return {**made, **more} if isinstance(made, dict) else made


def names_ids(shape: Any, ids: dict[str, Any]) -> bool:
    """Whether somewhere in the body a row is named by its id."""
    return bool(body(shape, ids) != body(shape, dict.fromkeys(ids, -1)))


def _made(schema: dict[str, Any], defs: dict[str, Any], ids: dict[str, Any], name: str) -> Any:
    if ref := schema.get("$ref"):
        return _made(defs[ref.rsplit("/", 1)[-1]], defs, ids, name)
    if name.endswith("_id") and name in ids:
        return ids[name]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return _made(next(one for one in choices if one.get("type") != "null"), defs, ids, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    return _by_type(schema, defs, ids, name)


def _by_type(schema: dict[str, Any], defs: dict[str, Any], ids: dict[str, Any], name: str) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, defs, ids)
    if kind == "array":
        if name.endswith("_ids") and f"{name[:-1]}" in ids:
            return [ids[name[:-1]]]
        return [_made(schema.get("items", {}), defs, ids, name)]
    if kind in ("integer", "number"):
        return max(1, schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    return _text(schema, name)


def _object(schema: dict[str, Any], defs: dict[str, Any], ids: dict[str, Any]) -> dict[str, Any]:
    wanted = set(schema.get("required", []))
    properties = schema.get("properties", {})
    wanted |= {name for name, one in properties.items() if _has_place(name, one, defs, ids)}
    return {name: _made(properties[name], defs, ids, name) for name in sorted(wanted)}


def _has_place(name: str, schema: dict[str, Any], defs: dict[str, Any], ids: dict[str, Any]) -> bool:
    """Whether a field is an id that we have, or holds one."""
    if name in ids or name.removesuffix("s") in ids:
        return name.endswith(("_id", "_ids"))
    refs = re.findall(r"'#/\$defs/(\w+)'", str(schema))
    return any(
        _has_place(inner, one, defs, ids) for ref in refs for inner, one in defs[ref].get("properties", {}).items()
    )


def _text(schema: dict[str, Any], name: str) -> str:
    if name in WORDS:
        return str(WORDS[name])
    if found := FORMATS.get(schema.get("format", "")):
        return found
    return "abcdefgh"[: schema.get("maxLength", 8)].ljust(schema.get("minLength", 0), "x")
