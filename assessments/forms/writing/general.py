"""What every question has: its text, why it is right, pictures, the lecture about it, what it is filed under."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.forms.writing.base import RowForm, TableOf
from assessments.forms.writing.fields import LineField, MomentField, TypedField
from assessments.models import Bank, BoardTopic
from courses.enums import LessonKind
from courses.models import Lesson

DIFFICULTIES = (
    ("", _("not said")),
    ("1", _("1 – easy")),
    ("2", "2"),
    ("3", _("3 – middling")),
    ("4", "4"),
    ("5", _("5 – hard")),
)


class GeneralForm(forms.Form):
    stem = TypedField(label=_("Question"), rows=6, max_length=20_000)
    rationale = TypedField(label=_("Why the right answer is right"), rows=4, max_length=5_000)
    references = forms.CharField(
        label=_("References"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        help_text=_("One a line."),
    )
    watch_lesson = forms.ModelChoiceField(
        label=_("Explained in the lecture"), queryset=Lesson.objects.none(), required=False, empty_label=_("none")
    )
    watch_seconds = MomentField(
        label=_("from minute"), help_text=_("Doctors who got it wrong are led there, for example 12:30.")
    )
    name = LineField(
        label=_("Short name"),
        max_length=120,
        help_text=_("For authors; doctors do not see it. Empty: the first words of the question."),
    )
    tags = LineField(
        label=_("Tags"), max_length=2_000, help_text=_("With commas between. Doctors see them in their result.")
    )
    difficulty = forms.ChoiceField(label=_("Difficulty"), required=False, choices=DIFFICULTIES)
    exposure_percent = forms.IntegerField(
        label=_("On at most this share of papers, percent"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_("For random draws. Empty: as often as it comes."),
    )
    topics = forms.MultipleChoiceField(
        label=_("Topics of curricula"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, bank: Bank, is_part: bool, is_story: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lessons: Any = self.fields["watch_lesson"]
        lessons.queryset = lectures_of(bank)
        lessons.label_from_instance = lambda lesson: f"{lesson.course.title}: {lesson.title}"
        topics: Any = self.fields["topics"]
        topics.choices = list(_grouped(BoardTopic.objects.select_related("board").order_by("board__title", "code")))
        if is_story:
            self.fields["stem"].label = _("Story")
        if is_part:
            del self.fields["exposure_percent"]  # it comes with its vignette

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        has_moment = cleaned.get("watch_seconds") is not None
        if has_moment and not cleaned.get("watch_lesson") and "watch_lesson" not in self.errors:
            self.add_error("watch_lesson", _("Choose the lecture, or take the minute away."))
        return cleaned

    @property
    def filing(self) -> list[forms.BoundField]:
        return [self[name] for name in ("tags", "difficulty", "exposure_percent", "topics") if name in self.fields]


class PictureRow(RowForm):
    """A file is stored as soon as it arrives: browsers do not send it again with a form that came back."""

    typed: ClassVar = ("image", "file")
    image = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1)
    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
    )
    description = LineField(
        label=_("What it shows"),
        max_length=500,
        help_text=_("For those who cannot see it. It must not tell the answer."),
    )

    @property
    def picture(self) -> int | None:
        text = str(self["image"].value() or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


PICTURES = TableOf("pictures", _("Pictures"), PictureRow, add=_("One more picture"), new=1, most=10)
TARGET = TableOf("target", _("Picture to point at"), PictureRow, spare=0, new=1, most=1, is_ordered=False)


def lectures_of(bank: Bank) -> Any:
    found = Lesson.objects.filter(course__programme=bank.programme_id, kind=LessonKind.WEBINAR)
    return found.select_related("course").order_by("course__position", "position")


def _grouped(topics: Iterable[BoardTopic]) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    by_board: dict[str, list[tuple[str, str]]] = {}
    for topic in topics:
        by_board.setdefault(topic.board.title, []).append((str(topic.pk), str(topic)))
    return by_board.items()
