// Explorer of a whole model: a mask drawn by hand, on the heat map itself.

class MaskDrawing {
  /** Toggles cells of `heat` (a HeatMap) while the trait mask_mode is "draw"; the trait `closed` lists the hidden ones. */
  constructor({ model, heat, words, share }) {
    Object.assign(this, { model, heat, share, revision: 0, painting: null });
    this.clear = button({ label: words.draw_clear, onClick: () => this.share("closed", []) });
    this.element = element("div", { class: "ex-drawing", hidden: true }, element("p", { class: "ex-label" }, words.draw_note), this.clear.element);
    const { canvas } = heat.grid;
    canvas.addEventListener("pointerdown", (event) => { if (event.button === 0) this.begin(heat.grid.at(event)); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) this.go(heat.grid.at(event)); });
    for (const type of ["pointerup", "pointerleave", "pointercancel"]) canvas.addEventListener(type, () => { this.painting = null; });
    heat.grid.element.addEventListener("keydown", (event) => {
      if (!this.on || (event.key !== " " && event.key !== "Enter")) return;
      event.preventDefault();
      this.begin([heat.grid.row, heat.grid.column]);
      this.painting = null;
    });
  }

  get on() { return this.model.get("mask_mode") === "draw" && this.data && this.data.hasScores; }

  /** Takes over the trait for a layer's data: 1 = may look. */
  load(data) {
    this.data = data;
    const closed = this.model.get("closed");
    data.drawn = new Uint8Array(data.T * data.S).fill(1);
    for (const cell of closed) data.drawn[cell] = 0;
    this.revision++;
    this.clear.disable(closed.length ? null : true);
  }

  show() { this.element.hidden = !this.on; }

  /** A first cell: it changes, and those that the hand passes over become as it is. */
  begin(cell) {
    if (!this.on || !cell) return;
    this.painting = this.data.drawn[cell[0] * this.data.S + cell[1]] === 1 ? "close" : "open";
    this.go(cell);
  }

  go(cell) {
    if (!this.on || !cell || !this.painting) return;
    const place = cell[0] * this.data.S + cell[1];
    const closed = this.model.get("closed");
    if ((this.painting === "close") === closed.includes(place)) return;
    const next = this.painting === "close" ? [...closed, place].sort((a, b) => a - b) : closed.filter((other) => other !== place);
    this.share("closed", next);
  }
}
