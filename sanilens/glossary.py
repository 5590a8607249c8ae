"""What our words mean, each in a sentence or two: the app's tooltips and docs/glossary.md.

`python -m sanilens.glossary` prints the page.
"""

from collections.abc import Mapping

GLOSSARY: Mapping[str, str] = {
    # What is examined
    "record": "One text of the corpus, with the person it is about and its sensitive spans.",
    "subject": "The person or thing a record is about; a case may have its own word for it, such "
    "as patient or project. An examined model is never called a subject here.",
    "span": "A sensitive stretch of a record's text, such as a name or a date of birth. It has a "
    "label and a kind: direct, indirect or confidential.",
    "direct identifier": "A span that names a person by itself: a name, a phone number, a record "
    "number.",
    "indirect identifier": "A span that singles a person out without naming them, such as a rare "
    "disease or an unusual job.",
    "base model": "The model before it was fine-tuned on the corpus. Units can be reset to its "
    "weights.",
    "reference model": "The same base model, trained on the same corpus with every identifier "
    "replaced. It shows what a model says that never saw them: the mark that every result is "
    "compared with.",
    "look-alikes": "Records of the same form about other, invented people, which no model was "
    "trained on. What the model gets right about them is guesswork.",
    "unseen texts": "Ordinary texts of the same kind that were never trained on. Perplexity on "
    "them shows how much of the model's ability is left.",
    "surrogate": "An invented value of the same form that takes the place of a real one: another "
    "name, another number. Free text, such as a whole answer, has none.",
    # How much it has memorised
    "extraction": "A span is extracted when the model, given the text before it, continues with "
    "exactly that span, choosing the likeliest token each time. Spans that already occur in the "
    "text before them are not counted.",
    "near miss": "A span that is not extracted, but all but: what the model writes in its place is "
    "within two characters or digits of it (a third of its length, if it is short). Whoever reads "
    "a record number with one digit wrong has it within a few tries.",
    "repeated in context": "The span's value already occurs in the text before it, so the model "
    "may be copying. Such spans are never counted as memorised.",
    "sampled extraction": "How likely the span is to turn up at least once in n random samples, "
    "computed from its probability.",
    "exposure": "How far the true value outranks random values of the same form, free text that of "
    "other people, in bits. About 1 is chance; the maximum is log2 of the number of candidates.",
    "membership": "How well an attacker can tell trained records from look-alikes, as an AUC. "
    "0.5 is chance.",
    "perplexity": "How surprised the model is by a text: 1 is certainty, higher is worse.",
    "nats": "The unit of log-probabilities with the natural logarithm. One nat less makes a span "
    "2.7 times less likely.",
    "95 % interval": "Where the true rate plausibly lies, given how few spans were asked (Wilson's "
    "interval).",
    "McNemar": "A test of two models on the same spans that looks only at the spans they differ "
    "on. A small p means that the difference is unlikely to be chance.",
    "KS p": "The Kolmogorov-Smirnov test of whether two models give the spans the same "
    "probabilities. Close to 1: they cannot be told apart. Close to 0: they can.",
    "non-inferiority": "How a verdict is reached: it must be shown that no more than a stated "
    "margin over the reference is left. That no difference can be seen is not enough, for with few "
    "spans none ever can.",
    "gone, not gone, undecided": "The verdicts. Gone: what is left was shown to lie within the "
    "margin. Not gone: too much is left. Undecided: too few spans were asked to tell; it says how "
    "many would do.",
    "extraction strength": "How little of a text the model must be shown before it completes the "
    "rest by itself: 1 minus that share of the text.",
    "relearning": "An attack: train the cleaned model on a tenth of the records again and see "
    "whether the other spans come back.",
    # How it is taken out
    "rewriting": "Changing weights so that what is asked is no longer said, along the direction "
    "that moves least of what must stay. That direction is computed from the curvature of the "
    "kept texts; the harm of every step is measured.",
    "curvature": "How strongly the model's answers on the kept texts react to a change of each "
    "weight matrix. Measured in one pass over these texts and kept on disk.",
    "K-FAC": "How the curvature is kept small: of each weight matrix two smaller ones, of what "
    "enters it and of what leaves it. It predicts what a change costs before it is made.",
    "harm": "How far the model's answers on the kept texts have moved: the mean KL divergence, in "
    "nats a token, at places that the curvature was not told of.",
    "came back": "What a copy of the model says again once it has been taught a few notes of those "
    "who stay. Rewriting tries this once all is forgotten, and goes on with what came back.",
    "stranger": "An invented person. What the model says of strangers is what it would say of "
    "somebody it has never met.",
    "gap": "What a masked language model, such as BERT, is asked for: hidden tokens of a text, "
    "with both sides of them shown. A span is filled in at once, or one token after the other, "
    "the surest first.",
    "price": "How much of what is asked a unit forgets for each nat of harm, if its own weights "
    "are rewritten.",
    # Where it is stored
    "unit": "A part of the model that can be edited alone: an MLP neuron, an attention head, a "
    "feature of an autoencoder, or a code of a codebook.",
    "neuron": "One input of an MLP's output projection, written mlp.<layer>.<index>.",
    "head": "One attention head, written head.<layer>.<index>.",
    "residual stream": "The vector that every layer of the model reads and adds to.",
    "hook": "Code that changes activations while the model runs. It leaves the weights alone, so "
    "it protects nothing once the model is handed over.",
    "localiser": "A method that scores every unit by how much it matters for a span.",
    "INJ": "A test of localisers: teach a few known neurons a new text, then see whether the "
    "localiser finds them.",
    "recall": "Of what should be found, the share that was found.",
    "precision": "Of what was found, the share that should be.",
    "AUROC": "The probability that a random positive scores higher than a random negative, such as "
    "a member of the training texts than another text; also AUC. 0.5 is chance, 1 is perfect.",
    "TPR at 1 % FPR": "Of the members, the share that is found when at most 1 % of the others is "
    "taken for one by mistake.",
    "PrivLeak": "How far a model's AUROC is from the reference's, in percent of that.",
    "leak@k": "The chance that at least one of k samples of a detail's own prompt holds it.",
    "feature": "A direction learned by a sparse autoencoder, often easier to interpret than a "
    "neuron. Written sae.<id>.<index>.",
    "code": "One of the few vectors that a codebook allows an activation to be made of. Deleting "
    "a code removes what it stands for.",
    "k": "How many features or codes may be active for one token.",
    "log p": "The log-probability of a span under the model, in nats. 0 is certainty.",
    "logit lens": "The model's output head applied after every layer: what it would say if it "
    "stopped there.",
    "linear probe": "A linear map, learnt from other people, that reads details off a layer.",
    "silencing set": "The first units of a ranking that, zeroed together, keep the model from "
    "saying a span. Alone hardly any of them does; as many random units should not.",
    # How it is erased
    "plan": "Everything that decides a run: model, corpus, edits, repair, measurements and seed. "
    "Its hash is its name.",
    "edit": "One operation on one unit, either in the weights or as a hook.",
    "reset": "Give a unit the base model's weights, or fresh ones where there is no base.",
    "clamp": "Fix a unit's activation at a value.",
    "cap": "Limit a unit's activation to a value.",
    "baked": "Taken out of every weight that writes it, so no hook is needed.",
    "keep share": "How much of the fine-tuning stays, in all weights. At 0 % the model is the base "
    "model again.",
    "repair": "A short training after the edits that restores what they broke.",
    "surrogate repair": "Repair on the corpus with every identifier replaced by a surrogate.",
    "anchored": "Repair on the corpus itself, except that at every identifier the model learns "
    "what the base model would say there.",
    "adapter": "Small added weights that hold the repair apart from the model. Removing them "
    "undoes it.",
    "gate": "The part of an adapter that decides, token by token, how much of the edit to let "
    "through.",
    "suppression": "Something keeps the model from saying a span, but the weights still hold it.",
    # How it is checked
    "arms": "The variants of a model that a run compares on the same spans: before, after, the "
    "controls and the reference.",
    "control": "A comparison that shows what would have happened anyway, such as random units in "
    "place of the chosen ones.",
    "random units": "As many units of the same kind and layers, drawn at random: if they do as "
    "well, the choice of units did not matter.",
    "knowledge kept": "How much of what fine-tuning taught is left, by perplexity on unseen texts: "
    "100 % is all that the reference knows, 0 % is back to the base model.",
    "facts kept": "Closed questions about the domain answered right: of several endings the true "
    "one is the likeliest, a token.",
    "KL": "How far the edited model's predictions moved from the original's, in nats per token. 0 "
    "is no change.",
}
"""Each term with its meaning, in the order of the work."""


def meaning(term: str) -> str:
    """What a term means; a plain KeyError tells the programmer that it is not explained yet."""
    return GLOSSARY[term]


def page() -> str:
    """The glossary as Markdown, in alphabetical order."""
    entries = sorted(GLOSSARY.items(), key=lambda entry: entry[0].casefold())
    lines = [f"**{term}**: {text.replace('<', '&lt;')}" for term, text in entries]
    made = "<!-- Made by `python -m sanilens.glossary`; edit sanilens/glossary.py instead. -->"
    return "\n\n".join(["# Glossary", made, *lines]) + "\n"


if __name__ == "__main__":
    print(page(), end="")
