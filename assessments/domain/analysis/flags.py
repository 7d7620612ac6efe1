"""What an author should look at, in plain words. Nothing is pointed at where there are too few answers to judge."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:  # pages name the flags, and none of them needs numpy
    from assessments.domain.analysis.classical import Classical
    from assessments.domain.analysis.distractors import Choice

FEWEST = 30  # answers: with fewer, chance says more than the question
EASY, HARD, WEAK = 0.95, 0.25, 0.15
ATTRACTS = 0.1  # point-biserial from which on a wrong answer draws those who know more
TAKEN, UNUSED = 0.05, 0.02
SKIPPED = 0.1
SLOW = 2.5  # times as long as the middle question of the test

ADVICE: dict[str, Any] = {
    "few": _("Too few answers to judge it by (%(people)d): wait for more."),
    "key": _("Option %(option)s attracts the best candidates: check the key."),
    "negative": _("Who knows more gets this wrong more often: check the key and the wording."),
    "weak": _("It hardly tells who knows more: look for a hint in the wording, or for two answers that are right."),
    "easy": _("Nearly everybody gets it right: keep it only if everybody has to know it."),
    "hard": _("Few get it right: check the key, whether it was taught, and the wording."),
    "unused": _("Nobody falls for option %(option)s: replace it with a mistake that doctors really make."),
    "skipped": _("Many leave it blank: is it clear what is asked, and is there time for it?"),
    "slow": _("It takes far longer than the other questions: shorten it, or give it more points."),
}
URGENT = frozenset({"key", "negative"})


@dataclass(frozen=True, slots=True)
class Flag:
    code: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_urgent(self) -> bool:
        return self.code in URGENT

    @property
    def advice(self) -> str:
        return str(ADVICE[self.code] % self.values)


def flags_of(*, figures: "Classical", choices: Sequence["Choice"], usual_seconds: float | None) -> list[Flag]:
    """Most urgent first. `usual_seconds` is what the middle question of the test takes."""
    if figures.people < FEWEST:
        return [Flag("few", {"people": figures.people})]
    by_chance = 2 / figures.people**0.5  # two standard errors of a correlation of 0
    found = [*_of_choices(choices, by_chance=by_chance), *_of_figures(figures, by_chance=by_chance)]
    if figures.blank > SKIPPED:
        found.append(Flag("skipped"))
    if figures.seconds is not None and usual_seconds and figures.seconds > SLOW * usual_seconds:
        found.append(Flag("slow"))
    return sorted(found, key=lambda flag: not flag.is_urgent)


def _of_choices(choices: Sequence["Choice"], *, by_chance: float) -> list[Flag]:
    """A wrong answer is compared with the right one: where both draw the best, the question is only hard."""
    wrong = [one for one in choices if one.name and not one.is_right]
    best = max((one.discrimination for one in choices if one.is_right and one.discrimination is not None), default=-1)
    found = []
    for one in wrong:
        drawn = one.discrimination
        if drawn is not None and one.share >= TAKEN and drawn >= max(ATTRACTS, by_chance) and drawn > best:
            found.append(Flag("key", {"option": _short(one.label)}))
    if any(one.is_right for one in choices):
        found += [
            Flag("unused", {"option": _short(one.label)}) for one in wrong if one.share < UNUSED and len(wrong) > 1
        ]
    return found[:4]


def _short(label: str) -> str:
    """`C: Digoxin` is option C."""
    return label[0] if label[1:2] == ":" else label


def _of_figures(figures: "Classical", *, by_chance: float) -> list[Flag]:
    found = []
    if figures.discrimination is not None and figures.discrimination < -by_chance:
        found.append(Flag("negative"))
    elif figures.discrimination is not None and figures.discrimination < WEAK and HARD <= figures.facility <= EASY:
        found.append(Flag("weak"))
    if figures.facility > EASY:
        found.append(Flag("easy"))
    elif figures.facility < HARD:
        found.append(Flag("hard"))
    return found
