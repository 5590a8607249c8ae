"""Is everything what it says it is? Digests, signature, event chain, figures, and the plan again.

What is looked at is a bundle, an exported model's folder, or a run's folder. A check that could not
be made says why, and never reads as passed.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import pyarrow as pa

from sanilens import __version__
from sanilens.errors import IntegrityError, RunError, SaniLensError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.bundle import (
    CRITERIA,
    EVIDENCE,
    FIGURES,
    FORMATS,
    REPORT,
    RUN,
    SCRIPT,
    SIGNER,
    run_files,
    script,
)
from sanilens.evidence.digests import (
    SEAL,
    SIGNATURE,
    file_digests,
    folder_digest,
    read_seal,
    unsealed,
)
from sanilens.evidence.evidence import Evidence, Reading, read_evidence
from sanilens.evidence.export import AS_AUDITED, BESIDE, LINEAGE
from sanilens.evidence.gate import SAMPLE, Judged, judge, read_criteria
from sanilens.evidence.html import short
from sanilens.evidence.maker import code_digest, named, same_maker
from sanilens.evidence.signing import check_signature
from sanilens.evidence.worded import otherwise, same_numbers
from sanilens.evidence.words import figure
from sanilens.files import open_file, parse_json
from sanilens.runs.arms import load_arms
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import NOT_VERIFIED, check, digests, printable, several
from sanilens.runs.log import read_ledger, run_events

_LARGEST = 256 * 2**20


class Check(NamedTuple):
    """One thing that was looked at, what came of it, and in what words."""

    what: str
    outcome: Literal["as it was", "WRONG", "not checked"]
    words: str


def verify(folder: Path, public_key: Path | None = None) -> list[Check]:
    """Look at everything in a folder.

    Raises:
        RunError: if it is neither bundle, nor exported model, nor run.
        SaniLensError: if the key is none.
    """
    if not folder.is_dir():
        raise RunError(f"{folder.name} is no folder.")
    if (folder / EVIDENCE).exists() or (folder / RUN).is_dir():
        return list(_bundle(folder, public_key))
    if (folder / SEAL).exists() or (folder / SIGNATURE).exists():
        return [*_sealed(folder, public_key), _exported(folder)]
    return list(_run(RunFolder(folder)))


def failed(checks: list[Check]) -> list[Check]:
    """Those that found something wrong."""
    return [each for each in checks if each.outcome == "WRONG"]


def _bundle(folder: Path, public_key: Path | None) -> Iterator[Check]:
    looked: list[Check] = []
    for look in (_sealed(folder, public_key), _run(RunFolder(folder / RUN))):
        looked += look
        if failed(looked):  # the file is named: what is drawn from it says no more
            yield from looked
            yield Check("all else", "not checked", "a file is not what it was; see above")
            return
    yield from looked
    try:
        said = read_evidence(folder / EVIDENCE)
        made = build_evidence(RunFolder(folder / RUN), said.statement)
        judged = judge(made, read_criteria(folder / CRITERIA))
    except SaniLensError as error:
        yield Check("figures", "WRONG", str(error))
        return
    same = same_maker(said.made_with, said.code)
    apart = differing(said, made, words=same)
    if same and not apart and _bytes(folder / EVIDENCE) != made.canonical():
        apart = [f"{EVIDENCE} is written otherwise"]
    yield compared("figures", apart, f"{len(made.readings):,} figures "
                    "counted again in the run's tables")  # fmt: skip
    yield compared("report", _shown_otherwise(folder / REPORT, said, made, words=same), "every "
                    "figure and sentence of report.html is the evidence's")  # fmt: skip
    table = _table_otherwise(folder / FIGURES, made if same else said, words=same)
    yield compared(FIGURES, table, "the same figures")
    wrong, other = _drawn_otherwise(folder, made, judged, same)
    if not same and differing(said, made):
        other.insert(0, EVIDENCE)
    right = f"{len(FORMATS)} files drawn again from the run, the same"
    if other:
        right = "digests, figures and outcomes in them are the run's"
    yield compared("formats", wrong, right)
    if other and not wrong:
        by, here = named(said.made_with, said.code), named(__version__, code_digest())
        yield Check("wording", "not checked", f"{several(other)}: written by SaniLens {by}; this "
                    f"is {here}. Their figures agree. The words around them may say anything: to "
                    "compare them takes that very version.")  # fmt: skip
    yield _criteria(folder, judged)


def _drawn_otherwise(
    folder: Path, made: Evidence, judged: Sequence[Judged], same: bool
) -> tuple[list[str], list[str]]:
    """What is wrong with files drawn from the run, and files whose wording cannot be compared."""
    wrong: list[str] = []
    other: list[str] = []
    known = {*FORMATS, EVIDENCE, FIGURES, CRITERIA, SCRIPT, SIGNER, SEAL, SIGNATURE}
    run = RunFolder(folder / RUN)
    ledger = read_ledger(run_events(run))
    announced = {*ledger.announced, run.events_file.name, run.head_file.name}
    if not ledger.hashed:  # of a version that announced nothing
        announced = {*digests(run, run_files(run))}
    for name in read_seal(folder):
        inside = name.removeprefix(f"{RUN}/")
        if name not in known and (inside == name or inside not in announced):
            what = f"{printable(name)} is no part of a bundle: nothing says that it is true"
            (wrong if same else other).append(what)
    drawn = {name: partial(make, made, folder) for name, make in FORMATS.items()}
    for name, draw in (*drawn.items(), (SCRIPT, script)):
        try:
            content = _bytes(folder / name)
            if content == draw():
                continue
            if same:
                wrong.append(f"{name} is not what is drawn from the run")
                continue
            other.append(name)
            wrong += otherwise(name, content, made, judged, folder)
        except SaniLensError as error:
            wrong.append(f"{name}: {error}")
    return wrong, other


def _criteria(folder: Path, judged: Sequence[Judged]) -> Check:
    """They are whoever's who made the bundle, and may ask for nothing."""
    counts = Counter(each.outcome for each in judged)
    said = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
    sample = _bytes(folder / CRITERIA) == SAMPLE.read_bytes()
    whose = "the sample's" if sample else "chosen by whoever made the bundle"
    return Check("criteria", "as it was", f"{said}; the thresholds are {whose}. By your own: "
                 "sanilens gate BUNDLE yours.yaml")  # fmt: skip


