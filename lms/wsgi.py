"""The HTTP tier."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)  # before gunicorn forks: shared memory, and no slow first request
