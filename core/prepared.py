"""Queries whose SQL the ORM makes once, for the few that every page of every doctor asks.

To build one of them costs several times the CPU of running it and reading its rows. A `Prepared` is written like any
queryset, with placeholders instead of values; what comes back is what that queryset would give.
"""

import copy
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")
Value = int | str | UUID | Sequence[int]
LARGEST = 2**63 - 1  # of PostgreSQL's whole numbers


class Prepared(Generic[Row]):
    """`rows(name=value, …)` gives what `make(name=placeholder, …)` describes.

    Values are whole numbers, texts, UUIDs, or sequences of whole numbers. They may only be parameters: `make` must not
    choose by one, because its SQL serves all. A value that reaches no parameter raises ValueError when it is first
    asked; a number that no column can hold raises OverflowError.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Row]]) -> None:
        self.make = make
        self._plans: dict[tuple[object, ...], _Plan] = {}

    def rows(self, **values: Value) -> list[Row]:
        shape = tuple((name, _shape(value)) for name, value in values.items())
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plans[shape] = _Plan(self.make, values)
        flat: list[Value] = []
        for value in values.values():
            flat += value if isinstance(value, (list, tuple)) else (str(value) if isinstance(value, str) else value,)
        return cast("list[Row]", plan.run(flat))

    def first(self, **values: Value) -> Row | None:
        """Limit it in `make`: this reads all rows."""
        found = self.rows(**values)
        return found[0] if found else None

    def exists(self, **values: Value) -> bool:
        return bool(self.rows(**values))


def _shape(value: Value) -> object:
    return len(value) if isinstance(value, (list, tuple)) else type(value)


class _Plan:
    """For values of one shape: as many numbers in a sequence, as many parameters."""

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], values: dict[str, Value]) -> None:
        numbers = count(LARGEST // 2)  # nothing else in a query is such a number
        given: dict[str, Any] = {}
        marks: list[Value] = []
        for name, value in values.items():
            several = [_mark(one, next(numbers)) for one in (value if isinstance(value, (list, tuple)) else (value,))]
            given[name] = several if isinstance(value, (list, tuple)) else several[0]
            marks += several
        self.queryset = make(**given)
        if self.queryset._prefetch_related_lookups:  # type: ignore[attr-defined]  # noqa: SLF001  # no other way to ask
            raise ValueError("A prepared query cannot prefetch: call prefetch_related_objects with its rows.")
        self.compiler: SQLCompiler = self.queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        self.sql, parameters = self.compiler.as_sql()
        self.parameters = [(marks.index(one), None) if one in marks else (None, one) for one in parameters]
        if {index for index, _ in self.parameters} - {None} != set(range(len(marks))):
            raise ValueError(f"Not every value of {', '.join(values)} is a parameter of the query.")
        columns = [column for column, *_ in self.compiler.select[: self.compiler.col_count]]
        self.converters = self.compiler.get_converters(columns)

    def run(self, values: list[Any]) -> list[Any]:
        if any(isinstance(value, int) and abs(value) > LARGEST for value in values):
            raise OverflowError("No column holds such a number.")
        compiler = copy.copy(self.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]  # of this thread
        bound = tuple(fixed if index is None else values[index] for index, fixed in self.parameters)
        compiler.as_sql = lambda *_, **__: (self.sql, bound)  # type: ignore[assignment,method-assign]
        compiler.get_converters = lambda *_: self.converters  # type: ignore[method-assign]
        asked: Any = object.__new__(type(self.queryset))  # a clone would copy the query, which is not asked again
        asked.__dict__ = self.queryset.__dict__ | {"_query": _Asked(compiler)}  # its property would choose other rows
        return list(asked._iterable_class(asked))  # noqa: SLF001  # as QuerySet itself reads


class _Asked:
    """The query of the plan, to whoever reads its rows; only that its compiler is ready."""

    def __init__(self, compiler: SQLCompiler) -> None:
        self._compiler = compiler

    def get_compiler(self, *_: Any, **__: Any) -> SQLCompiler:
        return self._compiler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiler.query, name)


def _mark(value: int | str | UUID, number: int) -> int | str | UUID:
    match value:
        case bool():
            raise TypeError("A truth changes the SQL: make two queries.")
        case int():
            return number
        case str():
            return f"placeholder-{number}"
        case UUID():
            return UUID(int=number)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be a value of a prepared query.")
