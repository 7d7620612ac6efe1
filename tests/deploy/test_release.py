"""deploy/release.py on a made-up ECS: what runs afterwards, and that a bad release goes back before the contract."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from deploy.release import PROCESSES, SMOKE, Patience, Place, Release, ReleaseFailed
from tests.deploy.product import processes

OLD, NEW = "registry/rounds@sha256:old", "registry/rounds@sha256:new"
NAME = "rounds-test"


class Site(BaseHTTPRequestHandler):
    answers = dict(SMOKE)
    hiccups: ClassVar[list[int]] = []  # what is answered first, whatever is asked

    def do_GET(self) -> None:
        self.send_response(self.hiccups.pop() if self.hiccups else self.answers.get(self.path, 404))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    Site.answers = dict(SMOKE)
    Site.hiccups.clear()


@pytest.fixture
def ecs() -> Iterator[Any]:
    with mock_aws():
        keys: Any = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client("ecs", "eu-central-1", **keys)
        client.create_cluster(clusterName=NAME)
        for process in (*PROCESSES, "operations"):
            client.register_task_definition(
                family=f"{NAME}-{process}",
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                cpu="256",
                memory="512",
                containerDefinitions=[
                    {"name": process, "image": OLD, "memory": 256, "environment": [{"name": "A", "value": "b"}]}
                ],
            )
        network = {"awsvpcConfiguration": {"subnets": [subnet()], "securityGroups": []}}
        for process in PROCESSES:
            client.create_service(
                cluster=NAME,
                serviceName=process,
                taskDefinition=f"{NAME}-{process}",
                desiredCount=1,
                launchType="FARGATE",
                networkConfiguration=network,
            )
        yield client


def subnet() -> str:
    ec2 = boto3.client("ec2", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    return str(ec2.describe_subnets()["Subnets"][0]["SubnetId"])


class Watched:
    """Hands calls on to the made-up ECS, notes them, and answers what it cannot: how tasks and services end."""

    def __init__(self, ecs: Any, *, exit_codes: dict[str, int] | None = None) -> None:
        self.ecs, self.exit_codes = ecs, exit_codes or {}
        self.commands: list[str] = []
        self.guarded = False  # against a broadcast on air

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ecs, name)

    def run_task(self, **arguments: Any) -> Any:
        _, name, *options = arguments["overrides"]["containerOverrides"][0]["command"]
        self.commands.append(name)
        self.guarded |= "--unless-live" in options
        return {"tasks": [{"taskArn": name}], "failures": []}

    def describe_tasks(self, tasks: list[str], **_: Any) -> Any:
        return {"tasks": [{"lastStatus": "STOPPED", "containers": [{"exitCode": self.exit_codes.get(tasks[0], 0)}]}]}

    def describe_services(self, **arguments: Any) -> Any:
        answer = self.ecs.describe_services(**arguments)
        for service in answer["services"]:
            service["runningCount"] = service["desiredCount"]
            service["deployments"] = [{"status": "PRIMARY", "taskDefinition": service["taskDefinition"]}]
        return answer


def release(watched: Watched, site: str) -> None:
    place = Place(NAME, site, [subnet()], "sg-1")
    Release(watched, place, patience=Patience(1, 1, 0), say=lambda _: None).release(NEW)


def images(ecs: Any) -> set[str]:
    services = ecs.describe_services(cluster=NAME, services=list(PROCESSES))["services"]
    return {
        ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"][
            "containerDefinitions"
        ][0]["image"]
        for service in services
    }


def test_it_knows_every_process() -> None:
    assert set(PROCESSES) == processes()


def test_everything_runs_the_new_image_and_the_contract_comes_last(ecs: Any, site: str) -> None:
    watched = Watched(ecs)

    release(watched, site)

    assert images(ecs) == {NEW}
    assert watched.commands == ["check", "expand", "migrate"]
    assert watched.guarded
    kept = ecs.describe_task_definition(taskDefinition=f"{NAME}-web")["taskDefinition"]["containerDefinitions"][0]
    assert kept["environment"] == [{"name": "A", "value": "b"}]


def test_one_hiccup_of_the_line_takes_no_release_back(ecs: Any, site: str) -> None:
    Site.hiccups.append(502)

    release(Watched(ecs), site)

    assert Site.hiccups == []
    assert images(ecs) == {NEW}


@pytest.mark.parametrize(("path", "answer"), [("/sign-in/", 500), ("/readyz", 200)])
def test_a_site_that_answers_wrongly_goes_back(ecs: Any, site: str, path: str, answer: int) -> None:
    Site.answers[path] = answer
    watched = Watched(ecs)

    with pytest.raises(ReleaseFailed, match=f"{path} answers {answer}"):
        release(watched, site)

    assert images(ecs) == {OLD}
    assert watched.commands == ["check", "expand"]


def test_a_refusal_by_aws_half_way_goes_back(ecs: Any, site: str) -> None:
    class Refusing(Watched):
        def update_service(self, **arguments: Any) -> Any:
            new = self.ecs.describe_task_definition(taskDefinition=arguments["taskDefinition"])["taskDefinition"]
            if arguments["service"] == "worker" and new["containerDefinitions"][0]["image"] == NEW:
                raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateService")
            return self.ecs.update_service(**arguments)

    with pytest.raises(ClientError, match="Throttling"):
        release(Refusing(ecs), site)

    assert images(ecs) == {OLD}


def test_nothing_is_rolled_out_when_a_migration_fails(ecs: Any, site: str) -> None:
    with pytest.raises(ReleaseFailed, match=r"manage expand --unless-live ended with \[1\]"):
        release(Watched(ecs, exit_codes={"expand": 1}), site)

    assert images(ecs) == {OLD}


def test_a_missing_service_stops_it_before_anything_happens(ecs: Any, site: str) -> None:
    ecs.delete_service(cluster=NAME, service="beat", force=True)

    with pytest.raises(ReleaseFailed, match="no service for beat"):
        release(Watched(ecs), site)


def test_an_image_that_ran_before_comes_back_without_migrations(ecs: Any, site: str) -> None:
    watched = Watched(ecs)
    place = Place(NAME, site, [subnet()], "sg-1")
    back = Release(watched, place, patience=Patience(1, 1, 0), say=lambda _: None)

    back.replace(back.running(), NEW)

    assert images(ecs) == {NEW}
    assert watched.commands == []
