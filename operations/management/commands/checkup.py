"""`manage.py checkup`: the daily (and weekly) look at everything, as a table; the exit code is the worst finding."""

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import kombu.exceptions
import psycopg
import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from operations.domain.backups.ending import terminated_in_order
from operations.domain.backups.errors import BackupError
from operations.domain.backups.programs import parameters_of_site
from operations.domain.backups.stores import store_at
from operations.domain.checkup import machine, site
from operations.domain.checkup.report import Check, Line, problem, run_checks, table, worst

FAILURES = (psycopg.Error, redis.RedisError, kombu.exceptions.KombuError, BackupError, OSError)


class Command(BaseCommand):
    help = (
        "Look at disk, CPU, memory, database, backups, logs, schedule and services. Exit code 1: warnings, 2: problems."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--weekly", action="store_true", help="also restore the newest backup and compare it")
        parser.add_argument("--web", default="", help="address of the web tier (SITE_URL in production)")
        parser.add_argument(
            "--realtime", default="", help="address of one realtime process; else a handshake at SITE_URL"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        now = timezone.now()
        store = store_at(settings.BACKUP_URL)
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)  # of a task that has just begun on an empty disk
        history = machine.History(settings.VAR_DIR / "checkup" / "history.jsonl")
        before = history.read()
        logs, reached = machine.read_logs(settings.VAR_DIR / "log", before[-1].logs if before else {})
        sample = machine.take_sample(disk=settings.VAR_DIR, logs=reached, now=now)
        checks: dict[str, Check] = {
            "machine": lambda: machine.judge(sample, before, now=now),
            "logs": lambda: logs,
            "database": site.database,
            "certificates": site.certificates,
            "backup": lambda: site.backups(store, now=now),
            "scheduled tasks": lambda: site.schedule(now=now),
            "workers": site.workers,
            "signs of life": site.signs_of_life,
            "services": lambda: [
                site.service("web", _web(options["web"])),
                site.service("realtime", found) if (found := _http(options["realtime"])) else site.sockets(_web("")),
            ],
        }
        if settings.AUTOSCALE_CLUSTER:
            checks["cloud"] = lambda: _cloud(now)
        if options["weekly"]:
            checks["restore"] = lambda: site.restorable(store, beside=parameters_of_site())
        with terminated_in_order():
            lines = run_checks(checks, failures=FAILURES)
        history.add(sample)
        self.stdout.write(table(lines))
        verdict = worst(lines)
        self.stdout.write(f"\n{verdict.name}: {sum(line.verdict > 0 for line in lines)} of {len(lines)} need a look.")
        if verdict:
            sys.exit(int(verdict))


def _cloud(now: datetime) -> Iterator[Line]:
    from operations.domain.checkup import cloud  # boto3 costs 0.3 s

    try:
        yield from cloud.judge(now=now)
    except cloud.CloudError as error:
        yield problem("cloud", str(error))


def _web(given: str) -> str:
    return _http(given or settings.SITE_URL)


def _http(address: str) -> str:
    """Only http and https: urllib would open files as well."""
    return address if urlsplit(address).scheme in {"http", "https"} else ""
