"""Rolls an image out on ECS: expand, roll, smoke, contract; and back again when something is wrong.

    python deploy/release.py --cluster rounds-production --image <repository>@sha256:… \\
        --site https://learn.example.org --subnets subnet-1,subnet-2 --security-group sg-1

Old and new replicas run side by side for minutes. So only additions are migrated before, and the rest when no old one
is left. Until `migrate` the former version can take over again at any moment; after it, going back is a new release.
"""

import argparse
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROCESSES = ("web", "realtime", "worker", "long", "sender", "transcoder", "ingest", "beat")
# What a description has beyond what may be registered again.
NOT_FOR_REGISTERING = (
    "taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy",
    "deregisteredAt",
)  # fmt: skip
# Path → what must come back. None needs an account; the page to sign in needs the database and the files.
SMOKE = {"/healthz": 200, "/sign-in/": 200, "/static/favicon.svg": 200, "/readyz": 404, "/metrics": 404}
SMOKE_TRIES = 3


class ReleaseFailed(Exception):  # noqa: N818 - named after what happens
    """Says what went wrong; what had been rolled out is rolled back by `release`."""


@dataclass(frozen=True)
class Place:
    cluster: str
    site: str
    subnets: Sequence[str]
    security_group: str


@dataclass(frozen=True)
class Patience:
    """In seconds. A migration may take long; a service that is not stable after this never will be."""

    task: float = 3600
    services: float = 1200
    pause: float = 10


