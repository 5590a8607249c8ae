// Characters that are not seen but change what is seen: zero-width ones and changes of direction.
const UNSEEN = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

// What a token looks like: line ends are shown and break the line, blanks are dots.
const face = (text) =>
  /^[^\S\n]+$/.test(text)
    ? "·".repeat(text.length)
    : text.replaceAll("\n", "↵\n").replace(UNSEEN, "◌");

class Strip {
  constructor(root) {
    this.list = root.querySelector(".strip");
    this.tip = new Tip(root.querySelector(".tip"));
    this.root = root;
    this.digest = null;
    // Listeners sit on the list, not on thousands of tokens.
    const of = (event) => event.target.closest(".t");
    this.list.addEventListener("click", (event) => of(event) && this.choose(of(event)));
    this.list.addEventListener("pointerover", (event) => this.explain(of(event)));
    this.list.addEventListener("pointerleave", () => this.tip.hide());
    this.list.addEventListener("focusin", (event) => this.explain(of(event)));
    this.list.addEventListener("focusout", () => this.tip.hide());
    this.list.addEventListener("keydown", (event) => this.press(event));
  }

  update({ digest, tokens, selected, labels }, pick) {
    this.pick = pick;
    if (digest !== this.digest) this.draw(tokens, labels);
    this.digest = digest;
    this.mark(selected);
  }

  draw(tokens, [fillLabel, underlineLabel]) {
    this.tip.hide();
    this.tokens = tokens;
    this.items = [];
    const all = document.createDocumentFragment();
    let box = all;
    tokens.text.forEach((text, i) => {
      const span = tokens.span[i];
      const starts = span !== null && (i === 0 || span !== tokens.span[i - 1]);
      let shown = face(text);
      if (span === null) box = all;
      if (starts) {
        // The space that most tokens begin with belongs before the box, not in it.
        const lead = /^ *(?=\S)/.exec(text)?.[0] ?? "";
        all.append(lead);
        shown = shown.slice(lead.length);
        box = document.createElement("span");
        box.className = "span";
        box.dataset.span = span;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", "sensitive span");
        all.append(box);
      }
      const item = this.item(i, shown);
      this.items.push(item);
      box.append(item);
    });
    this.list.replaceChildren(all);
    if (this.items.length) this.items[0].tabIndex = 0;
    this.root.querySelector(".fill").textContent = fillLabel;
    this.root.querySelector(".under").textContent = underlineLabel;
    // Where nothing is filled, there is no scale to read.
    const flat = tokens.fill.every((fill) => fill === 0);
    for (const part of this.root.querySelectorAll(".scale, .fill")) part.hidden = flat;
    this.root.querySelector(".second").hidden = tokens.underline.every((u) => u === null);
  }

  item(i, shown) {
    const { fill, underline, span, text } = this.tokens;
    const item = document.createElement("span");
    item.textContent = shown;
    item.className = "t";
    item.dataset.i = i;
    item.tabIndex = -1;
    item.setAttribute("role", "option");
    if (fill[i]) item.style.setProperty("--a", `${100 * fill[i]}%`);
    if (underline[i] !== null) {
      item.classList.add("two");
      item.style.setProperty("--u", `${100 * underline[i]}%`);
    }
    if (!text[i].trim()) {
      item.classList.add("blank");
      item.setAttribute("aria-label", "blank");
    }
    item.setAttribute(...(span[i] === null ? ["aria-disabled", "true"] : ["aria-selected", "false"]));
    return item;
  }

  mark(selected) {
    for (const box of this.list.querySelectorAll(".span")) {
      const on = selected !== null && Number(box.dataset.span) === selected;
      if (on === box.classList.contains("on")) continue;
      box.classList.toggle("on", on);
      for (const item of box.children) item.setAttribute("aria-selected", on);
    }
    // The strip is one stop of the tab key: the selected span, else where the user was.
    const first = this.list.querySelector(".span.on > .t");
    if (first && !this.list.contains(this.list.getRootNode().activeElement)) this.rove(first);
  }

  choose(item) {
    const span = this.tokens.span[item.dataset.i];
    this.rove(item);
    if (span === null) return;
    this.mark(span);
    this.pick(span);
  }

  rove(item) {
    this.list.querySelector('.t[tabindex="0"]')?.setAttribute("tabindex", "-1");
    item.tabIndex = 0;
  }

  explain(item) {
    if (!item) return this.tip.hide();
    const lines = this.tokens.tooltip[item.dataset.i];
    if (lines.length) item.setAttribute("aria-description", lines.join("; "));
    this.tip.show(lines, item.getClientRects()[0] ?? item.getBoundingClientRect());
  }

  press(event) {
    const item = event.target.closest(".t");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const i = Number(item.dataset.i);
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: this.items.length - 1 }[event.key];
    const jump = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.tip.hide();
    else if (event.key === "Enter" || event.key === " ") this.choose(item);
    else if (to !== undefined) this.focus(this.items[to]);
    else if (jump) this.focus(this.neighbour(i, jump));
    else return;
    event.preventDefault();
  }

  // The first token of the next or previous sensitive span.
  neighbour(i, step) {
    const { span } = this.tokens;
    for (let j = i + step; j in span; j += step) {
      if (span[j] !== null && span[j] !== span[j - 1] && span[j] !== span[i]) return this.items[j];
    }
    return undefined;
  }

  focus(item) {
    if (!item) return;
    this.rove(item);
    item.focus();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  root.strip ??= new Strip(root);
  root.strip.update(data, (value) => setStateValue("pick", { value, turn: Date.now() }));
}
