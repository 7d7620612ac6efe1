"""`manage.py export_attendance <webinar>`: who was there, as a table."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from core.exports import csv_lines, xlsx_file
from webinars.domain.attendance import record_export, table_of
from webinars.models import Webinar


class Command(BaseCommand):
    help = "Writes who attended a webinar live, with join and leave times in UTC. The export is recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("webinar", type=int, help="the webinar's number, as in its address")
        parser.add_argument("--to", type=Path, help="a file; .xlsx makes an Excel file. Without it: CSV on the screen")

    def handle(self, *args: Any, **options: Any) -> None:
        webinar = Webinar.objects.select_related("lesson").filter(pk=options["webinar"]).first()
        if webinar is None:
            raise CommandError(f"There is no webinar {options['webinar']}.")
        path: Path | None = options["to"]
        form = "xlsx" if path is not None and path.suffix == ".xlsx" else "csv"
        record_export(webinar=webinar, form=f"{form} by command", actor=None, now=now())
        rows = table_of(webinar)
        if path is None:
            sys.stdout.buffer.writelines(csv_lines(rows))
        elif form == "csv":
            with path.open("wb") as file:
                file.writelines(csv_lines(rows))
        else:
            with xlsx_file(rows, sheet="Attendance") as table, path.open("wb") as file:
                file.write(table.read())
