"""The heads of the ledgers, told to the world once a day: on a page, in the log and, if there is a bucket, in S3.

Who has a head of yesterday can tell when a line below it was changed or taken away, whoever owns the database. Nothing
published names a programme or a person.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from certification.domain.chain import Flaw, Head
from certification.models import Chain, PublishedHead
from core.logging import get_logger

log = get_logger("certification")
LOCKED_DAYS = 10 * 366  # longer than any authority wants the records; after it the bucket lets go of the copy
WORDS = {
    "gap": "line {number} is missing or stands out of its order",
    "link": "line {number} does not follow on the line before it",
    "content": "line {number} says something else than when it was sealed",
    "cut": "line {number} and what came after it were taken away",
    "time": "line {number} is older than the line before it",
    "claim": "line {number} names another person or activity than the claim it speaks of",
    "certificate": "line {number} names another person, number or credit than the certificate it speaks of",
    "printed": "what is printed on the certificate of line {number} is not what was sealed",
    "evidence": "why line {number} was decided is kept otherwise than it was sealed",
    "reason": "the reason of line {number} is kept otherwise than it was sealed",
    "silent": "the reason of line {number} left before its years were over",
    "gone": "the evidence of line {number} left before its years were over",
    "emptied": "what is printed on the certificate of line {number} left too early, or no line says that it did",
    "unsaid": "no line speaks of a claim or certificate that is there: lines are gone, or it was put in past them",
    "head": "the lines up to number {last} are not those that were published: history was written anew",
}
EVENT = "certification.head_published"
FOLDER = "ledger/"
Put = Callable[[str, bytes, datetime], None]


def words_of(flaw: Flaw) -> str:
    return WORDS[flaw.what].format(number=flaw.number, last=flaw.number - 1)


def publish_heads(*, now: datetime, put: Put | None = None) -> list[PublishedHead]:
    """Of every ledger that has lines, once for each day (UTC). Call it as often as you like, and by several at once.

    A day that was missed costs that day's head only, and a bucket that is away that day's copy: the head of the next
    day vouches for everything below it.
    """
    put = put or bucket_writer()
    today = now.astimezone(UTC).date()
    published = []
    for programme_id in _due(today):
        with transaction.atomic():
            row = _publish(programme_id, today=today, now=now, put=put)
        if row is not None:
            published.append(row)
    return published


def _publish(programme_id: int, *, today: date, now: datetime, put: Put | None) -> PublishedHead | None:
    """None: another worker was first. It held the lock while it copied, so row, log and copy say the same.

    The lock is not that of the chain: while a bucket is slow, credit is granted as ever.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"certification/head/{programme_id}"])
    if PublishedHead.objects.filter(programme=programme_id, published_on=today).exists():
        return None
    chain = Chain.objects.get(programme=programme_id)
    content = _content(chain, today)
    stored_as = _store(put, content, now) if put else ""
    row: PublishedHead = PublishedHead.objects.create(
        programme_id=programme_id,
        published_on=today,
        length=chain.length,
        hash=bytes(chain.head),
        published_at=now,
        stored_as=stored_as,
    )
    log.info(EVENT, stored_as=stored_as, **content)
    return row


def published_heads() -> QuerySet[PublishedHead]:
    """For the public page, the newest first. A chain is known there by its public id alone."""
    heads = PublishedHead.objects.select_related("programme__chain").order_by("-published_on", "programme__chain")
    return heads.only("published_on", "length", "hash", "programme__chain__public_id")


def newest_head(programme_id: int, *, from_line: int) -> PublishedHead | None:
    """That vouches for a line: the first published one that stands above it."""
    heads = PublishedHead.objects.filter(programme=programme_id, length__gte=from_line)
    return heads.order_by("-published_on").first()


def _due(today: date) -> list[int]:
    done = PublishedHead.objects.filter(published_on=today).values("programme")
    chains = Chain.objects.filter(length__gt=0).exclude(programme__in=done).order_by("public_id")
    return list(chains.values_list("programme", flat=True))


def _content(chain: Chain, today: date) -> dict[str, Any]:
    return {
        "chain": str(chain.public_id),
        "length": chain.length,
        "hash": bytes(chain.head).hex(),
        "published_on": today.isoformat(),
    }


def _store(put: Put, content: dict[str, Any], now: datetime) -> str:
    name = f"{FOLDER}{content['chain']}/{content['published_on']}.json"
    try:
        put(name, json.dumps(content, sort_keys=True).encode(), now + timedelta(days=LOCKED_DAYS))
    except Exception:  # whatever a cloud answers, the page and the log have the head
        log.exception("certification.head_not_stored", name=name)
        return ""
    return f"s3://{settings.LEDGER_BUCKET}/{name}"


def bucket_writer() -> Put | None:
    """None without LEDGER_BUCKET: nothing leaves the site then."""
    if not settings.LEDGER_BUCKET:
        return None
    client = _client()

    def put(name: str, body: bytes, until: datetime) -> None:
        client.put_object(
            Bucket=settings.LEDGER_BUCKET,
            Key=name,
            Body=body,
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",  # S3 wants one with every object that it locks
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=until,
        )

    return put


def _client() -> Any:
    import boto3  # costs 0.3 s, and few sites have such a bucket

    return boto3.client("s3", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None)


# What was kept elsewhere: nobody who owns this database can change it


def heads_in(lines: Iterable[str]) -> Iterator[Head]:
    """Of a log in JSON, or of copies from the bucket, one a line. Lines that say something else are passed over."""
    for line in lines:
        if '"chain"' not in line:
            continue
        try:
            said = json.loads(line)
            head = Head(str(said["chain"]), int(said["length"]), bytes.fromhex(said["hash"]))
        except (KeyError, TypeError, ValueError):
            continue
        if said.get("event", EVENT) == EVENT:
            yield head


def heads_in_bucket() -> Iterator[Head]:
    """Every version of every copy: a copy that somebody wrote over is still there. Raises what the cloud answers."""
    client = _client()
    for page in client.get_paginator("list_object_versions").paginate(Bucket=settings.LEDGER_BUCKET, Prefix=FOLDER):
        for one in page.get("Versions", ()):
            kept = client.get_object(Bucket=settings.LEDGER_BUCKET, Key=one["Key"], VersionId=one["VersionId"])
            yield from heads_in([kept["Body"].read().decode()])
