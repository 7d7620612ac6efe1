"""Certificates are issued, issued anew and revoked: under the lock of their programme's chain, in one transaction each.

Serial, certificate and line of the ledger come together or not at all, so there are no gaps and no doubles. Files are
made later, by a worker.
"""

import base64
import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.domain.erasure import is_erased
from accounts.models import User
from certification.domain.chain import NewEntry, append, canonical, lock_chain, time_in
from certification.domain.facts import Design, NotPrintableError, Place, Source, design_of, facts_of, programme_of
from certification.domain.keys import SigningKey, newest_key
from certification.domain.people import hold_people
from certification.enums import AuthorityKey, CertificateKind, EntryKind
from certification.models import Certificate, CertificateTemplate, Chain, Claim, LedgerEntry
from certification.tasks import make_file
from core.logging import get_logger
from courses.enums import OPEN_ENROLMENTS, LessonKind
from courses.models import CourseCompletion, Enrolment, Lesson, LessonCompletion, Programme

log = get_logger("certification")
BATCH = 500
ID_BYTES = 16
OF_CLAIM = ("user", "programme", "accreditation__activity__lesson__course__programme")


class IssuingError(Exception):
    """Nothing was issued; the text is for an operator, in the language of whoever asked."""


class NoTemplateError(IssuingError):
    """A programme begins to issue certificates when somebody has made its template."""


class NotDueError(IssuingError):
    """Not completed, an evaluation is missing, the credit was revoked, or the account was closed."""


class ReasonError(IssuingError):
    pass


class ReplacedError(IssuingError):
    """There is a newer edition: that one is issued anew."""


