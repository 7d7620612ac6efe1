"""A drill from the first look at the webinar to the record; whatever happens, nothing of the copy stays."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from operations.domain.backups.programs import parameters_of_site
from operations.domain.crowd.measure import Progress
from operations.domain.crowd.plan import MOST_DOCTORS, Behaviour, CrowdError, CrowdPlan, Member
from operations.domain.crowd.run import ADDRESSES, START_SECONDS, run_crowd
from operations.domain.crowd.verify import verify
from operations.domain.drill import audience
from operations.domain.drill.copying import copy_database
from operations.domain.drill.errors import DrillError
from operations.domain.drill.faults import Planned, plan_faults
from operations.domain.drill.hosts import check_target
from operations.domain.drill.injecting import Injector, check_targets
from operations.domain.drill.limits import Limits, judge
from operations.domain.drill.media import copy_recording
from operations.domain.drill.place import Place, clean, keep_logs, only_drill
from operations.domain.drill.record import Record
from operations.domain.drill.sampling import Sampler
from operations.domain.drill.site import Databases, Elsewhere, Site, Target, media_folder, read_environment
from operations.domain.drill.stage import Stage, beside
from operations.domain.drill.stagehand import Times, times_for
from operations.domain.drill.staging import Order
from operations.domain.drill.writing import Facts, make_record
from webinars.domain.spot import ASKS_PER_ADDRESS, ASKS_PER_WINDOW

MOST_MULTIPLE, MOST_MINUTES = 4, 60.0
MOST_SPOT_PERCENT = 50
SAMPLES = 400  # looks at the processes in a drill, at most one a second


@dataclass(frozen=True)
class Wishes:
    webinar_id: int
    synthetic: int = 0
    multiple: int = 1
    minutes: float = 10.0
    within: float = 10.0  # in which the whole audience would come
    spot_percent: float = 0.0  # who come besides, without an account
    link_percent: float = 0.0  # of the audience, who come signed out, by a link
    stay_seconds: float = 60.0
    seed: int = 1
    faults: tuple[str, ...] = ()
    replicas: Mapping[str, int] = field(default_factory=lambda: {"web": 2, "realtime": 2, "worker": 1, "beat": 1})
    port: int = 0
    processes: int = 2
    limits: Limits = field(default_factory=Limits)
    into: str = ""  # a staging site elsewhere instead of replicas of its own
    environment: Path | None = None  # of that site
    allowed_hosts: tuple[str, ...] = ()
    logs: Path | None = None  # a folder for the logs of the replicas

    @property
    def has_mailboxes(self) -> bool:
        """Whether those who come can read what the site sends them: a worker writes it into a folder of the copy."""
        return not self.into and self.replicas.get("worker", 0) > 0


@dataclass(frozen=True)
class Preview:
    """What would be played: for the question before it begins."""

    title: str
    kind: str
    people: int
    doctors: int
    at_door: int
    planned: tuple[Planned, ...]


class Interrupt:
    """Ctrl-C: while doctors are there they are sent home in order; at any other time it is KeyboardInterrupt."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.soft = False

    def __call__(self, *_signal: object) -> None:
        self.event.set()
        if not self.soft:
            raise KeyboardInterrupt

    @contextmanager
    def softly(self) -> Iterator[threading.Event]:
        self.soft = True
        try:
            yield self.event
        finally:
            self.soft = False


