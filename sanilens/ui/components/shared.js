// One tooltip for a whole component. A popover lies in the browser's top layer: no card clips it.
class Tip {
  constructor(element) {
    this.element = element;
  }

  // Show lines of text (never HTML) above the rectangle, or below it where there is no room.
  show(lines, box) {
    if (!lines.length) return this.hide();
    this.element.replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })),
    );
    if (!this.element.matches(":popover-open")) this.element.showPopover();
    const { width, height } = this.element.getBoundingClientRect();
    const left = box.left + box.width / 2 - width / 2;
    const above = box.top - height - 8;
    this.element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    this.element.style.top = `${above < 8 ? box.bottom + 8 : above}px`;
  }

  hide() {
    if (this.element.matches(":popover-open")) this.element.hidePopover();
  }
}
