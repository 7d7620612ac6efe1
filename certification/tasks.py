"""Celery doorbells of credit. What is to be done stands in PostgreSQL, and a lost bell costs some minutes."""

from datetime import timedelta

from celery import shared_task

from core.clock import asked_now
from core.logging import get_logger

CHAIN = timedelta(seconds=55)  # shorter than the sweep's minute, which starts the next one
log = get_logger("certification")


@shared_task(name="certification.grant_credits", expires=240)
def grant_credits() -> int:
    """Run every five minutes: who did something lately and has earned credit that nobody has to ask for."""
    from certification.domain.granting import grant_credits as work

    return work(now=asked_now())


@shared_task(name="certification.grant_all_credits", expires=3_600)
def grant_all_credits() -> int:
    """Run once a day: everybody, because not everything that changes a decision leaves its time."""
    from certification.domain.granting import grant_credits as work

    return work(now=asked_now(), everybody=True)


@shared_task(name="certification.close_settled", expires=3_600)
def close_settled() -> int:
    """Run every hour: activities whose time is over grant nothing more."""
    from certification.domain.closing import close_settled as work

    return work(now=asked_now())


@shared_task(name="certification.publish_heads", expires=3_600)
def publish_heads() -> int:
    """Run every hour; each ledger's head is published once a day."""
    from certification.domain.publishing import publish_heads as work

    return len(work(now=asked_now()))


@shared_task(name="certification.issue_due", expires=300)
def issue_due() -> int:
    """Run every five minutes: certificates whose rules hold now, in programmes that have a template."""
    from certification.domain.issuing import IssuingError, issuing_programmes
    from certification.domain.issuing import issue_due as work
    from certification.domain.keys import NoKeyError

    issued = 0
    for programme in issuing_programmes():
        try:
            issued += work(programme=programme, now=asked_now()).new
        except (IssuingError, NoKeyError) as error:
            log.warning("certification.nothing_issued", programme=programme.pk, reason=str(error))
        except Exception:  # of this programme: the others have their certificates
            log.exception("certification.issuing_failed", programme=programme.pk)
    return issued


@shared_task(name="certification.make_file")
def make_file(certificate_id: int) -> None:
    """Rung when a few are issued, and when a doctor wants one that is not there yet."""
    from certification.domain.files import make_file as work

    work(certificate_id=certificate_id, now=asked_now())


@shared_task(name="certification.make_missing_files", expires=60)
def make_missing_files() -> int:
    """Run every minute: what a lost bell left, and what was issued by the thousand. Workers share the work."""
    from certification.domain.files import make_missing

    return make_missing(now=asked_now())


@shared_task(name="certification.make_packs", expires=60)
def make_packs() -> int:
    """Rung when somebody asks for evidence, and run every minute: what was asked for is made, what is old goes."""
    from certification.domain.pack_orders import make_due_packs, remove_old_packs

    remove_old_packs(now=asked_now())
    return make_due_packs(now=asked_now())


@shared_task(name="certification.send_disclosure_requests", expires=60)
def send_disclosure_requests(until: float | None = None) -> None:
    """Rung when somebody is asked, and run every minute: one batch, then to the end of the queue."""
    from certification.domain.disclosure_mail import send_queued

    until = (asked_now() + CHAIN).timestamp() if until is None else until
    if send_queued(now=asked_now()) and asked_now().timestamp() < until:
        send_disclosure_requests.delay(until)


@shared_task(name="certification.tell_office", expires=300)
def tell_office() -> int:
    """Rung when a doctor asks to be erased, and run every five minutes."""
    from certification.domain.my_data import tell_office as work

    return work(now=asked_now())


@shared_task(name="certification.make_transcript", expires=120)
def make_transcript(user_id: int, language: str) -> None:
    """Rung when a doctor wants it and it is not there; their page looks again by itself, and would ring again."""
    from certification.domain.transcript_file import make_transcript as work

    work(user_id=user_id, language=language, now=asked_now())
