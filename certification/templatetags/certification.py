"""Figures of credit as readers write them, and pictures of them."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from certification.authorities.rounding import plain

register = template.Library()


@register.filter
def figure(credit: Decimal) -> str:
    """0.50 is '0.5', in German '0,5'."""
    return number_format(Decimal(plain(credit)))


@register.simple_tag
def credit_bar(share: Decimal, words: str = "") -> SafeString:
    """`share` from 0 to 1. `words` say it to who does not see it; without them the figures stand beside it."""
    told = format_html('role="img" aria-label="{}"', words) if words else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="coverage" viewBox="0 0 100 10" preserveAspectRatio="none" {} focusable="false">'
        '<rect class="bg" width="100" height="10"/><rect class="seen" width="{}" height="10"/></svg>',
        told,
        plain((share * 100).quantize(Decimal("0.1"))),
    )
