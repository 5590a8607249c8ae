"""Try a tokenizer.json in a process that may die of it: a script, with the file on its input.

A tokenizer is a program of a kind: a normaliser that makes 100,000 characters of one, or an
expression that backtracks for ever, takes the process with it, and what tokenizers cannot read it
may panic over. So whatever a folder brings is first read here, within limits. What it gives for
some texts is the answer: plain tokenizers, and nothing of transformers.

Prints {"texts": [...], "ids": [[...], ...]}, or {"error": "..."}; nothing if it was stopped.
"""

import json
import math
import resource
import sys

from tokenizers import Tokenizer

SECONDS, BYTES = 10, 2 * 2**30

# Letters, digits, capitals, accents (both ways of writing them), scripts without blanks, emoji of
# several code points, blanks of every kind, and what special tokens look like.
TEXTS = (
    "",
    "MRN 4711822, Dr. Maria RUIZ (b. 12/03/1961): called 617-555-0123; it's 37.5 °C.",
    "  two blanks before, a tab\tin between,\n\na line,   and blanks at the end  ",
    "Zażółć gęślą jaźń — José Núñez, Behc\u0327et, e\u0301tude, naïve façade, ﬁne ½ ①",
    "北京市朝阳区, 東京タワー, 서울, Москва, عمّان, कोलकाता",
    "🙂👩‍👩‍👧 🇵🇱 \u200b\ufeff\u00a0\u3000 \r\n\x7f",
    "<s></s><unk><pad><|endoftext|>[CLS][SEP][MASK][UNK]<bos><eos>",
    "a" * 1000 + "1" * 1000 + " " * 1000 + "-" * 500 + "aA1 " * 250 + "\n" * 200 + "!",
)
# Of one character a normaliser makes 18 at most (Unicode), and a byte-level one 4.
_GROWTH, _SLACK = 20, 256
_MOST_REPLACED, _MOST_SPECIAL = 4096, 64
_FROM_VOCABULARY = 512
_HOLES = 2**20


def read(content: bytes) -> dict[str, list]:
    """Token ids of the texts above, and of some made of the vocabulary's own tokens.

    Raises:
        ValueError: if the tokenizer makes far more of a text than there is in it.
    """
    tokenizer = plain(content)
    # Whoever writes it out again makes room for every id up to the largest.
    ids_given = tokenizer.get_vocab().values()
    if max(ids_given, default=0) > 4 * len(ids_given) + _HOLES:
        raise ValueError("its ids go far beyond the number of its tokens")
    _check_normaliser(tokenizer)
    texts = [*TEXTS, *_own_words(tokenizer)]
    ids = []
    for text in texts:
        normaliser = tokenizer.normalizer
        if normaliser and len(normaliser.normalize_str(text)) > _GROWTH * len(text) + _SLACK:
            raise ValueError("its normaliser makes far more of a text than there is in it")
        ids.append(tokenizer.encode(text).ids)
        if len(ids[-1]) > _GROWTH * len(text) + _MOST_SPECIAL:
            raise ValueError("it makes far more tokens of a text than there is in it")
    return {"texts": texts, "ids": ids}


def plain(content: bytes) -> Tokenizer:
    """The tokenizer of a file, reading whole texts the same way every time.

    A file may cut and pad what it reads, or leave merges out at random (BPE dropout): settings of
    somebody's training batches, in which a record would lose its end, or be another each time.
    """
    tokenizer = Tokenizer.from_buffer(content)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
    return tokenizer


def _check_normaliser(tokenizer: Tokenizer) -> None:
    if tokenizer.normalizer is None:
        return
    replaced = math.prod(_lengths(json.loads(tokenizer.normalizer.__getstate__())))
    if replaced > _MOST_REPLACED:
        raise ValueError("its normaliser puts a very long text in the place of a character")


def _lengths(state: object) -> list[int]:
    """How much each replacement in a normaliser puts in; one character counts once."""
    if isinstance(state, list):
        return [length for each in state for length in _lengths(each)]
    if not isinstance(state, dict):
        return []
    own = [len(state.get(name) or "") for name in ("content", "prepend")]
    return [max(1, *own), *_lengths(state.get("normalizers"))]


def _own_words(tokenizer: Tokenizer) -> list[str]:
    vocabulary = sorted(tokenizer.get_vocab().values())
    chosen = vocabulary[:: max(1, len(vocabulary) // _FROM_VOCABULARY)]
    added = sorted(token.content for token in tokenizer.get_added_tokens_decoder().values())
    few = 64
    words = [tokenizer.decode(chosen[i : i + few]) for i in range(0, len(chosen), few)]
    return [*words, " and ".join(added[:few])]


def main() -> None:
    """Read what is on the input."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    try:
        answer = read(sys.stdin.buffer.read())
    # Whatever it is, panics (BaseException) and bare Exceptions of tokenizers: it is told, and
    # this process ends.
    except BaseException as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        answer = {"error": lines[0][:160]}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