class RevokedError(IssuingError):
    """What was revoked stays so: another edition would undo it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """`refused`: why not, by the place of the source in the batch."""

    new: list[Certificate] = field(default_factory=list)
    existing: list[Certificate] = field(default_factory=list)
    refused: Mapping[int, IssuingError] = field(default_factory=dict)


@dataclass(slots=True)
class Swept:
    """How many are new, and how often one was refused for which reason: certificates by the thousand are not kept."""

    new: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def issue(*, of: Source, now: datetime) -> Certificate:
    """The certificate, issued before or now. Raises IssuingError, NoKeyError."""
    done = issue_batch(programme=programme_of(of), sources=[of], now=now)
    if done.refused:
        raise done.refused[0]
    return (done.new or done.existing)[0]


def issue_batch(*, programme: Programme, sources: Sequence[Source], now: datetime, actor: User | None = None) -> Issued:
    """One transaction. What is there already stays as it is, revoked ones too. Raises NoTemplateError, NoKeyError."""
    key = newest_key()
    with transaction.atomic():
        chain = lock_chain(programme)
        now = time_in(chain, now)  # not before the credit that it certifies
        people = hold_people(source.user_id for source in sources)
        template, design = _design(programme)
        existing = _existing(programme, sources)
        entries, undone = _newest_entries(sources), _unevaluated(sources)
        rows: list[Certificate] = []
        refused: dict[int, IssuingError] = {}
        for at, source in enumerate(sources):
            if _identity(source) in existing:
                continue
            try:
                _take_person(source, people)
                _check_due(source, entries, undone)
                place = _place(programme, chain.last_serial + len(rows) + 1, now)
                rows.append(_row(source, entries, (template, design), place, key))
            except NotPrintableError as error:
                refused[at] = IssuingError(str(error))
            except IssuingError as error:
                refused[at] = error
        _write(chain, template, rows, now=now, kind=EntryKind.CERTIFICATE_ISSUED, actor=actor)
    return Issued(rows, [existing[one] for one in map(_identity, sources) if one in existing], refused)


def reissue(
    *, certificate: Certificate, reason: str, actor: User | None, now: datetime, request: HttpRequest | None = None
) -> Certificate:
    """The next edition, with what is known today: a new address, serial and number. The old one says it was replaced.

    Raises IssuingError, NoKeyError.
    """
    reason = _given(reason)
    key = newest_key()
    with transaction.atomic():
        chain = lock_chain(certificate.programme)
        now = time_in(chain, now)
        if Certificate.objects.filter(replaces=certificate).exists():
            raise ReplacedError(_("This certificate has been replaced: issue the newest edition anew."))
        if _revocations([certificate]):
            raise RevokedError(_("This certificate was revoked: no other edition follows on it."))
        source = _source_of(certificate)
        _take_person(source, hold_people([source.user_id]))
        entries = _newest_entries([source])
        if isinstance(source, Claim):
            _check_due(source, entries, frozenset())
        template, design = _design(certificate.programme)
        place = _place(certificate.programme, chain.last_serial + 1, now)
        place = Place(place.public_id, place.number, now, certificate.edition + 1, certificate.number)
        try:
            row = _row(source, entries, (template, design), place, key)
        except NotPrintableError as error:
            raise IssuingError(str(error)) from error
        row.replaces = certificate
        _write(chain, template, [row], now=now, kind=EntryKind.CERTIFICATE_REISSUED, reason=reason, actor=actor)
        told = {"number": row.number, "replaces": certificate.number}
        audit.record("certificate.reissued", actor=actor, subject=row, request=request, details=told, now=now)
    return row


def revoke(
    *, certificate: Certificate, reason: str, actor: User | None, now: datetime, request: HttpRequest | None = None
) -> LedgerEntry:
    """With all its editions, whichever was asked for: the paper in somebody's hand may be an older one.

    Returns the line about the newest; it stays as first said when asked again. Raises ReasonError.
    """
    reason = _given(reason)
    with transaction.atomic():
        chain = lock_chain(certificate.programme)
        editions = _editions(certificate)
        said = _revocations(editions)
        entries = [
            NewEntry(
                kind=EntryKind.CERTIFICATE_REVOKED,
                user_id=one.user_id,
                certificate_id=one.pk,
                reason=reason,
                details={"number": one.number},
                actor=actor,
            )
            for one in editions
            if one.pk not in said
        ]
        if entries:
            said |= {line.certificate_id: line for line in append(chain=chain, entries=entries, now=now)}
            told = {"number": certificate.number, "editions": len(entries)}
            audit.record(
                "certificate.revoked", actor=actor, subject=certificate, request=request, details=told, now=now
            )
        return said[editions[-1].pk]


def _editions(certificate: Certificate) -> list[Certificate]:
    """In order."""
    of = {name: getattr(certificate, name) for name in ("kind", "programme_id", "user_id", "claim_id", "course_id")}
    return list(Certificate.objects.filter(**of).order_by("edition"))


def _revocations(certificates: Sequence[Certificate]) -> dict[int | None, LedgerEntry]:
    """By certificate."""
    lines = LedgerEntry.objects.filter(certificate__in=certificates, kind=EntryKind.CERTIFICATE_REVOKED)
    return {line.certificate_id: line for line in lines}


# What is due


def certifiable(claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """Credit that was granted, and neither revoked nor corrected to nothing since."""
    newest = LedgerEntry.objects.filter(claim=OuterRef("pk")).order_by("-number")
    found = claims.annotate(newest=Subquery(newest.values("kind")[:1]), worth=Subquery(newest.values("credits")[:1]))
    granted = found.filter(Q(worth__gt=0) | Q(authority=AuthorityKey.ATTENDANCE), newest__isnull=False)
    return granted.exclude(newest=EntryKind.CREDIT_REVOKED)


def due_claims(programme: Programme) -> QuerySet[Claim]:
    claims = Claim.objects.filter(programme=programme, certificates=None, user__is_active=True)
    return certifiable(claims).order_by("pk").select_related(*OF_CLAIM)


def due_courses(programme: Programme) -> QuerySet[CourseCompletion]:
    own = Certificate.objects.filter(user=OuterRef("user"), course=OuterRef("course"))
    done = LessonCompletion.objects.filter(user=OuterRef(OuterRef("user")), lesson=OuterRef("pk"))
    missing = Lesson.objects.filter(~Exists(done), course=OuterRef("course"), kind=LessonKind.EVALUATION)
    completions = CourseCompletion.objects.filter(
        ~Exists(own), ~Exists(missing), course__programme=programme, user__is_active=True
    )
    return completions.order_by("pk").select_related("user", "course__programme")


def due_programmes(programme: Programme) -> QuerySet[Enrolment]:
    own = Certificate.objects.filter(
        user=OuterRef("user"), programme=OuterRef("programme"), kind=CertificateKind.PROGRAMME
    )
    enrolments = Enrolment.objects.filter(~Exists(own), programme=programme, completed_at__isnull=False)
    return (
        enrolments.filter(status__in=OPEN_ENROLMENTS, user__is_active=True)
        .order_by("pk")
        .select_related("user", "programme")
    )


def count_due(programme: Programme) -> int:
    return sum(due.count() for due in _all_due(programme))


def issue_due(
    *,
    programme: Programme,
    now: datetime,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
    actor: User | None = None,
) -> Swept:
    """Batch by batch, so that a doctor who claims meanwhile waits for one batch at most, and no more than one is in
    memory. Again does what is left.

    `limit`: at most so many new ones. `progress` is told how many sources more were gone through.
    """
    swept = Swept()
    for due in _all_due(programme):
        after = 0
        while left := BATCH if limit is None else min(BATCH, limit - swept.new):
            sources = list(due.filter(pk__gt=after)[:left])
            if not sources:
                break
            done = issue_batch(programme=programme, sources=sources, now=now, actor=actor)
            swept.new += len(done.new)
            swept.refused.update(str(error) for error in done.refused.values())
            after = sources[-1].pk
            if progress is not None:
                progress(len(sources))
    return swept


def issuing_programmes() -> QuerySet[Programme]:
    """Those with a template."""
    return Programme.objects.filter(Exists(CertificateTemplate.objects.filter(programme=OuterRef("pk")))).order_by("pk")


def _all_due(programme: Programme) -> tuple[QuerySet[Any], ...]:
    return due_claims(programme), due_courses(programme), due_programmes(programme)


# Parts of one transaction


def _design(programme: Programme) -> tuple[CertificateTemplate, Design]:
    """Locked: nobody changes its pictures before it is written that it was used."""
    templates = programme.certificate_templates.select_for_update(no_key=True).prefetch_related("images")
    newest = templates.order_by("-version").first()
    if newest is None:
        raise NoTemplateError(_("This programme has no certificate template yet."))
    try:
        return newest, design_of(newest)
    except NotPrintableError as error:
        raise IssuingError(_("The template cannot be printed: %(why)s") % {"why": error}) from error


def _identity(source: Source) -> tuple[str, int, int]:
    if isinstance(source, Claim):
        return (CertificateKind.ACTIVITY, source.user_id, source.pk)
    if isinstance(source, CourseCompletion):
        return (CertificateKind.COURSE, source.user_id, source.course_id)
    return (CertificateKind.PROGRAMME, source.user_id, source.programme_id)


def _existing(programme: Programme, sources: Sequence[Source]) -> dict[tuple[str, int, int], Certificate]:
    """The newest editions, under the lock: whoever raced is here already."""
    users = {source.user_id for source in sources}
    found: dict[tuple[str, int, int], Certificate] = {}
    for row in Certificate.objects.filter(programme=programme, user__in=users).order_by("edition"):
        found[row.kind, row.user_id, row.claim_id or row.course_id or row.programme_id] = row
    return found


def _newest_entries(sources: Sequence[Source]) -> dict[int, LedgerEntry]:
    """By claim."""
    claims = [source.pk for source in sources if isinstance(source, Claim)]
    newest = LedgerEntry.objects.filter(claim__in=claims).order_by("claim", "-number").distinct("claim")
    return {row.claim_id: row for row in newest if row.claim_id} if claims else {}


def _unevaluated(sources: Sequence[Source]) -> frozenset[tuple[int, int]]:
    """(person, course) with a feedback form of the course still to be filled in."""
    pairs = {(one.user_id, one.course_id) for one in sources if isinstance(one, CourseCompletion)}
    if not pairs:
        return frozenset()
    lessons = Lesson.objects.filter(course__in={course for _user, course in pairs}, kind=LessonKind.EVALUATION)
    forms = list(lessons.values_list("pk", "course"))
    done = set(
        LessonCompletion.objects.filter(
            user__in={user for user, _course in pairs}, lesson__in=[lesson for lesson, _course in forms]
        ).values_list("user", "lesson")
    )
    return frozenset(
        (user, course) for user, course in pairs for lesson, of in forms if of == course and (user, lesson) not in done
    )


def _take_person(source: Source, people: Mapping[int, User]) -> None:
    """As they are now, not as they were when the source was read. Raises NotDueError."""
    person = people[source.user_id]
    if not person.is_active or is_erased(person):
        raise NotDueError(_("The account was closed: nothing is issued to it any more."))
    source.user = person


def _check_due(source: Source, entries: Mapping[int, LedgerEntry], undone: frozenset[tuple[int, int]]) -> None:
    if isinstance(source, Claim):
        entry = entries.get(source.pk)
        if entry is None or entry.kind == EntryKind.CREDIT_REVOKED:
            raise NotDueError(_("The credit was not granted, or it was revoked."))
        if not entry.credits and source.authority != AuthorityKey.ATTENDANCE:
            raise NotDueError(_("The credit was corrected to nothing."))
    elif isinstance(source, CourseCompletion):
        if (source.user_id, source.course_id) in undone:
            raise NotDueError(_("A feedback form of the course is still to be filled in."))
    elif source.completed_at is None or source.status not in OPEN_ENROLMENTS:
        raise NotDueError(_("The programme is not completed, or the doctor does not belong to it any more."))


def _place(programme: Programme, serial: int, now: datetime) -> Place:
    year = now.astimezone(ZoneInfo(programme.timezone)).year
    return Place(new_public_id(), f"{prefix_of(programme)}-{year}-{serial:06}", now)


def prefix_of(programme: Programme) -> str:
    """Letters of its short name and its own number: no other programme has the same, whatever its name is."""
    letters = re.sub("[^A-Z]", "", programme.slug.upper())[:6]
    return f"{letters or 'C'}{programme.pk}"


def new_public_id() -> str:
    return base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().rstrip("=")


def _row(
    source: Source, entries: Mapping[int, LedgerEntry], look: tuple[CertificateTemplate, Design], place: Place,
    key: SigningKey,
) -> Certificate:  # fmt: skip
    template, design = look
    entry = entries.get(source.pk) if isinstance(source, Claim) else None
    facts = facts_of(source, entry=entry, design=design, place=place)
    kind, user_id, about = _identity(source)
    return Certificate(
        kind=kind,
        programme=programme_of(source),
        user_id=user_id,
        claim_id=about if kind == CertificateKind.ACTIVITY else None,
        course_id=about if kind == CertificateKind.COURSE else None,
        edition=place.edition,
        public_id=place.public_id,
        serial=int(place.number.rpartition("-")[2]),
        number=place.number,
        template=template,
        facts=facts,
        key_fingerprint=key.fingerprint,
        signature=key.private.sign(canonical(facts)),
        issued_at=place.issued_at,
    )


def digest_of(facts: Any) -> str:
    """As it stands in the ledger."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def _write(
    chain: Chain, template: CertificateTemplate, rows: list[Certificate], *, now: datetime, kind: EntryKind,
    reason: str = "", actor: User | None = None,
) -> None:  # fmt: skip
    """Certificates before their lines: the lines name them."""
    if not rows:
        return
    Certificate.objects.bulk_create(rows, batch_size=BATCH)
    if template.used_at is None:
        CertificateTemplate.objects.filter(pk=template.pk, used_at=None).update(used_at=now)
    chain.last_serial = rows[-1].serial
    chain.save(update_fields=["last_serial"])
    append(chain=chain, entries=[_entry(row, kind, reason, actor) for row in rows], now=now)
    ids = [row.pk for row in rows]
    transaction.on_commit(lambda: _ring(ids), robust=True)


