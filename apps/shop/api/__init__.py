"""The shop's JSON face (contract shop 1)."""
