"""`manage.py credit_report <kind> <activity>`: a list of credit for an authority."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certification.domain.credit_reports import (
    FORMS,
    KINDS,
    ReportError,
    missing_lines,
    record_report,
    report_of,
    write_report,
)
from certification.models import Activity
from core.clock import asked_now


class Command(BaseCommand):
    help = (
        "Writes who has credit for an activity: pars (ACCME's template), councils (a list with registration "
        "numbers) or eaccme (numbers of the event, without names). Says what was left empty. The export is recorded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("activity", type=int, help="the activity's number, as in the address of its page")
        parser.add_argument("--to", type=Path, help="where to write; .xlsx makes an Excel file")

    def handle(self, *_: Any, **options: Any) -> None:
        kind: str = options["kind"]
        activity = Activity.objects.filter(pk=options["activity"]).first()
        if activity is None:
            raise CommandError(f"There is no activity {options['activity']}.")
        path: Path = options["to"] or Path(f"{kind}-{activity.pk}.{FORMS[kind][0]}")
        form = path.suffix.removeprefix(".") if path.suffix.removeprefix(".") in FORMS[kind] else FORMS[kind][0]
        try:
            report = report_of(kind=kind, activity=activity)
            record_report(kind=kind, activity=activity, form=f"{form} by command", actor=None, now=asked_now())
            with path.open("wb") as file:
                path.chmod(0o600)
                write_report(report=report, form=form, to=file)
        except ReportError as refused:
            raise CommandError(str(refused)) from None
        except OSError as refused:
            raise CommandError(f"{path} could not be written: {refused.strerror}") from None
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")
        for line in missing_lines(report):
            self.stdout.write(f"  {line}")
