"""Doorbells. What is to be done stands in PostgreSQL; a lost bell costs a minute, until the sweep."""

from uuid import UUID

from celery import shared_task
from django.utils.timezone import now


@shared_task(name="courses.tasks.run_import", expires=600)
def run_import(import_id: str) -> None:
    from courses.domain.people_imports import run

    run(import_id=UUID(import_id), now=now())


@shared_task(name="courses.tasks.sweep", expires=60)
def sweep() -> None:
    from courses.domain.people_imports import ring_for_waiting

    ring_for_waiting()
