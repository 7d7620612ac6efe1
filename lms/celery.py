"""The worker tier. Tasks are doorbells: what they do is found in PostgreSQL, and a lost one is found by a sweep."""

import os
import threading
import uuid
import warnings
from importlib import import_module
from typing import Any

import structlog
from billiard import current_process
from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]  # missing in celery-types
from celery.signals import (
    before_task_publish,
    celeryd_after_setup,
    setup_logging,
    task_postrun,
    task_prerun,
    task_received,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings

from core import signs
from core.processes import end_after, end_with, is_tied

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
# Django's checks read every page and half of the office for each worker; a release has been checked before it starts.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

ORPHAN_SECONDS = 15.0

app = Celery("lms")
app.config_from_object("django.conf:settings", namespace="CELERY")
# RedBeat looks these up among the keys of the configuration, where Django's prefixed settings do not appear.
app.conf.redbeat_redis_url = settings.CELERY_REDBEAT_REDIS_URL
app.conf.redbeat_redis_options = {"health_check_interval": 30}
app.conf.redbeat_lock_timeout = settings.CELERY_REDBEAT_LOCK_TIMEOUT
app.autodiscover_tasks()
# As root the embedded databases run as another user, but files under `var/` belong to root, and so must the worker.
warnings.filterwarnings("ignore", category=SecurityWarning)


@setup_logging.connect
def keep_djangos_logging(**_: Any) -> None:
    """Being connected is all it takes: Celery then leaves the logging that Django set up alone."""


@worker_init.connect
def end_with_the_supervisor(**_: Any) -> None:
    """Its death is a request to finish. One that waits for Redis meanwhile, which went as well, would wait for ever."""
    if is_tied():
        options = {"seconds": ORPHAN_SECONDS}
        threading.Thread(target=end_after, args=(os.getppid(),), kwargs=options, name="orphan", daemon=True).start()


@celeryd_after_setup.connect
def read_what_children_share(instance: Any, **_: Any) -> None:
    """Links in messages need the addresses of the pages: 77 MB that each child would read for itself."""
    if instance.concurrency > 1:
        import_module(settings.ROOT_URLCONF)


@worker_process_init.connect
def end_with_the_worker(**_: Any) -> None:
    """A pool process whose worker was killed while it was being made would wait for tasks for ever."""
    parent = getattr(current_process(), "_parent_pid", None)  # none where a worker has no pool
    if parent is not None:
        end_with(parent)


@worker_ready.connect
def listen_to_itself(sender: Any, **_: Any) -> None:
    """One that lost its ear in an outage of Redis ends by itself: see `lms.deafness`."""
    from lms.deafness import listen

    over = threading.Event()
    ear = listen(name=sender.hostname, queues=list(sender.app.amqp.queues.consume_from), over=over)
    task_received.connect(lambda **_: ear.hear(), weak=False)
    worker_shutting_down.connect(lambda **_: over.set(), weak=False)


@before_task_publish.connect
def send_request_id_and_time(headers: dict[str, Any], **_: Any) -> None:
    signs.stamp(headers)
    headers.setdefault("request_id", structlog.contextvars.get_contextvars().get("request_id") or uuid.uuid4().hex)


@task_prerun.connect
def bind_request_id(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request_id=getattr(task.request, "request_id", None), task=task.name, task_id=task_id
    )


@task_postrun.connect
def unbind_request_id(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()
