// Explorer of a whole model: the view of one layer, with all layers' heads as tiles above it.

const KEPT_LAYERS = 12; // whose tensors the page keeps, or a long text in a deep model fills its memory
const LATE = 250; // milliseconds after which a layer on its way is spoken of

class ModelView extends AttentionView {
  constructor(model, el) {
    super(model, el);
    for (const name of ["layer", "off_shown"]) this.stops.push(listen(model, name, () => this.load()));
    this.stops.push(listen(model, "closed", () => this.redraw()), listen(model, "target", () => this.targetFromOutside()),
      listen(model, "text2", () => this.secondFromOutside()));
    for (const name of ["effect", "pattern", "tile_order", "pin", "beside_revision"]) this.stops.push(listen(model, name, () => this.repaint()));
  }

  // ------------------------------------------------------------------------------------------------------ building

  makeTiles() {
    return new ModelTiles({ label: this.words.overview_label, nameOf: (layer, head) => this.tileName(layer, head),
      onChoose: (layer, head) => this.choose(layer, head) });
  }

  build() {
    this.layers = new Map(); // layer → {data, key} of the run that is shown
    this.marks = {};
    this.offWanted = null;
    this.targetWanted = null;
    this.lastIn = new Map(); // the layer's first in a part → [layer, head] looked at last there
    super.build();
    const { words, model } = this;
    this.headTitle = element("p", { class: "ex-head-title" });
    this.offSwitch = toggle({ label: words.off_switch, value: false, onInput: (on) => this.switchHead(on) });
    this.allOn = button({ label: words.all_on, onClick: () => this.switchAllOn() });
    const options = [{ value: "", label: words.pattern_none }, ...model.get("patterns").map((value) => ({ value, label: value }))];
    this.pattern = menu({ label: words.pattern, options, value: model.get("pattern"), onInput: (name) => this.share("pattern", name) });
    const orders = ["layers", "pattern"].map((value) => ({ value, label: words[`order_${value}`] }));
    this.order = menu({ label: words.order, options: orders, value: model.get("tile_order"), onInput: (name) => this.share("tile_order", name) });
    this.patternLine = element("p", { class: "ex-pattern-line" });
    this.ring = element("p", { class: "ex-pattern-line ex-label" });
    this.patternFold = disclosure({ label: words.patterns_fold, onToggle: () => this.repaint() });
    this.effect = element("div", { class: "ex-effect", role: "status" });
    this.buildBeside();
    this.buildParts();
    const panel = element("div", { class: "ex-model-panel" }, this.part.element, this.headTitle,
      element("div", { class: "ex-controls" }, this.offSwitch.element, this.allOn.element, this.pinButton.element), this.pattern.element,
      this.between, this.order.element, this.patternLine, this.ring);
    this.overview = element("div", { class: "ex-overview" });
    this.tiles.element.replaceWith(this.overview);
    this.overview.append(this.tiles.element, panel);
    this.drawing = new MaskDrawing({ model, heat: this.heat, words, share: (name, value) => this.share(name, value) });
    this.mask.element.after(this.drawing.element);
    this.folds.prepend(this.patternFold.element, this.secondFold.element);
    this.folds.before(this.effect);
    if (alone()) for (const control of [this.offSwitch, this.allOn, this.pinButton, this.second, this.target]) control.disable(words.alone);
  }

  /** What only a model of several parts has: the choice of a part, and the text that it writes. */
  buildParts() {
    const { words, model } = this;
    this.part = menu({ label: words.part, options: [], value: "", onInput: (start) => this.choosePart(Number(start)) });
    this.between = element("p", { class: "ex-reason", hidden: true });
    this.target = textBox({ label: words.target, value: this.targetText(), placeholder: words.target_own,
      onInput: (text) => { this.targetWanted = text; this.typed(this.text.input.value); } });
    if (model.get("takes_target")) this.root.insertBefore(this.target.element, this.shell.notices.element);
  }

  /** The target as a text; ids, which Python may have given, are none. */
  targetText() { return typeof this.model.get("target") === "string" ? this.model.get("target") : ""; }

  targetFromOutside() {
    if (!this.typing) this.target.set(this.targetText());
  }

