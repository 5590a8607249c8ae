"""The first page in plain words: what was asked, found, done, what remains, how sure that is."""

from collections.abc import Iterator
from dataclasses import dataclass

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import AttackResult, Beside, beside_person, held
from sanilens.evidence.checklist import Facts
from sanilens.evidence.evidence import Reading, Said
from sanilens.evidence.readings import IN_TRIES, Attacks
from sanilens.evidence.words import figure, number, people, plan_words, with_interval
from sanilens.runs.comparison import TRIES, Comparison
from sanilens.runs.judgement import seen
from sanilens.runs.verdict import SEEN, Words, instead, side_effect
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Plan

# Of an attack's figures that are outside the reference's, so many are written out on a first page.
_IN_WORDS = 1


@dataclass(frozen=True)
class Told:
    """What the story is made from."""

    found: Comparison
    plan: Plan
    facts: Facts
    words: Words
    attacks: Attacks


def story(told: Told) -> tuple[Said, ...]:
    """The first page."""
    made = [
        Said(id="asked", title="What was asked", text=_asked(told)),
        Said(id="found", title="What was found", text=_found(told)),
        Said(id="done", title="What was done", text=_done(told)),
        Said(id="remains", title="What remains", text=_remains(told)),
        Said(id="worst", title="The worst person", text=_worst(told)),
        Said(id="attacks", title="What attacks get", text=attacked(told.attacks)),
        Said(id="harm", title="What else changed", text=_harm(told)),
        Said(id="sure", title="How sure this is", text=_sure(told)),
    ]
    return tuple(made)


def limits(told: Told) -> tuple[str, ...]:
    """What a reader must not conclude."""
    return tuple(_limits(told))


def _asked(told: Told) -> str:
    subjects = told.plan.subjects
    n = told.found.rate("before").n
    if not subjects:
        persons = len(told.found.arms["before"].by_subject)
        return (
            f"The details of everyone in the corpus were to be forgotten: {n:,} spans that only "
            f"memory can give, of {persons:,} persons."
        )
    own = told.facts.rate("before")
    count = own.n if own and own.n else 0
    earlier = len(told.plan.earlier)
    before = f" {earlier:,} had asked before and stay forgotten." if earlier else ""
    return (
        f"The details of {people(subjects)} were to be forgotten ({count:,} spans that only memory "
        f"can give); those of everyone else, {n - count:,} spans, were to stay as they are.{before}"
    )


def _found(told: Told) -> str:
    before = told.facts.rate("before")
    text = (
        f"Shown the text before each of these details, the model as it was says "
        f"{with_interval(before)} of them word for word."
    )
    look = told.facts.first("extraction", "lookalike", "all")
    if look and look.measured:
        text += f" Of people whom it never read about it guesses {figure(look)}."
    return text


def _done(told: Told) -> str:
    words = plan_words(told.plan)
    artefact = told.facts.artefact
    where = "All of it is in the weights."
    if not artefact.in_weights:
        where = (
            "Not all of it is in the weights: whoever has the model's folder alone can get at what "
            "was to be forgotten."
        )
    return f"{words[0].upper()}{words[1:]}. {_how(told.plan)}{where}"


def _how(plan: Plan) -> str:
    """What the plan's repair does, in the method's own words."""
    if not plan.repair.trains:
        return ""
    said = METHODS[plan.repair.method].meaning
    said = said if said[1].isupper() else said[0].lower() + said[1:]  # NPO stays NPO
    return f"The repair, {plan.repair.method}: {said} "


def _remains(told: Told) -> str:
    after, reference = told.facts.rate("after"), told.facts.rate("reference")
    text = f"Asked in the same way, the model now says {with_interval(after)}."
    if seen(told.found):
        text += f" The reference model says {figure(reference)}: it is no yardstick. {SEEN}"
    elif reference and reference.measured:
        text += f" A model that never saw them says {figure(reference)}."
    else:
        text += (
            " There was no reference model, so nobody can say how much of that a model that never "
            "saw them would guess."
        )
    sampled = told.facts.first(IN_TRIES, "after", "all", told.facts.about)
    if sampled and sampled.measured:
        before = told.facts.first(IN_TRIES, "before", "all", told.facts.about)
        beside = told.facts.first(IN_TRIES, "reference", "all", told.facts.about)
        text += (
            f" Who samples each prompt {TRIES} times gets at least one of them with a probability "
            f"of {figure(sampled)} (before {figure(before)}, reference {figure(beside)})."
        )
    return text


