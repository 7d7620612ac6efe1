"""An evidence pack calculated again from what is in it: hashes of its files, seals of the ledger's lines and how they
follow on each other, every decision by the version of the rules that made it, signatures, badges and PDFs.

Nothing of it is believed because it stands there, and no database is asked. Two things a pack cannot prove by itself:
that its keys are the site's, and that its lines are those that were published. `pack_site` compares these.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from certification.authorities import NoPackError as NoRulesError
from certification.authorities import pack
from certification.authorities.base import Decision
from certification.authorities.rounding import plain
from certification.authorities.stored import evidence_from, terms_from
from certification.domain.chain import START, canonical, reason_digest, seal
from certification.domain.pack_file import NoPackError, flaws_of, manifest_of
from certification.domain.pack_papers import check_papers
from certification.domain.pack_reading import WRONG, Line, Recheck
from certification.enums import EntryKind
from certification.models.ledger import REASON_DIGEST
from core.exports import neutral

LEDGER, TABLE, EVIDENCE, CLAIMS = "ledger.jsonl", "ledger.csv", "claim_evidence.jsonl", "claims.csv"
WORDS = {
    "missing": "is missing",
    "extra": "was added: the manifest does not name it",
    "twice": "stands in the file more than once",
    "size": "has another length than when the pack was made",
    "content": "differs from what it was when the pack was made",
    "unreadable": "cannot be read",
    "sums": "does not say the same as the manifest",
}


def recheck(file: IO[bytes]) -> Recheck:
    """Raises NoPackError. Whoever asks closes the archive, which other parts read on."""
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as broken:
        raise NoPackError(f"This is no ZIP file that can be read: {broken}") from None
    check = Recheck(archive, manifest_of(archive))
    for flaw in flaws_of(archive, check.manifest):
        check.differs(flaw.name, "the file", WORDS[flaw.what])
    check.done["files compared with the manifest"] = len(check.manifest["files"])
    _check_ledger(check)
    _check_table(check)
    _check_claims(check)
    _check_decisions(check)
    check_papers(check)
    return check


# The ledger


def _check_ledger(check: Recheck) -> None:
    """Each line's seal, that it follows on the one before where that one is in the pack too, and the heads above."""
    known = _heads(check)
    before: Line | None = None
    programme: Any = None
    for at, data in check.objects(LEDGER):
        try:
            content, previous, digest = data["content"], bytes.fromhex(data["previous"]), str(data["hash"])
            sealed = seal(previous, content).hex()
            line = _line(content, digest, _reason(check, at, data))
        except WRONG:
            check.differs(LEDGER, f"line {at}", "does not have the form of a line of the ledger")
            continue
        where = f"ledger line {line.number}"
        if sealed != digest:
            check.differs(LEDGER, where, "says something else than when it was sealed: content and hash do not fit")
        if before is not None and line.number <= before.number:
            check.differs(LEDGER, where, "stands out of its order, or twice")
        elif before is not None and line.at < before.at:
            check.differs(LEDGER, where, "is older than the line before it")
        follows = before.hash if before and before.number == line.number - 1 else None
        if (follows is not None and previous.hex() != follows) or (line.number == 1 and previous != START):
            check.differs(LEDGER, where, "does not follow on the line before it")
        if programme is None:
            programme = content["programme"]
        elif programme != content["programme"]:
            check.differs(LEDGER, where, "is of another programme's ledger")
        for name, (length, head) in known.items():
            if line.number == length and head != digest:
                check.differs(LEDGER, where, f"is not the line that {name} vouches for")
        if line.number > known.get("the ledger's head", (line.number, ""))[0]:
            check.differs(LEDGER, where, "is newer than the ledger was when the pack was made")
        check.lines[line.number] = before = line
        check.done["lines of the ledger sealed again"] += 1


def _heads(check: Recheck) -> dict[str, tuple[int, str]]:
    """By what each is called. Of the manifest, which may be anybody's."""
    found = {}
    for name, key, digest in (
        ("the ledger's head", "chain", "head"),
        ("the published head", "published_head", "hash"),
    ):
        try:
            said = check.manifest.get(key)
            if said is not None:
                found[name] = (int(said["length"]), str(said[digest]))
        except (KeyError, TypeError, ValueError):
            check.differs("manifest.json", key, "cannot be read")
    return found


def _reason(check: Recheck, at: int, data: dict[str, Any]) -> str:
    """In words: sealed in the line itself if it is an older one, else beside its digest. Empty where it was removed."""
    said, kept = str(data["content"]["reason"]), data.get("reason")
    if kept is None:
        if not REASON_DIGEST.fullmatch(said):
            return said
        check.notes["reasons that are not in the pack: they were purged, or left out"] += 1
        return ""
    text = str(kept["text"])
    if reason_digest(salt=bytes.fromhex(kept["salt"]), text=text) != said:
        check.differs(LEDGER, f"line {at}", "the reason beside it is not that of which the line has the digest")
    check.done["reasons compared with their digests"] += 1
    return text


