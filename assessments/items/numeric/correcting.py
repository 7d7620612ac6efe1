from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import ItemError, Json
from assessments.items.correcting import LINE, TEXT, Correcting, Data, KeyField, lines_of, one_of
from assessments.items.numeric.exchange import EXCHANGE


class NumericCorrecting(Correcting):
    """Numbers are written as in our own table, one in each line."""

    kind: ClassVar[ItemKind] = ItemKind.NUMERIC

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        cells = EXCHANGE.to_cells(shown={**shown, "units": []}, key=key)
        numbers = "\n".join(piece.strip() for piece in cells["right"].split("|"))
        how = _("One in each line: 5.5, 5.5 ±0.25 or 5.5 ±5%. What is worth less: 5 ±1 =0.5 for half of the points.")
        factors = [
            KeyField(
                f"factor-{number}",
                _("Factor of “%(unit)s”") % {"unit": unit},
                LINE,
                key["factors"].get(unit, ""),
                help=_("By which a number in this unit is multiplied. Empty: this unit is wrong."),
            )
            for number, unit in enumerate(shown["units"])
        ]
        return [KeyField("right", _("Right numbers"), TEXT, numbers, help=how), *factors]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        lines = lines_of(data, "right")
        if not lines or any("|" in line for line in lines):
            raise ItemError(_("Write the right number, for example 3.5 or 3.5 ±0.1."), field="right")
        _shown, read = EXCHANGE.from_cells({"right": "|".join(lines)})
        factors = {unit: one_of(data, f"factor-{number}") for number, unit in enumerate(shown["units"])}
        return {"answers": read["answers"], "factors": {unit: text for unit, text in factors.items() if text}}


CORRECTING = NumericCorrecting()
