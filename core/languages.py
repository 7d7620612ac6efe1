"""Which languages exist, which of them this site offers, and which of those to speak with whom."""

from django.conf import settings
from django.conf.global_settings import LANGUAGES as KNOWN
from django.conf.locale import LANG_INFO
from django.utils.translation import get_supported_language_variant


def is_known(code: str) -> bool:
    return code in dict(KNOWN)


def known() -> list[str]:
    """The codes of every language Django knows; about a hundred."""
    return [code for code, _name in KNOWN]


def offered() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def spoken(preferred: str) -> str:
    """The offered language nearest to a stored preference: `pt-br` is answered in `pt`, and what is not
    offered, in the site's first language. The preference itself stays, for the day its language is offered.
    """
    try:
        return get_supported_language_variant(preferred)
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def own_name(code: str) -> str:
    """'français', as its speakers write it."""
    return str(LANG_INFO[code]["name_local"])


def offered_choices() -> list[tuple[str, str]]:
    return [(code, own_name(code)) for code in offered()]
