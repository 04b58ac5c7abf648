// Explorer of a whole model: a second head beside the large one, with the same cursor: a pinned head, the same head on
// another text, or another model's.

class BesideHead {
  constructor({ model, words, onMove }) {
    Object.assign(this, { model, words, seen: -1 });
    const move = (row, column) => { if (row !== null) onMove(row, column); };
    this.heat = new HeatMap({ label: words.beside_label, onMove: move, onHover: () => {} });
    this.title = element("p", { class: "ex-beside-title" });
    this.sentence = element("p", { class: "ex-beside-sentence" });
    this.unsorted = element("p", { class: "ex-label", hidden: true }, words.beside_unsorted);
    this.element = element("div", { class: "ex-beside-head", hidden: true }, this.heat.element, this.title, this.sentence, this.unsorted);
  }

  /** True while there is a second head to show. */
  get on() { return Boolean(this.model.get("beside").title); }

  /** Takes over what Python sent last. */
  load() {
    const { model } = this;
    if (this.seen === model.get("beside_revision")) return;
    this.seen = model.get("beside_revision");
    const beside = model.get("beside");
    this.element.hidden = !this.on;
    if (!this.on) return;
    const weights = Float64Array.from(floats(model, "beside_weights"));
    const mask = beside.masked ? bytes(model, "beside_mask") : null;
    this.data = { T: beside.tokens.length, S: beside.key_tokens.length, tokens: beside.tokens, keyTokens: beside.key_tokens };
    this.shown = { weights, mask, nothing: new Uint8Array(this.data.T), top: weights.reduce((most, w) => Math.max(most, w), 0) };
    this.title.textContent = beside.title;
    this.heat.grid.element.setAttribute("aria-label", `${beside.title}. ${this.words.beside_label}`);
  }

  /** Takes over the order of the large head, (T) or null, where there are as many tokens here as there: the tokens that the
   *  shared cursor visits together then stand at the same place.  Elsewhere it stays in text order, and says so. */
  follow({ rows, columns }) {
    const { data, heat } = this;
    const fitting = (order, count) => (order && order.length === count ? order : null);
    const [mine, theirs] = [fitting(rows, data.T), fitting(columns, data.S)];
    if (mine !== heat.rows || theirs !== heat.columns) heat.sort(mine, theirs);
    this.unsorted.hidden = mine === rows && theirs === columns;
    this.element.dataset.order = JSON.stringify([mine, theirs]);
  }

  /** Draws it into `room` pixels with the cursor of the large head, `cursor`, and in its order, while the hand is over `at`;
   *  `late` while the one that belongs to it is on its way. */
  draw({ at, cursor, order, room, colours, late, corner, top }) {
    if (!this.on) return;
    const { data, shown, heat } = this;
    const inside = ([row, column]) => [Math.min(row, data.T - 1), Math.min(column, data.S - 1)];
    const [row, column] = inside(at);
    heat.layout(data, room, colours, corner);
    this.follow(order);
    heat.draw(shown, row, column, top, `beside${this.seen}`, colours);
    [heat.grid.row, heat.grid.column] = heat.placeOf(...inside(cursor)); // the keys go on from there, wherever the mouse is
    this.element.classList.toggle("ex-late", late);
    const cell = row * data.S + column;
    const template = shown.mask && !shown.mask[cell] ? this.words.hidden_weights : this.words.looks_weights;
    this.sentence.replaceChildren(...sayNodes(template, { query: tokenLabel(data.tokens[row]), key: tokenLabel(data.keyTokens[column]),
      weight: weightText(shown.weights[cell]) }));
    heat.grid.describe(...heat.placeOf(row, column), this.sentence.textContent);
    this.element.dataset.weight = String(shown.weights[cell]);
  }
}
