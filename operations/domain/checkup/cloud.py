"""Services and database on AWS by CloudWatch: a checkup there runs in a task that is minutes old and has no history."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from operations.domain.autoscaling.tiers import read_tiers
from operations.domain.checkup.report import Line, Verdict, above, warning

WEEK = timedelta(days=7)
HOUR_SECONDS = 3600
RDS = re.compile(r"(?P<instance>[a-z0-9-]+)\.[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com")
GIB = 1024**3


class CloudError(Exception):
    """CloudWatch does not answer; the text says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Maximum"


def figures() -> list[Figure]:
    """Percent, but for the disk's free bytes."""
    found: list[Figure] = []
    for tier in read_tiers(settings.AUTOSCALE_SERVICES):
        where = (("ClusterName", settings.AUTOSCALE_CLUSTER), ("ServiceName", tier.service))
        found += [
            Figure(f"{tier.name} CPU", "AWS/ECS", "CPUUtilization", where, "Average"),
            Figure(f"{tier.name} memory", "AWS/ECS", "MemoryUtilization", where),
        ]
    if match := RDS.fullmatch(str(settings.DATABASES["default"].get("HOST") or "")):
        instance = (("DBInstanceIdentifier", match["instance"]),)
        found += [
            Figure("database CPU", "AWS/RDS", "CPUUtilization", instance, "Average"),
            Figure("database disk", "AWS/RDS", "FreeStorageSpace", instance, "Minimum"),
        ]
    return found


def judge(*, now: datetime) -> Iterator[Line]:
    """The last hour that is whole, and the hours of the week before it. Raises CloudError."""
    asked = figures()
    for figure, hours in zip(asked, _hours(asked, now=now), strict=True):
        if not hours:
            yield warning(figure.name, "CloudWatch has no figures of the last 7 days")
        elif figure.metric == "FreeStorageSpace":
            text = f"{hours[-1] / GIB:.0f} GiB free; 7 days: {min(hours) / GIB:.0f}–{max(hours) / GIB:.0f}"
            yield above(figure.name, -hours[-1], warn=-40 * GIB, bad=-20 * GIB, text=text)
        else:
            text = f"{hours[-1]:.0f} %; 7 days: {min(hours):.0f}–{max(hours):.0f} %"
            line = above(figure.name, hours[-1], warn=85, bad=98, text=text)
            full = max(hours) >= 98 and line.verdict is Verdict.OK  # a peak that nobody looked at
            yield warning(figure.name, text) if full else line


def _hours(asked: Sequence[Figure], *, now: datetime) -> list[list[float]]:
    """Of each figure, oldest first: 168 numbers at most."""
    until = now.replace(minute=0, second=0, microsecond=0)
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": figure.namespace,
                    "MetricName": figure.metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in figure.dimensions],
                },
                "Period": HOUR_SECONDS,
                "Stat": figure.statistic,
            },
        }
        for number, figure in enumerate(asked)
    ]
    client: Any = boto3.client(
        "cloudwatch", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None
    )
    found: dict[str, list[float]] = {query["Id"]: [] for query in queries}  # type: ignore[misc]
    try:
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=until - WEEK, EndTime=until, ScanBy="TimestampAscending"
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                found[result["Id"]] += result["Values"]
    except (BotoCoreError, ClientError) as error:
        raise CloudError(f"CloudWatch: {error}") from error
    return [found[f"q{number}"] for number in range(len(asked))]
