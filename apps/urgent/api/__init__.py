"""The market's JSON face (contract urgent 1)."""
