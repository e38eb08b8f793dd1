"""Everything that the market is asked, one module per noun."""
