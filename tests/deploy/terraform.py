"""Runs `terraform test` with made-up answers, so without an account or a network, and hands out the plan."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.product import DEPLOY

SOURCE = DEPLOY / "terraform"
SECONDS = 200
# Where administrators and Terraform itself put providers that are not fetched each time.
MIRRORS = (
    os.environ.get("TF_PLUGIN_CACHE_DIR", ""),
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
)


def mirror() -> Path | None:
    paths = [Path(name).expanduser() for name in MIRRORS if name]
    return next((path for path in paths if any(path.glob("registry.terraform.io/hashicorp/aws/*"))), None)


def why_not() -> str:
    """Empty when Terraform can run here; else what is missing."""
    if not shutil.which("terraform"):
        return "the program terraform is not installed"
    return "" if mirror() else f"no AWS provider in any of {', '.join(name for name in MIRRORS if name)}"


@dataclass(frozen=True)
class Resource:
    address: str
    kind: str
    values: dict[str, Any]

    @property
    def key(self) -> str:
        """What stands in the last brackets, as in `…service["web"]`."""
        return self.address.rpartition("[")[2].strip('"]')


@dataclass(frozen=True)
class Plan:
    resources: list[Resource]
    outputs: dict[str, Any]
    text: str
    failures: list[str]

    def of(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.kind == kind]

    def one(self, kind: str) -> dict[str, Any]:
        (resource,) = self.of(kind)
        return resource.values


class Workspace:
    """A copy of deploy/terraform, so that neither state nor providers land in the tree."""

    def __init__(self, folder: Path) -> None:
        found = mirror()
        assert found is not None, why_not()
        self.folder = folder / "terraform"
        shutil.copytree(SOURCE, self.folder, ignore=shutil.ignore_patterns(".terraform*", "*.auto.tfvars"))
        configuration = folder / "terraform.rc"
        configuration.write_text(
            f'disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{ path = "{found}" }}\n}}\n'
        )
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
        # GOGC: the provider's schemas stay to the end, and to look through them for garbage took a quarter of a plan.
        own = {"TF_CLI_CONFIG_FILE": str(configuration), "TF_IN_AUTOMATION": "1", "GOGC": "800"}
        self.environment = keep | own
        self.run("init", "-backend=false", "-input=false", "-no-color").check_returncode()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["terraform", *arguments]
        return subprocess.run(
            command,
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip

    def change(self, changes: Iterable[tuple[str, str, str]]) -> None:
        for name, old, new in changes:
            path = self.folder / name
            text = path.read_text()
            assert old in text, f"{name} has no {old!r} to spoil"
            path.write_text(text.replace(old, new))

    def plan(self, sizes: str) -> Plan:
        files = ("-filter=tests/sizes.tftest.hcl", f"-var-file={sizes}", "-var-file=tests/names.tfvars")
        done = self.run("test", "-json", "-verbose", *files)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        failures = [
            f"{line['diagnostic']['summary']}: {line['diagnostic'].get('detail', '')}"
            for line in lines
            if line["type"] == "diagnostic" and line["diagnostic"]["severity"] == "error"
        ]
        plans = [line["test_plan"] for line in lines if line["type"] == "test_plan"]
        assert plans or failures, done.stderr
        changes = [change for plan in plans for change in plan["resource_changes"]]
        outputs = {name: value.get("after") for plan in plans for name, value in plan["output_changes"].items()}
        resources = [
            Resource(change["address"], change["type"], change["change"]["after"])
            for change in changes
            if change["mode"] == "managed"
        ]
        return Plan(resources, outputs, json.dumps([changes, outputs]), failures)
