// The positions explorer: three views of one matrix, and their controls.  All arithmetic of the course's kinds happens
// here; the kernel is asked for the learner's own function alone, when the hand has rested.

class Positions {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.sources = { columns: model.get("table_columns"), table: floats(model, "table_bytes"), theirs: null };
    const pair = floats(model, "random_pair");
    Object.assign(this.sources, { q: pair.subarray(0, pair.length / 2), k: pair.subarray(pair.length / 2) });
    this.repaint = frame(() => this.paint());
    this.build();
    this.shell = shell(model, el, { kind: "positions", label: this.words.label, onLook: this.repaint });
    this.shell.root.append(this.kind.element, this.stage, this.says, this.similar.element, this.sizes.element, this.note, this.live);
    this.stops = ["kind", "T", "d_model", "base", "position", "reference", "feature", "answered", "verdict", "problem"].map((name) => listen(model, name, this.repaint));
    this.stops.push(listen(model, "theirs", () => { this.key = ""; this.repaint(); }));
    this.observer = new ResizeObserver(() => this.repaint());
    for (const place of [this.matrixPlace, this.plotPlace]) this.observer.observe(place);
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.observer.disconnect();
    this.share.now();
    this.repaint.cancel();
    this.shell.close();
  }

  // ---------------------------------------------------------------------------------------------------- state

  /** The state, whole numbers within the kind's sizes. */
  read() {
    const get = (name) => this.model.get(name);
    const [kind, base] = [get("kind"), get("base")];
    const most = get("most")[kind];
    const [T, d_model] = [Math.min(get("T"), most[0]), Math.min(get("d_model"), most[1])];
    return { kind, base, T, d_model, most, position: get("position"), reference: get("reference"), feature: get("feature") };
  }

  /** Sets what a control says; the sizes are brought within the kind's and the cursor within the sizes, as Python does it. */
  set(name, value) {
    this.share(name, value);
    const { T, d_model, position, reference, feature } = this.read();
    const within = { T, d_model, position: Math.min(position, T - 1), reference: Math.min(reference, T - 1), feature: Math.min(feature, d_model - 1) };
    for (const [trait, fitting] of Object.entries(within)) this.share(trait, fitting);
    this.repaint();
  }

  setWhole(name, value, most) { this.set(name, Math.min(Math.max(Math.round(value), 0), most)); }

  /** Whether the learner's function gives the numbers. */
  theirsShown(state) { return this.model.get("uses") && state.kind === "sinusoidal"; }

  /** What is drawn of the state, kept until another is asked for; null where the learner's function never answered. */
  shown(state) {
    const own = this.theirsShown(state);
    const [T, width] = own ? this.model.get("theirs_shape") : [state.T, state.d_model];
    if (!T) return null;
    const key = [state.kind, T, width, state.base, own].join("|");
    if (key !== this.key) {
      this.key = key;
      this.spreads = null;
      this.sources.theirs = own ? { values: Float64Array.from(floats(this.model, "theirs")), T, width } : null;
      this.current = encode(state, this.sources);
    }
    return this.current;
  }

  // --------------------------------------------------------------------------------------------------- layout

  build() {
    const words = this.words;
    this.kind = choice({ label: words.kind, value: "sinusoidal", onInput: (kind) => this.set("kind", kind),
      options: Object.entries(words.kinds).map(([value, label]) => ({ value, label })) });
    this.matrix = new EncodingMatrix({ words, onMove: (row, column) => { this.share("position", row); this.share("feature", column); this.repaint(); } });
    this.legend = legend({ label: words.value, map: diverging, min: -1, max: 1, format: short });
    this.matrixPlace = element("div", { class: "ex-po-place" }, this.matrix.element, this.legend.element);
    this.dial = svg("svg", { role: "img" });
    this.turnText = element("p", { class: "ex-po-text" });
    this.betweenText = element("p", { class: "ex-po-text" });
    const whole = (label, name, most, format) => this.wholeSlider({ label, most, format, onInput: (value) => this.setWhole(name, value, most()) });
    const last = () => this.read().T - 1;
    const said = (template) => (value) => say(template, { position: Math.round(value) });
    this.position = whole(words.position, "position", last, said(words.position_value));
    this.reference = whole(words.reference, "reference", last, said(words.position_value));
    const pairs = () => this.read().d_model / 2 - 1;
    this.pair = this.wholeSlider({ label: words.pair, most: pairs,
      format: (i) => say(words.pair_value, { pair: i, even: 2 * i, odd: 2 * i + 1 }),
      onInput: (i) => this.setWhole("feature", 2 * Math.min(Math.round(i), pairs()) + (this.read().feature % 2), this.read().d_model - 1) });
    const dialControls = element("div", { class: "ex-po-sliders" }, this.position.element, this.reference.element, this.pair.element);
    const panel = (title, ...parts) => element("section", { class: "ex-po-panel" }, element("p", { class: "ex-po-title" }, title), parts);
    this.stage = element("div", { class: "ex-po-stage" }, panel(words.matrix_title, this.matrixPlace),
      panel(words.dial_title, element("div", { class: "ex-po-dial" }, this.dial), dialControls, this.turnText, this.betweenText));
    this.says = element("p", { class: "ex-sentence", "aria-hidden": "true" }); // screen readers read the live region
    this.verdict = element("p", { class: "ex-po-text" });
    this.note = element("div", {}, this.verdict, this.about = element("p", { class: "ex-po-text ex-label" }));
    this.live = liveRegion();
    this.buildFolds();
  }

  /** A slider of whole numbers from 0 to `most()`, which may change; what is typed beyond is bent back when the box is left. */
  wholeSlider({ label, most, format, onInput }) {
    const control = slider({ label, min: 0, max: 1e6, step: 1, value: 0, format, onInput });
    control.box.addEventListener("blur", this.repaint);
    return { ...control, fit: (value) => {
      control.input.max = control.box.max = most();
      control.set(value);
    } };
  }

  buildFolds() {
    const words = this.words;
    this.similar = disclosure({ label: words.fold_similarity, onToggle: this.repaint });
    this.plot = svg("svg", { role: "img", class: "ex-po-plot" });
    this.plotPlace = element("div", { class: "ex-po-place" }, this.plot);
    this.curveNames = element("p", { class: "ex-po-text ex-po-keys" });
    this.distance = element("p", { class: "ex-po-text" });
    this.similar.body.append(this.curveNames, this.plotPlace, this.distance);
    const follow = (event) => {
      if (!(event.buttons & 1)) return;
      const { T } = this.drawn;
      this.setWhole("reference", plotPosition(event.clientX - this.plot.getBoundingClientRect().left, T, this.plotWidth), T - 1);
    };
    this.plot.addEventListener("pointerdown", (event) => { this.plot.setPointerCapture(event.pointerId); follow(event); });
    this.plot.addEventListener("pointermove", follow);

    this.sizes = disclosure({ label: words.fold_sizes, onToggle: this.repaint });
    const within = (value, low, most) => Math.min(Math.max(Math.round(value), low), most);
    this.width = slider({ label: words.d_model, min: 2, max: 128, step: 2, value: 2,
      onInput: (x) => this.set("d_model", within(x - (Math.round(x) % 2), 2, this.read().most[1])) });
    this.length = slider({ label: words.length, min: 1, max: 512, step: 1, value: 1, onInput: (x) => this.set("T", within(x, 1, this.read().most[0])) });
    this.base = slider({ label: words.base, min: 10, max: 1e6, value: 10, log: true, format: short, onInput: (x) => this.set("base", x) });
    for (const { box } of [this.width, this.length]) box.addEventListener("blur", this.repaint);
    this.sizes.body.append(element("div", { class: "ex-controls ex-po-sizes" }, this.width.element, this.length.element, this.base.element));
  }

  // ---------------------------------------------------------------------------------------------------- paint

  paint() {
    if (!this.shell) return; // the theme was read before all stood
    const state = this.read();
    const shown = this.shown(state);
    this.paintControls(state, shown);
    if (shown) {
      // The learner's function may not have answered for the present sizes: what it said last is shown until it does.
      const at = { position: Math.min(state.position, shown.T - 1), reference: Math.min(state.reference, shown.T - 1), feature: Math.min(state.feature, shown.width - 1) };
      this.drawn = { ...state, ...at, T: shown.T, pair: Math.floor(at.feature / 2) };
      this.paintMatrix(shown);
      this.paintDial(shown);
      if (this.similar.open) this.paintSimilarity(shown);
      this.paintWords(shown);
    }
    this.stage.hidden = this.similar.element.hidden = !shown;
    this.shell.painted();
  }

  paintMatrix(shown) {
    const { position, feature } = this.drawn;
    const colours = themeColours(this.shell.root);
    this.matrix.draw(shown, position, feature, Math.max(this.matrixPlace.clientWidth, 200), colours);
    this.legend.set(-shown.limit, shown.limit);
  }

  /** Whether the hands are a clock's: a table's are not, and a function of the learner's may not be. */
  isClock(shown) { return Boolean(shown.frequencies) && !this.theirsShown(this.drawn); }

  /** The turn of the hand from the reference to the position: of a clock as it goes, else the shorter way. */
  turn(shown, [now, before]) {
    const { position, reference, pair } = this.drawn;
    return this.isClock(shown) ? (position - reference) * shown.frequencies[pair] : angleBetween(before, now);
  }

  paintDial(shown) {
    const { kind, pair, position, reference } = this.drawn;
    const hands = [position, reference].map((p) => hand(shown, kind, p, pair));
    const turn = this.turn(shown, hands);
    drawDial(this.dial, { shown, kind, pair, position, reference, turn, words: this.words });
    this.turnText.textContent = this.turnSentence(shown);
    this.betweenText.textContent = this.betweenSentence(shown, turn);
    Object.assign(this.shell.root.dataset, { turn: String(turn), hand: hands[0].join(" ") });
  }

  turnSentence(shown) {
    const { pair } = this.drawn;
    if (!shown.frequencies) return say(this.words.no_clock, { pair });
    const frequency = shown.frequencies[pair];
    return say(this.isClock(shown) ? this.words.turn : this.words.turn_theirs, { pair, wavelength: short((2 * Math.PI) / frequency), frequency: short(frequency) });
  }

  betweenSentence(shown, turn) {
    const { position, reference } = this.drawn;
    const words = this.words;
    const degrees = ((turn * 180) / Math.PI).toFixed(0).replace(/^-0$/, "0").replace("-", "−");
    const values = { position, reference, angle: short(turn), degrees, turns: short(turn / (2 * Math.PI)) };
    if (!this.isClock(shown)) return Number.isFinite(turn) ? say(words.between_apart, { ...values, degrees: degrees.replace("−", "") }) : words.between_none;
    return say(Math.abs(turn) < 2 * Math.PI ? words.between_angle : words.between_turns, values);
  }

  paintSimilarity(shown) {
    const words = this.words;
    const { T, position, reference } = this.drawn;
    const { width } = shown;
    if (!this.spreads) this.spreads = shown.series.map((series) => spread(series, T, width));
    const curves = shown.series.map((series, n) => ({ values: similarity(series, reference, T, width), spread: this.spreads[n],
      name: say(words[`similarity_${series.name}`], { reference }) }));
    this.plotWidth = Math.max(this.plotPlace.clientWidth, 200);
    drawSimilarity(this.plot, this.plotWidth, { curves, T, position, reference, words });
    const sample = (n) => svg("svg", { width: 30, height: 10, "aria-hidden": "true" }, svg("path", { d: "M1 5H29", class: `ex-po-curve ex-po-curve-${n}` }));
    const band = svg("svg", { width: 30, height: 10, "aria-hidden": "true" }, svg("rect", { width: 30, height: 10, class: "ex-po-band" }));
    this.curveNames.replaceChildren(...curves.map((curve, n) => element("span", { class: "ex-po-key" }, sample(n), curve.name)),
      this.onlyDistance() ? "" : element("span", { class: "ex-po-key" }, band, words.similarity_band));
    this.distance.textContent = this.distanceSentence(T);
    this.shell.root.similarity = curves.map((curve) => curve.values);
  }

  /** Of all curves, the one whose dot products differ most at one and the same offset. */
  widest() { return this.spreads.reduce((most, one) => (one.gap / one.largest > most.gap / most.largest ? one : most)); }

  onlyDistance() { const { gap, largest } = this.widest(); return gap <= 1e-5 * largest; } // float32 numbers are exact to 1e-7

  /** What the dot products of all pairs of positions say: only the distance counts, or not.  Measured, not claimed. */
  distanceSentence(T) {
    const words = this.words;
    if (T === 1) return words.one_position;
    const { gap, offset, lowest, highest } = this.widest();
    if (this.onlyDistance()) return say(this.drawn.kind === "rotary" ? words.only_offset : words.only_distance, { spread: gap ? number(gap, 2) : "0" });
    const fresh = this.drawn.kind === "learned" && !this.model.get("table_given");
    return say(words.not_only_distance, { offset: Math.abs(offset), low: short(lowest), high: short(highest) }) + (fresh ? words.fresh_knows_nothing : "");
  }

  /** The sentence of the cell under the cursor. */
  cell(shown) {
    const words = this.words;
    const { kind, position, feature } = this.drawn;
    const value = shown.values[position * shown.width + feature];
    if (!shown.frequencies) return say(this.model.get("table_given") ? words.cell_table : words.cell_fresh, { position, feature, value: short(value) });
    const frequency = shown.frequencies[Math.floor(feature / 2)];
    const sine = (feature % 2 === 0) === (kind === "sinusoidal");
    const values = { position, feature, function: sine ? "sin" : "cos", frequency: short(frequency), value: fixed(value) };
    if (!this.theirsShown(this.drawn)) return say(kind === "rotary" ? words.cell_rotary : words.cell_sinusoidal, values);
    return say(words.cell_theirs, { ...values, expected: fixed((sine ? Math.sin : Math.cos)(position * frequency)) });
  }

  paintWords(shown) {
    const { position, feature, kind, base, T, reference } = this.drawn;
    const cell = this.cell(shown);
    this.says.textContent = cell;
    this.matrix.grid.describe(position, feature, cell);
    announce(this.live, `${cell} ${this.turnText.textContent} ${this.betweenText.textContent}`);
    const value = shown.values[position * shown.width + feature];
    Object.assign(this.shell.root.dataset, { kind, base, position, feature, reference, length: T, width: shown.width, value });
    this.shell.root.matrix = shown.values;
  }

  paintControls(state, shown) {
    const words = this.words;
    const own = this.theirsShown(state);
    this.kind.set(state.kind);
    this.position.fit(state.position);
    this.reference.fit(state.reference);
    this.pair.fit(Math.floor(state.feature / 2));
    [this.length.input.max, this.length.box.max, this.width.input.max, this.width.box.max] = [state.most[0], state.most[0], state.most[1], state.most[1]];
    this.width.set(state.d_model);
    this.length.set(state.T);
    this.base.set(state.base);
    this.base.disable(own ? words.own_base : state.kind === "learned" ? words.no_base : null);
    const waits = own && String(this.model.get("answered")) !== String([state.T, state.d_model]);
    this.shell.notices.busy(waits ? words.computing : "");
    this.shell.notices.problem(own ? this.model.get("problem") : ""); // of their function, which other kinds do without
    this.verdict.textContent = own && shown && !this.model.get("problem") ? this.model.get("verdict") : "";
    this.about.textContent = this.aboutKind(state);
    this.shell.root.setAttribute("aria-busy", String(waits));
  }

  aboutKind({ kind, T, d_model }) {
    const words = this.words;
    if (kind !== "learned") return kind === "rotary" ? words.note_rotary : "";
    return this.model.get("table_note") + (this.model.get("table_given") ? say(words.note_cut, { T, d_model }) : "");
  }
}

function render({ model, el }) {
  const positions = new Positions(model, el);
  return () => positions.close();
}

export default { render };
