"""What can be said of deploy/terraform without Terraform: it can be read, and its names are the product's."""

import re
import warnings
from typing import Any

import hcl2
import pytest

from operations.domain.capacity.inputs import Assumptions, read_prices
from operations.domain.capacity.money import BOUNCER_GIB, BOUNCER_VCPUS
from operations.domain.capacity.sizing import connection_limit, machines
from tests.deploy.product import SECRETS, known_variables, processes, required_variables
from tests.deploy.terraform import SOURCE, why_not

ENVIRONMENT = SOURCE / "environment.tf"


class TerraformDidNotRunWarning(UserWarning):
    pass


def names(value: dict[str, Any]) -> set[str]:
    return {name.strip('"') for name in value if not name.startswith("__")}


def environment_problems(text: str) -> list[str]:
    (local,) = hcl2.loads(text)["locals"]
    given, secrets = names(local["environment"]), names(local["secrets"])
    single = set(re.findall(r"\b([A-Z][A-Z_]+) += tostring|\b(?:WEB_BIND|REALTIME_BIND|RTMP_HOST)\b", text)) - {""}
    listed = set(re.findall(r'"([A-Z][A-Z_]+)"', text.partition("secret_names")[2].partition("]")[0]))
    return [
        *(f"unknown: {name}" for name in sorted((given | secrets | single) - known_variables())),
        *(f"missing: {name}" for name in sorted(required_variables() - given - secrets)),
        *(f"secret not handed on: {name}" for name in sorted(secrets ^ listed)),
        *(f"secret in the clear: {name}" for name in sorted(given & set(SECRETS))),
    ]


@pytest.mark.filterwarnings("default::tests.deploy.test_text.TerraformDidNotRunWarning")
def test_whether_terraform_runs_here_is_said_loudly() -> None:
    """Not a failure: neither pip nor Debian brings Terraform. The pipeline has it (.github/workflows/ci.yml)."""
    reason = why_not()
    if reason:
        warnings.warn(TerraformDidNotRunWarning(f"deploy/terraform WAS NOT PLANNED: {reason}"), stacklevel=1)

    assert reason == "" or (SOURCE / "main.tf").exists()


@pytest.mark.parametrize("sizes", ["production.tfvars", "staging.tfvars"])
def test_every_process_has_a_size(sizes: str) -> None:
    assert names(hcl2.loads((SOURCE / sizes).read_text())["services"]) == processes()


def test_pgbouncer_and_what_the_database_bears_are_as_calculated() -> None:
    production = hcl2.loads((SOURCE / "production.tfvars").read_text())
    pooler, database = (
        {key.strip('"'): value for key, value in production[name].items()} for name in ("pooler", "database")
    )
    size = database["instance_class"].strip('"').rpartition(".")[2]
    (machine,) = (one for one in machines(read_prices()["database"]) if one.name.endswith(f".{size}"))

    assert (pooler["cpu"] / 1024, pooler["memory"] / 1024) == (BOUNCER_VCPUS, BOUNCER_GIB)
    assert database["max_connections"] == connection_limit(machine, Assumptions())


def test_the_variables_are_the_products() -> None:
    assert environment_problems(ENVIRONMENT.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("ALLOWED_HOSTS ", "ALLOWED_HOST ", ["unknown: ALLOWED_HOST", "missing: ALLOWED_HOSTS"]),
        ('"REDIS_URL",', "", ["secret not handed on: REDIS_URL"]),
        ("TRUSTED_PROXIES ", "EMAIL_HOST_PASSWORD ", ["secret in the clear: EMAIL_HOST_PASSWORD"]),
    ],
)
def test_a_mistake_in_the_variables_is_found(old: str, new: str, wanted: list[str]) -> None:
    text = ENVIRONMENT.read_text()
    assert old in text

    assert environment_problems(text.replace(old, new)) == wanted
