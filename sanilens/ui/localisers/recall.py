"""Recall of injected neurons: one row a localiser, its interval as a line."""

from markupsafe import Markup

from sanilens.bench.inj import InjResult, Recall
from sanilens.inspect.localisers import LOCALISERS
from sanilens.ui.markup import show

_TABLE = Markup(
    '<table class="sl-table sl-arms sl-recall"><thead><tr><th>localiser</th><th></th>'
    '<th class="n">recall</th><th class="n">95 %</th><th>picked from</th>'
    '<th class="n">seconds a span</th></tr></thead><tbody>{}</tbody></table>'
)
_ROW = Markup(
    '<tr class="sl-{tone}"><td>{name}<br><span class="sl-mute">{what}</span></td>'
    '<td><div class="sl-bar" role="img" aria-label="{recall:.3f}">'
    '<b style="width:{percent:.1f}%"></b><i style="left:{left:.1f}%;width:{width:.1f}%"></i>'
    '</div></td><td class="n">{recall:.3f}</td><td class="n sl-mute">{interval}</td>'
    '<td>{picked}</td><td class="n">{seconds}</td></tr>'
)
_CONTROLS = {"random", "write-norm", "activation-norm"}
_ELSE = {
    "write-norm": "the length of its output vector: a control",
    "weight-difference": "given the model before the injection too: the answer is given away",
}


def recall_table(found: InjResult) -> None:
    """Draw all localisers, best first; the one that was given the original stands last."""
    rows = sorted(found.localisers.items(), key=lambda each: -each[1].recall)
    drawn = [_row(name, row, _tone(name, found)) for name, row in rows]
    drawn += [_row(name, row, "reference") for name, row in found.given_the_original.items()]
    show(_TABLE.format(Markup("").join(drawn)))


def _tone(name: str, found: InjResult) -> str:
    if name == found.recommended:
        return "plan"
    return "control" if name in _CONTROLS else "found"


def _row(name: str, row: Recall, tone: str) -> Markup:
    what = LOCALISERS[name].title if name in LOCALISERS else _ELSE[name]
    return _ROW.format(
        tone=tone,
        name=name,
        what=what + (f" · {row.setting}" if row.setting else ""),
        recall=row.recall,
        percent=100 * row.recall,
        left=100 * row.low,
        width=100 * (row.high - row.low),
        interval=f"[{row.low:.3f}, {row.high:.3f}]",
        picked=row.picked,
        seconds=_seconds(row.seconds),
    )


def _seconds(value: float) -> str:
    if not value:
        return "–"
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"
