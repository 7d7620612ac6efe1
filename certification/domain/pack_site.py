"""What an evidence pack cannot prove by itself, compared with the site that made it: keys, ledger, heads, files."""

from typing import Any

from django.core.exceptions import ValidationError

from certification.domain.files import Noted, note_on, read_file
from certification.domain.keys import all_keys
from certification.domain.pack_papers import TABLE, doubt_of_pdf, keys_of
from certification.domain.pack_reading import Recheck
from certification.models import CertificateFile, Chain, LedgerEntry, PublishedHead

BATCH = 1_000
MANIFEST, KEYS, LEDGER = "manifest.json", "keys.json", "ledger.jsonl"


def compare_with_site(check: Recheck) -> None:
    """After `recheck`. What the pack has and the site has otherwise; that the ledger grew since is no difference."""
    own = {one.fingerprint for one in all_keys()}
    for name in keys_of(check):
        if name not in own:
            check.differs(KEYS, f"key {name[:16]}", "is no key of this site")
    chain = _chain(check.manifest.get("chain"))
    if chain is not None:
        _compare_lines(check, chain.programme_id)
        _compare_head(check, chain.programme_id)
    elif check.lines or check.manifest.get("chain"):
        check.differs(MANIFEST, "chain", "is no ledger of this site")
    _compare_files(check)


def _chain(said: Any) -> Chain | None:
    try:
        found: Chain | None = Chain.objects.filter(public_id=said["id"]).first()
    except (KeyError, TypeError, ValueError, ValidationError):
        return None
    return found


def _compare_lines(check: Recheck, programme_id: int) -> None:
    numbers = list(check.lines)
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        rows = LedgerEntry.objects.filter(programme=programme_id, number__in=some).values_list("number", "hash")
        here = {number: bytes(digest).hex() for number, digest in rows}
        for number in some:
            if here.get(number) != check.lines[number].hash:
                check.differs(LEDGER, f"ledger line {number}", "is another one in this site's ledger")
        check.done["lines compared with this site's ledger"] += len(some)


def _compare_head(check: Recheck, programme_id: int) -> None:
    said = check.manifest.get("published_head")
    if said is None:
        return
    heads = PublishedHead.objects.filter(programme=programme_id).values_list("published_on", "length", "hash")
    here = {(on.isoformat(), length, bytes(digest).hex()) for on, length, digest in heads.iterator()}
    if (said.get("on"), said.get("length"), said.get("hash")) not in here:
        check.differs(MANIFEST, "published_head", "is no head that this site published")


def _compare_files(check: Recheck) -> None:
    """The PDFs as the site keeps them: those of the table, sealed by a key of the site."""
    keys = {one.fingerprint for one in all_keys()}
    for _at, row in check.rows(TABLE, 11):
        file = CertificateFile.objects.filter(certificate__number=row[1]).select_related("certificate").first()
        if file is not None and note_on(file) == Noted.ALTERED:
            check.differs(TABLE, f"the site's record of {row[1]}", "was not signed by the certificate's key")
        pdf = read_file(file) if file else None
        if pdf is None:
            check.notes["PDFs that this site does not have now"] += 1
        elif what := doubt_of_pdf(pdf, row[7], keys):
            check.differs(TABLE, f"the site's file of {row[1]}", what)
        check.done["PDFs of this site verified"] += pdf is not None
