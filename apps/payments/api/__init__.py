"""Faces of payments to gateways."""
