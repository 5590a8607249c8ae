"""Places where a unit acts, as lines of text: its token in the middle, every token filled."""

from markupsafe import Markup

from sanilens.inspect.card import Card
from sanilens.inspect.examples import Context, Interval
from sanilens.model.align import Encoded
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.inspect.measured import sample
from sanilens.ui.inspect.tokens import Veil, pieces
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.opened import Opened

_LINE = Markup('<div class="sl-context" title="{}"><div>{}</div><div>{}</div><div>{}</div></div>')
_TOKEN = Markup('<i style="--a:{:.0f}%">{}</i>')
_CENTRE = Markup('<i class="sl-centre{}" style="--a:{:.0f}%">{}</i>')
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
    """The place in its text, masked as everywhere."""
    text, places = mask_record(encoded.record, veil.revealed), pieces(encoded)

    def token(position: int) -> Markup:
        start, end = places[position]
        fill = 100 * opacity(card.level(context.around[position - context.first]))
        shown = text[start:end].replace("\n", "↵")
        if position != context.position:
            return _TOKEN.format(fill, shown)
        return _CENTRE.format(" sl-box" if context.sensitive else "", fill, shown)

    last = context.first + len(context.around)
    title = f"{context.record}, token {context.position}, activation {context.activation:.4f}"
    return _LINE.format(
        title + (", sensitive" if context.sensitive else ""),
        Markup("").join(map(token, range(context.first, context.position))),
        token(context.position),
        Markup("").join(map(token, range(context.position + 1, last))),
    )
