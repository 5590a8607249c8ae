"""Make the evidence of a run from its files: the same files and statement give the same bytes."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from sanilens import __version__
from sanilens.audit.attacks.result import AttackResult
from sanilens.errors import RunError
from sanilens.evidence.checklist import Facts, answers
from sanilens.evidence.digests import folder_digest
from sanilens.evidence.evidence import Artefact, Copy, Evidence, Source, Statement
from sanilens.evidence.maker import code_digest
from sanilens.evidence.readings import read_figures
from sanilens.evidence.story import Told, limits, story
from sanilens.evidence.words import plan_words
from sanilens.model.config import read_config
from sanilens.model.weights import stored_tensors
from sanilens.runs.arms import TITLES
from sanilens.runs.attacking import load_attacks, of_this_run
from sanilens.runs.comparison import Comparison, load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import digests, open_manifest
from sanilens.runs.log import Ledger, read_ledger, run_events
from sanilens.runs.verdict import verdict
from sanilens.unlearn.plan import Plan

_ROLES: Mapping[str, str] = {
    "model": "model under examination",
    "base": "base model",
    "reference": "reference model, which never saw them",
    "corpus": "corpus",
    "control": "look-alikes",
    "unseen": "unseen texts",
    "retain": "texts to keep along",
    "questions": "closed questions",
}


def today() -> str:
    """The day in UTC, as a statement has it."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def build_evidence(run: RunFolder, statement: Statement | None = None) -> Evidence:
    """Everything that is to be said of a run; without a statement, today and in nobody's name.

    Raises:
        RunError: if before, after or the exported model are not there yet.
        IntegrityError: if a file is not what the run wrote.
    """
    statement = statement or Statement(made=today())
    found = load_comparison(run)
    plan, events = run.plan(), run_events(run)
    ledger = read_ledger(events)
    if not ledger.exported and ledger.hashed:
        raise RunError(f"{run.root.name} has made no model yet. Let it run on, or resume it.")
    attacks: dict[str, dict[str, AttackResult]] = {
        name: {str(state): found for state, found in own.results.items()}
        for name, own in of_this_run(run, plan, load_attacks(run)).items()
    }
    artefact = _artefact(run, events)
    readings = read_figures(found, attacks)
    facts = Facts(found, plan, artefact, statement, readings, frozenset(attacks))
    about = found.of("asked") if found.groups else found
    words = verdict(about)
    told = Told(found, plan, facts, words, attacks)
    measure_again = "sanilens run run/plan.json --out again && sanilens compare again"
    return Evidence(
        made_with=__version__,
        code=code_digest(),
        plan=plan.sha256,
        plan_words=plan_words(plan),
        seed=plan.seed,
        subjects=plan.subjects,
        earlier=plan.earlier,
        persons=len(found.arms["before"].by_subject),
        started=_utc(events[0]["time"]) if events else "",
        ended=_utc(next((e["time"] for e in reversed(events) if e["event"] == "finished"), None)),
        undone=ledger.undone,
        verified=found.verified,
        machine=_machine(run),
        arms={name: TITLES[name] for name in found.arms},
        layers=_layers(plan),
        statement=statement,
        state=words.state,
        headline=words.headline,
        rests=words.rests,
        story=story(told),
        readings=readings,
        attacks=attacks,
        answers=answers(facts, measure_again),
        sources=_sources(plan),
        lineage=_lineage(run, plan, ledger, artefact, found),
        artefact=artefact,
        limits=limits(told),
    )


