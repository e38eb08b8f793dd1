"""JSON for the guests' app and the managers' web client (contract loyalty 1)."""
