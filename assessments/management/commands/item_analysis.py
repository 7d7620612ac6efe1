import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from assessments.domain.analysis.flags import Flag
from assessments.domain.analysis.report import make_report
from assessments.models import Quiz
from core.clock import asked_now


class Command(BaseCommand):
    """Also keeps the report for the page of the authors."""

    help = "Works out the figures of a test: how its questions behave, how reliable it is, what was learned."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("quiz", type=int, help="the number of the test, as in the address of its page")
        parser.add_argument("--json", action="store_true", help="everything, as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        quiz = Quiz.objects.select_related("lesson").filter(pk=options["quiz"]).first()
        if quiz is None:
            raise CommandError(f"There is no test {options['quiz']}.")
        report = make_report(quiz=quiz, now=asked_now()).report
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        for line in _lines(quiz.lesson.title, report):
            self.stdout.write(line)


def _lines(title: str, report: dict[str, Any]) -> list[str]:
    reliability, gain, model = report["reliability"], report["gain"], report["model"]
    name = "KR-20" if reliability["is_dichotomous"] else "Cronbach's alpha"
    lines = [
        f"{title}: {report['people']:,} doctors, {report['length']:.1f} questions each, {report['seconds']} s",
        f"mean {_number(report['mean'], 1)} %, deviation {_number(report['deviation'], 1)} %",
        f"{name} {_number(reliability['alpha'])}, standard error of measurement {_number(reliability['error'])} points",
    ]
    if model:
        state = "converged" if model["has_converged"] else "did not converge"
        lines.append(f"2PL on {model['people']:,} doctors: {state} after {model['iterations']} rounds")
    if gain:
        lines.append(
            f"gain {gain['gain']:+.1f} % ({gain['low']:+.1f} to {gain['high']:+.1f}) of {gain['people']:,} doctors, "
            f"normalised {_number(gain['normalised'])}, effect size {_number(gain['effect'])}"
        )
    lines += ["", "  right  telling    a      b   blank  seconds  question"]
    for item in report["items"]:
        lines += _item_lines(item)
    return lines


def _item_lines(item: dict[str, Any]) -> list[str]:
    figures, model = item["figures"], item["model"] or {}
    told, slope, place = figures["discrimination"], model.get("discrimination"), model.get("difficulty")
    row = (
        f"{figures['facility']:7.0%}  {_number(told):>7}  {_number(slope):>5}  {_number(place):>5}  "
        f"{figures['blank']:6.0%}  {_number(figures['seconds'], 0):>7}  {item['name']} (version {item['number']})"
    )
    return [row, *(f"{'':9}{Flag(flag['code'], flag['values']).advice}" for flag in item["flags"])]


def _number(value: float | None, places: int = 2) -> str:
    return "–" if value is None else f"{value:.{places}f}"