  buildBeside() {
    const { words, model } = this;
    this.beside = new BesideHead({ model, words,
      onMove: (row, column) => this.move(Math.min(row, this.data.T - 1), Math.min(column, this.data.S - 1)) });
    this.lines.element.after(this.beside.element);
    this.pinButton = button({ label: words.pin, onClick: () => this.togglePin() });
    const tell = debounce((text) => { this.secondTyping = false; this.share("text2", text); this.share.now(); }, 250);
    this.second = textBox({ label: words.second_text, value: model.get("text2"),
      onInput: (text) => { this.secondTyping = true; tell(text); } });
    this.secondFold = disclosure({ label: words.second_fold, open: Boolean(model.get("text2")) });
    this.secondFold.body.append(this.second.element);
  }

  secondFromOutside() {
    if (this.secondTyping) return;
    this.second.set(this.model.get("text2"));
    if (this.model.get("text2")) this.secondFold.element.open = true; // what stands beside the head can be changed there
  }

  togglePin() {
    const { model } = this;
    this.share("pin", model.get("pin").length ? [] : [model.get("layer"), model.get("head")]);
    this.share.now();
  }

  /** One scale for both heads where there are two. */
  brightest() { return niceTop(Math.max(this.shown.top, this.beside.on ? this.beside.shown.top : 0)); }

  linesWidth(free) { return this.beside.on ? (free - GAP) / 2 : super.linesWidth(free); }

  // --------------------------------------------------------------------------------------------------- what changes

  /** Takes over what Python sent: a new run, or another layer of the one that is shown. */
  load() {
    const { model } = this;
    const waiting = this.waiting();
    this.busy(waiting);
    if (waiting) return;
    this.offWanted = null;
    const empty = !model.get("data_revision");
    this.body.hidden = empty;
    this.why.hidden = empty;
    if (empty) { this.shell.painted(); return; }
    if (this.runSeen !== model.get("run_revision")) {
      this.runSeen = model.get("run_revision");
      this.layers.clear();
      this.tiles.build(model);
      this.loadParts();
      this.marks = patternMarks(model);
    }
    if (this.loaded !== model.get("data_revision")) {
      this.loaded = model.get("data_revision");
      this.keep(model.get("shown_layer"));
    }
    this.takeLayer();
  }

  loadParts() {
    const parts = this.model.get("parts");
    this.lastIn.clear();
    this.part.element.hidden = !parts.length;
    this.part.input.replaceChildren(...parts.map(({ name, start }) => element("option", { value: String(start) }, name)));
  }

  /** The part in which a layer is; all layers where there is one part. */
  partOf(layer) {
    return this.model.get("parts").find(({ start, stop }) => layer >= start && layer < stop) || { start: 0, stop: this.tiles.sizes.length, between: false };
  }

  choosePart(start) {
    const [layer, head] = this.lastIn.get(start) || [start, this.model.get("head")];
    this.choose(layer, head);
    this.part.set(String(this.partOf(this.model.get("layer")).start)); // an exported page may lack this layer
  }

  /** Shows the part in which the layer is, and which patterns there can be in it. */
  showPart(layer, head) {
    const { start, stop, between } = this.partOf(layer);
    this.lastIn.set(start, [layer, head]);
    if (String(this.tiles.range) === String([start, stop]) && this.part.input.value === String(start)) return;
    this.tiles.show(start, stop);
    this.part.set(String(start));
    const [first, last] = [this.tiles.numberOf(start, 0), this.tiles.numberOf(stop, 0)];
    const off = [];
    for (const option of this.pattern.input.options) {
      const marks = this.marks[option.value];
      option.disabled = Boolean(marks && between && bestHead(marks.scores, marks.baselines, first, last) < 0);
      if (option.disabled) off.push(option.value);
    }
    this.between.hidden = !off.length;
    this.between.textContent = say(this.words.pattern_between, { patterns: off.join(", ") });
  }

  keep(layer) {
    this.layers.delete(layer);
    if (this.layers.size >= KEPT_LAYERS) this.layers.delete(this.layers.keys().next().value);
    this.layers.set(layer, { data: new AttentionData(this.model), key: `${this.runSeen}.${layer}.${this.loaded}` });
  }

  /** Shows the layer asked for if it is here; until it comes the last picture stays, and says that it is on its way. */
  takeLayer() {
    const kept = this.layers.get(this.model.get("layer"));
    this.lateLayer(!kept);
    if (!kept) { this.repaint(); return; }
    if (this.data !== kept.data) {
      if (this.data) this.data.products.clear();
      [this.data, this.dataKey, this.shownLayer] = [kept.data, kept.key, this.model.get("layer")];
      this.shown = null;
      this.hovered = null;
      this.adaptControls();
    }
    this.redraw();
  }