def preview(wishes: Wishes) -> Preview:
    """Reads the site's data and changes nothing. Raises DrillError for what cannot be played."""
    if not 1 <= wishes.multiple <= MOST_MULTIPLE:
        raise DrillError(f"The multiple must be between 1 and {MOST_MULTIPLE}.")
    if not 0 <= wishes.spot_percent <= MOST_SPOT_PERCENT or not 0 <= wishes.link_percent <= 100:
        raise DrillError(f"--spot is at most {MOST_SPOT_PERCENT} percent, --sign-in at most 100.")
    if not 0 < wishes.minutes <= MOST_MINUTES or wishes.within <= 0:
        raise DrillError(f"A drill takes up to {MOST_MINUTES:g} minutes.")
    webinar = audience.find_webinar(wishes.webinar_id)
    if wishes.synthetic:
        kind, people = audience.SYNTHETIC, wishes.synthetic
    else:
        kind = audience.kind_of(webinar)
        people = audience.people_of(webinar, kind).count()
    size = audience.Size(wishes.multiple, wishes.minutes, wishes.within, wishes.spot_percent)
    doctors, at_door = size.doctors(people), size.at_door(people)
    if doctors + at_door > MOST_DOCTORS:
        raise DrillError(f"{doctors + at_door:,} doctors are more than one drill may send: {MOST_DOCTORS:,}.")
    if at_door > _most_at_door(wishes):
        raise DrillError(f"{at_door:,} without an account are more than the door takes from here: a smaller --spot.")
    planned = plan_faults(list(wishes.faults), seconds=wishes.minutes * 60)
    return Preview(str(webinar), kind, people, doctors, at_door, tuple(planned))


def _most_at_door(wishes: Wishes) -> int:
    """In ten minutes, from as many addresses as the crowd has; half of it, for those who ask again."""
    addresses = 1 if wishes.into else ADDRESSES * wishes.processes
    return min(ASKS_PER_WINDOW.most, ASKS_PER_ADDRESS.most * addresses) // 2


def conduct(
    wishes: Wishes,
    *,
    place: Place,
    interrupt: Interrupt,
    say: Callable[[str], None],
    on_progress: Callable[[Progress], None],
    now: datetime,
) -> Record:
    """Raises DrillError when it could not be run. A drill that was cut short has a record that says so."""
    planned = preview(wishes).planned
    with only_drill(place), ExitStack() as stack:
        if clean(place):
            say("What an earlier drill had left was removed.")
        stack.callback(_clear, place, interrupt)
        site = _elsewhere(wishes, place) if wishes.into else _own_site(wishes, place, say=say, now=now)
        stack.callback(site.end)
        check_targets(planned, site.status())
        stage = stack.enter_context(beside(site, _order(wishes)))
        scene = stage.scene
        say(f"{len(scene['members']):,} doctors are ready; the address of the copy is {site.url}")
        keys = (member["session_key"] for member in scene["members"])
        site.warm(f"/webinars/{wishes.webinar_id}/", next(filter(None, keys), ""))
        facts = _play(wishes, planned, site=site, stage=stage, interrupt=interrupt, say=say, on_progress=on_progress)
        record = make_record(wishes, scene, facts, title=str(audience.find_webinar(wishes.webinar_id)), now=now)
        keep_logs(place, into=wishes.logs)
        return replace(record, findings=judge(record, wishes.limits))


def _own_site(wishes: Wishes, place: Place, *, say: Callable[[str], None], now: datetime) -> Target:
    _fill(wishes, place=place, say=say, now=now)
    say("Starting the replicas …")
    return Site(place, replicas=wishes.replicas, port=wishes.port or _free_port())


def _elsewhere(wishes: Wishes, place: Place) -> Target:
    url = check_target(wishes.into, allowed=wishes.allowed_hosts, site_url=settings.SITE_URL)
    if wishes.environment is None:
        raise DrillError("--into needs --environment: how the processes there are started, as NAME=value lines.")
    try:
        return Elsewhere(place, url=url, given=read_environment(wishes.environment))
    except psycopg.Error as error:
        raise DrillError(f"The database of {url} does not answer: {error}") from error


def _clear(place: Place, interrupt: Interrupt) -> None:
    with interrupt.softly():  # a second Ctrl-C would leave the copy behind
        clean(place)


def site_source() -> dict[str, Any]:
    """Where the data are read from. Not through PgBouncer: see `copy_database`."""
    if settings.DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"]:
        raise DrillError(
            "DATABASE_URL leads to PgBouncer. For a drill it must lead to PostgreSQL itself, to be copied."
        )
    return parameters_of_site()


