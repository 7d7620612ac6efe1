"""How much work an audience makes: rates at the planned peak, when the last arrive while the others watch already."""

from dataclasses import dataclass

from operations.domain.capacity.inputs import VIEWERS, Assumptions, Audience, Costs
from webinars.ingest.ladder import AUDIO_KBIT, STEPS

SEGMENT_AND_PLAYLIST = 1.0  # requests a second of a viewer: each every two seconds
BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Per second at the peak where nothing else is said. `cores` are measured ones, at full use."""

    arrivals: float
    api_requests: float
    page_requests: float
    renewals: float  # part of api_requests
    beats: float
    deliveries: float
    sockets: float
    web_cores: float
    realtime_cores: float
    worker_cores: float
    realtime_memory_kb: float
    database_write_cores: float
    database_read_cores: float
    http_commits: float  # besides those of the group commit
    redis_operations: float
    redis_memory_kb: float
    media_gbit: float
    media_gb_a_webinar: float
    cdn_requests_a_webinar: float
    pages_gb_a_webinar: float
    rows_a_year: float

    @property
    def database_cores(self) -> float:
        return self.database_write_cores + self.database_read_cores


def load_of(audience: Audience, costs: Costs, given: Assumptions) -> Load:
    people = audience.doctors
    sockets = people * (1 - audience.polling_share)
    arrivals = people / (audience.arrival_minutes * 60) * given.arrival_peak
    sign_ins = arrivals * audience.sign_in_share
    votes = people * audience.vote_share / audience.vote_seconds if audience.polls_an_hour else 0.0
    questions = people * audience.questions_a_doctor_hour / 3600
    polled = people * audience.polling_share
    renewals = people / given.grant_renewal_seconds
    reads = arrivals * given.api_requests_on_arrival + renewals + polled / given.poll_seconds
    writes = votes + questions + polled / given.beat_seconds + sign_ins * given.requests_to_sign_in
    api, pages = reads + writes, arrivals * 2
    beats = sockets / given.beat_seconds
    deliveries = sockets * (1 / given.presence_seconds + audience.room_events_a_minute / 60)
    joins = arrivals * (1 - audience.polling_share)
    query_ms = given.query_cpu_ms_postgresql
    page_queries = arrivals * (costs.home_queries + costs.watch_queries)
    hours = audience.webinar_minutes / 60
    requests_a_webinar = people * (given.api_requests_on_arrival + 2) + renewals * hours * 3600
    return Load(
        arrivals=arrivals,
        api_requests=api,
        page_requests=pages,
        renewals=renewals,
        beats=beats,
        deliveries=deliveries,
        sockets=sockets,
        web_cores=(arrivals * (costs.home_cpu_ms + costs.watch_cpu_ms) + api * costs.poll_cpu_ms) / 1000,
        realtime_cores=joins * costs.join_cpu_ms_server / 1000
        + (beats * costs.cpu_us_per_beat_server + deliveries * costs.fanout_cpu_us) / 1e6,
        worker_cores=max(
            sign_ins * given.mail_cpu_ms / 1000,
            people / (given.completion_minutes * 60) * given.completion_cpu_ms / 1000,
        ),
        realtime_memory_kb=sockets * costs.kb_per_socket * given.socket_memory_factor,
        database_write_cores=beats * costs.cpu_us_per_beat_postgresql / 1e6
        + (writes * given.api_queries * query_ms + joins * costs.join_cpu_ms_postgresql) / 1000,
        database_read_cores=(reads * given.api_queries + page_queries) * query_ms / 1000,
        http_commits=writes + arrivals,
        redis_operations=(api + pages) * given.redis_operations_a_request,
        redis_memory_kb=people * given.redis_kb_a_doctor,
        media_gbit=people * mean_kbits(given) / 1e6,
        media_gb_a_webinar=people * mean_kbits(given) * hours * 3600 / BITS / 1e6,
        cdn_requests_a_webinar=people * SEGMENT_AND_PLAYLIST * hours * 3600,
        pages_gb_a_webinar=requests_a_webinar * given.page_kb / 1e6,
        rows_a_year=people * given.rows_a_visit * audience.webinars_a_month * 12,
    )


def mean_kbits(given: Assumptions) -> float:
    """Of a viewer: the ladder's highest rates by who watches what, and how far slides fill them."""
    rates = {step.name: step.video_kbit + step.audio_kbit for step in STEPS} | {"audio": AUDIO_KBIT}
    return sum(rates[name] * share for name, share in VIEWERS.items()) * given.ladder_fill


def ladder_kbits() -> float:
    """Of all qualities of a recording together."""
    return float(sum(step.video_kbit + step.audio_kbit for step in STEPS) + AUDIO_KBIT)
