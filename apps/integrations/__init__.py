"""The outside world: vendor clients behind ports, and a behaving fake beside each (design 3.14).

No tables, no product words.
"""
