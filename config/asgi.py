"""HTTP and WebSocket in one ASGI app: the whole house in embedded mode, only the sockets in production (`live`)."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from config.lifespan import Lifespan  # noqa: E402
from config.urls import websocket_urlpatterns  # noqa: E402

application = Lifespan(ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)}))
