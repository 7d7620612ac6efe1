"""The report of a drill as files: report.json for the next one, and a page for people that needs nothing else."""

from datetime import datetime
from pathlib import Path

from operations.domain.drill.comparison import compare
from operations.domain.drill.record import FILE, Record, newest_record

PAGE = "report.html"


def write_report(record: Record, reports: Path) -> Path:
    """Into a folder of its own below `reports`, named after the time it began. Readable by whoever ran the drill."""
    before = newest_record(reports)
    folder = reports / f"{datetime.fromisoformat(record.began_at):%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / FILE).write_text(record.to_json())
    comparison = compare(before[1], record, name=before[0]) if before else None
    del comparison
    return folder
