"""IMS QTI 2.1: a package (zip) with `imsmanifest.xml` and one file an item, or a single `assessmentItem`.

Written are packages. Tags are keywords and difficulty is the difficulty of the item's LOM metadata; a vignette is an
item without an interaction whose resource depends on those of its questions, in their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from assessments.domain.formats.base import (
    MOST_IMAGE_BYTES,
    MOST_QUESTIONS,
    Format,
    FormatError,
    Reading,
    finished,
    picture_name,
)
from assessments.domain.formats.package import Package, packed
from assessments.domain.formats.plain import joined_feedback, split_feedback
from assessments.domain.formats.xml import parsed, without_namespaces
from assessments.enums import ItemKind
from assessments.items.base import Draft, ItemError
from assessments.items.exchange import QtiBody, exchange_of
from assessments.items.markup import all_text, element, inner_html, with_html, written
from assessments.items.qti import setting

_QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_CP = "http://www.imsglobal.org/xsd/imscp_v1p1"
_LOM = "http://ltsc.ieee.org/xsd/LOM"
MOST_ITEM_BYTES = 1_000_000
LEVELS = ("very easy", "easy", "medium", "difficult", "very difficult")
KINDS = {
    "inlineChoiceInteraction": ItemKind.SINGLE,
    "orderInteraction": ItemKind.ORDERING,
    "matchInteraction": ItemKind.MATCHING,
    "extendedTextInteraction": ItemKind.ESSAY,
    "selectPointInteraction": ItemKind.HOTSPOT,
    "hotspotInteraction": ItemKind.HOTSPOT,
}
_NOT_STEM = frozenset({"rubricBlock", "img", "object"})


@dataclass(frozen=True, slots=True)
class _Resource:
    place: int
    name: str
    href: str
    tags: Sequence[str] = ()
    difficulty: int | None = None
    parts: Sequence[str] = ()


@dataclass(slots=True)
class _Item:
    root: Element
    images: dict[str, bytes] = field(default_factory=dict)


def read(data: bytes) -> Reading:
    reading = Reading()
    if data[:2] == b"PK":
        _read_package(Package(data), reading)
        return reading
    root = without_namespaces(parsed(data))
    if root.tag != "assessmentItem":
        raise FormatError(_("This is no QTI 2.1: neither a package (zip) nor an assessmentItem."))
    name = root.get("title", "")
    reading.take(lambda: _draft(_Item(root), _Resource(1, name, "")), place=1, name=name)
    return reading


def _read_package(package: Package, reading: Reading) -> None:
    manifest = without_namespaces(parsed(package.read_xml("imsmanifest.xml", most=20_000_000)))
    resources = _resources(manifest)
    if not resources:
        raise FormatError(_("The package's imsmanifest.xml lists no QTI 2 items."))
    taken = {part for one in resources.values() for part in one.parts}
    for key, resource in resources.items():
        if key in taken:
            continue
        try:
            item = _item(package, resource, reading)
            name = item.root.get("title", "")
        except (FormatError, ItemError) as problem:
            reading.refuse(str(problem), place=resource.place, name=resource.name)
            continue
        parts = [resources[part] for part in resource.parts]
        reading.take(
            lambda it=item, of=resource, with_=parts: _with_parts(package, it, of, with_, reading),  # type: ignore[misc]
            place=resource.place,
            name=name,
        )


def _resources(manifest: Element) -> dict[str, _Resource]:
    """Items in the manifest's order. A dependency on another item makes that one a part."""
    found = [one for one in manifest.iter("resource") if one.get("type", "").startswith("imsqti_item")]
    if len(found) > MOST_QUESTIONS * 4:
        raise FormatError(_("There are more than %(most)d questions: divide the file.") % {"most": MOST_QUESTIONS})
    known = {one.get("identifier", "") for one in found}
    resources = {}
    for place, one in enumerate(found, start=1):
        needed = (under.get("identifierref", "") for under in one.findall("dependency"))
        own = one.get("identifier", "")
        resources[own] = _Resource(
            place=place,
            name=_word(one.find("metadata/lom/general/title")),
            href=normpath(unquote(one.get("href", "") or "-")),
            tags=[_word(tag) for tag in one.findall("metadata/lom/general/keyword")],
            difficulty=_level(_word(one.find("metadata/lom/educational/difficulty/value"))),
            parts=[part for part in dict.fromkeys(needed) if part in known and part != own],
        )
    parts = {part for one in resources.values() for part in one.parts}
    if any(resources[part].parts for part in parts):
        raise FormatError(_("In imsmanifest.xml items depend on each other in more than one step."))
    return resources


def _word(source: Element | None) -> str:
    return all_text(source)


