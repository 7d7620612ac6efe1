from typing import Any

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Django's own, with what this project wants by default: our words only, one message a line, no line numbers,
    which would make every edit of a template an edit of every catalogue.
    """

    OTHERS = ("deploy", "docs", "script", "static", "tests", "var", ".*")
    xgettext_options = [*makemessages.Command.xgettext_options, "--package-name=rounds"]

    def handle(self, *args: Any, **options: Any) -> None:
        options["ignore_patterns"] = [*options["ignore_patterns"], *self.OTHERS]
        options["no_wrap"] = options["no_obsolete"] = True
        options["add_location"] = options["add_location"] or "file"
        super().handle(*args, **options)
