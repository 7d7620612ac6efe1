"""What kind of device a browser says it is on. As rough as it has to be: five kinds, for figures."""

import re

from analytics.enums import DeviceKind

# The first that fits. Televisions and tablets also say Android or Linux, so they come before.
KINDS = (
    (
        DeviceKind.TV,
        re.compile(r"smart-?tv|\btv\b|hbbtv|googletv|appletv|tizen|web0?s|viera|bravia|aft[a-z]\b|roku", re.IGNORECASE),
    ),
    (DeviceKind.TABLET, re.compile(r"ipad|tablet|kindle|silk/|playbook|android(?!.*mobile)", re.IGNORECASE)),
    (DeviceKind.PHONE, re.compile(r"iphone|ipod|mobi|android|windows phone", re.IGNORECASE)),
    (DeviceKind.COMPUTER, re.compile(r"windows nt|macintosh|x11|linux|cros ", re.IGNORECASE)),
)


def device_of(user_agent: str) -> DeviceKind:
    """An iPad that asks for desktop pages says that it is a Macintosh, and counts as a computer."""
    return next((kind for kind, pattern in KINDS if pattern.search(user_agent[:400])), DeviceKind.OTHER)
