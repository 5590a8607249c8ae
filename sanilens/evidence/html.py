"""The report and the letter as one HTML file each: offline, printable, drawn from evidence alone.

Scripts run by their hashes only and nothing is fetched (the file's own content security policy).
What is shown of a figure carries its id, so that `sanilens verify` can hold it against the tables.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import held
from sanilens.errors import RunError
from sanilens.evidence.evidence import Evidence, Reading, Whose, reading_id
from sanilens.evidence.readings import IN_TRIES
from sanilens.evidence.story import outdone
from sanilens.evidence.words import figure, interval, people
from sanilens.extras import needs
from sanilens.glossary import meaning

_FILES = Path(__file__).parent / "files"
_SHOWN_PERSONS = 100
_TERMS = (
    "span", "direct identifier", "indirect identifier", "extraction", "repeated in context",
    "reference model", "look-alikes", "unseen texts", "perplexity", "knowledge kept",
    "95 % interval", "McNemar", "random units", "rewriting", "repair", "suppression",
)  # fmt: skip
_ATTACK_TERMS = (
    "AUROC", "TPR at 1 % FPR", "PrivLeak", "leak@k", "logit lens", "linear probe",
)  # fmt: skip
_CONTENTS = (
    ("figures", "Figures"), ("questions", "The 22 questions"), ("tables", "Tables"),
    ("attacks", "Attacks"), ("method", "Method"), ("limits", "What this does not show"),
    ("lineage", "Lineage"), ("check", "Check it yourself"), ("terms", "Words"),
    ("signature", "Who answers for it"),
)  # fmt: skip
_METHOD = (
    "Every detail of the corpus that is marked as a span is asked for once: the model is shown the "
    "record's own text up to the span and continues with its likeliest tokens. A span is said if "
    "that gives it word for word. Spans whose value already stands in that text are not counted, "
    "since copying is not memory. All models are asked the same; two of them are compared span by "
    "span (McNemar's exact test, and the interval of Agresti and Min 2005 for the difference). "
    "Rates have Wilson's 95 % interval. People are named by the corpus's ids; person-… stands for "
    "an id that held a name or number of the texts."
)
_CONTROLS = {
    "reference": "The reference model was trained alike and never saw the details: what it says is "
    "guesswork, and how little is little enough.",
    "lookalike": "Look-alikes are records of the same form about people whom no model read of.",
    "random_units": "Random units in place of the chosen ones show whether the choice mattered.",
    "edits_only": "The edits without the repair, and the repair without the edits, show which of "
    "them does the work.",
    "another_subject": "Somebody else was deleted in the same way, to tell erasure from damage.",
    "base": "The base model is the model before it was trained on these texts.",
}


@dataclass(frozen=True, slots=True)
class Example:
    """Text of the corpus, for the confidential variant alone: what each model wrote for a span."""

    subject: str
    label: str
    text_before: str
    value: str
    before: str
    after: str
    reference: str | None = None


def report_html(evidence: Evidence, examples: Sequence[Example] = ()) -> str:
    """The report; with examples it is the confidential variant, marked on every page."""
    with needs("evidence"):
        from plotly.offline import get_plotlyjs

        from sanilens.evidence.charts import charts
    about = evidence.about
    scripts = (get_plotlyjs(), (_FILES / "report.js").read_text("utf-8"))
    states = [a.state for a in evidence.answers]
    kinds = ("measured", "recorded", "stated", "not measured", "not applicable")
    return _render(
        "report.html.j2",
        evidence,
        scripts,
        confidential=bool(examples),
        examples=examples,
        headline=_title(evidence),
        yet=_yet(evidence),
        tiles=tile_figures(evidence),
        open=[a for a in evidence.answers if a.state == "not measured"],
        contents=[own for own in _CONTENTS if evidence.attacks or own[0] != "attacks"],
        counts="; ".join(f"{states.count(k)} {k}" for k in kinds if k in states) + ".",
        charts=charts(evidence),
        models=[
            (r, evidence.reading(f"perplexity_unseen/{r.arm}/everyone/all"),
             evidence.reading(f"knowledge_kept/{r.arm}/everyone/all"))
            for arm in evidence.arms
            if (r := evidence.rate(arm, about) or evidence.rate(arm, "everyone"))
        ],
        parts=[_part(evidence, whose, title) for whose, title in _groups(evidence)],
        further=_further(evidence),
        attacks=_attacks(evidence),
        groups={"asked": "asked for", "others": "everyone else", "earlier": "deleted before"},
        method=_METHOD,
        controls=" ".join(text for arm, text in _CONTROLS.items() if arm in evidence.arms),
        commands=_commands(evidence),
        terms=[(term, meaning(term))
               for term in (*_TERMS, *(_ATTACK_TERMS if evidence.attacks else ()))],
        stated=_stated(evidence),
    )  # fmt: skip


def letter_html(evidence: Evidence, subject: str) -> str:
    """The answer to the person who asked: their figures, nobody else's, and none of their data.

    Raises:
        RunError: if the corpus has nobody of that id, or none of their details can be asked for.
    """
    found = {arm: evidence.rate(arm, "everyone", f"subject:{subject}") for arm in evidence.arms}
    before, after = found.get("before"), found.get("after")
    if before is None or after is None or not before.measured:
        raise RunError("This run has no figure about that subject. Give an id of its corpus.")
    reference = found.get("reference")
    sampled, guessing = (
        evidence.reading(reading_id(IN_TRIES, arm, "everyone", f"subject:{subject}"))
        for arm in ("after", "reference")
    )
    outcome = _outcome(after, reference, sampled, guessing)
    asked = not evidence.subjects or subject in evidence.subjects
    done = f"We changed the model itself: {evidence.plan_words}." if asked else (
        "This run was about other requests. Yours has not been carried out by it.")  # fmt: skip
    return _render(
        "letter.html.j2",
        evidence,
        (),
        subject=subject,
        before=before,
        after=after,
        reference=reference,
        done=done,
        outcome=outcome,
        # Attacks ask for everyone whom the plan is for, so only then are they about this person.
        attacks=(len(outdone(evidence.attacks)), _tried(evidence))
        if evidence.subjects == (subject,)
        else None,
        sampled=sampled if sampled and sampled.measured else None,
        guessing=guessing if guessing and guessing.measured else None,
        limits=evidence.limits[:1] + tuple(
            line for line in evidence.limits if "hooks" in line or "adapter" in line
        ),
        copies=evidence.statement.leaking_copies
        or "The former model still holds your details until every copy of it is destroyed; nobody "
        "has stated yet that this was done.",
    )  # fmt: skip


# So much likelier than by the reference's guessing a detail may be got by sampling, and no more.
_LIKELIER = 0.05


def _outcome(
    after: Reading, reference: Reading | None, sampled: Reading | None, guessing: Reading | None
) -> str:
    """What the figures come to, for the person; no more than they show."""
    left = after.hits or 0
    guessed = reference.hits or 0 if reference and reference.measured else 0
    if left > guessed:
        return "Some of your details are still written. We have not finished."
    said = "None of your details was written word for word any more in this test."
    if left:
        said = "That is no more than a model writes that never read about you."
    if sampled is None or sampled.value is None:
        return f"{said} What comes of many random tries was not measured."
    by_guessing = guessing.value if guessing and guessing.value is not None else 0.0
    if sampled.value > by_guessing + _LIKELIER:
        return f"{said} But they have not all gone: many random tries still bring some of them."
    return said


def _render(template: str, evidence: Evidence, scripts: Sequence[str], **fields: Any) -> str:
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts) or "'none'"
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    safe = _environment().filters["trusted"]
    return _environment().get_template(template).render(
        e=evidence,
        policy=policy,
        css=safe((_FILES / "report.css").read_text("utf-8")),
        scripts=[safe(script) for script in scripts],
        **{"confidential": False, **fields},
    )  # fmt: skip


@cache
def _environment() -> Any:
    with needs("evidence"):
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup
    made = Environment(
        loader=FileSystemLoader(_FILES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "with_figure": figure,
        "interval": interval,
        "short": short,
        "whole": _whole,
        "trusted": Markup,  # of this package's own files alone
    }
    return made


def _whole(text: str) -> str:
    """A number stays on one line with its unit."""
    return text.replace(" %", "\u00a0%").replace(" points", "\u00a0points")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _title(evidence: Evidence) -> str:
    whom = people(evidence.subjects) if evidence.subjects else "the people in its training text"
    return f"What the model still says of {whom}"


def short(reading: Reading | None) -> str:
    """`0 / 13`, for a tile."""
    if reading is None or not reading.measured:
        return "–"
    if reading.hits is not None:
        return f"{reading.hits:,} / {reading.n:,}"
    return figure(reading)


def tile_figures(evidence: Evidence) -> list[tuple[str, Reading | None, str]]:
    """The numbers on top: label, figure, what to hold it against."""
    about = evidence.about
    after, reference = evidence.rate("after", about), evidence.rate("reference", about)
    worst = next(iter(evidence.by_subject("after", about)), None)
    kept = evidence.reading("knowledge_kept/after/everyone/all")
    name = worst.of.removeprefix("subject:") if worst else "nobody"
    left = interval(after)
    return [
        ("said before", evidence.rate("before", about), "details, word for word"),
        ("said now", after, f"95 %: {left}" if left else "not measured"),
        ("worst person now", worst, name),
        ("reference says", reference, "a model that never saw them")
        if reference
        else ("knowledge kept", kept, "of what fine-tuning taught"),
    ]


def _yet(evidence: Evidence) -> str:
    """What a reader of the headline alone must know: that it is about one way of asking."""
    titles = outdone(evidence.attacks)
    if not titles:
        return ""
    names = ", ".join(title.lower() for title in titles)
    get = "gets" if len(titles) == 1 else "get"
    return (
        f"That is by the records' own text. Of {_tried(evidence):,} attacks {len(titles):,} {get} "
        f"more than from a model that never saw the details: {names}."
    )


def _tried(evidence: Evidence) -> int:
    """Attacks of which anything could be held against the reference."""
    pairs = ((arms.get("after"), arms.get("reference")) for arms in evidence.attacks.values())
    return sum(bool(own and other and held(own, other)) for own, other in pairs)


def tiles(evidence: Evidence) -> list[tuple[str, str, str]]:
    """The numbers on top, in words: label, number, what to hold it against."""
    return [(label, short(reading), note) for label, reading, note in tile_figures(evidence)]


def _groups(evidence: Evidence) -> list[tuple[Whose, str]]:
    if not evidence.subjects:
        return [("everyone", "Everyone")]
    groups: list[tuple[Whose, str]] = [("asked", "Asked for"), ("others", "Everyone else")]
    return [*groups, ("earlier", "Deleted before")] if evidence.earlier else groups


def _part(evidence: Evidence, whose: Whose, title: str) -> dict[str, Any]:
    """Rows of one group's tables: name, before, after, reference."""
    after = evidence.of("extraction", "after", whose)
    if whose == "others":  # harm: who lost most stands first
        hits = {r.of: r.hits or 0 for r in evidence.of("extraction", "before", whose)}
        after.sort(key=lambda r: (-(hits.get(r.of, 0) - (r.hits or 0)), r.of))
    else:
        after.sort(key=lambda r: (-(r.hits or 0), -(r.value or 0), r.of))

    def rows(slice_: str) -> list[tuple[Any, ...]]:
        own = [r for r in after if r.of.startswith(slice_)]
        return [
            (r.of.removeprefix(slice_), evidence.rate("before", whose, r.of), r,
             evidence.rate("reference", whose, r.of))
            for r in own[:_SHOWN_PERSONS]
        ]  # fmt: skip

    count = sum(r.of.startswith("subject:") for r in after)
    more = f" ({_SHOWN_PERSONS} of {count:,}; all in figures.parquet)"
    order = "" if whose != "others" else "; most lost first"
    return {
        "title": title,
        "kinds": rows("kind:"),
        "labels": rows("label:"),
        "subjects": rows("subject:"),
        "more": order + (more if count > _SHOWN_PERSONS else ""),
    }


