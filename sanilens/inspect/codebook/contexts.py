"""Where a code stands in the corpus: the tokens that are most like it, with the text around."""

import numpy as np

from sanilens.inspect.codebook.reading import CodeUse
from sanilens.inspect.examples import Context

# Tokens of a context before and after its own.
_BEFORE, _AFTER = 9, 5


def strongest_contexts(use: CodeUse, code: int, count: int) -> tuple[Context, ...]:
    """The tokens for which the code stands that are most like it, one a record.

    A context's activations are similarities; 0 where the code is not among the k.
    """
    rows, slots = np.nonzero(use.codes == code)
    values = use.similarity[rows, slots]
    contexts: dict[int, Context] = {}
    for i in np.argsort(-values, kind="stable"):
        if len(contexts) == count:
            break
        number = int(use.record[rows[i]])
        if number not in contexts:
            contexts[number] = _context(use, code, number, int(use.position[rows[i]]))
    return tuple(contexts.values())


def _context(use: CodeUse, code: int, number: int, position: int) -> Context:
    encoded = use.encoded[number]
    own = use.record == number
    first, last = max(1, position - _BEFORE), position + _AFTER + 1
    inside = own & (use.position >= first) & (use.position < last)
    stands = use.codes[inside] == code
    around = np.where(stands, use.similarity[inside], 0.0).max(1)
    sensitive = any(max(0, s.start - 1) <= position < s.end for s in encoded.spans)
    return Context(
        record=encoded.record.id,
        position=position,
        activation=float(around[position - first]),
        sensitive=sensitive,
        first=first,
        around=tuple(around.tolist()),
    )
