// Attention explorer: the page.  Traits in, pictures and sentences out; the state lives in the model's traits, so that
// Python and every view of the same explorer agree.

const STATE = ["head", "row", "column", "temperature", "scale_on", "mask_mode", "rows_by", "columns_by"];
const WIDE = 880; // CSS pixels from which the controls stand beside the pictures
const SIDE = 244;
const GAP = 22;

class AttentionView {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.hovered = null;
    this.typing = false;
    this.repaint = frame(() => this.paint());
    this.colours = null;
    this.shell = shell(model, el, { kind: "attention", label: this.words.label, onLook: () => this.restyle() });
    this.root = this.shell.root;
    this.build();
    this.stops = [
      ...STATE.map((name) => listen(model, name, () => this.stateChanged(name))),
      ...["data_revision", "answered", "request"].map((name) => listen(model, name, () => this.load())),
      listen(model, "theirs_revision", () => { this.shown = null; this.refresh(); }),
      listen(model, "text", () => this.textFromOutside()),
    ];
    this.width = 0; // of the root's content, as the browser last laid it out: to ask at each repaint would make it lay out again
    this.sizes = new ResizeObserver(([entry]) => { this.width = entry.contentRect.width; this.repaint(); });
    this.sizes.observe(this.root);
    this.load();
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.sizes.disconnect();
    this.ask.now();
    this.tiles.stop();
    this.repaint.cancel();
    clearTimeout(this.slow);
    this.share.now();
    this.shell.close();
  }

  // ------------------------------------------------------------------------------------------------------ building

  build() {
    const { words, model } = this;
    this.heat = new HeatMap({ label: words.heat_label, onMove: (row, column) => this.move(row, column),
      onHover: (row, column) => this.hover(row, column) });
    this.lines = new LinesView({ label: words.lines_label, onRow: (row) => this.move(row, model.get("column")),
      onColumn: (column) => this.move(model.get("row"), column) });
    this.tiles = this.makeTiles();
    this.why = element("p", { class: "ex-why" });
    this.verdict = element("p", { class: "ex-verdict", role: "status" });
    this.sentence = element("p", { class: "ex-sentence" });
    this.facts = factsTable(words);
    this.live = liveRegion();
    this.buildControls();
    this.buildFolds();
    this.side = element("div", { class: "ex-side" }, this.controls, this.legend.element, this.facts.element, this.save.element);
    this.body = element("div", {}, this.tiles.element, this.verdict,
      element("div", { class: "ex-stage" }, this.heat.element, this.lines.element, this.sentence, this.side), this.sorting.line, this.folds);
    this.root.append(this.why, this.body, this.live);
    if (model.get("can_type")) this.root.insertBefore(this.text.element, this.shell.notices.element);
    if (alone()) this.text.disable(words.alone);
  }

  makeTiles() {
    return new HeadTiles({ label: this.words.tiles_label, nameOf: (head) => say(this.words.head, { head }),
      compute: (head) => this.compute(head), onChoose: (head) => this.share("head", head) });
  }

  maskModes() { return ["none", "causal", "given"]; }

  buildControls() {
    const { words, model, share } = this;
    this.text = textBox({ label: words.text, value: model.get("text"), onInput: (text) => this.typed(text) });
    this.ask = debounce((text) => this.askFor(text), 250);
    this.temperature = slider({ label: words.temperature, min: 0.05, max: 20, value: model.get("temperature"), log: true,
      format: (x) => say(words.temperature_value, { value: number(x) }), onInput: (x) => share("temperature", x) });
    this.scale = toggle({ label: words.scale, value: model.get("scale_on"), onInput: (on) => share("scale_on", on) });
    this.mask = choice({ label: words.mask, value: model.get("mask_mode"), onInput: (mode) => share("mask_mode", mode),
      options: this.maskModes().map((value) => ({ value, label: words[`mask_${value}`] })) });
    this.reason = element("p", { class: "ex-reason", hidden: true });
    this.controls = element("div", { class: "ex-controls" }, this.temperature.element, this.scale.element, this.mask.element, this.reason);
    this.legend = legend({ label: words.weight });
  }

  buildFolds() {
    const { words } = this;
    this.productFold = disclosure({ label: words.product_fold, onToggle: () => this.repaint() });
    this.outputFold = disclosure({ label: words.output_fold, onToggle: () => this.repaint() });
    this.save = button({ label: words.save_picture, onClick: () => this.savePicture() });
    this.sorting = new Sorting(this);
    this.folds = element("div", { class: "ex-folds" }, this.productFold.element, this.outputFold.element, this.sorting.fold.element);
  }

  // --------------------------------------------------------------------------------------------------- what changes

  /** Takes over what Python sent, unless a newer text is on its way: then the last picture stays. */
  load() {
    const { model } = this;
    this.busy(this.waiting());
    if (this.waiting()) return;
    const empty = !model.get("data_revision");
    this.body.hidden = empty;
    this.why.hidden = empty;
    if (empty) { this.shell.painted(); return; }
    if (this.loaded !== model.get("data_revision")) {
      this.loaded = this.dataKey = model.get("data_revision");
      this.data = new AttentionData(model);
      this.shown = null;
      this.hovered = null;
      this.tiles.build(this.data);
      this.adaptControls();
    }
    this.refresh();
  }

  adaptControls() {
    const { data, words } = this;
    const fixed = !data.hasScores;
    const theirs = alone() && this.model.get("uses"); // only Python can ask the learner's function
    for (const control of [this.temperature, this.scale, this.mask]) control.disable(fixed || theirs ? true : null);
    this.reason.hidden = !fixed && !theirs;
    this.reason.textContent = fixed ? words.only_weights : words.alone;
    if (!fixed) {
      this.mask.disableOption("causal", data.T === data.S ? null : words.no_causal);
      this.mask.disableOption("given", data.mask ? null : words.no_given);
    }
    this.mask.inputs[2].parentElement.hidden = !data.mask;
    this.productFold.element.hidden = fixed;
    this.outputFold.element.hidden = !data.v;
  }

  typed(text) {
    this.typing = true; // whatever is on its way is old now
    this.load();
    this.ask(text);
  }

  /** Text and the number of the request leave in one message, or the old text would answer the new request. */
  askFor(text) {
    const { model } = this;
    this.typing = false;
    model.set("request", Math.max(model.get("request"), model.get("answered")) + 1);
    model.set("text", text);
    model.save_changes();
  }

  /** True while the picture is not that of the text in the box. */
  waiting() { return this.typing || this.model.get("request") > this.model.get("answered"); }

  textFromOutside() {
    if (!this.typing) this.text.set(this.model.get("text"));
  }

  busy(on) {
    clearTimeout(this.slow);
    this.root.classList.toggle("ex-waiting", on);
    this.root.setAttribute("aria-busy", String(on));
    this.shell.notices.busy(on ? this.words.computing : "");
    if (on) this.slow = setTimeout(() => this.shell.notices.busy(this.words.kernel_slow), 4000);
  }

  stateChanged(name) {
    if (["head", "row", "column", "rows_by", "columns_by"].includes(name)) { this.repaint(); return; }
    this.refresh();
  }

  /** Paints with the next frame, and the tiles when the page is idle. */
  refresh() {
    const { model } = this;
    this.temperature.set(model.get("temperature"));
    this.scale.set(model.get("scale_on"));
    this.mask.set(model.get("mask_mode"));
    this.tilesWait = true;
    this.repaint();
  }

  restyle() {
    this.colours = null;
    this.tilesWait = true;
    this.repaint();
  }

  move(row, column) {
    this.hovered = null;
    this.share("row", row);
    this.share("column", column);
  }

  hover(row, column) {
    const next = row === null ? null : [row, column];
    if (String(next) === String(this.hovered)) return;
    this.hovered = next;
    this.repaint();
  }

  // ------------------------------------------------------------------------------------------------------ computing

  /** The state of the picture: the controls', or that for which the learner's own attention was last computed. */
  state() {
    const { model } = this;
    const now = { temperature: model.get("temperature"), scaleOn: model.get("scale_on"), mask: model.get("mask_mode") };
    if (!model.get("uses")) return now;
    const theirs = model.get("theirs_state");
    return { temperature: theirs.temperature, scaleOn: theirs.scale_on, mask: theirs.mask_mode,
      late: theirs.temperature !== now.temperature || theirs.scale_on !== now.scaleOn || theirs.mask_mode !== now.mask };
  }

  compute(head) {
    const { model, data } = this;
    if (!data) return null;
    if (model.get("uses") && (!this.theirs || this.theirsRevision !== model.get("theirs_revision"))) {
      this.theirs = floats(model, "theirs");
      this.theirsRevision = model.get("theirs_revision");
    }
    return data.head(head, this.state(), model.get("uses") ? this.theirs : null);
  }

  // ------------------------------------------------------------------------------------------------------- painting

  paint() {
    const { model, data, root } = this;
    if (!data || !root.isConnected || !this.width) return;
    if (!this.colours) this.colours = themeColours(root);
    const state = this.state();
    if (model.get("uses")) {
      this.body.hidden = !model.get("theirs_revision");
      if (!this.waiting()) this.busy(state.late && !model.get("problem"));
      if (this.body.hidden) { this.shell.painted(); return; }
    }
    const head = Math.min(model.get("head"), data.H - 1);
    const key = [this.dataKey, head, state.temperature, state.scaleOn, state.mask, state.drawing, model.get("theirs_revision")].join("|");
    if (!this.shown || this.shownKey !== key) {
      this.shown = this.compute(head);
      this.shownKey = key;
      this.shownFacts = data.headFacts(this.shown);
    }
    this.place();
    const cursor = [Math.min(model.get("row"), data.T - 1), Math.min(model.get("column"), data.S - 1)];
    const [row, column] = this.hovered || cursor;
    const top = this.brightest();
    this.sorting.apply(key, cursor);
    this.heat.draw(this.shown, row, column, top, key, this.colours);
    [this.heat.grid.row, this.heat.grid.column] = this.heat.placeOf(...cursor); // the keys go on from the cursor, wherever the mouse is
    this.lines.draw(this.shown, row, column, top, key, this.colours);
    this.legend.set(0, top);
    this.tiles.choose(head);
    this.write(head, row, column, state);
    if (this.tilesWait) { this.tilesWait = false; this.tiles.refresh(this.colours); }
    this.shell.painted();
  }

  /** The weight of the brightest colour. */
  brightest() { return niceTop(this.shown.top); }

  /** How much of `free` pixels beside each other the lines get. */
  linesWidth(free) { return Math.min(Math.max(free * 0.32, 190), 300); }

  /** Shares the width between heat map, lines and controls. */
  place() {
    const width = this.width;
    const wide = width >= WIDE;
    this.root.classList.toggle("ex-wide", wide);
    const beside = width >= 560;
    this.root.classList.toggle("ex-narrow", !beside);
    const free = wide ? width - SIDE - GAP : width;
    const lines = beside ? this.linesWidth(free) : Math.min(width, 340);
    const changed = this.heat.layout(this.data, beside ? free - lines - GAP : width, this.colours, this.words.corner);
    if (!changed && this.lines.width === lines && this.lines.data === this.data) return;
    const { T, S } = this.data;
    if (beside) this.lines.layout(this.data, lines, this.heat.height, this.heat.grid.place.top, this.colours);
    else this.lines.layout(this.data, lines, 12 + Math.min(Math.max(T, S) * (Math.max(T, S) > 12 ? 14 : 28), 480), 8, this.colours);
  }

  write(head, row, column, state) {
    const { data, words, model, root } = this;
    const cell = row * data.S + column;
    const weight = this.shown.weights[cell];
    const product = data.hasScores ? data.headProducts(head)[cell] : null;
    const score = product === null ? null : product * data.scale(state) + data.biasAt(head, cell);
    const values = { query: tokenLabel(data.tokens[row]), key: tokenLabel(data.keyTokens[column]), weight: weightText(weight),
      score: score === null ? "" : number(score), product: product === null ? "" : number(product), width: String(data.D),
      temperature: number(state.temperature), scale: data.hasScores ? number(data.scale(state)) : "", bias: number(data.biasAt(head, cell)) };
    const parts = [this.cellSentence(cell, row, state)];
    if (data.hasScores && state.temperature !== 1) parts.push(words.heated);
    this.sentence.replaceChildren(...parts.flatMap((part) => sayNodes(part, values)));
    const spoken = this.sentence.textContent;
    this.heat.grid.describe(row, column, spoken);
    if (!this.hovered) announce(this.live, spoken);
    Object.assign(root.dataset, { head, row, column, weight: String(weight), score: String(score), product: String(product) });
    this.writeFacts(head, row);
    this.verdict.textContent = model.get("uses") ? model.get("verdict") : "";
    this.verdict.hidden = !this.verdict.textContent;
    const notes = [this.opensOn(head) ? model.get("why") : "", model.get("note")].filter(Boolean);
    this.why.textContent = notes.join(" ");
    this.why.hidden = !notes.length;
    if (this.productFold.open && data.hasScores) this.fill(this.productFold, productTable(data, head, row, column, words));
    if (data.v) {
      const output = data.output(head, this.shown, row);
      root.dataset.output = JSON.stringify(Array.from(output));
      if (this.outputFold.open) this.fill(this.outputFold, outputTable(output, words));
    }
  }

  opensOn(head) { return head === this.model.get("opening_head"); }

  cellSentence(cell, row, state) {
    const { words, data, shown } = this;
    const scores = data.hasScores;
    if (shown.nothing[row]) return shown.mask ? words.nothing : words.zeros;
    if (shown.mask && !shown.mask[cell]) return scores ? words.hidden : words.hidden_weights;
    if (!scores) return words.looks_weights;
    return state.scaleOn ? words.looks_scaled : words.looks_plain;
  }

  writeFacts(head, row) {
    const { words, data, root, shownFacts } = this;
    const facts = data.rowFacts(this.shown, row);
    const put = (cells, name, of) => {
      const texts = [name, of ? say(words.bits, { bits: of.bits.toFixed(2) }) : "–", of && of.distance !== null ? of.distance.toFixed(2) : ""];
      cells.forEach((cell, i) => { if (cell.textContent !== texts[i]) cell.textContent = texts[i]; });
    };
    put(this.facts.rowCells, say(words.row_facts, { row }), facts);
    put(this.facts.headCells, say(data.H > 1 ? words.head_facts : words.all_rows, { head }), shownFacts);
    this.facts.distance.textContent = facts.distance === null ? "" : words.distance;
    root.dataset.entropy = String(facts.bits);
    root.dataset.headEntropy = shownFacts ? String(shownFacts.bits) : "";
  }

  /** New content of a fold, keeping how far the reader has scrolled. */
  fill(fold, table) {
    const before = fold.body.firstChild ? fold.body.firstChild.scrollTop : 0;
    fold.body.replaceChildren(table);
    table.scrollTop = before;
  }

  // --------------------------------------------------------------------------------------------------------- saving

  /** Downloads the picture as it stands, drawn on the page: no kernel, no network. */
  savePicture() {
    const name = `${this.pictureName()}.png`;
    const canvas = atRatio(2, () => {
      this.paint();
      return this.compose();
    });
    this.restyle(); // back to the screen's resolution
    canvas.toBlob((blob) => {
      const address = URL.createObjectURL(blob);
      element("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    });
  }

  pictureName() { return `attention-head-${this.root.dataset.head}`; }

  /** The head as the saved picture names it. */
  headName() { return this.data.H > 1 ? say(this.words.head, { head: this.root.dataset.head }) : ""; }

  /** What is seen, on one canvas. */
  compose() {
    return composePicture({ colours: this.colours, title: [this.model.get("title"), this.headName()].filter(Boolean).join(" · "),
      rows: this.pictureRows().filter((row) => row.length), lines: this.pictureLines(), scale: this.words.weight, top: this.brightest() });
  }

  pictureRows() {
    const { heat, lines, tiles } = this;
    return [tiles.blocks(this.colours), [canvasBlock(heat.grid.canvas, heat.width, heat.height), canvasBlock(lines.canvas, lines.width, lines.height)]];
  }

  /** The sentences of the saved picture. */
  pictureLines() { return [this.sentence.textContent]; }
}