def _worst(told: Told) -> str:
    worst = told.facts.worst("after")
    if worst is None or not worst.measured:
        return "No span of any person could be asked for."
    name = worst.of.removeprefix("subject:")
    before = told.facts.first("extraction", "before", worst.of, told.facts.about)
    figures = f"before {figure(before)}, now {with_interval(worst)}"
    if len(told.plan.subjects) == 1:  # what sampling gets of them is what remains
        return f"One person was asked for, {name}: {figures}."
    said = f"Most is still said of {name}" if worst.hits else (
        f"Nothing is said any more of any person asked about. Least sure is {name}")  # fmt: skip
    return f"{said}: {figures}.{_worst_sampled(told)}"


def _worst_sampled(told: Told) -> str:
    """Of whom sampling gets most: any detail, by so many samples of each of their prompts."""
    worst, reference = (told.facts.worst(arm, IN_TRIES) for arm in ("after", "reference"))
    if worst is None or not worst.measured:
        return ""
    name = worst.of.removeprefix("subject:")
    text = (
        f" Who samples each prompt {TRIES} times gets most of {name}: some detail with a "
        f"probability of {figure(worst)}"
    )
    if reference is None or not reference.measured:
        return f"{text}."
    return (
        f"{text}; of the reference, that never saw them, most of "
        f"{reference.of.removeprefix('subject:')}, with {figure(reference)}."
    )


def attacked(attacks: Attacks) -> str:
    """Every attack that gets more than the reference's own 95 % interval holds, most first.

    Its worst person is held against the interval of the reference's worst person in the same way.
    """
    tried = {name: by_arm for name, by_arm in attacks.items() if "after" in by_arm}
    if not tried:
        return "No attack was part of this run: no other prompts, no relearning, no look inside."
    more: list[tuple[float, str]] = []
    less: list[str] = []
    within, alone, without, figures = 0, 0, 0, 0
    for name, by_arm in tried.items():
        title = ATTACKS[name].title if name in ATTACKS else name
        after, reference = by_arm["after"], by_arm.get("reference")
        found = held(after, reference) if reference else {}
        figures += len(found)
        if after.headline is None:
            without += 1
        elif reference is None or not found:
            alone += 1
        else:
            if beyond := _beyond(after, reference, found):
                more.append((beyond[0], f"{title}: {beyond[1]}."))
            if count := sum(where == "below" for where in found.values()):
                less.append(f"{title} (by {count:,} of {len(found):,} figures)")
            within += not beyond and not count
    parts = [f"{_counted(len(tried), 'attack')} tried; {figures:,} figures can be held against "
             "those of a model that never saw the details."]  # fmt: skip
    if more:
        parts.append(
            f"{_counted(len(more), 'attack', 'gets', 'get')} more than that model's own 95 % "
            "interval holds:"
        )
    lines = [" ".join(parts), *(words for _, words in sorted(more, reverse=True))]
    rest: list[str] = []
    if less:
        rest.append(f"Below it, and so told from it the other way: {', '.join(less)}.")
    if within:
        rest.append(
            f"Every figure within the reference's interval, the worst person included: {within:,}."
        )
    if alone:
        rest.append(f"With nothing of the reference's to be held against: {alone:,}.")
    if without:
        rest.append(f"Not applicable or not measured, with the reason below: {without:,}.")
    return "\n".join(filter(None, [*lines, " ".join(rest)]))


def outdone(attacks: Attacks) -> tuple[str, ...]:
    """Titles of the attacks that get more than the reference's own interval holds, if any."""
    return tuple(
        ATTACKS[name].title if name in ATTACKS else name
        for name, by_arm in attacks.items()
        if "after" in by_arm and "reference" in by_arm
        for after, reference in [(by_arm["after"], by_arm["reference"])]
        if _beyond(after, reference, held(after, reference))
    )


def _counted(count: int, what: str, one: str = "was", several: str = "were") -> str:
    return f"{count:,} {what}{'s' * (count != 1)} {one if count == 1 else several}"


