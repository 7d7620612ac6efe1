"""The chain of a ledger: lines are added under a lock, each sealed with the one before, and looked over in order.

A line's hash is SHA-256 over the previous hash and the line's content in one canonical form: JSON with sorted keys, no
spaces, text in UTF-8, times in UTC with microseconds, credits with two decimals. Whoever has the lines can compute it
with any other program. Of a reason that somebody typed the line has a digest, and the words stand beside it.
"""

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from certification.enums import EntryKind
from certification.models import Chain, LedgerEntry, PublishedHead, ReasonText
from courses.models import Programme

START = bytes(32)
BATCH = 1_000
SALT_BYTES = 16
SAID_BY_ITSELF = frozenset({EntryKind.CERTIFICATE_PURGED})  # always the same words, which name nobody
Published = dict[int, set[bytes]]  # by length; more than one head of one length is a ledger that was written anew


@dataclass(frozen=True, slots=True)
class NewEntry:
    """`details` holds text, whole numbers, truth, lists and objects of these: fractions can be written in many ways."""

    kind: EntryKind
    user_id: int
    claim_id: int | None = None
    certificate_id: int | None = None
    credits: Decimal | None = None
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    actor: User | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first line that does not hold; `what` is a code of `publishing.WORDS`."""

    programme_id: int
    number: int
    what: str


@dataclass(frozen=True, slots=True)
class Head:
    """Of a chain, by its public id, as somebody kept it: after so many lines the newest had this hash."""

    chain: str
    length: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    programme_id: int
    length: int
    head: bytes
    flaw: Flaw | None


class NotCanonicalError(ValueError):
    """Details that cannot be written in one way only."""


def lock_chain(programme: Programme) -> Chain:
    """Everything that is granted or issued in a programme waits here. Inside a transaction."""
    Chain.objects.get_or_create(programme=programme, defaults={"head": START})
    chain = Chain.objects.select_for_update(no_key=True).get(programme=programme)
    if chain.length:
        newest = LedgerEntry.objects.filter(programme=programme, number=chain.length)
        chain.newest_at = newest.values_list("entered_at", flat=True).first()
    return chain


def time_in(chain: Chain, now: datetime) -> datetime:
    """When it is in a locked chain. `now` was read before the lock was waited for, once for a whole sweep, or by
    another machine's clock: what others wrote meanwhile is never later than what follows on it.
    """
    return max(now, chain.newest_at) if chain.newest_at else now


def append(*, chain: Chain, entries: Sequence[NewEntry], now: datetime) -> list[LedgerEntry]:
    """To the end of a locked chain, in this order, at its time. The chain's row moves on with it."""
    rows: list[LedgerEntry] = []
    reasons: list[ReasonText] = []
    at = time_in(chain, now)
    number, head = chain.length, bytes(chain.head)
    for entry in entries:
        number += 1
        row = LedgerEntry(
            programme_id=chain.programme_id,
            number=number,
            kind=entry.kind,
            user_id=entry.user_id,
            claim_id=entry.claim_id,
            certificate_id=entry.certificate_id,
            credits=entry.credits,
            reason=entry.reason,
            details=entry.details,
            actor=entry.actor,
            entered_at=at,
            previous=head,
        )
        if row.reason and row.kind not in SAID_BY_ITSELF:
            reasons.append(_apart(row))
        head = row.hash = seal(head, content_of(row))
        rows.append(row)
    with transaction.atomic():
        LedgerEntry.objects.bulk_create(rows, batch_size=BATCH)
        ReasonText.objects.bulk_create(reasons, batch_size=BATCH)
        chain.length, chain.head, chain.newest_at = number, head, at if rows else chain.newest_at
        chain.save(update_fields=["length", "head"])
    return rows


def _apart(row: LedgerEntry) -> ReasonText:
    """The words, and in the line their digest."""
    salt = secrets.token_bytes(SALT_BYTES)
    kept = ReasonText(entry=row, text=row.reason, salt=salt)
    row.reason = reason_digest(salt=salt, text=kept.text)
    return kept


def reason_digest(*, salt: bytes, text: str) -> str:
    """Salted: a short reason could be guessed from its hash alone."""
    return "sha256:" + hashlib.sha256(salt + text.encode()).hexdigest()


