"""Recall of injected neurons: one row a localiser, by its worst condition, the others beside it."""

from markupsafe import Markup

from sanilens.bench.inj import InjResult, Row
from sanilens.inspect.localisers import LOCALISERS
from sanilens.ui.markup import show

_TABLE = Markup(
    '<table class="sl-table sl-arms sl-recall"><thead><tr><th>localiser</th><th></th>'
    '<th class="n">worst</th><th class="n">95 %</th>{}'
    '<th class="n">seconds a span</th></tr></thead><tbody>{}</tbody></table>'
)
_HEAD = Markup('<th class="n">{}</th>')
_ROW = Markup(
    '<tr class="sl-{tone}"><td>{name}<br><span class="sl-mute">{what}</span></td>'
    '<td><div class="sl-bar" role="img" aria-label="{recall:.3f}">'
    '<b style="width:{percent:.1f}%"></b><i style="left:{left:.1f}%;width:{width:.1f}%"></i>'
    '</div></td><td class="n">{recall:.3f}</td><td class="n sl-mute">{interval}</td>'
    '{each}<td class="n">{seconds}</td></tr>'
)
_CELL = Markup('<td class="n">{:.2f}</td>')
_WORST = Markup('<td class="n"><strong>{:.2f}</strong></td>')
_CONTROLS = {"random", "write-norm", "activation-norm"}
_ELSE = {
    "write-norm": "the length of its output vector: a control",
    "weight-difference": "given the model before the injection too: the answer is given away",
}


def recall_table(found: InjResult) -> None:
    """Draw all localisers, best first; the one that was given the original stands last."""
    rows = sorted(found.localisers.items(), key=lambda each: -each[1].least.recall)
    drawn = [_row(found, name, row, _tone(name, found)) for name, row in rows]
    drawn += [_row(found, name, row, "reference") for name, row in found.given_the_original.items()]
    head = Markup("").join(_HEAD.format(condition) for condition in found.held)
    show(_TABLE.format(head, Markup("").join(drawn)))


def _tone(name: str, found: InjResult) -> str:
    if name == found.recommended:
        return "plan"
    return "control" if name in _CONTROLS else "found"


def _row(found: InjResult, name: str, row: Row, tone: str) -> Markup:
    what = LOCALISERS[name].title if name in LOCALISERS else _ELSE[name]
    least = row.least
    cells = [
        (_WORST if condition == row.worst else _CELL).format(row.conditions[condition].recall)
        for condition in found.held
    ]
    return _ROW.format(
        tone=tone,
        name=name,
        what=" · ".join(part for part in (what, row.setting, f"picked from {row.picked}") if part),
        recall=least.recall,
        percent=100 * least.recall,
        left=100 * least.low,
        width=100 * (least.high - least.low),
        interval=f"[{least.low:.3f}, {least.high:.3f}]",
        each=Markup("").join(cells),
        seconds=_seconds(row.seconds),
    )


def _seconds(value: float) -> str:
    if not value:
        return "–"
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"
