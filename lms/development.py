"""`manage.py runserver` is daphne and serves everything by one application."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
pages = get_asgi_application()

from lms.asgi import watch_sockets  # noqa: E402  # needs the app registry
from webinars.routing import urlpatterns_of  # noqa: E402

application = ProtocolTypeRouter({"websocket": URLRouter(urlpatterns_of(watch_sockets)), "http": pages})
