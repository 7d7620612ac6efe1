"""A crowd from several processes."""

import threading
from collections.abc import Callable
from pathlib import Path

from operations.domain.crowd.measure import CrowdReport, Progress
from operations.domain.crowd.plan import CrowdPlan


def run_crowd(
    plan: CrowdPlan,
    *,
    processes: int = 1,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    log_folder: Path | None = None,
    cancelled: threading.Event | None = None,
) -> CrowdReport:
    """Blocks until the last doctor has gone, or `cancelled` is set. Raises `CrowdError` before anything is sent.

    `on_progress` hears all processes together about once a second, in this thread. Without `log_folder` no journal is
    kept, and `verify` has nothing to compare.
    """
    raise NotImplementedError
