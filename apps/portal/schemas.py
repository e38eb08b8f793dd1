"""OpenAPI documents: one per product with its own server prefix, and one of the whole house put together from those."""

from __future__ import annotations

import functools
import re
from importlib import import_module
from typing import Any

import orjson
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from apps.core import texts
from apps.portal import products
from apps.portal.api.front_door import service_patterns

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The proof of sign-in that the product names: a Telegram initData string, or an access token.",
    }
}
DESCRIPTION = (
    "Paths answer under the product's base and at the root, with and without a trailing slash. "
    "Errors are `{detail, code, message}`: English words, a code, words for people in the caller's language."
)
REFERENCE = re.compile(rb'"#/components/schemas/([^"]+)"')


class HouseGenerator(SchemaGenerator):
    """What `check --deploy` warns about is what we serve: each product by itself, not all of the root at once."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The house's document; `request` and `public` change nothing."""
        return house_document()


@functools.cache
def document(base: str = "") -> bytes:
    """The JSON of one product's document; of the whole house for "". Built once per process."""
    found = product_document(base) if base else house_document()
    return orjson.dumps(found)


def product_document(base: str) -> dict[str, Any]:
    """Paths as this product's clients know them, relative to its base."""
    product = products.get(base)
    # The greeting and the health of a product belong to its document (contract urgent 1.1, rows 25 and 26).
    patterns = [*service_patterns("", base), *import_module(product.urlconf).urlpatterns]
    with texts.speaking("en"):
        found: dict[str, Any] = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
        found["info"] = _info(str(product.title), str(product.about))
    for operation in (operation for item in found["paths"].values() for operation in item.values()):
        operation["responses"] = dict(sorted(operation["responses"].items()))
    found["servers"] = [
        {"url": f"/{base}", "description": "Everything of this product"},
        {"url": "/", "description": "The same at the root"},
    ]
    found.setdefault("components", {})["securitySchemes"] = SECURITY
    return found


def house_document() -> dict[str, Any]:
    """All products in one document: paths under their bases, names of shapes and operations prefixed."""
    whole: dict[str, Any] = {
        "openapi": settings.SPECTACULAR_SETTINGS["OAS_VERSION"],
        "info": _info("Mahalla", str(settings.SPECTACULAR_SETTINGS["DESCRIPTION"])),
        "servers": [{"url": "/"}],
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": SECURITY},
    }
    for product in products.mounted():
        own = _prefixed(product.base)
        whole["paths"] |= {f"/{product.base}{path}": _named(item, product.base) for path, item in own["paths"].items()}
        schemas = own["components"].get("schemas", {})
        whole["components"]["schemas"] |= {f"{product.base}.{name}": shape for name, shape in schemas.items()}
    return whole


def _info(title: str, about: str) -> dict[str, str]:
    return {"title": title, "version": settings.VERSION, "description": f"{about}\n\n{DESCRIPTION}"}


def _prefixed(base: str) -> dict[str, Any]:
    """The product's document with every reference to a shape prefixed: two products may both have an `Order`."""
    own: dict[str, Any] = orjson.loads(
        REFERENCE.sub(lambda found: b'"#/components/schemas/%s.%s"' % (base.encode(), found[1]), document(base))
    )
    return own


def _named(item: dict[str, Any], base: str) -> dict[str, Any]:
    for operation in item.values():
        if isinstance(operation, dict) and "operationId" in operation:
            operation["operationId"] = f"{base}_{operation['operationId']}"
            operation["tags"] = [f"{base}: {tag}" for tag in operation.get("tags", [])]
    return item
