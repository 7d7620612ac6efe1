"""Forms for writing questions: one file a kind of question, and what all of them share."""

from assessments.forms.writing.base import KindForm
from assessments.forms.writing.essay import EssayForm
from assessments.forms.writing.hotspot import HotspotForm
from assessments.forms.writing.matching import MatchingForm
from assessments.forms.writing.multiple import MultipleForm
from assessments.forms.writing.numeric import NumericForm
from assessments.forms.writing.ordering import OrderingForm
from assessments.forms.writing.short import ShortForm
from assessments.forms.writing.single import SingleForm
from assessments.forms.writing.true_false import TrueFalseForm
from assessments.forms.writing.vignette import VignetteForm

_FORMS: dict[str, KindForm] = {
    one.kind: one
    for one in (
        SingleForm(), MultipleForm(), TrueFalseForm(), MatchingForm(), OrderingForm(), NumericForm(), ShortForm(),
        EssayForm(), HotspotForm(), VignetteForm(),
    )
}  # fmt: skip


def form_of(kind: str) -> KindForm:
    return _FORMS[kind]
