"""Twenty virtual doctors at a real site, and whether what it acknowledged is there. No browser: they are one."""

import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from operations.domain.crowd.measure import CrowdReport, Progress
from operations.domain.crowd.plan import Behaviour, CrowdPlan, Member
from operations.domain.crowd.run import run_crowd
from operations.domain.crowd.verify import verify
from tests.e2e.conftest import Site

pytestmark = pytest.mark.site
DOCTORS = 20
# Everybody does something within some seconds, and nobody asks more than the site allows before all have come.
BUSY = Behaviour(
    home_share=0.3, new_browser_share=0.1, polling_share=0.2, beat_seconds=1.0, follows_media=True,
    questions_an_hour=240.0, vote_share=1.0, vote_seconds=1.0,
)  # fmt: skip


@dataclass(frozen=True)
class Visit:
    webinar: int
    report: CrowdReport

    def lines(self, kind: str) -> list[list[str]]:
        rows = [line.split("\t") for one in self.report.journals for line in Path(one).read_text().splitlines()]
        return [row for row in rows if row[0] == kind]


@pytest.fixture(scope="module")
def visit(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """Until all have come and have watched and written a little, or for three minutes."""
    world = site.run("tests.bench.surge_world", "make", str(DOCTORS))
    site.run("tests.bench.surge_world", "poll", str(world["webinar"]))
    plan = CrowdPlan(
        base_url=site.url, webinar_id=world["webinar"], audience=[Member(**one) for one in world["members"]],
        minutes=0.05, multiple=DOCTORS / 50, stay_seconds=180, timeout_seconds=90, behaviour=BUSY,
    )  # fmt: skip
    enough = threading.Event()
    rows = "SELECT count(*) FROM {} WHERE {} = %s"

    def look(progress: Progress) -> None:
        if progress.joined >= DOCTORS and all(
            site.rows(rows.format(*where), world["webinar"])[0][0] >= least
            for where, least in (
                (("webinars_watchrecord", "webinar_id"), DOCTORS),
                (("webinars_question", "webinar_id"), 5),
                (("webinars_pollvote v JOIN webinars_poll p ON p.id = v.poll_id", "p.webinar_id"), DOCTORS),
            )
        ):
            enough.set()

    folder = tmp_path_factory.mktemp("crowd")
    return Visit(world["webinar"], run_crowd(plan, processes=2, on_progress=look, log_folder=folder, cancelled=enough))


def test_all_come_as_far_as_playing_and_nothing_fails(visit: Visit) -> None:
    report = visit.report
    joined = report.operation("join").ok
    assert (report.arrived, report.joined, joined) == (DOCTORS, DOCTORS, DOCTORS), report.failures
    wanted = ("page", "play_session", "playlist", "segment", "question", "vote", "poll", "static")
    assert {name: report.operation(name).failed for name in wanted} == {name: Counter() for name in wanted}
    assert all(report.operation(name).ok for name in (*wanted, "socket", "beat_ack")), report.failures


def test_what_was_acknowledged_is_in_the_database(visit: Visit, site: Site) -> None:
    verdict = verify(visit.report.journals, dsn=site.database_url, webinar_id=visit.webinar)
    assert verdict.is_clean, verdict.examples
    assert verdict.acked_beats == len(visit.lines("beat")) > 0
    assert (verdict.ok_votes, verdict.ok_questions > 0) == (len(visit.lines("vote")), True)


def test_what_is_missing_is_found(visit: Visit, site: Site) -> None:
    """A record, a question and a vote vanish behind the site's back; a question that was refused is there."""
    user = visit.lines("beat")[0][1]
    beats = [line for line in visit.lines("beat") if line[1] == user]
    asked = [line for line in visit.lines("question") if line[2] == "ok"]
    vote = visit.lines("vote")[0]
    refused = Path(visit.report.journals[0]).with_name("refused.log")
    refused.write_text("\t".join(["question", asked[1][1], "failed", asked[1][3]]) + "\n")
    with psycopg.connect(site.database_url) as connection:
        connection.execute("DELETE FROM webinars_watchrecord WHERE user_id = %s", [user])
        connection.execute("DELETE FROM webinars_question WHERE client_key = %s", [asked[0][3]])
        connection.execute("DELETE FROM webinars_pollvote WHERE user_id = %s", [vote[1]])
        connection.commit()
    verdict = verify([*visit.report.journals, refused], dsn=site.database_url, webinar_id=visit.webinar)
    assert (verdict.lost_acks, verdict.lost_questions, verdict.lost_votes) == (len(beats), 1, 1)
    assert verdict.unexpected_questions == 1
    assert not verdict.is_clean
    assert any(f"person {user}, live" in example for example in verdict.examples)
