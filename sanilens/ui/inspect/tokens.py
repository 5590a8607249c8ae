"""Single tokens on the screen: quoted, and masked where they are part of an identifier."""

from dataclasses import dataclass

from sanilens.audit.leaks import Identifiers
from sanilens.model.align import Encoded
from sanilens.ui import state
from sanilens.ui.masking import mask
from sanilens.ui.opened import Opened
from sanilens.ui.results import results
from sanilens.ui.said import identifiers

# A shorter beginning of a name, such as "Ma", is a syllable of many words.
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Veil:
    """Masks tokens that begin, are or end a word or number of the corpus's identifiers."""

    revealed: bool
    parts: frozenset[str]

    def token(self, text: str) -> str:
        """A token of the model's own, masked if it could be part of an identifier."""
        bare = text.strip().casefold()
        return mask(text) if not self.revealed and bare in self.parts else text


def veil(opened: Opened) -> Veil:
    """The veil over the open case."""
    known = identifiers(opened)
    parts = results().get(("parts", opened.key), lambda: _parts(known))
    return Veil(state.revealed(), parts)


def _parts(known: Identifiers) -> frozenset[str]:
    cuts = {p[:n] for p in known.pieces for n in range(_SHORTEST, len(p))}
    ends = {p[-n:] for p in known.pieces for n in range(_SHORTEST, len(p))}
    return known.pieces | cuts | ends


def visible(text: str) -> str:
    """A token with blanks and line ends to be seen."""
    return f"“{text.replace(chr(10), '↵').replace(' ', '␣')}”" if text else "(no characters)"


def pieces(encoded: Encoded) -> list[tuple[int, int]]:
    """Each token's characters [start, end): together they are the text, each character once."""
    found, done = [], 0
    for _, end in encoded.offsets:
        found.append((done, done := max(done, end)))
    return found
