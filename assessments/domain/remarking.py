"""Correcting a key after doctors have answered: who would change, the correction, and marking everybody again.

The correction is one row, committed first; whoever is marked by an older one is found by looking for it, so a worker
that dies loses nothing and nobody is marked twice. A lesson that was completed stays completed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from json import dumps
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    Count,
    F,
    Func,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from assessments.domain.keys import last_revision
from assessments.domain.marking import set_hand_mark
from assessments.domain.submitting import (
    POINT_PLACES,
    choose_counting,
    complete,
    hold,
    is_pass,
    mark_by,
    mark_of,
    set_mark,
    sum_of,
    versions_with_keys,
    write_marks,
)
from assessments.enums import FINISHED_STATES, AttemptState, Outcome
from assessments.items import type_of
from assessments.items.base import GIVEN, ItemError, Json
from assessments.models import Answer, Attempt, ItemVersion, KeyRevision, ScoreChange
from core.clock import database_now

BATCH = 500
LONGEST_REASON = 500
_STATE = """
SELECT count(*), coalesce(encode(sha256(string_agg(concat_ws(
    ':', a.id, a.state, a.score, a.is_passed, w.position, w.points, w.outcome, w.is_marked_by_hand, w.key_number
), ',' ORDER BY a.id, w.position)::bytea), 'hex'), '')
FROM assessments_answer w JOIN assessments_attempt a ON a.id = w.attempt_id
WHERE w.version_id = %s AND a.state IN ('submitted', 'marked')
"""


class CorrectionError(Exception):
    """Nothing was changed; `message` is for the author."""

    message: Any = _("The key cannot be corrected so.")


class NoReasonError(CorrectionError):
    message = _("Say why: doctors whose result changes will ask, and an auditor too.")


class SameKeyError(CorrectionError):
    message = _("This is the key as it stands.")


class ChangedMeanwhileError(CorrectionError):
    message = _(
        "Something has changed since you looked: an attempt was handed in or marked, or somebody corrected the key."
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What the correction does to one attempt. A score of none: a person has to mark something of it."""

    attempt_id: int
    user_id: int
    score_before: Decimal | None
    score_after: Decimal | None
    was_passed: bool | None
    is_passed: bool | None

    @property
    def gains(self) -> bool:
        return self.score_after is not None and self.score_after > (self.score_before or 0)

    @property
    def loses(self) -> bool:
        return self.score_before is not None and self.score_after is not None and self.score_after < self.score_before

    @property
    def passes_now(self) -> bool:
        return bool(self.is_passed) and not self.was_passed

    @property
    def passes_no_longer(self) -> bool:
        return bool(self.was_passed) and self.is_passed is False

    @property
    def waits_again(self) -> bool:
        return self.score_before is not None and self.score_after is None


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a correction would change, of so many attempts. `stamp` is of all it was worked out from."""

    attempts: int
    changes: Sequence[Change]
    stamp: str

    @property
    def gaining(self) -> int:
        return sum(change.gains for change in self.changes)

    @property
    def losing(self) -> int:
        return sum(change.loses for change in self.changes)

    @property
    def passing_now(self) -> int:
        return sum(change.passes_now for change in self.changes)

    @property
    def passing_no_longer(self) -> int:
        return sum(change.passes_no_longer for change in self.changes)

    @property
    def waiting_again(self) -> int:
        return sum(change.waits_again for change in self.changes)


def preview_correction(*, version: ItemVersion, key: Json, gives_everybody: bool = False) -> Preview:
    """Whose result would change, without changing it. Four queries for each 500 attempts. Raises ItemError.

    Those come first who pass no longer, then who pass now, then who lose and gain most. Raises SameKeyError where
    nothing is corrected.
    """
    wanted = _cleaned(version, key)
    if (wanted, gives_everybody) == _standing(last_revision(version), version):
        raise SameKeyError
    stamp, count = _stamp(version, wanted, gives_everybody=gives_everybody)
    worked = _Worked(version, wanted, gives_everybody)
    changes = [change for batch in _batches(version) for change in worked.changes_of(batch)]
    changes.sort(key=lambda one: (not one.passes_no_longer, not one.passes_now, _moved(one), one.attempt_id))
    return Preview(count, changes, stamp)


def correct_key(
    *,
    version: ItemVersion,
    key: Json,
    reason: str,
    actor: User,
    now: datetime,
    gives_everybody: bool = False,
    stamp: str | None = None,
    request: HttpRequest | None = None,
) -> KeyRevision:
    """The correction alone; `mark_again` does the rest. Raises ItemError and CorrectionError.

    With the `stamp` of a preview it is refused where that would not say the same any more. What changes after this is
    marked again by the sweep like all the rest.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise NoReasonError
    wanted = _cleaned(version, key)
    with transaction.atomic():
        # The item's row orders corrections of its versions: they themselves cannot be locked for writing.
        type(version.item).objects.select_for_update(no_key=True).get(pk=version.item_id)
        last = version.revisions.order_by("-number").first()
        if (wanted, gives_everybody) == _standing(last, version):
            raise SameKeyError
        if stamp is not None and _stamp(version, wanted, gives_everybody=gives_everybody)[0] != stamp:
            raise ChangedMeanwhileError
        revision = KeyRevision.objects.create(
            version=version,
            number=last.number + 1 if last else 1,
            key=wanted,
            gives_everybody=gives_everybody,
            reason=reason,
            made_by=actor,
            made_at=now,
        )
        details = {"item": version.item_id, "version": version.number, "correction": revision.number, "reason": reason}
        details["everybody"] = gives_everybody
        audit.record("key.corrected", actor=actor, subject=version.item, request=request, details=details, now=now)
        transaction.on_commit(_ring, robust=True)
    return revision


