"""All the evidence of one activity in one file, for an auditor: `manage.py evidence`, and a button of the admin."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import translation

from accounts.domain import audit
from accounts.models import User
from certification.domain.pack_certificates import altered_files, pdf_parts
from certification.domain.pack_file import Part, moment, write_pack
from certification.domain.pack_tables import parts_of, people_of
from certification.models import Activity, Chain, PublishedHead
from certification.printing.summary import Summary, Table, render
from core.exports import neutral

README, SUMMARY = "README.txt", "summary.pdf"
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
Progress = Callable[[int, int], None]


def make_pack(*, activity: Activity, to: IO[bytes], has_pdfs: bool = False, progress: Progress | None = None) -> None:
    """The same data give the same bytes. One snapshot of the database: what is granted meanwhile is in none of it.

    `has_pdfs`: with the files of the certificates too, which are a hundred times as large as all the rest.
    """
    with transaction.atomic(), translation.override("en"):
        if not _is_inner():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        activity = Activity.objects.select_related("lesson__course__programme", "assessment", "evaluation").get(
            pk=activity.pk
        )
        facts = _facts(activity)
        altered = ", ".join(altered_files(activity)) or "none"
        parts = parts_of(activity)
        summary = Part(README, 1, lambda: iter([_readme(activity, facts, parts, altered).encode()]))
        page = Part(SUMMARY, 1, lambda: iter([render(_summary(activity, facts, parts, altered))]))
        documents = list(pdf_parts(activity)) if has_pdfs else []
        write_pack(to, [summary, page, *parts, *documents], facts=facts, progress=progress)


def _is_inner() -> bool:
    """Tests, and whoever has a transaction already, keep its isolation."""
    return len(connection.savepoint_ids) > 0


def _facts(activity: Activity) -> dict[str, Any]:
    """What the manifest says besides files: which activity, and where the ledger stands."""
    programme = activity.lesson.course.programme
    chain = Chain.objects.filter(programme=programme).first()
    head = PublishedHead.objects.filter(programme=programme).order_by("-published_on").first()
    return {
        "activity": {"number": activity.pk, "title": activity.title, "format": activity.format},
        "programme": programme.slug,
        "chain": {"id": str(chain.public_id), "length": chain.length, "head": bytes(chain.head).hex()}
        if chain
        else None,
        "published_head": {
            "on": head.published_on.isoformat(),
            "length": head.length,
            "hash": bytes(head.hash).hex(),
        }
        if head
        else None,
    }


def _summary(activity: Activity, facts: dict[str, Any], parts: list[Part], altered: str) -> Summary:
    chain, head = facts["chain"], facts["published_head"]
    terms = [
        (
            f"{one.get_authority_display()} {one.council}".strip(),
            f"{one.credits:f}",
            one.version,
            one.approval_code or "–",
            one.provider or "–",
        )
        for one in activity.accreditations.order_by("authority", "council")
    ]
    tables = [(part.name, f"{max(0, part.count - 2):,}") for part in parts if part.name.endswith(".csv")]
    return Summary(
        heading="Evidence of an accredited activity",
        title=activity.title,
        facts=(
            ("Activity", f"{activity.pk}, {activity.get_format_display()}, {activity.get_state_display()}"),
            ("Programme", activity.lesson.course.programme.title),
            ("From, until (UTC)", f"{moment(activity.starts_at)} – {moment(activity.ends_at)}"),
            ("Minutes of education", str(activity.minutes or "–")),
            ("People in the files", f"{people_of(activity).count():,}"),
            ("Ledger", f"{chain['length']:,} lines, head {chain['head']}" if chain else "no line yet"),
            ("Newest published head", f"{head['on']}, {head['length']:,} lines, {head['hash']}" if head else "none"),
            ("Altered records of files", altered),
        ),
        tables=(
            Table("Terms", (4, 1, 1, 2, 3), ("Authority", "Credits", "Rules", "Approval", "Provider"), terms),
            Table("Tables", (3, 1), ("File", "Rows"), tables),
        ),
        note=(
            "Certificates of the course and the programme that rest on this activity stand in certificates_resting.csv,"
            " by number and hash: they certify no credit of it. manifest.json names every file with its SHA-256."
            " README.txt says how to look the pack over."
        ),
        at=activity.starts_at or NO_DATE,
    )


def _readme(activity: Activity, facts: dict[str, Any], parts: list[Part], altered: str) -> str:
    """One page of plain text: what this is, how big, and how to look it over without this product."""
    chain, head = facts["chain"], facts["published_head"]
    counts = {part.name: max(0, part.count - 2) for part in parts if part.name.endswith(".csv")}
    width = max(map(len, (part.name for part in parts)))
    lines = [
        f"Evidence of the activity {activity.pk}: {neutral(activity.title)}",
        f"{activity.get_format_display()}, {moment(activity.starts_at)} to {moment(activity.ends_at)} UTC",
        f"Programme: {activity.lesson.course.programme.title}",
        "",
        *(
            f"{one.get_authority_display()}{f', {one.council}' if one.council else ''}: {one.credits:f} credits,"
            f" rules {one.version}, approval {one.approval_code or 'none'}"
            for one in activity.accreditations.order_by("authority", "council")
        ),
        "",
        f"People in these files: {people_of(activity).count():,}",
        *(
            f"  {part.name:<{width}}  {f'{counts[part.name]:,} rows' if part.name in counts else ''}".rstrip()
            for part in parts
        ),
        "",
        f"Ledger: {chain['length']:,} lines, head {chain['head']}" if chain else "Ledger: no line yet",
        f"Published on {head['on']}: {head['length']:,} lines, {head['hash']}" if head else "Nothing published yet",
        f"Certificates whose record of the file was altered: {altered}",
        "",
        "Times are UTC. People are named in people.csv; elsewhere stands their number. Cells that begin like a formula",
        "have an apostrophe in front. manifest.json names every file with its SHA-256 and size; to look them over:",
        "  sha256sum --check SHA256SUMS        the files as they were; any computer can do it",
        "  manage.py evidence check <this file>   calculates everything again: seals, decisions, signatures, badges",
        "Each line of ledger.jsonl: SHA-256 over the bytes of `previous` and `content` (sorted keys, no spaces, UTF-8)",
        "gives `hash`. The whole ledger up to the published head is looked over by manage.py ledger verify.",
        "certificates_resting.csv: certificates of the course and the programme that the people with credit have. They",
        "rest on this activity among others and certify no credit of it: numbers and hashes, sealed by the ledger.",
        "",
    ]
    return "\n".join(lines)


def record_pack(
    *, activity: Activity, form: str, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> None:
    """A file with people's names leaves the house: who took it is kept."""
    audit.record("evidence.taken", actor=actor, subject=activity, request=request, details={"form": form}, now=now)
