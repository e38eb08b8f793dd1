"""Everything that only looks, by noun."""