def mark_again(*, most: int = 1_000) -> int:
    """Answers of finished attempts that were marked by a key that was corrected since. How many attempts were done."""
    newest = (
        KeyRevision.objects.filter(version=OuterRef("version")).values("version").annotate(n=Max("number")).values("n")
    )
    stale = (
        Answer.objects.filter(version__in=KeyRevision.objects.values("version"), attempt__state__in=FINISHED_STATES)
        .annotate(newest=Coalesce(Subquery(newest), 0))
        .filter(key_number__lt=F("newest"))
    )
    ids = list(stale.order_by("attempt_id").values_list("attempt_id", flat=True).distinct()[:most])
    for attempt_id in ids:
        _mark_one_again(attempt_id)
    return len(ids)


@transaction.atomic
def _mark_one_again(attempt_id: int) -> None:
    attempt = hold(attempt_id)
    if attempt.state not in FINISHED_STATES:
        return
    answers = list(attempt.answers.all())
    versions = versions_with_keys({answer.version_id for answer in answers})
    changed, revision = [], None
    for answer in answers:
        corrections = list(versions[answer.version_id].revisions.all())
        if not corrections or answer.key_number >= corrections[0].number:
            continue
        answer.key_number = corrections[0].number
        if answer.is_marked_by_hand and not corrections[0].gives_everybody:
            set_hand_mark(answer, list(answer.hand_marks.all()))
        else:
            mark = mark_of(version=versions[answer.version_id], value=answer.value, wrong_share=attempt.wrong_share)
            set_mark(answer, mark, most=Decimal(attempt.paper["items"][answer.position]["p"]))
        changed.append(answer)
        revision = corrections[0]
    write_marks(changed)
    if revision is not None:
        _settle(attempt, answers, revision)


def _settle(attempt: Attempt, answers: Sequence[Answer], revision: KeyRevision) -> None:
    before, was_passed = attempt.score, attempt.is_passed
    attempt.score = sum_of(attempt, answers)
    attempt.is_passed = is_pass(attempt) if attempt.score is not None and attempt.pass_percent is not None else None
    attempt.state = AttemptState.SUBMITTED if attempt.score is None else AttemptState.MARKED
    if attempt.score is None:
        attempt.counts = False
    attempt.save(update_fields=["score", "is_passed", "state", "counts"])
    moment = database_now()
    if (before, was_passed) != (attempt.score, attempt.is_passed):
        ScoreChange.objects.create(
            attempt=attempt,
            revision=revision,
            by=revision.made_by,
            reason=revision.reason,
            score_before=before,
            score_after=attempt.score,
            was_passed=was_passed,
            is_passed=attempt.is_passed,
            at=moment,
        )
    choose_counting(quiz_id=attempt.quiz_id, user_id=attempt.user_id)
    complete(attempt=attempt, moment=moment)


def _cleaned(version: ItemVersion, key: Json) -> Json:
    _shown, cleaned = type_of(version.item.kind).clean(shown=version.shown, key=key)
    if _shown != version.shown:
        raise ItemError(str(_("A correction of the key cannot change what doctors saw.")))
    return cleaned