def _sealed(folder: Path, public_key: Path | None) -> Iterator[Check]:
    try:
        found = [str(problem) for problem in unsealed(folder)]
    except IntegrityError as error:
        found = [str(error)]
    yield compared("digests", found, "every file as digests.json says, and no other")
    inside = folder / SIGNER
    if not (folder / SIGNATURE).exists():
        missing = inside.exists() or public_key is not None
        yield Check("signature", "WRONG" if missing else "not checked",
                    f"{SIGNATURE} is missing" if missing else "it is not signed")  # fmt: skip
        return
    if public_key is None and not inside.exists():
        yield Check("signature", "not checked", "give the public key to --key")
        return
    whose = "by the key given"
    if not public_key:
        whose = "by the key in the folder, which does not say who signed: get it another way"
    try:
        check_signature(folder, public_key or inside)
    except IntegrityError as error:
        yield Check("signature", "WRONG", str(error))
    except SaniLensError as error:
        if public_key:
            raise
        yield Check("signature", "WRONG", str(error))
    else:
        yield Check("signature", "as it was", whose)


def _exported(folder: Path) -> Check:
    """Whether a sealed folder is an exported model, and the one that its lineage names."""
    what = "exported model"
    if drawn := sorted(name for name in FORMATS if (folder / name).exists()):
        return Check(what, "WRONG", f"{drawn[0]} is of a bundle, whose {RUN} is missing: nothing "
                     "shows that it is true")  # fmt: skip
    if not (folder / LINEAGE).exists():
        return Check(what, "not checked", f"without {LINEAGE} it is not known what this is")
    try:
        said = parse_json(_bytes(folder / LINEAGE))
        form, whole = said["form"], said["model_sha256"]
        own = {n: sha256 for n, sha256 in read_seal(folder).items() if n not in BESIDE}
    except (SaniLensError, ValueError, LookupError, TypeError) as error:
        return Check(what, "WRONG", str(error) if isinstance(error, SaniLensError) else
                     f"{LINEAGE} is damaged")  # fmt: skip
    if form != AS_AUDITED:
        digest = folder_digest(file_digests(folder))
        return Check(what, "not checked", "in another form than the run's model: its figures stand "
                     "in a bundle of the run made since, where this copy is the one of digest "
                     f"{digest}")  # fmt: skip
    if folder_digest(own) != whole:
        return Check(what, "WRONG", f"the weights are not those that {LINEAGE} names")
    return Check(what, "as it was", f"the model {whole[:16]} of plan {str(said['plan'])[:16]}; "
                 "what README.md says of it is shown by that run's bundle alone")  # fmt: skip


def _run(run: RunFolder) -> Iterator[Check]:
    try:
        checked = check(run)
        load_arms(run.arms, checked.arms)
    except SaniLensError as error:
        yield Check("run", "WRONG", str(error))
        return
    if not checked.verified:
        yield Check("run", "not checked", NOT_VERIFIED)
        return
    yield Check("run", "as it was", "event chain, plan, tables, summaries and model")


_WORDED = ("made_with", "code", "plan_words", "arms", "headline", "rests", "story", "answers",
           "limits", "lineage", "sources", "readings")  # fmt: skip
_NUMBERS = ("value", "infinite", "hits", "n", "low", "high")


