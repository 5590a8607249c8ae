"""A button that puts a text on the clipboard, and says so."""

from sanilens.ui.components.picking import component

_HTML = """
<div class="root">
  <button type="button" class="copy"></button>
  <span class="hidden" role="status"></span>
  <div class="tip" role="tooltip" popover="manual"></div>
</div>
"""
_mount = component("copy_button", _HTML)


def copy_button(label: str, text: str, *, key: str, width: int, hint: str = "") -> None:
    """Draw the button, `width` pixels wide.

    The browser copies `text`, and the server hears nothing of it.

    `hint` is its tooltip. Where the browser does not let a page copy, the text is shown instead,
    selected, to be copied by hand.
    """
    _mount(key=key, data={"label": label, "text": text, "hint": hint}, width=width)
