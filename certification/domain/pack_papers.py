"""Certificates of a pack calculated again: digests of what is printed, signatures, badges, and the seals of PDFs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from certification.domain.chain import canonical
from certification.domain.pack_certificates import ALTERED, NO_HASH, UNCHECKED
from certification.domain.pack_file import BROKEN
from certification.domain.pack_reading import WRONG, Line, Recheck
from certification.enums import EntryKind
from certification.printing.badge import BadgeError, read
from certification.printing.signature import fingerprint, inspect

TABLE, FACTS, BADGES = "certificates.csv", "certificate_facts.jsonl", "badges.jsonl"
RESTING, KEYS, PDFS = "certificates_resting.csv", "keys.json", "pdf/"
ISSUED = {EntryKind.CERTIFICATE_ISSUED.value, EntryKind.CERTIFICATE_REISSUED.value}
PURGED = "purged"
MOST_BYTES = 5_000_000
Keys = Mapping[str, Ed25519PublicKey]


@dataclass(slots=True)
class Paper:
    """One row of certificates.csv, with the digest of its facts that the ledger has, and then what is printed on it."""

    digest: str
    public_id: str
    pdf: str
    key: str
    signature: str
    has_facts: bool = False
    holder: str = ""
    title: str = ""


def check_papers(check: Recheck) -> None:
    keys = keys_of(check)
    issued = {str(one.certificate): one for one in check.lines.values() if one.kind in ISSUED}
    papers = _papers(check, issued)
    _check_resting(check, issued)
    for line in issued.values():
        check.differs(TABLE, f"certificate {line.paper}", f"is missing: ledger line {line.number} says it was issued")
    _check_facts(check, papers, keys)
    _check_badges(check, papers, keys)
    _check_pdfs(check, papers, set(keys))


def keys_of(check: Recheck) -> Keys:
    """By fingerprint, which is calculated."""
    found: dict[str, Ed25519PublicKey] = {}
    if not check.has(KEYS):
        return found
    try:
        with check.archive.open(KEYS) as file:
            said = json.loads(file.read(MOST_BYTES))
        for one in said["keys"]:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(one["public_key"]))
            name = fingerprint(key)
            if name != one["fingerprint"]:
                check.differs(KEYS, f"key {name[:16]}", "has another fingerprint than the file says")
            found[name] = key
    except (*WRONG, *BROKEN):
        check.differs(KEYS, "the file", "cannot be read")
    return found


def _papers(check: Recheck, issued: dict[str, Line]) -> dict[str, Paper]:
    """By number. Takes from `issued` what has a row."""
    found = {}
    for at, row in check.rows(TABLE, 11):
        line = issued.pop(row[0], None)
        if line is None or (line.paper, str(line.user)) != (row[1], row[5]):
            check.differs(TABLE, f"row {at}", f"no line of the ledger issues {row[1]} like this")
            continue
        found[row[1]] = Paper(line.facts, row[2], row[7], row[9], row[10])
        _check_record(check, TABLE, row[1], row[7])
        check.done["certificates compared with the line that issues them"] += 1
    return found


def _check_resting(check: Recheck, issued: dict[str, Line]) -> None:
    """Those of course and programme: their number and the digest of what is printed, by the ledger."""
    for at, row in check.rows(RESTING, 12):
        line = issued.pop(row[0], None)
        if line is None or (line.paper, str(line.user)) != (row[2], row[5]):
            check.differs(RESTING, f"row {at}", f"no line of the ledger issues {row[2]} like this")
        elif row[11] not in {line.facts, PURGED}:
            check.differs(RESTING, f"row {at}", f"has another digest than ledger line {line.number}")
        _check_record(check, RESTING, row[2], row[7])
        check.done["certificates of course and programme compared with their line"] += 1


def _check_record(check: Recheck, table: str, number: str, pdf: str) -> None:
    """What the site found as it made the pack: the signature of the record is not in it."""
    if pdf == ALTERED:
        check.differs(table, f"certificate {number}", "has a record of its file that its key did not sign")
    check.notes["files whose record could not be checked: not signed, or the key is gone"] += pdf in UNCHECKED.values()


def _check_facts(check: Recheck, papers: dict[str, Paper], keys: Keys) -> None:
    for at, data in check.objects(FACTS):
        paper = papers.get(str(data.get("number")))
        if paper is None:
            check.differs(FACTS, f"line {at}", "is of no certificate in the table")
        elif data.get("facts") == {}:
            paper.has_facts = True
            check.notes["certificates whose facts were purged: nothing is left to check"] += 1
        else:
            paper.has_facts = True
            if what := _doubt(paper, str(data["number"]), data.get("facts"), keys):
                check.differs(FACTS, f"certificate {data['number']}", what)
            check.done["signatures of certificates verified"] += 1
    for number, paper in papers.items():
        if not paper.has_facts:
            check.differs(FACTS, f"certificate {number}", "is missing")


def _doubt(paper: Paper, number: str, facts: Any, keys: Keys) -> str:
    """Empty: it is what was issued."""
    try:
        content = canonical(facts)
        if hashlib.sha256(content).hexdigest() != paper.digest:
            return "is not that of which the ledger has the digest"
        printed = facts["facts"]
        if (printed["number"], printed["public_id"]) != (number, paper.public_id):
            return "has another number or code printed on it"
        if paper.key not in keys:
            return "was signed by a key that is not in keys.json"
        keys[paper.key].verify(bytes.fromhex(paper.signature), content)
        paper.holder, paper.title = str(printed["holder"]), str(printed["title"])
    except InvalidSignature:
        return "has a signature that does not fit"
    except WRONG:
        return "cannot be read"
    return ""


def _check_badges(check: Recheck, papers: dict[str, Paper], keys: Keys) -> None:
    seen = set()
    for at, data in check.objects(BADGES):
        number = str(data.get("number"))
        paper = papers.get(number)
        if paper is None:
            check.differs(BADGES, f"line {at}", "is of no certificate in the table")
            continue
        seen.add(number)
        try:
            said = read(str(data.get("badge")), keys=keys.values())
            subject = said["credentialSubject"]
            told = (subject["identifier"][0]["identityHash"], subject["achievement"]["name"])
            proof = (said["evidence"][0]["name"], said["id"].rstrip("/").split("/")[-2])
            if (told, proof) != ((paper.holder, paper.title), (number, paper.public_id)):
                check.differs(BADGES, f"certificate {number}", "the badge says something else than the certificate")
        except BadgeError as broken:
            check.differs(BADGES, f"certificate {number}", str(broken))
        except (IndexError, *WRONG):
            check.differs(BADGES, f"certificate {number}", "the badge cannot be read")
        check.done["badges verified"] += 1
    without = sum(1 for number, paper in papers.items() if paper.holder and number not in seen)
    check.notes["certificates without a badge: the key that signed it is gone"] += without


def _check_pdfs(check: Recheck, papers: dict[str, Paper], keys: set[str]) -> None:
    names = [name for name in check.archive.NameToInfo if name.startswith(PDFS)]
    for name in names:
        paper = papers.get(name.removeprefix(PDFS).removesuffix(".pdf"))
        try:
            with check.archive.open(name) as file:
                pdf = file.read(MOST_BYTES)
        except BROKEN:
            continue  # the manifest's part has said so
        if paper is None:
            check.differs(name, "the file", "is of no certificate in the table")
        elif not pdf:
            check.notes["PDFs that the storage had lost"] += 1
        elif what := doubt_of_pdf(pdf, paper.pdf, keys):
            check.differs(name, "the file", what)
        check.done["seals of PDFs verified"] += bool(pdf)
    made = sum(1 for paper in papers.values() if paper.pdf not in NO_HASH)
    if names and made > len(names):
        check.differs(PDFS, "the folder", f"has {len(names):,} files for {made:,} certificates")
    check.notes["PDFs that are not in the pack: ask for them with --pdfs, or check with --site"] += max(
        0, made - len(names)
    )


def doubt_of_pdf(pdf: bytes, sha256: str, keys: set[str]) -> str:
    """`keys`: fingerprints as seals name them. Empty: it is the file of the table, sealed by one of them."""
    if hashlib.sha256(pdf).hexdigest() != sha256:
        return "is not the file whose SHA-256 is in certificates.csv"
    found = inspect(pdf)
    if not (found.is_intact and found.covers_all):
        return "has no seal that fits"
    return "" if found.fingerprint in keys else "was sealed by a key that is not in keys.json"
