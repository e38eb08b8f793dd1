"""What people do in the shop, by noun."""
