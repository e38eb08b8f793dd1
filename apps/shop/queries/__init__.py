"""What is asked of the shop, by noun."""
