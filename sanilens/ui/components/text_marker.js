class Marker {
  constructor(root) {
    this.list = root.querySelector(".words");
    this.anchor = this.end = null;
    const of = (event) => event.target.closest(".w");
    this.list.addEventListener("pointerdown", (event) => this.start(of(event), event));
    this.list.addEventListener("pointerover", (event) => this.extend(of(event)));
    this.list.addEventListener("keydown", (event) => this.press(event));
    // Let go anywhere, also outside of the text.
    root.ownerDocument.addEventListener("pointerup", () => this.finish());
  }

  update({ pieces, marked, selected }, pick) {
    this.pick = pick;
    const drawn = JSON.stringify([pieces, marked]);
    if (drawn !== this.drawn) this.draw(pieces, marked);
    this.drawn = drawn;
    if (!this.dragging) this.show(selected?.[0] ?? null, selected?.[1] ?? null);
  }

  draw(pieces, marked) {
    this.items = pieces.map((text, i) => {
      const item = document.createElement("span");
      item.textContent = text;
      item.className = marked[i] ? "w taken" : "w";
      item.dataset.i = i;
      item.tabIndex = -1;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      if (!text.trim()) item.setAttribute("aria-label", "blank");
      return item;
    });
    this.list.replaceChildren(...this.items);
    if (this.items.length) this.items[0].tabIndex = 0;
  }

  // From the first to the last piece, in either order; null for none.
  show(anchor, end) {
    [this.anchor, this.end] = [anchor, end];
    const [low, high] = this.range();
    this.items.forEach((item, i) => {
      const on = anchor !== null && i >= low && i <= high;
      item.classList.toggle("on", on);
      item.setAttribute("aria-selected", on);
    });
  }

  range() {
    return this.anchor === null ? [0, -1] : [this.anchor, this.end].sort((a, b) => a - b);
  }

  start(item, event) {
    if (!item || event.button !== 0) return;
    this.dragging = true;
    event.preventDefault();
    if (event.pointerId !== undefined) item.releasePointerCapture?.(event.pointerId);
    this.rove(item);
    this.show(Number(item.dataset.i), Number(item.dataset.i));
  }

  extend(item) {
    if (this.dragging && item) this.show(this.anchor, Number(item.dataset.i));
  }

  finish() {
    if (!this.dragging) return;
    this.dragging = false;
    this.send();
  }

  // Blanks at the edges were not meant.
  send() {
    let [low, high] = this.range();
    while (low < high && !this.items[low].textContent.trim()) low += 1;
    while (high > low && !this.items[high].textContent.trim()) high -= 1;
    if (high >= low) this.pick(`${low}-${high}`);
  }

  press(event) {
    const item = event.target.closest(".w");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const i = Number(item.dataset.i);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      if (!item.classList.contains("on")) this.show(i, i);
      this.send();
    } else if (event.key === "Escape") this.show(null, null);
    else if (step && this.items[i + step]) {
      if (event.shiftKey) this.show(item.classList.contains("on") ? this.anchor : i, i + step);
      this.rove(this.items[i + step]);
      this.items[i + step].focus();
    } else return;
    event.preventDefault();
  }

  rove(item) {
    this.list.querySelector('.w[tabindex="0"]')?.setAttribute("tabindex", "-1");
    item.tabIndex = 0;
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  root.marker ??= new Marker(root);
  root.marker.update(data, (value) => setStateValue("pick", { value, turn: Date.now() }));
}