@dataclass(frozen=True, slots=True)
class _Worked:
    """What a key would make of attempts. Equal answers are marked once."""

    version: ItemVersion
    key: Json
    gives_everybody: bool
    known: dict[tuple[str, Decimal], Decimal | None] = field(default_factory=dict)

    def changes_of(self, attempts: Sequence[Attempt]) -> list[Change]:
        most = Func(F("attempt__paper"), Value("items"), Cast(F("position"), TextField()), Value("p"), **_PATH)
        answers: dict[int, list[Any]] = {}
        here = list(Answer.objects.filter(version=self.version, attempt__in=attempts).annotate(most=most))
        prefetch_related_objects([one for one in here if one.is_marked_by_hand], "hand_marks")
        for answer in here:
            answers.setdefault(answer.attempt_id, []).append(answer)
        others: dict[int, Any] = {
            row["attempt"]: row
            for row in Answer.objects.filter(attempt__in=attempts)
            .exclude(version=self.version)
            .values("attempt")
            .annotate(total=Sum("points"), waiting=Count("pk", filter=Q(outcome=Outcome.WAITING)))
            .order_by()
        }
        found = []
        for attempt in attempts:
            rest = others.get(attempt.pk) or {"total": None, "waiting": 0}
            score = None if rest["waiting"] else self.score(attempt, answers.get(attempt.pk, []), rest["total"])
            passes = None if score is None or attempt.pass_percent is None else is_pass(attempt, score)
            if (score, passes) != (attempt.score, attempt.is_passed):
                found.append(Change(attempt.pk, attempt.user_id, attempt.score, score, attempt.is_passed, passes))
        return found

    def score(self, attempt: Attempt, answers: Sequence[Any], others: Decimal | None) -> Decimal | None:
        """None while a person has to say something."""
        total = others or Decimal(0)
        for answer in answers:
            points = self.points(attempt, answer)
            if points is None:
                return None
            total += points
        return min(attempt.most_points, max(Decimal(0), total))

    def points(self, attempt: Attempt, answer: Any) -> Decimal | None:
        if answer.is_marked_by_hand and not self.gives_everybody:
            set_hand_mark(answer, list(answer.hand_marks.all()))
            points: Decimal | None = answer.points
            return points
        share = self.share(answer.value, attempt.wrong_share)
        return None if share is None else (share * Decimal(answer.most)).quantize(POINT_PLACES)

    def share(self, value: Json | None, wrong_share: Decimal) -> Decimal | None:
        if self.gives_everybody:
            return GIVEN.share
        same = (dumps(value, sort_keys=True), wrong_share)
        if same not in self.known:
            mark = mark_by(version=self.version, key=self.key, value=value, wrong_share=wrong_share)
            self.known[same] = None if mark.outcome == Outcome.WAITING else mark.share
        return self.known[same]


_PATH: dict[str, Any] = {"function": "jsonb_extract_path_text", "output_field": TextField()}


def _standing(last: KeyRevision | None, version: ItemVersion) -> tuple[Json, bool]:
    return (last.key, last.gives_everybody) if last else (version.key, False)


def _moved(change: Change) -> Decimal:
    return -abs((change.score_after or Decimal(0)) - (change.score_before or Decimal(0)))


def _stamp(version: ItemVersion, key: Json, *, gives_everybody: bool) -> tuple[str, int]:
    """Of the key that is wanted, the one that stands, and every attempt that has the question; and how many answers."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [version.pk])
        count, state = cursor.fetchone()
    last = version.revisions.order_by("-number").first()
    standing = [last.number if last else 0, state, gives_everybody, key]
    return sha256(dumps(standing, sort_keys=True).encode()).hexdigest(), int(count)


def _batches(version: ItemVersion) -> Iterator[list[Attempt]]:
    """Without their papers, which are most of what an attempt weighs. Their numbers are read once."""
    found = Answer.objects.filter(version=version, attempt__state__in=FINISHED_STATES).order_by("attempt_id")
    ids = list(dict.fromkeys(found.values_list("attempt_id", flat=True)))
    for start in range(0, len(ids), BATCH):
        yield list(Attempt.objects.defer("paper").filter(pk__in=ids[start : start + BATCH]).order_by("pk"))


def _ring() -> None:
    from assessments import tasks

    tasks.mark_again.delay()