def _level(text: str) -> int | None:
    return LEVELS.index(text.lower()) + 1 if text.lower() in LEVELS else None


def _item(package: Package, resource: _Resource, reading: Reading) -> _Item:
    """Raises FormatError."""
    root = without_namespaces(parsed(package.read_xml(resource.href, most=MOST_ITEM_BYTES)))
    if root.tag != "assessmentItem":
        raise FormatError(_("“%(name)s” is no assessmentItem.") % {"name": resource.href[:100]})
    item = _Item(root)
    sources = [one.get("data", "") for one in root.iter("object")] + [one.get("src", "") for one in root.iter("img")]
    for source in sources:
        path = normpath(join(dirname(resource.href), unquote(source)))
        if path in package:
            item.images[picture_name(path)] = package.read(path, most=MOST_IMAGE_BYTES)
        else:
            text = _("Its picture “%(name)s” is not in the package and was left out.") % {"name": source[:100]}
            reading.note(text, place=resource.place, name=root.get("title", ""))
    return item


def _with_parts(
    package: Package, item: _Item, resource: _Resource, parts: Sequence[_Resource], reading: Reading
) -> Draft:
    """Raises ItemError, also for what is wrong with a part's file."""
    whole = _draft(item, resource)
    made, images = [], dict(item.images)
    for part in parts:
        try:
            source = _item(package, part, reading)
            draft = finished(_draft(source, part))
        except (FormatError, ItemError) as problem:
            named = {"name": part.name or part.href, "text": problem}
            raise ItemError(_("Question “%(name)s” of it: %(text)s") % named) from problem
        made.append(draft)
    return Draft(
        kind=whole.kind,
        name=whole.name,
        stem=whole.stem,
        shown=whole.shown,
        key=whole.key,
        tags=whole.tags,
        difficulty=whole.difficulty,
        parts=tuple(made),
        images=images,
    )


def _draft(item: _Item, resource: _Resource) -> Draft:
    """Raises ItemError."""
    root = item.root
    body = root.find("itemBody")
    if body is None:
        raise ItemError(_("It has no itemBody."))
    interactions = [one for one in body.iter() if str(one.tag).endswith("Interaction")]
    declarations = {one.get("identifier", ""): one for one in root.findall("responseDeclaration")}
    kind = _kind(interactions, declarations, has_parts=bool(resource.parts))
    rubrics = [one for one in body.iter("rubricBlock") if one.get("view") == "scorer"]
    whole = QtiBody(declarations, interactions, root.find("responseProcessing"), rubrics)
    shown, key = exchange_of(kind).from_qti(whole)
    feedback = next(iter(root.findall("modalFeedback")), None)
    rationale, references = _feedback(feedback)
    prompts = "".join(f"<p>{inner_html(one)}</p>" for at in interactions for one in at.findall("prompt"))
    words = inner_html(body, without=_NOT_STEM | {str(one.tag) for one in interactions})
    return Draft(
        kind=kind,
        name=root.get("title", ""),
        stem=words.replace("<p></p>", "") + prompts,
        shown=shown,
        key={**key, "rationale": rationale, "references": references},
        tags=tuple(resource.tags),
        difficulty=resource.difficulty,
        images=item.images,
    )


def _kind(interactions: Sequence[Element], declarations: Mapping[str, Element], *, has_parts: bool) -> ItemKind:
    if not interactions and has_parts:
        return ItemKind.VIGNETTE
    if not interactions:
        raise ItemError(_("It asks nothing: there is no interaction in its body."))
    source = interactions[0]
    declared = declarations.get(source.get("responseIdentifier", ""))
    if source.tag == "choiceInteraction":
        return _kind_of_choice(source, declared)
    if source.tag == "textEntryInteraction":
        base = declared.get("baseType", "") if declared is not None else ""
        return ItemKind.NUMERIC if base in {"float", "integer"} else ItemKind.SHORT
    if source.tag not in KINDS:
        raise ItemError(_("Questions of the type “%(type)s” cannot be used here.") % {"type": str(source.tag)[:40]})
    return KINDS[str(source.tag)]


def _kind_of_choice(source: Element, declared: Element | None) -> ItemKind:
    names = [one.get("identifier", "").lower() for one in source.iter("simpleChoice")]
    if setting(source, "kind") == "truefalse" or names == ["true", "false"]:
        return ItemKind.TRUE_FALSE
    is_multiple = declared is not None and declared.get("cardinality") == "multiple"
    return ItemKind.MULTIPLE if is_multiple else ItemKind.SINGLE


