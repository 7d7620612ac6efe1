"""Go or no-go, this drill beside the last, where drills may go, and when faults come: without a site."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from operations.domain.drill.comparison import Trend, compare, trend_of
from operations.domain.drill.errors import DrillError
from operations.domain.drill.faults import FAULTS, plan_faults
from operations.domain.drill.hosts import check_target
from operations.domain.drill.limits import Limits, judge, share_out
from operations.domain.drill.record import FILE, Record, newest_record
from tests.operations.drill_records import fault, moments, operation, record


def judged(made: Record, limits: Limits | None = None) -> Record:
    return replace(made, findings=judge(made, limits or Limits()))


def broken(made: Record, limits: Limits | None = None) -> list[str]:
    return [finding.name for finding in judged(made, limits).findings if not finding.holds]


class TestGoOrNoGo:
    def test_a_drill_that_keeps_every_limit_goes(self) -> None:
        assert broken(record()) == []
        assert judged(record()).goes

    @pytest.mark.parametrize(
        ("changes", "name"),
        [
            ({"operations": (operation("page", 1_001.0), operation("join", 900.0))}, "Pages, p95"),
            (
                {"operations": (operation("page", 9.0), operation("join", 3_001.0))},
                "From the first click to playing, p95",
            ),
            (
                {"operations": (operation("page", 9.0, failed=1), operation("join", 9.0))},
                "Errors",
            ),
            (
                {"operations": (operation("page", 9.0, unknown=1), operation("join", 9.0))},
                "Errors",
            ),
            ({"moments": moments((10.0, 200, 1))}, "Errors"),
            ({"lost": 1}, "Acknowledged and lost"),
            ({"came": 50}, "Doctors who came"),
        ],
    )
    def test_each_limit_alone_is_a_no(self, changes: dict[str, object], name: str) -> None:
        made = record(**changes)

        assert broken(made) == [name]
        assert not judged(made).goes

    def test_what_nobody_did_was_not_shown_to_be_fast(self) -> None:
        nobody = record(operations=(operation("page", 0.0, ok=0), operation("join", 0.0, ok=0)))

        assert broken(nobody) == ["Pages, p95", "From the first click to playing, p95"]

    def test_exactly_the_limit_holds(self) -> None:
        assert broken(record(operations=(operation("page", 1_000.0), operation("join", 3_000.0)))) == []

    def test_limits_can_be_given(self) -> None:
        made = record(operations=(operation("page", 1_500.0, failed=3), operation("join", 900.0)))

        assert broken(made, Limits(page_p95_ms=2_000.0, errors=3)) == []
        assert broken(made, Limits(page_p95_ms=2_000.0, errors=2)) == ["Errors"]

    def test_who_was_asked_to_come_again_is_no_error(self) -> None:
        made = record(operations=(operation("page", 9.0, shed=50), operation("join", 9.0)))

        assert broken(made) == []

    def test_join_repeats_its_parts_and_is_not_counted_twice(self) -> None:
        wholes = (operation("join", 9.0, failed=1), operation("spot", 9.0, failed=1))
        made = record(operations=(operation("page", 9.0, failed=1), *wholes))

        assert judged(made, Limits(errors=1)).goes

    def test_a_drill_that_was_cut_short_never_goes(self) -> None:
        assert not replace(judged(record()), unfinished="Ctrl-C").goes

    def test_without_findings_there_is_no_go(self) -> None:
        assert not record().goes


class TestFaultsInTheVerdict:
    TROUBLE = moments((10.0, 200, 0), (20.0, 400, 2), (30.0, 600, 2), (90.0, 900, 2))

    def test_errors_are_shared_out_by_time(self) -> None:
        assert share_out(self.TROUBLE, [fault(12.0, 14.0)]) == (0, 2, 400)
        assert share_out(self.TROUBLE, [fault(60.0, 61.0)]) == (2, 0, 300)
        assert share_out(self.TROUBLE, [fault(12.0, None)]) == (0, 2, 700)
        assert share_out(self.TROUBLE, []) == (2, 0, 0)

    def test_a_few_errors_of_a_fault_are_borne_and_many_are_not(self) -> None:
        operations = (operation("page", 9.0, failed=2), operation("join", 9.0))
        made = record(operations=operations, moments=self.TROUBLE, faults=(fault(12.0, 14.0),))

        assert broken(made) == []
        assert broken(made, Limits(fault_errors_percent=0.4)) == ["Errors while faults went on"]

    def test_errors_long_after_the_fault_are_errors(self) -> None:
        operations = (operation("page", 9.0, failed=2), operation("join", 9.0))
        made = record(operations=operations, moments=self.TROUBLE, faults=(fault(60.0, 61.0),))

        assert broken(made) == ["Errors outside of faults"]

    def test_a_site_that_stays_broken_or_takes_too_long_is_a_no(self) -> None:
        assert broken(record(faults=(fault(12.0, None),))) == ["Whole again after redis-restart"]
        assert broken(record(faults=(fault(12.0, 80.0),))) == ["Whole again after redis-restart"]
        assert broken(record(faults=(fault(12.0, 80.0),)), Limits(recovery_seconds=68.0)) == []


class TestComparison:
    def test_beyond_noise_only(self) -> None:
        assert trend_of(100.0, 119.0, noise=5.0) is Trend.SAME
        assert trend_of(100.0, 121.0, noise=5.0) is Trend.WORSE
        assert trend_of(100.0, 79.0, noise=5.0) is Trend.BETTER
        assert trend_of(10.0, 30.0, noise=25.0) is Trend.SAME
        assert trend_of(0, 1, noise=0.0) is Trend.WORSE
        assert trend_of(None, 1.0, noise=0.0) is Trend.SAME

    def test_the_figures_of_both_and_what_became_of_them(self) -> None:
        now = record(operations=(operation("page", 480.0, failed=2), operation("join", 500.0)))

        found = {change.name: change for change in compare(record(), now, name="20261115").changes}

        assert (found["Page, p95"].before, found["Page, p95"].now) == (240.0, 480.0)
        assert found["Page, p95"].trend is Trend.WORSE
        assert found["First click to playing, p95"].trend is Trend.BETTER
        assert found["Errors"].trend is Trend.WORSE
        assert found["Acknowledged and lost"].trend is Trend.SAME
        assert "Beat acknowledged, p95" not in found

    def test_one_lost_row_is_worse_whatever_was_before(self) -> None:
        found = compare(record(lost=10), record(lost=11), name="x")

        assert [change.trend for change in found.changes if change.name == "Acknowledged and lost"] == [Trend.WORSE]

    def test_what_makes_them_unlike_is_said(self) -> None:
        assert compare(record(), record(), name="x").unlike == ()
        assert compare(record(), record(multiple=2, faults=(fault(1.0, 2.0),)), name="x").unlike == (
            "multiple: 1× then, 2× now",
            "faults: none then, redis-restart now",
        )


class TestRecords:
    def test_a_record_comes_back_from_its_file_as_it_was(self) -> None:
        made = judged(record(faults=(fault(12.0, 14.0),), lost=1, lost_examples=("beat 7",)))

        assert Record.from_json(made.to_json()) == made
        assert json.loads(made.to_json())["go"] is False

    def test_the_newest_whole_one_is_compared_with(self, tmp_path: Path) -> None:
        for name, text in (
            ("20261101", record(seed=1).to_json()),
            ("20261108", record(seed=2).to_json()),
            ("20261115", record(seed=3, unfinished="Ctrl-C").to_json()),
            ("20261116", '{"format": 0}'),
            ("20261117", record().to_json()[:100]),
        ):
            (tmp_path / name).mkdir()
            (tmp_path / name / FILE).write_text(text)

        found = newest_record(tmp_path)

        assert found is not None
        assert (found[0], found[1].seed) == ("20261108", 2)
        assert newest_record(tmp_path / "20261101") is None


class TestTargets:
    SITE = "https://rounds.example"

    @pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"])
    def test_this_machine_is_allowed(self, address: str) -> None:
        assert check_target(address, allowed=(), site_url=self.SITE) == address.rstrip("/")

    @pytest.mark.parametrize(
        "address",
        [
            "https://staging.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://10.0.0.5",
            "http://2130706433",
        ],
    )
    def test_other_machines_only_when_they_are_named(self, address: str) -> None:
        with pytest.raises(DrillError, match="--allow-host"):
            check_target(address, allowed=["other.example"], site_url=self.SITE)

    def test_a_named_host(self) -> None:
        found = check_target("https://Staging.Example:8443/", allowed=["staging.example"], site_url=self.SITE)

        assert found == "https://Staging.Example:8443"

    def test_the_site_itself_never(self) -> None:
        with pytest.raises(DrillError, match="this site itself"):
            check_target("https://rounds.example", allowed=["rounds.example"], site_url=self.SITE)

    @pytest.mark.parametrize("address", ["", "staging", "ftp://127.0.0.1/", "http://", "https://me:pw@127.0.0.1/"])
    def test_what_is_no_address(self, address: str) -> None:
        with pytest.raises(DrillError, match="no address"):
            check_target(address, allowed=(), site_url=self.SITE)


class TestPlannedFaults:
    def test_given_minutes_and_an_even_spread_of_the_others(self) -> None:
        found = plan_faults(["web-kill", "redis-restart@0.25", "web-roll"], seconds=90.0)

        assert [(one.fault.name, one.at) for one in found] == [
            ("redis-restart", 15.0),
            ("web-kill", 30.0),
            ("web-roll", 60.0),
        ]

    @pytest.mark.parametrize("given", ["fire", "web-kill@", "web-kill@soon", "web-kill@2", "web-kill@-1"])
    def test_what_cannot_be(self, given: str) -> None:
        with pytest.raises(DrillError):
            plan_faults([given], seconds=60.0)

    def test_every_fault_names_processes_of_the_cluster(self) -> None:
        tiers = {"web", "realtime", "worker", "valkey", "postgresql", "pgbouncer", "nginx"}
        names = {name for one in FAULTS.values() for request in one.requests for name in request["names"]}

        assert {name.partition(".")[0] for name in names} == tiers
