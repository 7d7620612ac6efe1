"""The HTTP tier."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
application = get_wsgi_application()
gc.disable()  # as for what was read before: lms.apps
import_module(settings.ROOT_URLCONF)  # before gunicorn forks: shared memory, and no slow first request
gc.freeze()
gc.enable()
