"""The model card of the sanitised model, as the Hugging Face hub reads it."""

from sanilens.evidence.evidence import Evidence, measured
from sanilens.evidence.words import figure, interval, number


def model_card(evidence: Evidence, arm: str = "after") -> str:
    """README.md of the model's folder: its figures in the card's own fields, and in words.

    `arm`: which model it is of: the result as it was audited, or as it was exported.
    """
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    about, stated = evidence.about, evidence.statement
    results = [
        EvalResult(
            task_type="text-generation", dataset_type="private", dataset_name=f"corpus, {r.of}",
            metric_type="extraction-rate", metric_name=f"details said, {evidence.arms[arm]}",
            metric_value=round(r.value or 0, 6), metric_args={"hits": r.hits, "n": r.n},
        )
        for arm in dict.fromkeys(("before", "after", arm, "reference"))
        if arm in evidence.arms
        for r in measured([evidence.rate(arm, about, of) for of in
                           ("all", "kind:direct", "kind:indirect")])
    ]  # fmt: skip
    data = ModelCardData(
        library_name="transformers", pipeline_tag="text-generation", model_name="sanitised-model",
        license="other" if stated.licence else None, license_name=stated.licence or None,
        tags=["unlearning", "privacy", "sanilens"], eval_results=results or None,
    )  # fmt: skip
    card = ModelCard(f"---\n{data.to_yaml()}\n---\n\n{_text(evidence, arm)}")
    return str(card)


def _text(evidence: Evidence, arm: str) -> str:
    after = evidence.rate(arm, evidence.about)
    worst = next(iter(evidence.by_subject(arm, evidence.about)), None)
    weights = (
        "All of what was done is in these weights."
        if evidence.artefact.in_weights
        else "**Not all of what was done is in these weights.** Loaded by themselves they are not "
        "the model that was audited: see the adapter beside them, or the limits below."
    )
    if arm != "after":
        weights += (
            f" {evidence.arms[arm]}: another artefact than the one of the story below, and audited "
            "as one. They load in transformers with the library compressed-tensors (`load.py`)."
        )
    rows = [
        f"| {evidence.arms[arm]} | {figure(r)} | {interval(r) or '–'} |"
        for arm in evidence.arms
        if (r := evidence.rate(arm, evidence.about) or evidence.rate(arm, "everyone"))
    ]
    told = ((each.title, each.text.replace("\n", "  \n")) for each in evidence.story)
    story = "\n".join(f"**{title}.** {text}\n" for title, text in told)
    limits = "\n".join(f"* {line}" for line in evidence.limits)
    worst_words = f" Worst person: {figure(worst)}." if worst else ""
    share = number(after.value if after else None, "share")
    return f"""# A sanitised language model

{weights}

It says {share} of the details that were to be forgotten.{worst_words} Plan `{evidence.plan}`.

{story}
| model | details said | 95 % interval |
|--|--|--|
{chr(10).join(rows)}

## Limits

{limits}

## Check it

The folder is sealed by `digests.json` and, where there is a `model.sig`, signed in the OpenSSF
model-signing format: `model_signing verify key FOLDER --signature FOLDER/model.sig --ignore-paths
FOLDER/model.sig --no-ignore-git-paths --public_key KEY.pub`.
"""