class Release:
    def __init__(self, ecs: Any, place: Place, *, patience: Patience, say: Callable[[str], None] = print) -> None:
        self.ecs, self.place, self.patience, self.say = ecs, place, patience, say

    def register(self, process: str, image: str) -> str:
        """A new revision of the family's newest one (Terraform may have changed it since), with this image."""
        answer = self.ecs.describe_task_definition(taskDefinition=f"{self.place.cluster}-{process}")
        definition = {
            name: value for name, value in answer["taskDefinition"].items() if name not in NOT_FOR_REGISTERING
        }
        for container in definition["containerDefinitions"]:
            container["image"] = image
        return str(self.ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"])

    def run_once(self, definition: str, *command: str) -> None:
        self.say(f"… {' '.join(command)}")
        network = {
            "subnets": list(self.place.subnets),
            "securityGroups": [self.place.security_group],
            "assignPublicIp": "DISABLED",
        }
        answer = self.ecs.run_task(
            cluster=self.place.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": "operations", "command": list(command)}]},
        )
        if answer.get("failures") or not answer["tasks"]:
            raise ReleaseFailed(f"{' '.join(command)} could not be started: {answer.get('failures')}")
        self._wait_for_end(answer["tasks"][0]["taskArn"], " ".join(command))

    def _wait_for_end(self, arn: str, name: str) -> None:
        until = time.monotonic() + self.patience.task
        while time.monotonic() < until:
            (task,) = self.ecs.describe_tasks(cluster=self.place.cluster, tasks=[arn])["tasks"]
            if task["lastStatus"] == "STOPPED":
                codes = [container.get("exitCode") for container in task["containers"]]
                if codes != [0]:
                    raise ReleaseFailed(f"{name} ended with {codes}: {task.get('stoppedReason', '')}")
                return
            time.sleep(self.patience.pause)
        self.ecs.stop_task(cluster=self.place.cluster, task=arn, reason="took too long")
        raise ReleaseFailed(f"{name} was not ready after {self.patience.task:.0f} s and was stopped")

    def running(self) -> dict[str, str]:
        """Process → task definition that its service wants now."""
        services = self.ecs.describe_services(cluster=self.place.cluster, services=list(PROCESSES))["services"]
        found = {entry["serviceName"]: entry["taskDefinition"] for entry in services if entry["status"] == "ACTIVE"}
        if missing := sorted(set(PROCESSES) - set(found)):
            raise ReleaseFailed(f"the cluster has no service for {', '.join(missing)}")
        return found

    def roll(self, definitions: Mapping[str, str]) -> None:
        for process, definition in definitions.items():
            self.ecs.update_service(cluster=self.place.cluster, service=process, taskDefinition=definition)
        until = time.monotonic() + self.patience.services
        while True:
            waiting = self._not_yet(definitions)
            if not waiting:
                return
            if time.monotonic() > until:
                raise ReleaseFailed(f"not stable after {self.patience.services:.0f} s: {', '.join(waiting)}")
            time.sleep(self.patience.pause)

    def _not_yet(self, definitions: Mapping[str, str]) -> list[str]:
        """Amazon's own circuit breaker may have gone back by itself: then the primary is not what was asked for."""
        services = self.ecs.describe_services(cluster=self.place.cluster, services=list(definitions))["services"]
        waiting = []
        for service in services:
            name = service["serviceName"]
            primary = next(one for one in service["deployments"] if one["status"] == "PRIMARY")
            failed = primary.get("rolloutState") == "FAILED" or primary["taskDefinition"] != definitions[name]
            if failed:
                raise ReleaseFailed(f"{name} did not start: {primary.get('rolloutStateReason', '')}")
            if len(service["deployments"]) > 1 or service["runningCount"] < service["desiredCount"]:
                waiting.append(name)
        return waiting

    def release(self, image: str, *, during_broadcasts: bool = False) -> None:
        """A broadcast on air would be interrupted where `ingest` is replaced: refused unless it is asked for."""
        before = self.running()
        operations = self.register("operations", image)
        self.run_once(operations, "manage", "check", "--deploy")
        self.run_once(operations, "manage", "expand", *(() if during_broadcasts else ("--unless-live",)))
        self.replace(before, image)
        self.run_once(operations, "manage", "migrate", "--noinput")
        smoke(self.place.site, pause=self.patience.pause)
        self.say(f"Released {image}.")

    def replace(self, before: Mapping[str, str], image: str) -> None:
        """All services run the image afterwards, or all what they ran before. Touches no table."""
        after = {process: self.register(process, image) for process in PROCESSES}
        try:
            self.roll(after)
            smoke(self.place.site, pause=self.patience.pause)
        except BaseException as error:  # also AWS that refuses half-way, and a pipeline that is cancelled
            self.say(f"!!! {error!r}: going back")
            self.roll(before)
            raise


def smoke(site: str, expected: Mapping[str, int] = SMOKE, *, pause: float) -> None:
    """From outside, by the way browsers take. One hiccup of the line is no reason to take a release back."""
    wrong: list[str] = []
    for attempt in range(SMOKE_TRIES):
        time.sleep(pause if attempt else 0)
        wrong = [f"{path} answers {got}" for path, wanted in expected.items() if (got := status(site + path)) != wanted]
        if not wrong:
            return
    raise ReleaseFailed(f"smoke test: {', '.join(wrong)}")


def status(url: str) -> int:
    """Zero when nobody answers."""
    if not url.startswith(("https://", "http://")):
        raise ReleaseFailed(f"{url} is no web address")
    try:
        with urllib.request.urlopen(url, timeout=15) as response:  # noqa: S310 - looked at above
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def main(arguments: Sequence[str]) -> int:
    import boto3

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("--cluster", "--image", "--site", "--subnets", "--security-group"):
        parser.add_argument(name, required=True)
    parser.add_argument("--roll-only", action="store_true", help="without migrations: for an image that ran before")
    parser.add_argument("--during-broadcasts", action="store_true", help="also while a webinar is on air")
    given = parser.parse_args(arguments)
    place = Place(given.cluster, given.site.rstrip("/"), given.subnets.split(","), given.security_group)
    try:
        release = Release(boto3.client("ecs"), place, patience=Patience())
        if given.roll_only:
            release.replace(release.running(), given.image)
        else:
            release.release(given.image, during_broadcasts=given.during_broadcasts)
    except ReleaseFailed as error:
        sys.stderr.write(f"The release failed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
