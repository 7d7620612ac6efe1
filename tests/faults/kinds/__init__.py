"""All faults. Importing the package enters them into the registry, in the order of the table that is printed."""

from tests.faults.kinds import processes, databases, callers, clocks, messages, together  # noqa: F401, I001  # the order counts
from tests.faults.kinds.registry import FAULTS, DidNotBiteError, Fault, Stage, fault

__all__ = ["FAULTS", "DidNotBiteError", "Fault", "Stage", "fault"]
