const LEFT = 50; // room for the layers' names
const signed = (score) => `${score < 0 ? "−" : "+"}${Math.abs(score).toPrecision(3)}`;

class Grid {
  constructor(root) {
    this.root = root;
    this.box = root.querySelector(".grid");
    this.canvas = root.querySelector("canvas");
    this.option = root.querySelector("#cell");
    this.tip = new Tip(root.querySelector(".tip"));
    this.cursor = null;
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.at(event)));
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
    this.canvas.addEventListener("click", (event) => this.choose(this.at(event)));
    this.box.addEventListener("keydown", (event) => this.press(event));
    this.box.addEventListener("focus", () => {
      const seen = this.box.matches(":focus-visible") && this.data.rows.length;
      if (seen) this.hover(this.cursor ?? this.start());
    });
    this.box.addEventListener("blur", () => this.hover(null));
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(this.box);
  }

  update(data, pick) {
    this.data = data;
    this.pick = pick;
    this.root.classList.toggle("unsigned", !data.signed);
    const say = (name, text) => (this.root.querySelector(name).textContent = text);
    say(".caption", data.caption);
    say(".low", data.words[0]);
    say(".much", data.words[1]);
    say(".high", `${data.signed ? "±" : "0 … "}${data.scale.toPrecision(2)}`);
    this.root.querySelector(".planned").hidden = !data.planned.length;
    this.cursor = data.selected.cells[0] ?? null;
    this.hovered = null;
    this.paint();
  }

  // Rows from the bottom up: the last layer stands on top.
  layout() {
    const { rows } = this.data;
    const pitch = Math.max(9, Math.min(22, Math.floor(430 / rows.length)));
    const gap = pitch > 14 ? 2 : 1;
    const cells = Math.max(...rows.map((row) => row.units.length));
    const width = (this.canvas.clientWidth - LEFT) / cells;
    return { rows, pitch, gap, cells, width };
  }

  rect([row, cell]) {
    const { rows, pitch, gap, width } = this.layout();
    return [LEFT + cell * width, (rows.length - 1 - row) * pitch, width, pitch - gap];
  }

  paint() {
    if (!this.data?.rows.length || !this.canvas.clientWidth) return;
    const { rows, pitch, gap, width } = this.layout();
    const ratio = devicePixelRatio;
    const foot = this.data.bracket ? 6 : 0;
    this.canvas.style.height = `${rows.length * pitch + foot}px`;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round((rows.length * pitch + foot) * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const ink = this.colours();
    pen.font = `10.5px ${ink.font}`;
    pen.textBaseline = "middle";
    const every = Math.ceil(12 / pitch);
    const inset = width > 4 ? 0.8 : 0;
    rows.forEach((row, r) => {
      const y = (rows.length - 1 - r) * pitch;
      pen.globalAlpha = 1;
      pen.fillStyle = ink.mute;
      if (r % every === 0) pen.fillText(row.label, 0, y + (pitch - gap) / 2);
      row.scores.forEach((score, c) => {
        pen.fillStyle = score < 0 ? ink.suppress : ink.carry;
        const strength = Math.min(1, Math.abs(score) / this.data.scale);
        pen.globalAlpha = strength && 0.03 + 0.97 * strength ** 1.2;
        pen.fillRect(LEFT + c * width, y, width - inset, pitch - gap);
      });
    });
    pen.globalAlpha = 1;
    if (this.data.bracket) {
      const [first, last] = this.data.bracket;
      pen.fillStyle = ink.text;
      pen.fillRect(LEFT + first * width, rows.length * pitch + 2, (last + 1 - first) * width, 3);
    }
    for (const at of this.data.planned) this.frame(pen, at, ink.text, 1.2, 0.6);
    for (const at of this.data.selected.cells) this.frame(pen, at, ink.brand, 2, 1);
    if (this.hovered) this.frame(pen, this.hovered, ink.text, 1.2, 1);
  }

  frame(pen, at, colour, line, out) {
    const [x, y, w, h] = this.rect(at);
    pen.strokeStyle = colour;
    pen.lineWidth = line;
    pen.strokeRect(x - out, y - out + 1, Math.max(w, 4) + 2 * out - 1, h + 2 * out - 2);
  }

  // A canvas knows no CSS: the colours are read where the style sheet has resolved them.
  colours() {
    const read = (value) => {
      this.canvas.style.color = value;
      return getComputedStyle(this.canvas).color;
    };
    const colours = {
      carry: read("var(--carry)"),
      suppress: read("var(--suppress)"),
      mute: read("var(--sl-mute, #667085)"),
      brand: read("var(--sl-brand, #0f5c63)"),
      text: read("var(--st-text-color)"),
      font: getComputedStyle(this.canvas).fontFamily,
    };
    this.canvas.style.color = "";
    return colours;
  }

  at(event) {
    const { rows, pitch, cells, width } = this.layout();
    const cell = Math.floor((event.offsetX - LEFT) / width);
    const row = rows.length - 1 - Math.floor(event.offsetY / pitch);
    return cell >= 0 && cell < cells && rows[row]?.units[cell] !== undefined ? [row, cell] : null;
  }

  name([row, cell]) {
    const { prefix, units } = this.data.rows[row];
    return `${prefix}.${units[cell]}`;
  }

  hover(at) {
    if (String(at) === String(this.hovered)) return;
    this.hovered = at;
    this.paint();
    if (!at) return this.tip.hide();
    const score = this.data.rows[at[0]].scores[at[1]];
    const effect = this.data.words[score < 0 ? 0 : 1];
    const own = this.data.rows[at[0]].tips?.[at[1]];
    const lines = own ? [...own] : [this.name(at), `${effect}, score ${signed(score)}`];
    if (this.data.planned.some((cell) => String(cell) === String(at))) lines.push("in the plan");
    this.option.textContent = lines.join(", ");
    const box = this.canvas.getBoundingClientRect();
    const [x, y, w, h] = this.rect(at);
    this.tip.show(lines, new DOMRect(box.left + x, box.top + y, w, h));
  }

  choose(at) {
    if (!at) return;
    this.cursor = at;
    this.data.selected = { unit: this.name(at), cells: [at] };
    this.option.setAttribute("aria-selected", "true");
    this.paint();
    this.pick(this.name(at));
  }

  // Where the keyboard begins: at the strongest unit.
  start() {
    let best = [0, 0];
    this.data.rows.forEach((row, r) =>
      row.scores.forEach((score, c) => {
        if (Math.abs(score) > Math.abs(this.data.rows[best[0]].scores[best[1]])) best = [r, c];
      }),
    );
    return best;
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data.rows.length) return;
    const [row, cell] = this.cursor ?? this.start();
    const last = this.data.rows[row].units.length - 1;
    const to = {
      ArrowRight: [row, cell + 1],
      ArrowLeft: [row, cell - 1],
      ArrowUp: [row + 1, cell],
      ArrowDown: [row - 1, cell],
      Home: [row, 0],
      End: [row, last],
    }[event.key];
    if (event.key === "Escape") this.hover(null);
    else if (event.key === "Enter" || event.key === " ") this.choose([row, cell]);
    else if (!to) return;
    else if (this.data.rows[to[0]]?.units[to[1]] !== undefined) {
      this.cursor = to;
      this.option.setAttribute("aria-selected", "false");
      this.hover(to);
    }
    event.preventDefault();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  root.grid ??= new Grid(root);
  root.grid.update(data, (value) => setStateValue("pick", { value, turn: Date.now() }));
  return () => root.grid.observer.disconnect();
}
