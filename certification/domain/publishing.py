"""The heads of the ledgers, told to the world once a day: on a page, in the log and, if there is a bucket, in S3.

Who has a head of yesterday can tell when a line below it was changed or taken away, whoever owns the database. Nothing
published names a programme or a person.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from certification.domain.chain import Flaw
from certification.models import Chain, PublishedHead
from core.logging import get_logger

log = get_logger("certification")
LOCKED_DAYS = 10 * 366  # longer than any authority wants the records; after it the bucket lets go of the copy
WORDS = {
    "gap": "line {number} is missing or stands out of its order",
    "link": "line {number} does not follow on the line before it",
    "content": "line {number} says something else than when it was sealed",
    "cut": "line {number} and what came after it were taken away",
    "head": "the lines up to number {last} are not those that were published: history was written anew",
}
Put = Callable[[str, bytes, datetime], None]


def words_of(flaw: Flaw) -> str:
    return WORDS[flaw.what].format(number=flaw.number, last=flaw.number - 1)


def publish_heads(*, now: datetime, put: Put | None = None) -> list[PublishedHead]:
    """Of every ledger that has lines, once for each day (UTC). Call it as often as you like.

    A bucket that is away costs that day's copy only: the head of the next day vouches for everything below it.
    """
    put = put or bucket_writer()
    published = []
    for chain in _due(now):
        content = _content(chain, now)
        stored_as = _store(put, chain, content, now) if put else ""
        row, is_new = PublishedHead.objects.get_or_create(
            programme_id=chain.programme_id,
            published_on=now.date(),
            defaults={
                "length": chain.length, "hash": bytes(chain.head), "published_at": now, "stored_as": stored_as,
            },
        )  # fmt: skip
        if is_new:
            log.info("certification.head_published", stored_as=stored_as, **content)
            published.append(row)
    return published


def published_heads() -> QuerySet[PublishedHead]:
    """For the public page, the newest first. A chain is known there by its public id alone."""
    heads = PublishedHead.objects.select_related("programme__chain").order_by("-published_on", "programme__chain")
    return heads.only("published_on", "length", "hash", "programme__chain__public_id")


def newest_head(programme_id: int, *, from_line: int) -> PublishedHead | None:
    """That vouches for a line: the first published one that stands above it."""
    heads = PublishedHead.objects.filter(programme=programme_id, length__gte=from_line)
    return heads.order_by("-published_on").first()


def _due(now: datetime) -> Iterator[Chain]:
    done = PublishedHead.objects.filter(published_on=now.date()).values("programme")
    yield from Chain.objects.filter(length__gt=0).exclude(programme__in=done).order_by("public_id")


def _content(chain: Chain, now: datetime) -> dict[str, Any]:
    return {
        "chain": str(chain.public_id),
        "length": chain.length,
        "hash": bytes(chain.head).hex(),
        "published_on": now.date().isoformat(),
    }


def _store(put: Put, chain: Chain, content: dict[str, Any], now: datetime) -> str:
    name = f"ledger/{chain.public_id}/{now.date().isoformat()}.json"
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
    import boto3  # costs 0.3 s, and few sites have such a bucket

    client: Any = boto3.client("s3", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None)

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
