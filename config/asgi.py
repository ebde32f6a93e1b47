"""The ASGI application: pages and the API on a few long-lived threads, sockets on the event loop."""

import logging
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

django.setup(set_prefix=False)
# Python's warnings would go past the log.
logging.captureWarnings(True)

from config.http import Http
from config.lifespan import Lifespan
from config.socket import FortunesConsumer
from config.sockets.handshake import refuse

# Django types routes by what its own views return.
sockets = URLRouter([path("ws/v1/", FortunesConsumer.as_asgi()), re_path("", refuse)])  # type: ignore[arg-type]
http = Http()
application = ProtocolTypeRouter({"http": http, "websocket": sockets, "lifespan": Lifespan(http)})
