import gc
from importlib import import_module

from django.apps import AppConfig

from core import tracing


class LmsConfig(AppConfig):
    name = "lms"

    def ready(self) -> None:
        """Tasks that web processes send find the configured broker; checks register themselves."""
        import_module("lms.celery")
        import_module("lms.checks")
        tracing.start()
        gc.freeze()  # what was read stays for ever: no collection looks at it again, and forks go on sharing it
        # A page makes thousands of objects that nobody needs after it: to look for garbage after each 700 of them took
        # a twentieth of its time.
        gc.set_threshold(10_000)
        gc.enable()