def _feedback(source: Element | None) -> tuple[str, list[str]]:
    """The references are a list of their own at the end."""
    if source is None:
        return "", []
    listed = next((one for one in source if one.tag == "div" and one.get("class") == "references"), None)
    if listed is None:
        return inner_html(source), []
    source.remove(listed)
    return inner_html(source), [all_text(one) for one in listed.iter("li")]


def pack(drafts: Sequence[Draft]) -> bytes:
    """Not for drafts that `can_carry` refuses."""
    files: dict[str, bytes] = {}
    resources: list[Element] = []
    for number, draft in enumerate(drafts, start=1):
        resources += _pack_one(draft, f"item-{number}", files)
    manifest = element("manifest", {"xmlns": _CP, "identifier": "questions"})
    manifest.append(
        element("metadata", None, element("schema", text="IMS Content"), element("schemaversion", text="1.1"))
    )
    manifest.append(element("organizations"))
    manifest.append(element("resources", None, *resources))
    return packed({"imsmanifest.xml": written(manifest), **files})


def _pack_one(draft: Draft, key: str, files: dict[str, bytes]) -> list[Element]:
    href = f"items/{key}.xml"
    files[href] = written(_item_element(draft, key))
    own = {"identifier": key, "type": "imsqti_item_xmlv2p1", "href": href}
    resource = element("resource", own, element("metadata", None, _lom(draft)), element("file", {"href": href}))
    for name, data in draft.images.items():
        files[f"images/{key}/{name}"] = data
        resource.append(element("file", {"href": quote(f"images/{key}/{name}")}))
    parts: list[Element] = []
    for number, part in enumerate(draft.parts, start=1):
        parts += _pack_one(part, f"{key}-{number}", files)
        resource.append(element("dependency", {"identifierref": f"{key}-{number}"}))
    return [resource, *parts]


def _lom(draft: Draft) -> Element:
    words = [_lom_text("title", draft.name), *(_lom_text("keyword", tag) for tag in draft.tags)]
    made = element("lom", {"xmlns": _LOM}, element("general", None, *words))
    if draft.difficulty is not None:
        value = (element("source", text="LOMv1.0"), element("value", text=LEVELS[draft.difficulty - 1]))
        made.append(element("educational", None, element("difficulty", None, *value)))
    return made


def _lom_text(tag: str, text: str) -> Element:
    return element(tag, None, element("string", text=text))


def _item_element(draft: Draft, key: str) -> Element:
    inside = exchange_of(draft.kind).to_qti(shown=draft.shown, key=draft.key)
    attributes = {"identifier": key, "title": draft.name, "adaptive": "false", "timeDependent": "false"}
    root = element("assessmentItem", {"xmlns": _QTI, **attributes})
    root.extend(inside.declarations if inside else ())
    root.append(element("outcomeDeclaration", {"identifier": "SCORE", "cardinality": "single", "baseType": "float"}))
    feedback = {"identifier": "FEEDBACK", "cardinality": "multiple", "baseType": "identifier"}
    root.append(element("outcomeDeclaration", feedback))
    body = element("itemBody", None, with_html("div", draft.stem, {"class": "stem"}))
    body.extend(inside.body if inside else ())
    _place_pictures(draft, key, body)
    root.append(body)
    if inside and inside.processing is not None:
        root.append(inside.processing)
    modal = _modal(draft)
    if modal is not None:
        root.append(modal)
    return root


def _place_pictures(draft: Draft, key: str, body: Element) -> None:
    """Below the text; the first one of a hotspot is what its interaction shows."""
    names = list(draft.images)
    for shown in body.iter("object"):
        name = names.pop(0)
        shown.set("data", quote(f"../images/{key}/{name}"))
        shown.set("type", "image/png" if draft.images[name].startswith(b"\x89PNG") else "image/jpeg")
    for number, name in enumerate(names, start=1):
        picture = element("img", {"src": quote(f"../images/{key}/{name}"), "alt": name.rpartition(".")[0]})
        body.insert(number, element("div", {"class": "html"}, picture))


def _modal(draft: Draft) -> Element | None:
    feedback = joined_feedback(draft)
    if not feedback:
        return None
    rationale, references = split_feedback(feedback)
    shown = {"outcomeIdentifier": "FEEDBACK", "identifier": "rationale", "showHide": "show"}
    made = with_html("modalFeedback", rationale, shown)
    if references:
        entries = [element("li", text=one) for one in references]
        made.append(element("div", {"class": "references"}, element("ul", None, *entries)))
    return made


def can_carry(draft: Draft) -> bool:
    whole = exchange_of(draft.kind).to_qti(shown=draft.shown, key=draft.key) is not None
    return whole and all(can_carry(part) for part in draft.parts)


QTI = Format("qti", "IMS QTI 2.1", "zip", "application/zip", read, pack, can_carry)
