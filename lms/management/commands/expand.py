"""The first half of a release: every migration that the running version can live with."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lms.expand import contract_of, expandable
from webinars.models import Broadcast


class Command(BaseCommand):
    help = "Applies the migrations that only add; `migrate` applies the others when every replica is new."
    requires_migrations_checks = False

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--check", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--unless-live", action="store_true", help="refuse while a broadcast is on air")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["unless_live"] and (live := _webinars_on_air()):
            named = ", ".join(map(str, live))
            raise CommandError(f"On air now: webinar {named}. A release replaces what its picture comes through.")
        executor = MigrationExecutor(connection)
        plan = [migration for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]
        now = expandable(plan, executor.loader.replacements)
        for migration in plan:
            later = "" if migration in now else f"  later: {contract_of(migration) or 'builds on one that is left'}"
            self.stdout.write(f"{migration}{later}")
        if options["check"] or not now:
            return
        executor.migrate(
            [(migration.app_label, migration.name) for migration in now], plan=[(migration, False) for migration in now]
        )
        emit_post_migrate_signal(options["verbosity"], interactive=False, db=connection.alias)  # permissions
        self.stdout.write(f"{len(now)} applied, {len(plan) - len(now)} left for `manage.py migrate`.")


def _webinars_on_air() -> list[int]:
    if Broadcast._meta.db_table not in connection.introspection.table_names():
        return []  # a new site
    return list(Broadcast.objects.filter(ended_at=None).order_by("webinar").values_list("webinar", flat=True))
