"""Everything that changes the market, one module per noun."""