  /** Takes over the mask drawn by hand. */
  redraw() {
    if (this.data) this.drawing.load(this.data);
    this.refresh();
  }

  maskModes() { return [...super.maskModes(), "draw"]; }

  state() { return { ...super.state(), drawing: this.drawing.revision }; }

  lateLayer(late) {
    clearTimeout(this.lateTimer);
    this.root.classList.toggle("ex-waiting", late);
    this.root.setAttribute("aria-busy", String(late));
    if (late) this.lateTimer = setTimeout(() => this.shell.notices.busy(this.words.layer_late), LATE);
  }

  close() {
    clearTimeout(this.lateTimer);
    super.close();
  }

  choose(layer, head) {
    const here = this.layers.has(layer);
    if (alone()) this.shell.notices.busy(here ? "" : this.words.layer_late);
    if (alone() && !here) { this.tiles.stay(); return; }
    this.share("head", head);
    this.share("layer", layer);
    if (!here) this.share.now();
  }

  adaptControls() {
    super.adaptControls();
    const { data, words } = this;
    const own = data.ownScale && Math.abs(data.ownScale * Math.sqrt(data.D) - 1) > 1e-6;
    this.scale.input.nextElementSibling.textContent = own ? say(words.scale_own, { scale: number(data.ownScale) }) : words.scale;
  }

  // ---------------------------------------------------------------------------------------------------- switching off

  /** The heads that are off in the answer that is waited for, or in the run that is shown. */
  off() { return this.offWanted || this.model.get("off_shown"); }

  isOff(layer, head) { return this.off().some(([l, h]) => l === layer && h === head); }

  switchHead(on) {
    const [layer, head] = [this.model.get("layer"), this.model.get("head")];
    const others = this.off().filter(([l, h]) => l !== layer || h !== head);
    this.want(on ? [...others, [layer, head]] : others);
  }

  switchAllOn() { this.want([]); }

  want(off) {
    this.offWanted = off.sort(([a, b], [c, d]) => a - c || b - d);
    this.typed(this.text.input.value);
    this.repaint();
  }

  /** Text, heads and the number of the request leave in one message. */
  askFor(text) {
    if (this.offWanted) this.model.set("off", this.offWanted);
    if (this.targetWanted !== null) this.model.set("target", this.targetWanted);
    this.targetWanted = null;
    super.askFor(text);
  }

  // ------------------------------------------------------------------------------------------------------- painting

  paint() {
    const { model, data, root } = this;
    if (!data || !root.isConnected || !this.width) return;
    if (!this.colours) this.colours = themeColours(root);
    const [layer, head, pattern] = [model.get("layer"), model.get("head"), model.get("pattern")];
    const beside = this.width >= 700;
    this.overview.classList.toggle("ex-beside", beside);
    this.showPart(layer, head);
    this.tiles.draw({ layer, head, off: this.off(), marks: pattern ? this.marksHere(pattern) : null, markKey: `${pattern}${this.runSeen}`,
      sorted: model.get("tile_order") === "pattern", room: beside ? this.width - 260 : this.width, colours: this.colours });
    this.writePanel(layer, head, pattern);
    this.drawing.show();
    this.beside.load();
    this.root.classList.toggle("ex-two", this.beside.on);
    this.pinButton.set(model.get("pin").length ? this.words.unpin : this.words.pin);
    if (layer === this.shownLayer) super.paint();
    else this.shell.painted();
    this.paintBeside(layer, head);
  }

  paintBeside(layer, head) {
    const { model } = this;
    const cursor = [model.get("row"), model.get("column")];
    const beside = model.get("beside");
    const free = this.width >= WIDE ? this.width - SIDE - GAP : this.width;
    this.beside.draw({ at: this.hovered || cursor, cursor, order: this.heat, room: this.width >= 560 ? (free - GAP) / 2 : this.width, colours: this.colours,
      top: this.shown ? this.brightest() : 1, late: !model.get("pin").length && (beside.layer !== layer || beside.head !== head), corner: this.words.corner });
  }

  tileName(layer, head) {
    const { words, model } = this;
    const name = { layer: model.get("layer_names")[layer], head };
    if (this.isOff(layer, head)) return say(words.tile_off, name);
    const pattern = model.get("pattern");
    const [score, baseline] = pattern ? this.scoreOf(pattern, layer, head) : [NaN, NaN];
    if (Number.isNaN(score)) return say(words.tile, name);
    return say(words.tile_scored, { ...name, pattern, score: score.toFixed(2), baseline: baseline.toFixed(2) });
  }

