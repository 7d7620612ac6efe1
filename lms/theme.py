"""How the admin looks: the settings of django-unfold, in the colours of the pages that doctors see."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def theme(site_name: str) -> dict[str, Any]:
    return {
        "SITE_TITLE": site_name,
        "SITE_HEADER": site_name,
        "SITE_SUBHEADER": _("Programme office"),
        "SITE_SYMBOL": "stethoscope",
        "SHOW_HISTORY": True,
        "SHOW_BACK_BUTTON": True,
        "DASHBOARD_CALLBACK": "lms.admin_site.dashboard",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("favicon.svg")}],
        "STYLES": [lambda _request: static("css/admin.css")],
        "SIDEBAR": {"show_search": True, "navigation": "lms.admin_site.navigation"},
        "COLORS": {
            # The accent of the pages doctors see, in the steps of the theme.
            "primary": {
                "50": "#eef8f5",
                "100": "#e3f1ed",
                "200": "#c0e0d8",
                "300": "#8ecabc",
                "400": "#4cc2ad",
                "500": "#1a8a79",
                "600": "#0a6b5e",
                "700": "#07544a",
                "800": "#06433b",
                "900": "#04332d",
                "950": "#06201c",
            },
        },
    }
