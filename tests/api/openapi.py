"""Holds answers of the API against its own description."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.matrix.walk import PARAMETER

URI = "urn:openapi"


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


@cache
def _registry() -> Registry[Any]:
    registry: Registry[Any] = Registry()
    resource: Resource[Any] = Resource.from_contents(document(), default_specification=DRAFT202012)
    found: Registry[Any] = registry.with_resource(URI, resource)
    return found


def operation_path(route: str) -> str:
    """`api/v1/lessons/<int:lesson_id>/` is `/api/v1/lessons/{lesson_id}/` there."""
    return "/" + PARAMETER.sub(r"{\g<name>}", route)


def check(response: Any, *, route: str, method: str) -> None:
    """Undocumented statuses fail like undocumented bodies. 405 is about methods that the document does not list."""
    operation = document()["paths"].get(operation_path(route), {}).get(method.lower())
    if operation is None:
        assert response.status_code in {401, 404, 405}, f"{method} /{route} is not described"
        _check_body(response, {"$ref": f"{URI}#/components/schemas/Problem"})
        return
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{method} /{route} answered {response.status_code}, which is not described"
    content = described.get("content", {})
    if not content:
        assert response.content == b""
        return
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in content, f"{method} /{route} answered {kind}, described are {sorted(content)}"
    pointer = f"#/paths/{_escape(operation_path(route))}/{method.lower()}/responses/{response.status_code}"
    _check_body(response, {"$ref": f"{URI}{pointer}/content/{_escape(kind)}/schema"})


def _check_body(response: Any, schema: dict[str, str]) -> None:
    validator = Draft202012Validator(schema, registry=_registry(), format_checker=validator_for({}).FORMAT_CHECKER)
    validator.validate(response.json())


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
