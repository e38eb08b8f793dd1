"""ASGI application for real processes: Django first, then the consumer that needs its models."""

import django

django.setup()

from apps.notifications.tests.sockets import Bazaar  # noqa: E402

application = Bazaar.as_asgi()
