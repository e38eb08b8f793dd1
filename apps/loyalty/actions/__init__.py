"""Everything that changes something in the restaurant's cashback, by noun."""
