import json
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.etree.ElementTree import Element

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import Exchange, Halves, Interaction, Plain, QtiBody, letters, pairs_in, pairs_text
from assessments.items.markup import element, inner_html, with_html
from assessments.items.qti import RESPONSE, only_interaction, setting

LIMITS = {"least_words": "minwordlimit", "most_words": "maxwordlimit"}
"""Moodle's names."""


class EssayExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.ESSAY

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        """Moodle has no rubric in a question: it is a setting of ours."""
        fields = {"responseformat": "editor"}
        fields |= {moodle: str(shown[name]) for name, moodle in LIMITS.items() if name in shown}
        if key["model"]:
            fields["graderinfo"] = key["model"]
        if key["rubric"]:
            why = key["rationales"]
            rows = [[one["id"], one["text"], one["points"], why.get(one["id"], "")] for one in key["rubric"]]
            fields["rubric"] = json.dumps(rows, ensure_ascii=False)
        return Plain("essay", fields=fields)

    def from_plain(self, plain: Plain) -> Halves:
        shown = {name: plain.fields.get(moodle) or None for name, moodle in LIMITS.items()}
        shown = {name: None if value == "0" else value for name, value in shown.items()}
        rubric, why = _rubric(plain.fields.get("rubric", ""))
        return shown, {"model": plain.fields.get("graderinfo", ""), "rubric": rubric, "rationales": why}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        """What only those who mark may see is a rubric for scorers: the model answer, and each criterion."""
        classes = " ".join(f"{name.partition('_')[0]}-{shown[name]}" for name in LIMITS if name in shown)
        attributes = {"responseIdentifier": RESPONSE} | ({"class": classes} if classes else {})
        declared = element(
            "responseDeclaration", {"identifier": RESPONSE, "cardinality": "single", "baseType": "string"}
        )
        rubrics = [with_html("rubricBlock", key["model"], {"view": "scorer", "class": "model"})] if key["model"] else []
        rubrics += [_criterion(one, key["rationales"].get(one["id"], "")) for one in key["rubric"]]
        return Interaction([declared], [element("extendedTextInteraction", attributes), *rubrics])

    def from_qti(self, body: QtiBody) -> Halves:
        source, _declared = only_interaction(body)
        shown = {name: setting(source, name.partition("_")[0]) for name in LIMITS}
        model, rubric, why = "", [], {}
        for number, block in enumerate(body.rubrics):
            points = setting(block, "points")
            if points is None:
                model += inner_html(block)
                continue
            name = block.get("id", "").removeprefix("criterion-") or letters(number + 1)[-1]
            rubric.append(
                {"id": name, "text": inner_html(block, without=frozenset({"feedbackBlock"})), "points": points}
            )
            inside = block.find("feedbackBlock")
            why[name] = inner_html(inside) if inside is not None else ""
        return shown, {"model": model, "rubric": rubric, "rationales": why}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        cells = {name.replace("_", " "): str(shown[name]) for name in LIMITS if name in shown}
        cells |= {f"option {one['id']}": str(one["text"]) for one in key["rubric"]}
        cells |= {f"why {name}": str(text) for name, text in key["rationales"].items()}
        if key["rubric"]:
            cells["points"] = pairs_text({one["id"]: one["points"] for one in key["rubric"]})
        return cells | ({"model answer": key["model"]} if key["model"] else {})

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        points = pairs_in(cells.get("points", ""))
        rubric = [
            {"id": name[7:], "text": text, "points": points.get(name[7:], "1")}
            for name, text in cells.items()
            if name.startswith("option ") and text
        ]
        why = {name[4:]: text for name, text in cells.items() if name.startswith("why ")}
        shown = {name: cells.get(name.replace("_", " ")) for name in LIMITS}
        return shown, {"model": cells.get("model answer", ""), "rubric": rubric, "rationales": why}


def _rubric(text: str) -> tuple[list[Json], Json]:
    """What is no rubric of ours is none."""
    try:
        rows: Any = json.loads(text) if text else []
    except (ValueError, RecursionError):
        rows = []
    good = [row for row in rows if isinstance(row, list) and len(row) == 4] if isinstance(rows, list) else []
    rubric = [{"id": name, "text": words, "points": points} for name, words, points, _why in good]
    return rubric, {str(name): why for name, _words, _points, why in good}


def _criterion(one: Json, why: str) -> Element:
    attributes = {"view": "scorer", "id": f"criterion-{one['id']}", "class": f"criterion points-{one['points']}"}
    made = with_html("rubricBlock", one["text"], attributes)
    if why:
        shown = {"outcomeIdentifier": "FEEDBACK", "identifier": f"criterion-{one['id']}", "showHide": "show"}
        made.append(with_html("feedbackBlock", why, shown))
    return made


EXCHANGE = EssayExchange()
