"""The pipeline: right by the schema, safe by zizmor, and in the order that a release needs."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.product import ROOT

FOLDER = ROOT / ".github" / "workflows"
BIN = Path(sys.executable).parent


def schema_problems(name: str, *files: Path) -> str:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{name}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode else ""


def dangers(folder: Path) -> str:
    command = [str(BIN / "zizmor"), "--offline", "--no-progress", "--format", "plain", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr if done.returncode else ""


def steps(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job.get("steps", ()))


def order_problems(workflow: dict[str, Any]) -> list[str]:
    jobs = workflow["jobs"]
    wanted = {"build": "test", "roll": "build"}
    found = [f"{job} does not wait for {before}" for job, before in wanted.items() if jobs[job].get("needs") != before]
    if "--sbom=true" not in steps(jobs["build"]):
        found.append("no bill of materials")
    if 'imagetools create --tag "$REPOSITORY:$REVISION" "$STAGING_REPOSITORY:$REVISION"' not in steps(jobs["build"]):
        found.append("production is built anew")
    if "deploy/release.py" not in steps(jobs["roll"]) or "--roll-only" in steps(jobs["roll"]):
        found.append("nothing is rolled out with its migrations")
    if workflow["concurrency"]["cancel-in-progress"]:
        found.append("a release may be cut off half-way")
    return found


def release() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "release.yml").read_text()))


def test_the_workflows_are_sound_and_safe() -> None:
    assert schema_problems("github-workflows", *sorted(FOLDER.glob("*.yml"))) == ""
    assert dangers(FOLDER) == ""
    assert order_problems(release()) == []
    assert "script/test" in steps(yaml.safe_load((FOLDER / "ci.yml").read_text())["jobs"]["test"])


def test_planted_mistakes_are_found(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / ".github" / "workflows")
    folder = tmp_path / ".github" / "workflows"
    for name, old, new in (
        ("rollback.yml", "runs-on:", "run-on:"),
        ("release.yml", '--image "$IMAGE"', "--image ${{ github.ref_name }}"),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    assert "run-on" in schema_problems("github-workflows", folder / "rollback.yml")
    assert "template-injection" in dangers(folder)


@pytest.mark.parametrize(
    ("job", "key", "value", "wanted"),
    [("roll", "needs", "test", "roll does not wait for build"), ("build", "needs", "", "build does not wait for test")],
)
def test_another_order_is_found(job: str, key: str, value: Any, wanted: str) -> None:
    workflow = release()
    workflow["jobs"][job][key] = value

    assert order_problems(workflow) == [wanted]
