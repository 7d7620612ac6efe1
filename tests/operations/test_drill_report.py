"""The page of a drill: everything in it, nothing from elsewhere, and the figures that were measured."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from operations.domain.crowd.measure import CrowdReport, Operation, Progress
from operations.domain.drill import charts
from operations.domain.drill.comparison import compare
from operations.domain.drill.limits import Limits, judge
from operations.domain.drill.record import ErrorKind, Moment, Record
from operations.domain.drill.report import PAGE, render, write_report
from operations.domain.drill.sampling import Look
from operations.domain.drill.writing import errors_of, moments_of, operations_of, saturation
from tests.operations.drill_records import fault, moments, operation, record


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def judged(made: Record) -> Record:
    return replace(made, findings=judge(made, Limits()))


def page_of(made: Record, before: Record | None = None) -> Page:
    return Page(render(made, compare(before, made, name="20261108-040000") if before else None, limits=Limits()))


class TestPage:
    def test_a_go_with_its_figures(self) -> None:
        page = page_of(judged(record(at_door=3, by_link=20)))

        assert page.open == [], "every element is closed"
        assert "3 at the door without an account, 20 by a sign-in link" in page.text
        assert page.text.startswith("Go · PCOS after thirty · 15 November 2026")
        assert "All 5 limits hold. 100 registered doctors came within 0.5 minutes, at 1×." in page.text
        assert "none was lost" in page.text
        assert "Page 120 240 360 480 100 0 0 0" in page.text
        assert "This is the first one in its folder." in page.text
        assert "No error was met." in page.text

    def test_a_no_go_with_faults_errors_losses_and_the_drill_before(self) -> None:
        made = judged(
            record(
                operations=(operation("page", 1_500.0, failed=2), operation("join", 900.0)),
                errors=(ErrorKind("page: 502", 2, ("04:00:07 page: 502 /webinars/7/",)),),
                faults=(fault(12.0, None),),
                lost=1,
                lost_examples=("acknowledged and lost: person 4",),
                kept_back=3,
                unmeasured=("The database did not answer 2 of 30 looks at its sessions.",),
            )
        )
        page = page_of(made, record())

        assert page.text.startswith("No-go ·")
        assert "4 of 7 limits do not hold" in page.text
        assert "Page, p95 240 ms 1,500 ms ↑ worse" in page.text
        assert "faults: none then, redis-restart now" in page.text
        assert "redis-restart 0:12 never valkey: SIGKILL to 4711" in page.text
        assert "page: 502 04:00:07 page: 502 /webinars/7/ 2" in page.text
        assert "acknowledged and lost: person 4" in page.text
        assert "3 messages that the site wanted to send" in page.text
        assert "did not answer 2 of 30" in page.text

    def test_a_drill_that_was_interrupted_gives_no_verdict(self) -> None:
        page = page_of(replace(judged(record()), unfinished="It was interrupted."))

        assert page.text.startswith("No verdict ·")
        assert "It was interrupted." in page.text

    def test_nothing_comes_from_elsewhere_and_nothing_of_the_data_is_markup(self) -> None:
        made = judged(record(title="<script>alert(1)</script>", errors=(ErrorKind("<b>", 1, ("<img src=x>",)),)))
        text = render(made, None, limits=Limits())
        page = Page(text)

        assert "<script" not in text
        assert "<img" not in text
        assert "<script>alert(1)</script>" in page.text
        assert not {name for name, _ in page.attributes} & {"src", "href", "style", "onclick", "xlink:href"}
        assert re.findall(r"url\(|@import|https?://", text) == []

    def test_a_folder_for_each_and_the_newest_is_compared_with(self, tmp_path: Path) -> None:
        first = write_report(judged(record()), tmp_path, limits=Limits())
        second = write_report(judged(record(began_at="2026-11-22T04:00:00+00:00")), tmp_path, limits=Limits())

        assert [path.name for path in sorted(tmp_path.iterdir())] == ["20261115-060000", "20261122-040000"]
        assert "20261115-060000" in (second / PAGE).read_text()
        assert "first one in its folder" in (first / PAGE).read_text()
        assert second.stat().st_mode & 0o077 == 0


class TestCharts:
    def test_lines_are_scaled_limits_drawn_and_gaps_left(self) -> None:
        made = record(
            moments=(
                Moment(at=0.0, page_p95=100.0),
                Moment(at=10.0, page_p95=400.0),
                Moment(at=20.0),
                Moment(at=40.0, page_p95=200.0, join_p95=900.0),
            ),
            faults=(fault(10.0, 20.0),),
        )
        _, waiting, _ = charts.charts_of_doctors(made, page_limit=1_000.0, join_limit=30_000.0)

        page, join = waiting.lines
        assert page.paths == ("0.0,285.0 250.0,240.0", "1000.0,270.0 1000.0,270.0")
        assert join.paths == ("1000.0,165.0 1000.0,165.0",)
        assert (page.mean, page.highest) == ("233", "400")
        assert waiting.limits == ((150.0, "limit for pages"),), "the other one is far above"
        assert [(band.x, band.width) for band in waiting.bands] == [(250.0, 250.0)]
        assert waiting.times == ("0:00", "0:20", "0:40")
        assert [words for _, words in waiting.ticks] == ["2,000", "1,000", "0"]

    def test_a_kind_of_process_has_one_tone_and_the_dead_use_nothing(self) -> None:
        made = record(
            moments=(
                Moment(at=1.0, cpu={"web": 50.0, "worker": 5.0}, memory={"web": 2**20}),
                Moment(at=2.0, cpu={"worker": 5.0}, memory={"web": 2**20}),
            )
        )
        cpu, memory, *_ = charts.charts_of_machine(made)

        tones = {line.name: line.tone for line in cpu.lines}
        assert tones == {name: charts.TONES[name] for name in ("web", "worker", "whole machine") if name in tones}
        assert tones["web"] == {line.name: line.tone for line in memory.lines}["web"]
        assert len(set(tones.values())) == len(tones)
        assert next(line for line in cpu.lines if line.name == "web").mean == "25"

    def test_hours_of_looks_are_thinned(self) -> None:
        many = tuple(Moment(at=float(second)) for second in range(5_000))

        assert len(charts.thinned(many)) <= charts.MOST_POINTS
        assert charts.thinned(many[:10]) == many[:10]

    @pytest.mark.parametrize(
        ("highest", "top"), [(0.0, 1.0), (0.07, 0.08), (9.0, 10.0), (10.0, 20.0), (430.0, 500.0), (2_001.0, 3_000.0)]
    )
    def test_axes_end_on_a_readable_figure(self, highest: float, top: float) -> None:
        assert charts.nice_top(highest) == pytest.approx(top)


class TestWhatTheCrowdMet:
    @staticmethod
    def met(**counts: Any) -> Operation:
        made = Operation(**counts)
        for number in range(made.ok):
            made.latency.add(0.1 if number < made.ok - 1 else 2.0)
        return made

    def test_operations_and_errors(self) -> None:
        report = CrowdReport()
        page, join = self.met(ok=100), self.met(ok=10, unknown=1)
        page.failed["502"] = 3
        report.operations = {"vote": self.met(ok=1), "join": join, "page": page}
        report.failures = ["04:00:07 page: 502 /webinars/7/", "04:00:08 join: unknown, timeout"]

        found = operations_of(report)
        assert [one.name for one in found] == ["page", "join", "vote"]
        assert (found[0].ok, found[0].failed, found[0].count) == (100, 3, 103)
        assert found[0].p95 == pytest.approx(100, rel=0.02)
        assert found[0].longest == 2_000.0
        assert [(one.kind, one.count, one.examples) for one in errors_of(report)] == [
            ("page: 502", 3, ("04:00:07 page: 502 /webinars/7/",)),
            ("join: unknown", 1, ("04:00:08 join: unknown, timeout",)),
        ]

    def test_looks_are_put_beside_what_had_been_met_by_then(self) -> None:
        def progress(elapsed: float, count: int, **buckets: int) -> Progress:
            return Progress(elapsed=elapsed, arrived=count, ok=count, unknown=1, latencies={"page": dict(buckets)})

        course = [progress(1.0, 10, **{"500": 5}), progress(2.0, 20, **{"500": 5, "600": 4})]
        early, first, second, third = moments_of(
            [Look(at=-1.0), Look(at=0.5), Look(at=1.2, cpu={"web": 9.0}), Look(at=5.0), Look(at=6.0)], course
        )

        assert (early.requests, early.page_p95) == (0, None)
        assert (first.requests, first.errors, first.cpu) == (11, 1, {"web": 9.0})
        assert (second.requests, second.arrived) == (21, 20)
        assert second.page_p95 is not None
        assert first.page_p95 is not None
        assert second.page_p95 > first.page_p95, "only of what came in between"
        assert third.page_p95 is None

    def test_what_was_full(self) -> None:
        busy = [replace(moment, busy=97.0) for moment in moments((1.0, 1, 0), (2.0, 2, 0))]

        assert saturation(moments((1.0, 1, 0)), cores=2, late=0.0) == "nothing"
        assert "load generator itself: it was up to 2.0 s late" in saturation(busy, cores=2, late=2.0)
        assert saturation(busy, cores=2, late=0.0) == (
            "the CPU of this machine; 21 % of what was used went to web, 74 % to programs that are no part of the drill"
        )