def differing(said: Evidence, made: Evidence, *, words: bool = True) -> list[str]:
    """What of one evidence is not so in another: figures by id, all else by name.

    Without `words`, only what no wording changes: numbers, digests, the verdict, what attacks
    found. A figure that was not counted yet when `said` was written is then none of its.
    """
    own = {r.id: r for r in made.readings}
    there = {r.id: r for r in said.readings}
    if words:
        found = [n for n in sorted(own.keys() | there.keys()) if own.get(n) != there.get(n)]
        return found + [
            field for field in Evidence.model_fields
            if field not in ("readings", "made_with", "code")
            and getattr(said, field) != getattr(made, field)
        ]  # fmt: skip
    found = [n for n in sorted(there) if n not in own or not _same_number(there[n], own[n])]
    # Left out where it says most: every figure that both versions know by its kind must be there.
    kinds = {(r.measure, r.arm) for r in said.readings}
    found += [n for n, r in sorted(own.items()) if n not in there and (r.measure, r.arm) in kinds]
    found += [field for field in Evidence.model_fields
              if field not in _WORDED and getattr(said, field) != getattr(made, field)]  # fmt: skip
    if said.arms.keys() != made.arms.keys():
        found.append("arms")
    for field, parts in (("sources", ("sha256",)), ("lineage", ("sha256", "knows"))):
        one, other = ([[getattr(each, part) for part in parts] for each in getattr(evidence, field)]
                      for evidence in (said, made))  # fmt: skip
        if one != other:
            found.append(field)
    return found


def _same_number(one: Reading, other: Reading) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in _NUMBERS]
    return (one.unit, one.file) == (other.unit, other.file) and all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9))
        for a, b in pairs
    )


class _Shown(HTMLParser):
    """Texts of elements that carry a figure's or a sentence's id."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str, str]] = []
        self._open: list[tuple[str, str, str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        for kind in ("data-figure", "data-said"):
            if (name := own.get(kind)) is not None:
                self._open.append((tag, kind, name, []))

    def handle_data(self, data: str) -> None:
        for *_, text in self._open:
            text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            _, kind, name, text = self._open.pop()
            self.found.append((kind, name, "".join(text).replace("\u00a0", " ").strip()))


def _shown_otherwise(path: Path, written: Evidence, made: Evidence, *, words: bool) -> list[str]:
    """Figures and sentences of the report that are not the evidence's.

    `written`: as the bundle has it, whose sentences the page must have; figures are those of
    `made`. Without `words` a figure may be written in another way.
    """
    try:
        text = _bytes(path).decode()
    except (UnicodeDecodeError, IntegrityError) as error:
        return [str(error) if isinstance(error, IntegrityError) else "report.html is no text"]
    parser = _Shown()
    parser.feed(text)
    readings = {r.id: r for r in made.readings}
    told = made if words else written
    said = {each.id: each.text for each in told.story}
    said |= {f"answer-{a.number}": a.text for a in told.answers}
    said["headline"] = told.headline or "No verdict."
    wrong: list[str] = []
    for kind, name, shown in parser.found:
        if kind == "data-figure":
            own = readings.get(name)
            right = own is not None and shown in (figure(own), short(own))
            right = right or (not words and same_numbers(shown, own))
        else:
            right = shown == said.get(name, "").strip()
        if not right:
            wrong.append(f"{name} is shown otherwise")
    missing = said.keys() - {name for kind, name, _ in parser.found if kind == "data-said"}
    return wrong + [f"{name} is not shown" for name in sorted(missing)]


def _table_otherwise(path: Path, told: Evidence, *, words: bool) -> list[str]:
    try:
        found = pd.read_parquet(pa.BufferReader(_bytes(path)))
    except (pa.ArrowException, OSError, ValueError, SaniLensError):
        return [f"{path.name} is no table of figures"]
    own = told.frame()
    if not words:
        return _numbers_otherwise(found, own)
    if list(found.columns) != list(own.columns) or len(found) != len(own):
        return ["it has other rows or columns"]
    same = (found.astype(object).fillna("") == own.astype(object).fillna("")).all(axis=1)
    return [str(name) for name in own["id"][~same.to_numpy()]]


def _numbers_otherwise(found: pd.DataFrame, own: pd.DataFrame) -> list[str]:
    """Ids of figures that another maker's table has otherwise."""
    columns = list(_NUMBERS)
    if not {"id", *columns} <= {*found.columns}:
        return ["it has no columns of figures"]
    names = found["id"].tolist()
    if not all(isinstance(name, str) for name in names) or len({*names}) < len(names):
        return ["it has figures without a name of their own"]
    there = dict(zip(found["id"], found[columns].astype(object).fillna("").to_numpy().tolist(),
                     strict=True))  # fmt: skip
    here = dict(zip(own["id"], own[columns].astype(object).fillna("").to_numpy().tolist(),
                    strict=True))  # fmt: skip
    return sorted(n for n in there.keys() | here.keys() if there.get(n) != here.get(n))


def compared(what: str, wrong: Sequence[str], right: str) -> Check:
    """What is wrong, if anything is; else in what words it is right."""
    if not wrong:
        return Check(what, "as it was", right)
    return Check(what, "WRONG", several(wrong))


def _bytes(path: Path) -> bytes:
    with open_file(path, IntegrityError, most=_LARGEST, links=False) as file:
        return file.read()