def _entry(row: Certificate, kind: EntryKind, reason: str, actor: User | None) -> NewEntry:
    details = {
        "number": row.number, "facts": digest_of(row.facts), "edition": row.edition, "claim": row.claim_id,
        "course": row.course_id,
    }  # fmt: skip
    if row.replaces is not None:
        details["replaces"] = row.replaces.number
    return NewEntry(kind=kind, user_id=row.user_id, certificate_id=row.pk, reason=reason, details=details, actor=actor)


def _ring(certificate_ids: Sequence[int]) -> None:
    """For a few at once; a batch waits for the sweep, which takes many in one go."""
    if len(certificate_ids) <= 10:
        for one in certificate_ids:
            make_file.delay(one)


def _source_of(certificate: Certificate) -> Source:
    """What it certifies, as it is recorded today. Raises NotDueError."""
    found: Source | None
    if certificate.claim_id is not None:
        found = Claim.objects.select_related(*OF_CLAIM).get(pk=certificate.claim_id)
    elif certificate.course_id is not None:
        completions = CourseCompletion.objects.select_related("user", "course__programme")
        found = completions.filter(user=certificate.user_id, course=certificate.course_id).first()
    else:
        enrolments = Enrolment.objects.select_related("user", "programme").filter(completed_at__isnull=False)
        found = enrolments.filter(user=certificate.user_id, programme=certificate.programme_id).first()
    if found is None:
        raise NotDueError(_("What it certifies is not recorded as completed any more."))
    return found


def _given(reason: str) -> str:
    """One line."""
    words = " ".join(reason.split())
    if not words:
        raise ReasonError(_("Say why: an auditor will ask."))
    return words[:500]
