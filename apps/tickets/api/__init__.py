"""Paths, shapes and views of the tickets API."""