def _line(content: dict[str, Any], digest: str, reason: str) -> Line:
    details = content["details"]
    steps = details.get("steps")
    return Line(
        number=int(content["number"]),
        hash=digest,
        at=str(content["at"]),
        kind=str(content["kind"]),
        user=int(content["user"]),
        claim=content["claim"],
        certificate=content["certificate"],
        credits=content["credits"],
        reason=reason,
        authority=str(details.get("authority", "")),
        version=str(details.get("version", "")),
        evidence=str(details.get("evidence", "")),
        decision=str(details.get("decision", "")),
        computed=str(details.get("computed", "")),
        steps="" if steps is None else _digest(steps),
        facts=str(details.get("facts", "")),
        paper=str(details.get("number", "")),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _check_table(check: Recheck) -> None:
    """The ledger to read says what the sealed one says."""
    seen = 0
    for at, row in check.rows(TABLE, 9):
        seen += 1
        line = check.lines.get(int(row[0])) if row[0].isdecimal() else None
        if line is None:
            check.differs(TABLE, f"row {at}", "has no sealed line")
            continue
        ids = ["" if one is None else str(one) for one in (line.user, line.claim, line.certificate, line.credits)]
        if list(row[1:]) != [line.at[:19].replace("T", " "), line.kind, *ids, neutral(line.reason), line.hash]:
            check.differs(TABLE, f"row {at}", f"says something else than ledger line {line.number}")
    if check.has(TABLE) and seen != len(check.lines):
        check.differs(TABLE, "the file", f"has {seen:,} rows for {len(check.lines):,} sealed lines")


# Claims and why they were decided


def _check_claims(check: Recheck) -> None:
    granted = {one.claim: one for one in check.lines.values() if one.kind == EntryKind.CREDIT_GRANTED}
    for at, row in check.rows(CLAIMS, 6):
        line = granted.pop(int(row[0]), None) if row[0].isdecimal() else None
        if line is None:
            check.differs(CLAIMS, f"row {at}", "no line of the ledger grants it")
        elif row[1] != str(line.user) or line.authority not in {"", row[2]}:
            check.differs(CLAIMS, f"row {at}", f"is not what ledger line {line.number} grants")
        check.done["claims compared with the line that grants them"] += 1
    for line in granted.values():
        check.differs(CLAIMS, f"claim {line.claim}", f"is missing: ledger line {line.number} grants it")


def _check_decisions(check: Recheck) -> None:
    """By the kept evidence and terms alone, whose digest the line of the ledger has."""
    explained = set()
    for at, data in check.objects(EVIDENCE):
        number = data.get("line")
        line = check.lines.get(number) if isinstance(number, int) else None
        if line is None or data.get("claim") != line.claim:
            check.differs(EVIDENCE, f"line {at}", "no line of the ledger speaks of it")
            continue
        explained.add(line.number)
        for what in _doubts(line, data):
            check.differs(EVIDENCE, f"claim {line.claim}, ledger line {line.number}", what)
        check.done["decisions calculated again by their rules"] += 1
    for line in check.lines.values():
        if line.kind == EntryKind.CREDIT_GRANTED and line.number not in explained:
            check.notes["grants without their evidence: it was purged, or left out"] += 1


def _doubts(line: Line, data: dict[str, Any]) -> list[str]:
    try:
        if _digest(data["evidence"]) != line.evidence:
            return ["the evidence is not that of which the ledger has the digest"]
        evidence, terms = evidence_from(data["evidence"]["evidence"]), terms_from(data["evidence"]["terms"])
        rules = pack(line.authority, version=line.version)
        decision = rules.evaluate(evidence, terms)
        return [
            *_doubts_of_decision(line, decision, Decision.from_data(data["decision"])),
            *_doubts_of_credit(line, decision, may_take_less=rules.learner_claims),
        ]
    except NoRulesError:
        return [f"this program does not know the rules {line.authority} {line.version}"]
    except WRONG:
        return ["the evidence cannot be read"]


def _doubts_of_decision(line: Line, decision: Decision, kept: Decision) -> Iterator[str]:
    credit = plain(decision.credit)
    if line.decision not in {"", _digest(kept.as_data())}:
        yield "the decision is not that of which the ledger has the digest"
    if decision.as_data() != kept.as_data():
        yield f"the rules decide {credit}, and not {plain(kept.credit)} in the way that was kept"
    steps = _digest([[one.code, dict(one.values)] for one in decision.steps])
    if (line.computed, line.steps) != (credit, steps):
        yield f"the rules decide {credit}, and not {line.computed} in the way that the ledger says"


def _doubts_of_credit(line: Line, decision: Decision, *, may_take_less: bool) -> Iterator[str]:
    granted = Decimal(line.credits or 0)
    if not decision.is_granted:
        yield "the rules grant nothing"
    elif granted > decision.credit or (granted < decision.credit and not may_take_less):
        yield f"the ledger grants {plain(granted)}, the rules {plain(decision.credit)}"
