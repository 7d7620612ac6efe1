"""The words that come with the product, as rows: made when somebody first looks, renewed after a release."""

from dataclasses import asdict

from django.db import connection, transaction

from reminders.models import MessageTemplate, TemplateSet
from reminders.rendering.builtin import all_words

TITLE = "Built-in"


def built_in_set() -> TemplateSet:
    """Made when it is not there yet."""
    found = TemplateSet.objects.filter(is_builtin=True).first()
    if found is None:
        renew()
        found = TemplateSet.objects.get(is_builtin=True)
    return found


@transaction.atomic
def renew() -> int:
    """Returns how many messages were written; 0 when all are there as they should be.

    Words that nobody was sent yet are changed where they stand; others become the next version. The lock is for two who
    find no set at the same moment: no constraint says that there is one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('reminders.builtin_words'))")
    built_in = TemplateSet.objects.filter(is_builtin=True).first()
    if built_in is None:
        built_in = TemplateSet.objects.create(title=_free_title(), is_builtin=True)
    rows = MessageTemplate.objects.filter(template_set=built_in, is_current=True)
    current = {(row.kind, row.channel, row.language): row for row in rows}
    new = []
    changed = 0
    for words in all_words():
        said = asdict(words)
        row = current.get((words.kind, words.channel, words.language))
        if row is not None and all(getattr(row, name) == value for name, value in said.items()):
            continue
        if row is not None and row.used_at is None:
            changed += MessageTemplate.objects.filter(pk=row.pk).update(**said)
            continue
        if row is not None:
            MessageTemplate.objects.filter(pk=row.pk).update(is_current=False)
        new.append(MessageTemplate(template_set=built_in, version=row.version + 1 if row else 1, **said))
    MessageTemplate.objects.bulk_create(new)
    return changed + len(new)


def _free_title() -> str:
    """Somebody may have called a set of theirs so."""
    taken = set(TemplateSet.objects.values_list("title", flat=True))
    return next(title for title in (TITLE, *(f"{TITLE} {number}" for number in range(2, 100))) if title not in taken)