def _fill(wishes: Wishes, *, place: Place, say: Callable[[str], None], now: datetime) -> None:
    source = site_source()
    webinar = audience.find_webinar(wishes.webinar_id)
    with Databases(place) as urls:
        say("Copying the data …")
        into = conninfo_to_dict(urls["DATABASE_URL"])
        copied = copy_database(source=source, into=into, now=now)
        size = copy_recording(webinar.video, into=media_folder(place))
    say(f"{copied.bytes / 2**20:,.0f} MiB of data and {size / 2**20:,.0f} MiB of video copied and scrubbed.")


def _play(
    wishes: Wishes,
    planned: tuple[Planned, ...],
    *,
    site: Target,
    stage: Stage,
    interrupt: Interrupt,
    say: Callable[[str], None],
    on_progress: Callable[[Progress], None],
) -> Facts:
    plan = _plan(wishes, site, stage.scene["members"])
    load_before = os.getloadavg()[0]
    began = time.monotonic() + START_SECONDS
    sampler = Sampler(
        began=began,
        every=max(1.0, plan.seconds / SAMPLES),
        status=site.status,
        cluster=site.pid,
        database_url=site.database_url,
    )
    injector = Injector(planned, site=site, began=began, say=say)
    stage.tell(asdict(_times(wishes)))
    with interrupt.softly() as cancelled, sampler:
        injector.start()
        try:
            report = run_crowd(
                plan,
                processes=wishes.processes,
                on_progress=on_progress,
                log_folder=site.place.site / "crowd",
                cancelled=cancelled,
            )
        except CrowdError as error:
            raise DrillError(f"The crowd could not come: {error}") from error
        finally:
            injector.finish(at_once=cancelled.is_set())
    was_interrupted = interrupt.event.is_set()
    told, trouble = ([], "") if was_interrupted else stage.finish()
    verdict = verify(report.journals, dsn=site.database_url, webinar_id=wishes.webinar_id)
    return Facts(
        report=report,
        verdict=verdict,
        looks=tuple(sampler.looks),
        unanswered=sampler.unanswered,
        injected=tuple(injector.injected),
        told=tuple(told),
        target=site.url,
        replicas=site.replicas,
        kept_back=site.kept_back(),
        machine={
            "cores": os.cpu_count() or 1,
            "memory": psutil.virtual_memory().total,
            "load_before": round(load_before, 2),
        },
        unfinished="It was interrupted." if was_interrupted else trouble,
    )


def _plan(wishes: Wishes, site: Target, members: list[dict[str, Any]]) -> CrowdPlan:
    """Exactly the members: what the plan reckons from its multiple is the case study's audience, not this webinar's."""
    times = _times(wishes)
    try:
        return CrowdPlan(
            base_url=site.url,
            mail_folder=str(site.place.mail) if wishes.has_mailboxes else "",
            webinar_id=wishes.webinar_id,
            audience=[Member(**one) for one in members],
            minutes=wishes.minutes,
            multiple=len(members) / (1_000.0 * wishes.minutes),
            stay_seconds=wishes.stay_seconds,
            seed=wishes.seed,
            allowed_hosts=wishes.allowed_hosts,
            behaviour=Behaviour(
                questions_an_hour=2.0, vote_seconds=min(30.0, (times.poll_closes - times.poll_opens) / 2)
            ),
        )
    except CrowdError as error:
        raise DrillError(str(error)) from error


def _order(wishes: Wishes) -> Order:
    return Order(
        wishes.webinar_id,
        wishes.synthetic,
        wishes.multiple,
        wishes.minutes,
        wishes.within,
        wishes.seed,
        wishes.spot_percent,
        wishes.link_percent,
        wishes.has_mailboxes,
    )


def _times(wishes: Wishes) -> Times:
    return times_for(arrivals=wishes.minutes * 60, stay=wishes.stay_seconds)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
