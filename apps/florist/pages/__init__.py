"""Pages of the shop's people: florist, courier, manager (contract florist 4). Each works without JavaScript."""