def _beyond(
    after: AttackResult, reference: AttackResult, found: dict[str, Beside]
) -> tuple[float, str] | None:
    """What of an attack is above the reference's interval, and by how much at most."""
    pairs = [
        (own, other)
        for name, where in found.items()
        if (own := after.figure(name)) and (other := reference.figure(name))
        if where == ("below" if own.better == "higher" else "above")
    ]
    most = [abs((own.value or 0) - (other.value or 0)) for own, other in pairs
            if own.unit in ("share", "AUC")]  # fmt: skip
    parts: list[str] = []
    for own, other in pairs[:_IN_WORDS]:
        value, least, mean, largest = (
            number(each, own.unit) for each in (own.value, other.low, other.value, other.high)
        )
        parts.append(f"{own.title} {value}, against {mean} ({least} to {largest})")
    if left := len(pairs[_IN_WORDS:]):
        parts.append(f"{left:,} more of its {len(found):,} figures")
    one, worst = after.worst, reference.worst
    if one and worst and beside_person(one, worst) == "above":
        most.append(one.rate - worst.rate)
        parts.append(
            f"worst person, {one.subject}, {one.hits:,} of {one.n:,}, against {worst.hits:,} of "
            f"{worst.n:,}"
        )
    return (max(most, default=0.0), "; ".join(parts)) if parts else None


def _harm(told: Told) -> str:
    parts: list[str] = []
    if told.found.groups:
        parts.append(f"Everyone else's details: {side_effect(told.found.of('others'))}.")
        if hurt := _most_harmed(told):
            before, after = hurt
            name = before.of.removeprefix("subject:")
            parts.append(f"Most was lost of {name}: {figure(before)} before, {figure(after)} now.")
    # Perplexity and knowledge kept stand with the verdict, which weighs them.
    before, after, beside = (
        told.facts.first("facts_kept", arm) for arm in ("before", "after", "reference")
    )
    if after and after.measured:
        words = f"Closed questions answered right: {figure(after)}"
        words += f", before {figure(before)}" if before and before.measured else ""
        words += f", reference {figure(beside)}" if beside and beside.measured else ""
        parts.append(f"{words}.")
    return " ".join(parts) or "Nothing else was asked for; what it still knows stands below."


def _most_harmed(told: Told) -> tuple[Reading, Reading] | None:
    """The person not asked for of whom most is no longer said: before and after; None: nobody."""
    own = [
        (before, after)
        for before in told.facts.readings
        if (before.measure, before.arm, before.whose) == ("extraction", "before", "others")
        and before.of.startswith("subject:")
        and (after := told.facts.first("extraction", "after", before.of, "others"))
    ]
    lost = max(own, key=lambda pair: ((pair[0].hits or 0) - (pair[1].hits or 0), pair[0].of),
               default=None)  # fmt: skip
    return lost if lost and (lost[0].hits or 0) > (lost[1].hits or 0) else None


def _sure(told: Told) -> str:
    said = [told.words.rests]
    if told.found.groups and (other := instead(told.found.of("asked"), None)):
        said += [other.headline, other.rests]
    against = told.facts.first("against_random", "after", whose=told.facts.about)
    if against and against.measured:
        p = told.facts.first("against_random_p", "after", whose=told.facts.about)
        said.append(
            f"Against as many random units, repaired alike: {number(against.value, 'points')} "
            f"(p = {number(p.value if p else None, 'p')})."
        )
    return " ".join(filter(None, said))


def _limits(told: Told) -> Iterator[str]:
    yield (
        "That something was not said shows it for the prompts that were tried. It shows nothing "
        "for prompts that nobody tried."
    )
    if not told.found.verified:
        yield "This run was made by an earlier version, which kept no hashes of its files."
    if "reference" not in told.found.arms:
        yield "Without a reference model no verdict can say that a leak is gone."
    if seen(told.found):
        yield SEEN
    if "lookalike" not in told.found.arms:
        yield (
            "Without look-alikes it is unknown how much is merely guessed, and whether the "
            "reference never saw it."
        )
    artefact = told.facts.artefact
    if artefact.hook_only:
        yield (
            f"{artefact.hook_only:,} edits exist as hooks only: the exported weights do not have "
            "them, and the figures of `after` are not about these weights."
        )
    if artefact.adapter:
        yield (
            "What was trained is an adapter beside the weights. Taking it off gives the former "
            "model back: this is suppression, not erasure."
        )
    if not told.facts.attacks:
        yield (
            "No attack was part of this run: no other prompts, no relearning, no quantised "
            "weights, no look inside."
        )
    yield (
        "Whoever made this run could have written tables, hashes and figures that fit one another. "
        "That they are the models' own is shown by carrying it out again, on models and texts that "
        "one has oneself (sanilens verify --replay), and by nothing else; who vouches for them, by "
        "a signature whose public key came another way."
    )
    yield "A quantised, merged or further trained model is another artefact than the one measured."
