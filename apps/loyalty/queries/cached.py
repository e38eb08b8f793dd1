"""What of this product is kept as bytes (contract loyalty 3.12)."""

from __future__ import annotations

from apps.core.kept import Namespace

CATALOGUE, NEWS = Namespace("loyalty:catalogue"), Namespace("loyalty:news")
SECONDS = 60
"""How long bytes are kept at most."""
