"""Is everything what it says it is? Digests, signature, event chain, figures, and the plan again.

What is looked at is a bundle, an exported model's folder, or a run's folder. A check that could not
be made says why, and never reads as passed.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import pyarrow as pa

from sanilens import __version__
from sanilens.errors import IntegrityError, RunError, SaniLensError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.bundle import EVIDENCE, FIGURES, FORMATS, REPORT, RUN, SIGNER
from sanilens.evidence.digests import SEAL, SIGNATURE, unsealed
from sanilens.evidence.evidence import Evidence, read_evidence
from sanilens.evidence.html import short
from sanilens.evidence.signing import check_signature
from sanilens.evidence.words import figure
from sanilens.files import open_file
from sanilens.runs.arms import load_arms
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import NOT_VERIFIED, check

_LARGEST = 256 * 2**20
_NAMED = 8


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
        return list(_sealed(folder, public_key))
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
    except SaniLensError as error:
        yield Check("figures", "WRONG", str(error))
        return
    yield _compared("figures", differing(said, made), f"{len(made.readings):,} figures counted "
                    "again in the run's tables")  # fmt: skip
    yield _compared("report", _shown_otherwise(folder / REPORT, made), "every figure and sentence "
                    "of report.html is the evidence's")  # fmt: skip
    yield _compared(FIGURES, _table_otherwise(folder / FIGURES, made), "the same figures")
    if said.made_with != __version__:
        yield Check("formats", "not checked", f"made by version {said.made_with}; this is "
                    f"{__version__}")  # fmt: skip
        return
    wrong = []
    for name, make in FORMATS.items():
        try:
            if _bytes(folder / name) != make(made, folder):
                wrong.append(f"{name} is not what is drawn from the run")
        except SaniLensError as error:
            wrong.append(f"{name}: {error}")
    yield _compared("formats", wrong, f"{len(FORMATS)} files drawn again from the run, the same")


def _sealed(folder: Path, public_key: Path | None) -> Iterator[Check]:
    try:
        found = [str(problem) for problem in unsealed(folder)]
    except IntegrityError as error:
        found = [str(error)]
    yield _compared("digests", found, "every file as digests.json says, and no other")
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


def differing(said: Evidence, made: Evidence) -> list[str]:
    """What of one evidence is not so in another: figures by id, all else by name."""
    own = {r.id: r for r in made.readings}
    there = {r.id: r for r in said.readings}
    found = [name for name in sorted(own.keys() | there.keys()) if own.get(name) != there.get(name)]
    for field in Evidence.model_fields:
        if field not in ("readings", "made_with") and getattr(said, field) != getattr(made, field):
            found.append(field)
    return found


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


def _shown_otherwise(path: Path, made: Evidence) -> list[str]:
    """Figures and sentences of the report that are not the evidence's."""
    try:
        text = _bytes(path).decode()
    except (UnicodeDecodeError, IntegrityError) as error:
        return [str(error) if isinstance(error, IntegrityError) else "report.html is no text"]
    parser = _Shown()
    parser.feed(text)
    readings = {r.id: r for r in made.readings}
    said = {each.id: each.text for each in made.story}
    said |= {f"answer-{a.number}": a.text for a in made.answers}
    said["headline"] = made.headline or "No verdict."
    wrong: list[str] = []
    for kind, name, shown in parser.found:
        if kind == "data-figure":
            own = readings.get(name)
            right = own is not None and shown in (figure(own), short(own))
        else:
            right = shown == said.get(name, "").strip()
        if not right:
            wrong.append(f"{name} is shown otherwise")
    missing = said.keys() - {name for kind, name, _ in parser.found if kind == "data-said"}
    return wrong + [f"{name} is not shown" for name in sorted(missing)]


def _table_otherwise(path: Path, made: Evidence) -> list[str]:
    try:
        found = pd.read_parquet(pa.BufferReader(_bytes(path)))
    except (pa.ArrowException, OSError, ValueError, SaniLensError):
        return [f"{path.name} is no table of figures"]
    own = made.frame()
    if list(found.columns) != list(own.columns) or len(found) != len(own):
        return ["it has other rows or columns"]
    same = (found.astype(object).fillna("") == own.astype(object).fillna("")).all(axis=1)
    return [str(name) for name in own["id"][~same.to_numpy()]]


def _compared(what: str, wrong: list[str], right: str) -> Check:
    if not wrong:
        return Check(what, "as it was", right)
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return Check(what, "WRONG", "; ".join(wrong[:_NAMED]) + more)


def _bytes(path: Path) -> bytes:
    with open_file(path, IntegrityError, most=_LARGEST, links=False) as file:
        return file.read()
