"""What kinds share of IMS QTI 2.1 (ASI Information Model, 2012). Settings that QTI has no place for are classes."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from assessments.items.base import ItemError, Json
from assessments.items.exchange import QtiBody, letters, number_of
from assessments.items.markup import all_text, element, has_blocks, inner_html, with_html

RESPONSE = "RESPONSE"
FEEDBACK = frozenset({"feedbackInline", "feedbackBlock"})
_OURS = re.compile(r"_?[a-z0-9]{1,8}\Z")


def identifier(name: str, *, prefix: str = "") -> str:
    """Identifiers of QTI do not begin with a digit."""
    return f"{prefix}{name}" if prefix or not name[0].isdigit() else f"_{name}"


def names_for(identifiers: Sequence[str], *, prefix: str = "") -> dict[str, str]:
    """To each identifier of a file one of ours: its own where it can be one, else letters for all."""
    bare = [one.removeprefix(prefix) for one in identifiers]
    if all(_OURS.match(one) for one in bare) and len({one.lstrip("_") for one in bare}) == len(bare):
        return {long: short.lstrip("_") for long, short in zip(identifiers, bare, strict=True)}
    return dict(zip(identifiers, letters(len(identifiers)), strict=True))


def response(
    base: str,
    right: Sequence[str],
    *,
    cardinality: str = "single",
    mapping: Mapping[str, Decimal] | None = None,
    most: Decimal | None = None,
) -> Element:
    made = element("responseDeclaration", {"identifier": RESPONSE, "cardinality": cardinality, "baseType": base})
    if right:
        made.append(element("correctResponse", None, *(element("value", text=one) for one in right)))
    if mapping:
        bounds = {"lowerBound": "0", "defaultValue": "0"} | ({"upperBound": f"{most:f}"} if most else {})
        entries = [element("mapEntry", {"mapKey": name, "mappedValue": f"{v:f}"}) for name, v in mapping.items()]
        made.append(element("mapping", bounds, *entries))
    return made


def right_values(declared: Element | None) -> list[str]:
    """What the declaration says is right; the best of its mapping where it says nothing."""
    if declared is None:
        return []
    values = [all_text(one) for one in declared.findall("correctResponse/value")]
    return values or [name for name, value in mapped(declared).items() if value > 0]


def mapped(declared: Element | None) -> dict[str, Decimal]:
    """In their order. Raises ItemError."""
    entries = declared.findall("mapping/mapEntry") if declared is not None else []
    return {one.get("mapKey", ""): number_of(one.get("mappedValue", ""), field="mapping") for one in entries}


def template(name: str) -> Element:
    return element("responseProcessing", {"template": f"http://www.imsglobal.org/question/qti_v2p1/rptemplates/{name}"})


def only_interaction(body: QtiBody) -> tuple[Element, Element | None]:
    """Raises ItemError."""
    if len(body.interactions) != 1:
        raise ItemError(_("It asks %(number)d things at once; it has to ask one.") % {"number": len(body.interactions)})
    source = body.interactions[0]
    return source, body.declarations.get(source.get("responseIdentifier", RESPONSE))


def choice(tag: str, option: Json, why: Mapping[str, str], *, prefix: str = "", **attributes: str) -> Element:
    """With its rationale as a feedback within it, which is shown when it was chosen."""
    name = identifier(option["id"], prefix=prefix)
    made = with_html(tag, option["text"], {"identifier": name, **attributes})
    text = why.get(option["id"], "")
    if text:
        inside = "feedbackBlock" if has_blocks(text) else "feedbackInline"
        shown = {"outcomeIdentifier": "FEEDBACK", "identifier": name, "showHide": "show"}
        made.append(with_html(inside, text, shown))
    return made


def choices(options: Sequence[Json], why: Mapping[str, str], *, most: int, classes: str = "") -> Element:
    attributes = {"responseIdentifier": RESPONSE, "shuffle": "true", "maxChoices": str(most)}
    made = element("choiceInteraction", attributes | ({"class": classes} if classes else {}))
    made.extend(choice("simpleChoice", one, why) for one in options)
    return made


def read_choices(
    source: Element, declared: Element | None, *, tags: Sequence[str] = ("simpleChoice", "inlineChoice")
) -> tuple[list[Json], Json, list[str]]:
    """Options, rationales by option, and what is right, in the order in which the file lists it."""
    found = [one for one in source.iter() if one.tag in tags]
    names = names_for([one.get("identifier", "") for one in found])
    options, why = read_options(found, names)
    return options, why, [names[one] for one in right_values(declared) if one in names]


def read_options(found: Sequence[Element], names: Mapping[str, str]) -> tuple[list[Json], Json]:
    options, why = [], {}
    for one in found:
        name = names[one.get("identifier", "")]
        options.append({"id": name, "text": inner_html(one, without=FEEDBACK)})
        feedback = next((under for under in one if under.tag in FEEDBACK), None)
        if feedback is not None:
            why[name] = inner_html(feedback)
    return options, why


def setting(source: Element, name: str) -> str | None:
    """The rest of a class that begins so: of `rule-all` the setting `rule` is `all`."""
    classes = source.get("class", "").split()
    return next((one.removeprefix(f"{name}-") for one in classes if one.startswith(f"{name}-")), None)


def whole_attribute(source: Element, name: str) -> int | None:
    text = source.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
