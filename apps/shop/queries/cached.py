"""What of this product is kept as bytes (contract shop 3.5): public answers of 200, neither errors nor anything about a

person. A product's own page stands in its list's namespace, so that no pattern can miss it (D25).
"""

from __future__ import annotations

from apps.core.kept import Namespace

SLIPPERS, CATEGORIES = Namespace("shop:slippers"), Namespace("shop:categories")
SLIPPERS_SECONDS, SLIPPER_SECONDS, CATEGORY_SECONDS = 300, 600, 600
"""How long the bytes of lists of products, of one product, and of categories are kept."""
