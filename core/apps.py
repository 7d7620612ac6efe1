from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import clock, replica

        connection_created.connect(clock.compare)
        connection_created.connect(replica.watch)
