"""The ASGI application: pages and the API on a few long-lived threads, sockets on the event loop.

Django's own ASGI handler starts and stops a thread per request and with it a database connection; the WSGI handler on a
pool of threads keeps both (docs/decisions/0003-http-on-threads.md).
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.wsgi import get_wsgi_application
from django.urls import path, re_path

# a2wsgi types the WSGI callable by another protocol than Django does.
http = WSGIMiddleware(get_wsgi_application(), workers=8)  # type: ignore[arg-type]

from config.socket import FortunesConsumer
from config.sockets.handshake import refuse

# Django types routes by what its own views return.
sockets = URLRouter([path("ws/v1/", FortunesConsumer.as_asgi()), re_path("", refuse)])  # type: ignore[arg-type]
application = ProtocolTypeRouter({"http": http, "websocket": sockets})
