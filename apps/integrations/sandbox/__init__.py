"""Fake vendors that behave, and a record of every message that would have gone out. Never in production.

`recorder` keeps the messages, `vendors` holds one object per vendor (used by the in-process fakes and by the HTTP views
alike), `urls` serves them under `/__sandbox/`.
"""
