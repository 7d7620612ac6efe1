"""Static files under names that change with their content."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django leaves `import … from "./other.js"` inside modules alone, so they would fetch each other by names that browsers
# must ask about again and again. Only our own modules: minified bundles of others contain look-alikes.
OWN_MODULES = (
    "js/*.js",
    (
        (
            r"""(?P<matched>import\s*(?P<names>\{[^}]*\})\s*from\s*"(?P<url>\./[^"]+)";)""",
            'import %(names)s from "%(url)s";',
        ),
    ),
)


class HashedFiles(ManifestStaticFilesStorage):
    patterns = (*ManifestStaticFilesStorage.patterns, OWN_MODULES)


class CompressedHashedFiles(CompressedManifestStaticFilesStorage):
    patterns = (*CompressedManifestStaticFilesStorage.patterns, OWN_MODULES)
