"""`make schema`: the OpenAPI documents of the house and of each product as files, checked for form on the way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)


def main() -> None:
    from manage import read_env_file

    read_env_file()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings
    from drf_spectacular.validation import validate_schema

    from apps.portal import products, schemas

    folder = settings.DATA_DIR / "schema"
    folder.mkdir(parents=True, exist_ok=True)
    for base in ["", *(product.base for product in products.mounted())]:
        found = schemas.product_document(base) if base else schemas.house_document()
        validate_schema(found)
        path = folder / f"{base or 'house'}.json"
        path.write_bytes(schemas.document(base))
        print(f"  · {path}: {len(found['paths'])} paths")


if __name__ == "__main__":
    main()