  scoreOf(pattern, layer, head) {
    const { scores, baselines } = this.marks[pattern];
    const at = this.tiles.numberOf(layer, head);
    return [scores[at], baselines[at]];
  }

  /** The numbers of all heads for a pattern, with the best of the part that is shown. */
  marksHere(pattern) {
    const { scores, baselines, order } = this.marks[pattern];
    const [first, last] = this.tiles.range.map((layer) => this.tiles.numberOf(layer, 0));
    return { scores, baselines, best: bestHead(scores, baselines, first, last), order: order.filter((number_) => number_ >= first && number_ < last) };
  }

  writePanel(layer, head, pattern) {
    const { words, model, root } = this;
    const names = model.get("layer_names");
    const off = this.off();
    const order = model.get("tile_order");
    const key = [layer, head, pattern, order, off.join(";"), this.runSeen, this.patternFold.open].join("|");
    if (key === this.panelKey) return;
    this.panelKey = key;
    this.headTitle.textContent = say(words.title_one, { layer: names[layer], head });
    this.offSwitch.set(this.isOff(layer, head));
    this.allOn.element.hidden = !off.length;
    this.pattern.set(pattern);
    this.order.set(order);
    this.order.element.hidden = !pattern;
    const [score, baseline] = pattern ? this.scoreOf(pattern, layer, head) : [NaN, NaN];
    const best = pattern ? this.marksHere(pattern).best : -1;
    this.patternLine.hidden = !pattern;
    this.ring.hidden = best < 0;
    if (pattern) {
      this.patternLine.textContent = Number.isNaN(score) ? say(words.pattern_nowhere, { pattern })
        : say(words.pattern_score, { pattern, score: score.toFixed(2), baseline: baseline.toFixed(2) });
    }
    if (best >= 0) {
      const [l, h] = this.tiles.layerHead(best);
      const marks = this.marks[pattern];
      this.ring.textContent = say(words.ring, { layer: names[l], head: h, score: marks.scores[best].toFixed(2), baseline: marks.baselines[best].toFixed(2) });
      root.dataset.best = JSON.stringify([l, h]);
    }
    Object.assign(root.dataset, { layer, off: JSON.stringify(off), patternScore: String(score), patternBaseline: String(baseline) });
    if (this.patternFold.open) this.fill(this.patternFold, patternTable(this.marks, this.tiles.numberOf(layer, head), words));
  }

  write(head, row, column, state) {
    super.write(head, row, column, state);
    const effect = this.model.get("effect");
    const none = !effect.names;
    const key = none ? "" : `${this.runSeen}|${row}|${JSON.stringify(effect.top || "")}|${effect.fixed && effect.position}|${effect.names}`;
    if (key === this.effectKey) return;
    this.effectKey = key;
    this.effect.hidden = none;
    this.root.dataset.effect = JSON.stringify(effect);
    this.effect.replaceChildren(...(none ? [] : effectNodes(effect, row, this.words)));
  }

  opensOn(head) { return super.opensOn(head) && this.model.get("layer") === this.model.get("opening_layer"); }

  cellSentence(cell, row, state) {
    const { words, data } = this;
    const sentence = super.cellSentence(cell, row, state);
    if (sentence !== words.looks_scaled) return sentence;
    if (data.bias) return words.looks_biased;
    return data.ownScale && Math.abs(data.ownScale * Math.sqrt(data.D) - 1) > 1e-6 ? words.looks_times : sentence;
  }

  pictureName() { return `attention-layer-${this.shownLayer}-head-${this.root.dataset.head}`; }

  pictureRows() {
    const { beside } = this;
    const [tiles, large] = super.pictureRows();
    if (beside.on) large.splice(1, 1, canvasBlock(beside.heat.grid.canvas, beside.heat.width, beside.heat.height, beside.title.textContent));
    return [tiles, large];
  }

  pictureLines() {
    const { words, beside } = this;
    const pattern = this.patternLine.hidden ? "" : [this.patternLine, this.ring].filter((line) => !line.hidden).map((line) => line.textContent).join("; ");
    const off = this.off().map(([layer, head]) => say(words.title_one, { layer: this.model.get("layer_names")[layer], head })).join(", ");
    return [...super.pictureLines(), beside.on ? beside.sentence.textContent : "", pattern, off ? say(words.off_one, { names: off }) : ""].filter(Boolean);
  }

  headName() { return this.headTitle.textContent; }
}

function render({ model, el }) {
  const view = new ModelView(model, el);
  return () => view.close();
}

export default { render };
