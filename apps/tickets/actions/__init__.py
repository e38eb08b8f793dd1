"""Everything that changes tickets, by noun."""
