"""Places where a unit acts, as lines of text: the strongest, and some of every range."""

from markupsafe import Markup

from sanilens.inspect.card import Card
from sanilens.inspect.examples import Context, Interval
from sanilens.model.align import Encoded
from sanilens.ui.inspect.context_line import context_line
from sanilens.ui.inspect.measured import sample
from sanilens.ui.inspect.tokens import Veil
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened

_RANGE = Markup('<div class="sl-range"><span>{} to {}</span><span>{} of tokens</span></div>')


def strongest(opened: Opened, card: Card, veil: Veil) -> None:
    """The strongest places, one a record."""
    show(_lines(opened, card, card.contexts, veil))


def every_range(opened: Opened, card: Card, veil: Veil) -> None:
    """Some places of every range of its activation, from the highest down."""
    blocks = [_range(part) + _lines(opened, card, part.contexts, veil) for part in card.intervals]
    show(Markup("").join(blocks) or Markup("It never fires on these records."))


def _range(part: Interval) -> Markup:
    share = f"{100 * part.share:.1f} %" if part.share >= 0.001 else f"{100 * part.share:.2g} %"
    return _RANGE.format(f"{part.low:.2f}", f"{part.high:.2f}", share)


def _lines(opened: Opened, card: Card, contexts: tuple[Context, ...], veil: Veil) -> Markup:
    known = sample(opened).encoded
    return Markup("").join(_line(known[c.record], c, card, veil) for c in contexts)


def _line(encoded: Encoded, context: Context, card: Card, veil: Veil) -> Markup:
    about = f"activation {context.activation:.4f}" + (", sensitive" if context.sensitive else "")
    return context_line(encoded, context, card.level, about, revealed=veil.revealed)
