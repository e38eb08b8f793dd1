"""Everything that only looks, by noun; a constant number of queries each."""
