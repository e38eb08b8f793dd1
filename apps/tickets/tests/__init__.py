"""Tests of the tickets product."""
