"""Forms of those who mark."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.domain.marking import LONGEST_COMMENT, LONGEST_REASON
from assessments.items.base import Criterion
from assessments.items.numeric.reading import LONGEST, canonical
from core.richtext import plain_text

PLACES = 2
QUICK = "quick"


class MarkForm(forms.Form):
    """Points of one answer: by the criteria of its rubric, or in one number; `quick` is a button that is one.

    Where the rubric's sum is not what the question is worth on this paper, it is converted.
    """

    def __init__(
        self,
        *,
        criteria: Sequence[Criterion],
        most: Decimal,
        wants_reason: bool = False,
        data: Mapping[str, Any] | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.rubric, self.most = criteria, most
        for one in criteria:
            label = gettext("%(text)s, 0 to %(most)s points") % {
                "text": plain_text(one.text),
                "most": shown(one.points),
            }
            self.fields[criterion_name(one)] = PointsField(most=one.points, label=label)
        if not criteria:
            self.fields["points"] = PointsField(
                most=most, label=gettext("Points, 0 to %(most)s") % {"most": shown(most)}
            )
        self.fields["comment"] = forms.CharField(
            label=_("Comment"),
            required=False,
            max_length=LONGEST_COMMENT,
            widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
            help_text=_("For whoever looks at this mark later. The doctor does not see it."),
        )
        if wants_reason:
            self.fields["reason"] = forms.CharField(
                label=_("Why it is changed"),
                max_length=LONGEST_REASON,
                widget=forms.TextInput(attrs={"dir": "auto"}),
                help_text=_("The result stands already: this is kept with it."),
            )

    @property
    def rubric_most(self) -> Decimal:
        return sum((one.points for one in self.rubric), Decimal(0))

    def lines(self) -> Iterator[tuple[Criterion, BoundField]]:
        for one in self.rubric:
            yield one, self[criterion_name(one)]

    @property
    def given(self) -> Decimal:
        """Points of this paper, exact; of a valid form."""
        if not self.rubric:
            points: Decimal = self.cleaned_data["points"]
            return points
        total = sum((self.cleaned_data[criterion_name(one)] for one in self.rubric), Decimal(0))
        return total * self.most / self.rubric_most

    @property
    def given_rubric(self) -> list[str]:
        return [str(self.cleaned_data[criterion_name(one)]) for one in self.rubric]


class PointsField(forms.CharField):
    """A number as people write it, with a comma or a point and in any script's digits."""

    def __init__(self, *, most: Decimal, label: str) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        missing = gettext("Give points from 0 to %(most)s.") % {"most": shown(most)}
        super().__init__(
            label=label,
            max_length=LONGEST,
            widget=forms.TextInput(attrs=attrs),
            error_messages={"required": missing},
        )
        self.most = most

    def clean(self, value: Any) -> Decimal:
        read = canonical(super().clean(value))
        if read is None:
            raise forms.ValidationError(gettext("This is no number. Write it in digits, for example 1.5."))
        points = Decimal(read)
        if not 0 <= points <= self.most:
            text = gettext("Give points from 0 to %(most)s.") % {"most": shown(self.most)}
            raise forms.ValidationError(text)
        if points != round(points, PLACES):
            raise forms.ValidationError(gettext("At most two places after the point, for example 1.25."))
        return points


def shown(points: Decimal) -> str:
    """Without zeros at the end, as the reader's language writes it."""
    plain = points.normalize()
    return number_format(plain if plain != plain.to_integral() else plain.to_integral())


def initial_of(
    *, criteria: Sequence[Criterion], rubric: Sequence[str], points: Decimal, comment: str
) -> dict[str, Any]:
    """What a mark that was given looks like in the form."""
    given = {criterion_name(one): shown(Decimal(text)) for one, text in zip(criteria, rubric, strict=False)}
    return {**given, "points": shown(points), "comment": comment}


def criterion_name(criterion: Criterion) -> str:
    """Of its field."""
    return f"criterion-{criterion.id}"