def has_its_reason(row: LedgerEntry) -> bool:
    """Whether the words beside it are those of which it has the digest. Words that were removed are not asked."""
    kept = getattr(row, "reason_text", None)
    return kept is None or reason_digest(salt=bytes(kept.salt), text=kept.text) == row.reason


def content_of(row: LedgerEntry) -> dict[str, Any]:
    """All that a line says, in plain values."""
    return {
        "programme": row.programme_id,
        "number": row.number,
        "kind": str(row.kind),
        "user": row.user_id,
        "claim": row.claim_id,
        "certificate": row.certificate_id,
        "credits": None if row.credits is None else f"{row.credits:.2f}",
        "reason": row.reason,
        "details": row.details,
        "actor": row.actor_id,
        "at": row.entered_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }


def canonical(content: Any) -> bytes:
    """Raises NotCanonicalError."""
    _check(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal(previous: bytes, content: dict[str, Any]) -> bytes:
    return hashlib.sha256(previous + canonical(content)).digest()


def _check(value: Any) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, list | tuple):
        for one in value:
            _check(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if not isinstance(name, str):
                raise NotCanonicalError(f"A name of details must be text, not {name!r}")
            _check(one)
    else:
        raise NotCanonicalError(f"{value!r} has no one way to be written: give it as text")


# Looking it over


def verify(*, programme_id: int, kept: Iterable[Head] = (), progress: Callable[[int], None] | None = None) -> Verified:
    """Line by line from the first, then against what was published. 100,000 lines never stand in memory together.

    The chain is read before the lines and after them: what is granted meanwhile is no flaw. `kept`: heads of this chain
    that stand in a log or a bucket. `progress` is told how many more lines were read.
    """
    head, length = START, 0
    published: Published = defaultdict(set)
    for told, digest in PublishedHead.objects.filter(programme=programme_id).values_list("length", "hash"):
        published[told].add(bytes(digest))
    for one in kept:
        published[one.length].add(one.hash)
    before = Chain.objects.filter(programme=programme_id).first()
    for row in _rows(programme_id):
        flaw = _flaw_of(row, length, head, published)
        if flaw is not None:
            at = length + 2 if flaw == "head" else length + 1  # the lines below it, this one among them
            return Verified(programme_id, length, head, Flaw(programme_id, at, flaw))
        head, length = bytes(row.hash), row.number
        if before is not None and length == before.length and head != bytes(before.head):
            return Verified(programme_id, length, head, Flaw(programme_id, length + 1, "head"))
        if progress is not None and length % BATCH == 0:
            progress(BATCH)
    if progress is not None:
        progress(length % BATCH)
    after = Chain.objects.filter(programme=programme_id).first()
    what = _flaw_of_end(length, head, published, before, after)
    return Verified(programme_id, length, head, Flaw(programme_id, length + 1, what) if what else None)


def _flaw_of_end(
    length: int, head: bytes, published: Published, before: Chain | None, after: Chain | None
) -> str | None:
    if max([0, *published, before.length if before else 0]) > length:
        return "cut"
    stands, at = (after.length, bytes(after.head)) if after else (0, START)
    return "head" if stands < length or (stands == length and at != head) else None


def verify_all(
    *,
    programme_ids: Iterable[int],
    kept: Mapping[int, Sequence[Head]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Verified]:
    """`kept` by programme."""
    for programme_id in programme_ids:
        yield verify(programme_id=programme_id, kept=(kept or {}).get(programme_id, ()), progress=progress)


def _rows(programme_id: int) -> Iterator[LedgerEntry]:
    return LedgerEntry.objects.filter(programme=programme_id).order_by("number").iterator(chunk_size=BATCH)


def _flaw_of(row: LedgerEntry, length: int, head: bytes, published: Published) -> str | None:
    if row.number != length + 1:
        return "gap"
    if bytes(row.previous) != head:
        return "link"
    if seal(head, content_of(row)) != bytes(row.hash):
        return "content"
    if row.number in published and published[row.number] != {bytes(row.hash)}:
        return "head"
    return None