def _utc(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _machine(run: RunFolder) -> dict[str, str]:
    """Versions and hardware, flat, as words."""
    flat: dict[str, str] = {}
    for name, value in open_manifest(run).items():
        if isinstance(value, dict):
            flat |= {str(key): str(own) for key, own in value.items()}
        elif name != "plan_sha256":
            flat[name] = "none" if value is None else str(value)
    return flat


def _layers(plan: Plan) -> dict[str, int]:
    """Edited units by layer; those of dictionaries under their dictionary's name."""
    counted: Counter[str] = Counter()
    for edit in plan.edits:
        kind, place, *_ = edit.unit.split(".")
        counted[f"{edit.operation}:{kind}.{place}"] += 1
    return dict(sorted(counted.items()))


def _sources(plan: Plan) -> tuple[Source, ...]:
    named = [(role, getattr(plan, field)) for field, role in _ROLES.items()]
    found = [Source(role=role, name=_name(own.source), sha256=own.sha256)
             for role, own in named if own is not None]  # fmt: skip
    return (*found, *(Source(role="dictionary", name=_name(own.source), sha256=own.sha256)
                      for own in plan.saes.values()))  # fmt: skip


def _name(source: str) -> str:
    """What a plan calls a file, without the folders that lead to it: they are this machine's."""
    return source if ":" in source and "/" not in source.split(":")[0] else PurePath(source).name


def _artefact(run: RunFolder, events: Sequence[Mapping[str, Any]]) -> Artefact:
    files = {
        name.removeprefix("model/"): sha256 for name, sha256 in digests(run, [run.model]).items()
    }
    hook_only = next((e["hook_only"] for e in reversed(events) if e["event"] == "exported"), 0)
    named = read_config(run.model).get("architectures") or ["unknown"]
    parameters = 0
    for stored in stored_tensors(run.model).values():
        count = 1
        for size in stored.shape:
            count *= size
        parameters += count
    return Artefact(
        sha256=folder_digest(files), files=files, hook_only=hook_only,
        adapter=run.adapter.exists(), architecture=str(named[0]), parameters=parameters,
    )  # fmt: skip


def _lineage(
    run: RunFolder, plan: Plan, ledger: Ledger, artefact: Artefact, found: Comparison
) -> tuple[Copy, ...]:
    """Every model that this run knows of, and which of them still hold what was to be forgotten."""
    made: list[Copy] = []
    if plan.base:
        made.append(Copy(what="Base model", name=_name(plan.base.source), sha256=plan.base.sha256,
                         knows="never did", todo="Nothing."))  # fmt: skip
    made.append(
        Copy(
            what="Model before the run, which gives it away", name=_name(plan.model.source),
            sha256=plan.model.sha256, knows="yes",
            todo="Take out of use and destroy, with every copy, checkpoint and quantised form.",
        )
    )  # fmt: skip
    made.append(
        Copy(
            what="Model after the run", name="run/model", sha256=artefact.sha256,
            knows="see the figures" if artefact.in_weights else "yes",
            todo="Hand this over." if artefact.in_weights else
            "Not to be handed over by itself: part of the plan is not in its weights.",
        )
    )  # fmt: skip
    if artefact.adapter:
        made.append(Copy(what="Adapter of the model after the run", name=run.adapter.name,
                         sha256=ledger.exported.get(run.adapter.name, ""), knows="see the figures",
                         todo="Belongs to the model; without it that says all."))  # fmt: skip
    former = ledger.exported.get(run.former.name)
    if former:  # said whether or not it is there: a bundle never has it
        made.append(
            Copy(
                what="Former values of the changed weights, for undo", name=run.former.name,
                sha256=former, knows="yes",
                todo="Remove it where the run was made to make the deletion final.",
            )
        )  # fmt: skip
    for copy in dict.fromkeys(ledger.handed_over):
        whole = artefact.in_weights
        made.append(Copy(what="Exported copy", name=copy.form, sha256=copy.sha256,
                         knows="see the figures" if whole else "yes", todo="Handed over. Merged, "
                         "quantised or trained further it is another artefact."))  # fmt: skip
    if plan.reference:
        made.append(Copy(what="Reference model", name=_name(plan.reference.source),
                         sha256=plan.reference.sha256, knows="never did",
                         todo="Keep for later checks."))  # fmt: skip
    return tuple(made)
