"""A place in a record as one line of text: its token in the middle, every token filled."""

from collections.abc import Callable

from markupsafe import Markup

from sanilens.inspect.examples import Context
from sanilens.model.align import Encoded
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.inspect.tokens import pieces
from sanilens.ui.masking import mask_record

_LINE = Markup('<div class="sl-context" title="{}"><div>{}</div><div>{}</div><div>{}</div></div>')
_TOKEN = Markup('<i style="--a:{:.0f}%">{}</i>')
_CENTRE = Markup('<i class="sl-centre{}" style="--a:{:.0f}%">{}</i>')


def context_line(
    encoded: Encoded,
    context: Context,
    level: Callable[[float], float],
    about: str,
    *,
    revealed: bool,
) -> Markup:
    """The place in its text, masked as everywhere.

    `level` turns a token's value into a share of the strongest, which fills it; `about` is what
    the line says of its place when it is pointed at.
    """
    text, places = mask_record(encoded.record, revealed), pieces(encoded)

    def token(position: int) -> Markup:
        start, end = places[position]
        fill = 100 * opacity(level(context.around[position - context.first]))
        shown = text[start:end].replace("\n", "↵")
        if position != context.position:
            return _TOKEN.format(fill, shown)
        return _CENTRE.format(" sl-box" if context.sensitive else "", fill, shown)

    last = context.first + len(context.around)
    return _LINE.format(
        f"{context.record}, token {context.position}, {about}",
        Markup("").join(map(token, range(context.first, context.position))),
        token(context.position),
        Markup("").join(map(token, range(context.position + 1, last))),
    )