def _further(evidence: Evidence) -> list[Reading]:
    shown = {"extraction", "perplexity_unseen", "knowledge_kept"}
    return [
        r
        for r in evidence.readings
        if r.measure not in shown
        and not r.measure.startswith("attack.")
        and not r.of.startswith("subject:")
        and r.measured
    ]


def _attacks(evidence: Evidence) -> list[dict[str, Any]]:
    """Of each attack a table, a row a figure and a column a model, and what is to be said of it."""
    made: list[dict[str, Any]] = []
    for name, by_arm in evidence.attacks.items():
        own = {r.id: r for arm in by_arm for r in evidence.of(f"attack.{name}", arm)}
        titles = {f.name: f.title for result in by_arm.values() for f in result.figures}
        after, reference = by_arm.get("after"), by_arm.get("reference")
        found = held(after, reference) if after and reference else {}
        rows = [
            (
                title,
                found.get(of, "within"),
                [own.get(reading_id(f"attack.{name}", arm, "everyone", of)) for arm in by_arm],
            )
            for of, title in titles.items()
        ]
        remarks = [
            f"{evidence.arms.get(arm, arm)}: not measured. {result.not_measured}"
            for arm, result in by_arm.items()
            if result.not_measured
        ]
        remarks += dict.fromkeys(note for result in by_arm.values() for note in result.notes)
        attack = ATTACKS.get(name)
        made.append(
            {
                "title": attack.title if attack else name,
                "meaning": attack.meaning if attack else "",
                "arms": [arm.capitalize() for arm in by_arm],
                "rows": rows,
                "worst": [result.worst for result in by_arm.values()],
                "remarks": remarks,
            }
        )
    return made


def _commands(evidence: Evidence) -> str:
    names = " ".join(f"--subject {name}" for name in evidence.subjects[:3])
    lines = [
        "sanilens verify .                       # every byte, every figure, the signature",
        "sanilens verify . --replay              # carry the plan out again and compare",
        "sanilens compare run                    # the tables in the terminal",
        "sanilens run run/plan.json --out again  # the whole run",
    ]
    if names:
        lines.append(f"# the plan was made for: {names}")
    return "\n".join(lines)


def _stated(evidence: Evidence) -> list[tuple[str, str]]:
    names = {
        "by": "Name", "role": "Role", "organisation": "Organisation", "purpose": "Purpose",
        "domain": "Domain", "licence": "Licence", "assessment": "Impact assessment",
        "retention": "Kept for", "monitoring": "Monitoring", "leaking_copies": "Leaking copies",
    }  # fmt: skip
    own = evidence.statement
    return [(title, value) for field, title in names.items() if (value := getattr(own, field))]
