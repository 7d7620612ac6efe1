"""XML that others wrote: no entities, no document types, nothing outside the file, of a bounded depth and size."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from django.utils.translation import gettext as _

from assessments.domain.formats.base import FormatError
from assessments.domain.formats.text import check_size

DEEPEST = 60
MOST_ELEMENTS = 400_000


class _Builder(TreeBuilder):
    """Depth matters: what walks a tree later does so by recursion."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._number = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._number += 1
        if self._depth > DEEPEST or self._number > MOST_ELEMENTS:
            raise FormatError(_("The file is nested too deeply or has too many parts."))
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parsed(data: bytes) -> Element:
    """The root, with names as they are in the file. Raises FormatError."""
    check_size(data)
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise FormatError(_("The file declares a document type or entities, which is not allowed here.")) from error
    except (ParseError, ValueError, LookupError, AssertionError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(_("This is no complete XML: %(problem)s.") % {"problem": str(error)[:200]}) from error
    return root


def local(tag: Any) -> str:
    """A name without its namespace; comments and instructions have none."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def without_namespaces(root: Element) -> Element:
    """In place."""
    for one in root.iter():
        if isinstance(one.tag, str):
            one.tag = local(one.tag)
    return root
