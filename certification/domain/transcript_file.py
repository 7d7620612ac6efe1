"""The transcript as a PDF: put together from the ledger, made by a worker, kept until something on it changes.

The file's name follows from what is on it but for the ledgers' positions, which move with everybody's credit. A doctor
has one file: making it takes the one before away. It can be made anew at any time, so nothing is kept about it; where
the site has a key it is sealed, and says itself whether a byte of it was changed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from certification.authorities.rounding import plain
from certification.domain.chain import canonical
from certification.domain.facts import labels
from certification.domain.keys import all_keys
from certification.domain.overview import Row, State, rows_of
from certification.domain.people import today_of
from certification.domain.transcript import Account, transcript_of
from certification.models import Chain
from certification.printing.facts import freeze_any
from certification.printing.signature import TRANSCRIPT, seal
from certification.printing.transcript import (
    Bar,
    Line,
    Position,
    Section,
    TranscriptFacts,
    TranscriptWords,
    engine,
    render,
)
from certification.tasks import make_transcript as bell
from core.limits import hit
from media.storages import media_storage

FOLDER = "transcripts"
RING_SECONDS = 10


def file_of(*, user: User, language: str, now: datetime) -> bytes | None:
    """None: a worker has been asked to make it. Never made here, for a request has no time for it."""
    name = _name(user, facts_of(user=user, language=language, now=now)[0])
    storage = media_storage()
    try:
        with storage.open(name) as file:
            data: bytes = file.read()
    except OSError:
        if hit(f"transcript:{name}", limit=1, window_seconds=RING_SECONDS):
            bell.delay(user.pk, language)
        return None
    return data


def make_transcript(*, user_id: int, language: str, now: datetime) -> str | None:
    """Its name in the storage; None for nobody. Idempotent: one that is there stays."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    facts, programmes = facts_of(user=user, language=language, now=now)
    name, storage = _name(user, facts), media_storage()
    if storage.exists(name):
        return name
    content = ContentFile(_sealed(render(replace(facts, positions=_positions(programmes))), on=facts.made_on))
    content.content_type = "application/pdf"  # type: ignore[attr-defined]  # read by S3Storage
    forget_transcripts(user_id=user.pk)
    kept: str = storage.save(name, content)
    if not User.objects.filter(pk=user_id, is_active=True).exists():  # erased meanwhile
        forget_transcripts(user_id=user_id)
        return None
    return kept


def forget_transcripts(*, user_id: int) -> int:
    """Returns how many files went."""
    storage, folder = media_storage(), f"{FOLDER}/{user_id}"
    try:
        _folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return 0
    for file in files:
        storage.delete(f"{folder}/{file}")
    return len(files)


def _sealed(pdf: bytes, *, on: date) -> bytes:
    """As it is where no key is set. Raises SealError."""
    for newest in all_keys()[:1]:
        return seal(pdf, key=newest.private, organisation=settings.SITE_NAME[:64], sealed_on=on, purpose=TRANSCRIPT)
    return pdf


def _name(user: User, facts: TranscriptFacts) -> str:
    """A new key is another file."""
    keys = [key.fingerprint for key in all_keys()[:1]]
    content = {"facts": freeze_any(facts), "engine": engine(), "keys": keys}
    digest = hashlib.sha256(canonical(content)).hexdigest()
    return f"{FOLDER}/{user.pk}/{digest}.pdf"


# What is on it


def facts_of(*, user: User, language: str, now: datetime) -> tuple[TranscriptFacts, list[int]]:
    """Without the ledgers' positions, and the programmes whose ledgers those are."""
    today = today_of(user, now=now)
    rows = rows_of(user=user, now=now)
    granted = [row for row in rows if row.claim is not None and row.took_part_on is not None]
    with translation.override(language):
        facts = TranscriptFacts(
            holder=user.get_full_name(),
            made_on=today,
            verify_address=f"{settings.SITE_URL}/verify/",
            council=user.medical_council,
            registration_number=user.registration_number,
            site=settings.SITE_NAME,
            sections=tuple(_sections(granted, transcript_of(user=user, rows=rows, today=today))),
            language=language,
            words=_words(),
        )
    return facts, sorted({row.claim.programme_id for row in granted if row.claim})


def _sections(rows: Sequence[Row], accounts: Iterable[Account]) -> Iterator[Section]:
    """One for each account, and for an authority all of whose credit was revoked."""
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.took_part_on or date.min, row.title), reverse=True):
        lines.setdefault((row.accreditation.authority, row.accreditation.council), []).append(row)
    for account in accounts:
        mine = lines.pop((account.authority, account.council), [])
        yield Section(
            title=account.title,
            total=plain(account.total) if account.has_figure else "",
            unit=account.unit if account.has_figure else "",
            bars=tuple(_bars(account)),
            lines=tuple(map(_line, mine)),
        )
    for only_revoked in lines.values():
        yield Section(only_revoked[0].authority, "", "", (), tuple(map(_line, only_revoked)))


def _bars(account: Account) -> Iterator[Bar]:
    """What the cycle wants and what there is; then what each year brought, drawn as on the page."""
    if not account.has_figure:
        return
    months = labels()
    for cycle in account.cycles:
        days = months.dates.replace("{first}", _day(cycle.first)).replace("{last}", _day(cycle.last))
        note = _("Reached") if cycle.is_reached else _("%(missing)s still missing") % {"missing": plain(cycle.missing)}
        if cycle.is_now:
            note = f"{note} · {_('Your council may count from another day: check with it.')}"
        yield Bar(days, cycle.amount, cycle.share, note, is_reached=cycle.is_reached)
    for place, year in enumerate(account.years, start=1):
        yield Bar(year.label, year.amount, year.share, account.scale_words if place == len(account.years) else "")


def _line(row: Row) -> Line:
    is_revoked = row.state == State.REVOKED
    before = row.lines[-2].credits if is_revoked and len(row.lines) > 1 else row.credit
    remark = ""
    if is_revoked:
        remark = _("Revoked; the reason is on record.")
    elif len(row.lines) > 1:
        remark = _("Corrected; the reason is on record.")
    return Line(
        on=row.took_part_on or date.min,
        title=row.title,
        format=row.format,
        amount=plain(before) if row.has_figure and before is not None else "",
        approval_code=row.accreditation.approval_code,
        certificate=row.document.number if row.document else "",
        remark=remark,
        is_revoked=is_revoked,
    )


def _positions(programmes: Iterable[int]) -> tuple[Position, ...]:
    chains = Chain.objects.filter(programme__in=programmes).select_related("programme").order_by("programme")
    return tuple(Position(one.programme.title, one.length, bytes(one.head).hex()) for one in chains)


def _day(on: date) -> str:
    words = labels()
    written = words.date.replace("{day}", str(on.day)).replace("{year}", str(on.year))
    return written.replace("{month}", words.months[on.month - 1])


def _words() -> TranscriptWords:
    """In the language that is active."""
    return TranscriptWords(
        heading=_("Transcript of credits"),
        council=_("Medical council"),
        registration_number=_("Registration number"),
        made_on=_("Made on {day} from the ledger"),
        position=_("line {length}, head {head}"),
        date=_("Date"),
        activity=_("Activity"),
        credits=_("Credits"),
        certificate=_("Certificate"),
        page=_("Page {page} of {pages}"),
        nothing=_("There are no credits yet."),
        verify=_("Check a certificate"),
        verify_alt=_("QR code that leads to {address}"),
        labels=labels(),
    )
