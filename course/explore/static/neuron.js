// The neuron explorer, third part: controls, painting, and the talk with Python.

const LATE_ANSWER = 250; // milliseconds after which it is said that Python is computing
const SLOW_ANSWER = 5000; // and after which, that it still is
const TYPING_RESTS = 150; // milliseconds after the last key before the model is asked

/** A piece of a text as it is shown, as `tokenText` has it; "" stays what it is. */
function visibleText(text) { return text && tokenText(text); }

class NeuronView {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.draft = null; // {text, layer} that is wanted and not asked yet
    this.timers = [];
    this.pointed = -1;
    const repaint = frame(() => this.paint());
    this.repaint = repaint;
    this.built = false;
    this.shell = shell(model, el, { kind: "neuron", label: this.words.label, onLook: () => { if (this.built) repaint(); } });
    this.build();
    const names = ["text", "layer", "neuron", "activation", "token", "answer", "answered"];
    this.stops = names.map((name) => listen(model, name, repaint));
    this.ask = debounce(() => this.submit(), TYPING_RESTS);
    const resized = new ResizeObserver(() => { if (this.curve.element.clientWidth !== this.curveWidth) repaint(); });
    resized.observe(this.curve.element);
    this.stops.push(() => resized.disconnect(), () => repaint.cancel(), () => this.ask.cancel(), () => this.timers.forEach(clearTimeout), () => this.shell.close());
    repaint();
  }

  build() {
    const { model, words, share } = this;
    const last = model.get("width") - 1;
    this.text = promptBox({ label: words.text, value: model.get("text"), onInput: (text) => this.want({ text }) });
    const layers = Array.from({ length: model.get("n_layers") }, (_, layer) => ({ value: String(layer), label: say(words.layer_name, { layer }) }));
    this.layer = menu({ label: words.layer, options: layers, value: String(model.get("layer")), onInput: (layer) => { this.want({ layer: Number(layer) }); this.ask.now(); } });
    this.neuron = mergesSlider({ words: { merges: words.neuron, merges_value: words.neuron_value, merges_of: words.neuron_of }, count: last,
      onInput: (neuron) => share("neuron", neuron) });
    this.next = button({ label: words.next, title: words.next_title, onClick: () => this.goOn() });
    this.rank = element("span", { class: "ex-label" });
    this.bend = menu({ label: words.activation, options: Object.keys(BENDS).map((name) => ({ value: name, label: name })), value: model.get("activation"),
      onInput: (name) => share("activation", name) });
    this.exchanged = element("span", { class: "ex-label", hidden: true });
    this.curve = new Curve();
    this.list = new TokenList({ label: words.list_label, onChoose: (at) => { this.pointed = -1; share("token", at); }, onPoint: (at) => { this.pointed = at; this.read(); } });
    this.key = legend({ label: words.legend, map: diverging, min: -1, max: 1, format: (x) => number(x) });
    this.note = element("p", { class: "ex-label ex-ne-note", hidden: true });
    this.sentence = element("p", { class: "ex-sentence", "aria-hidden": "true" }); // screen readers read the live region
    this.live = liveRegion();
    this.texts = new Texts(words);
    this.said = new Said(words);
    const controls = element("div", { class: "ex-controls" }, this.layer.element, this.neuron.element, this.next.element, this.rank);
    const right = element("div", { class: "ex-ne-right" }, this.list.element, this.note, this.key.element, this.sentence);
    const left = element("div", { class: "ex-ne-left" }, this.curve.element, element("div", { class: "ex-controls" }, this.bend.element, this.exchanged));
    this.parts = element("div", { class: "ex-ne-parts" }, this.texts.element, this.said.element);
    this.shell.root.append(this.text.element, controls, element("div", { class: "ex-ne-main" }, left, right), this.live, this.parts);
    this.text.element.hidden = model.get("bare");
    this.layer.element.hidden = model.get("n_layers") < 2;
    if (alone()) for (const control of [this.text, this.layer]) control.disable(words.alone);
    this.built = true;
  }

  // ------------------------------------------------------------------------------------------------ text, layer, Python

  /** Has Python dealt with the present text and layer, well or not? */
  handled() {
    const [text, layer] = this.model.get("answered");
    return text === this.model.get("text") && layer === this.model.get("layer");
  }

  want(change) {
    this.draft = { text: this.model.get("text"), layer: this.model.get("layer"), ...this.draft, ...change };
    this.overdue = false; // the hand is still at work
    this.ask();
    this.repaint();
  }

  /** Asks for what is wanted; while Python still computes something older it waits, and then asks for the newest. */
  submit() {
    if (this.draft === null) return;
    this.overdue = !this.handled();
    if (this.overdue) return;
    const { text, layer } = this.draft;
    this.draft = null;
    this.share("text", text);
    this.share("layer", layer);
    this.share.now();
    this.repaint();
  }

  /** The next neuron in the order of the largest activations; after the last comes the first. */
  goOn() {
    if (!this.order) return;
    const at = this.order.indexOf(this.model.get("neuron"));
    this.share("neuron", this.order[(at + 1) % this.order.length]);
  }

  // ---------------------------------------------------------------------------------------------------------- painting

  /** What Python sent for the present answer, read once. */
  load() {
    const { model } = this;
    const packed = model.get("answer");
    if (this.packed === packed) return;
    const whole = (name, Kind) => new Kind(bytes(model, name).buffer);
    Object.assign(this, { packed, pre: floats(model, "pre"), bias: floats(model, "bias"), places: whole("peak_places", Int32Array), peakZ: floats(model, "peak_z"),
      saidIds: whole("said_ids", Uint32Array), saidBy: floats(model, "said"), corpus: whole("corpus", Uint32Array) });
    this.width = model.get("width");
    this.order = this.pre.length ? byLargest(this.pre, this.width) : null;
    this.labels = (packed.labels || []).map(([text, kind]) => ({ label: shorten(tokenText(text), LONGEST_TOKEN), kind }));
  }

  /** The numbers of the neuron that is looked at. */
  reckon() {
    const { model } = this;
    const neuron = model.get("neuron");
    const bend = BENDS[model.get("activation")];
    const z = column(this.pre, this.width, neuron);
    const found = this.peakZ.length / this.width;
    const peaks = Array.from({ length: found }, (_, i) => neuron * found + i).filter((i) => this.places[2 * i] >= 0)
      .map((i) => ({ text: this.places[2 * i], position: this.places[2 * i + 1], value: bend(this.peakZ[i]) }));
    const values = z.map(bend);
    const top = [...values, ...peaks.map((peak) => peak.value)].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return { neuron, z, values, peaks, top, at: Math.min(model.get("token"), z.length - 1) };
  }

  paint() {
    const { model, words } = this;
    this.load();
    this.now = this.reckon();
    const { z, values, top, at, neuron } = this.now;
    const [own, name] = [model.get("own"), model.get("activation")];
    this.curveWidth = this.curve.element.clientWidth; // asked before anything is written, or the page would be laid out twice
    this.curve.draw({ root: this.shell.root, z, at, bend: name, own: own || name, width: Math.max(this.curveWidth, 200),
      axes: [words.axis_z, say(words.axis_value, { name })] });
    this.text.set(this.draft === null ? model.get("text") : this.draft.text);
    this.layer.set(String(this.draft === null ? model.get("layer") : this.draft.layer));
    this.neuron.set(model.get("neuron"));
    this.bend.set(model.get("activation"));
    this.bend.input.querySelectorAll("option").forEach((option) => {
      const text = option.value === own ? say(words.activation_own, { name: own }) : option.value;
      if (option.textContent !== text) option.textContent = text;
    });
    this.exchanged.hidden = !own || own === name;
    this.exchanged.textContent = say(words.exchanged, { name, own });
    this.rank.textContent = this.order ? say(words.rank, { rank: this.order.indexOf(neuron) + 1, count: this.width }) : "";
    this.next.disable(!this.order);
    this.next.element.title = words.next_title;
    this.paintTokens(values, top, at);
    this.paintCorpus();
    this.paintSaid();
    this.wait(this.draft !== null || !this.handled());
    this.read();
    Object.assign(this.shell.root.dataset, { neuron: String(neuron), layer: String(this.packed.layer), token: String(at),
      z: String(at < 0 ? "" : z[at]), values: values.join(" "), order: (this.order || []).slice(0, 20).join(" ") });
    this.shell.painted();
    if (this.overdue && this.handled()) this.submit();
  }

  paintTokens(values, top, at) {
    this.list.set(this.labels.map(({ label, kind }, place) => ({ label, kind, below: number(values[place], 2) })));
    this.list.chips.forEach(({ node }, place) => tint(node, values[place], top));
    this.list.mark(at, () => false);
    this.key.set(-top, top);
    const { tokens = 0 } = this.packed;
    this.note.hidden = tokens <= this.labels.length;
    this.note.textContent = say(this.words.too_long, { count: tokens, shown: this.labels.length });
  }

  paintCorpus() {
    const starts = this.model.get("starts");
    const count = starts.length - 1;
    this.texts.element.hidden = count < 1;
    if (count < 1) return;
    const names = this.model.get("names");
    const spelled = (from, to) => visibleText(joined(Array.from(this.corpus.subarray(from, to), (id) => names[id])));
    const rows = this.now.peaks.map(({ text, position, value }) => {
      const place = starts[text] + position;
      const [first, end] = around(place, starts[text], starts[text + 1], AROUND);
      const before = `${first > starts[text] ? "…" : ""}${spelled(first, place)}`;
      return { before, token: this.named(this.corpus[place]), after: `${spelled(place + 1, end)}${end < starts[text + 1] ? "…" : ""}`, value };
    });
    this.texts.set(rows, { count, top: this.now.top });
  }

  paintSaid() {
    const size = this.saidBy.length / this.width / 2;
    this.said.element.hidden = !size;
    this.parts.hidden = !size && this.texts.element.hidden;
    if (!size) return;
    const part = (which) => Array.from({ length: size }, (_, i) => (2 * this.now.neuron + which) * size + i)
      .map((i) => ({ label: this.named(this.saidIds[i]), value: this.saidBy[i] }));
    this.said.set({ raised: part(0), lowered: part(1) });
  }

  /** While Python has not answered for the present text and layer it is said that it computes. */
  wait(waiting) {
    const { notices, root } = this.shell;
    if (waiting === this.waiting) return;
    this.waiting = waiting;
    root.setAttribute("aria-busy", String(waiting));
    this.timers.forEach(clearTimeout);
    this.timers = [];
    if (!waiting) { notices.busy(""); return; }
    this.timers = [[LATE_ANSWER, this.words.computing], [SLOW_ANSWER, this.words.kernel_slow]].map(([after, words]) => setTimeout(() => notices.busy(words), after));
  }

  // ------------------------------------------------------------------------------------------------------------- words

  named(id) {
    const [text] = this.model.get("names")[id] || [`id ${id}`];
    return shorten(tokenText(text), LONGEST_TOKEN);
  }

  says(at) {
    const { words, now, model } = this;
    const [z, value, bias] = [now.z[at], now.values[at], this.bias[now.neuron]];
    const name = model.get("activation");
    const sentence = say(words.says, { token: this.labels[at].label, place: at, z: number(z), name, value: number(value),
      product: number(z - bias), sign: bias < 0 ? "−" : "+", bias: number(Math.abs(bias)) });
    const what = value === 0 ? words.says_off : value < 0 ? words.says_less : words.says_adds;
    return sentence + say(what, { value: number(value), size: number(Math.abs(value)) });
  }

  /** The sentence of the token that is pointed at, or of the chosen one, which is read aloud. */
  read() {
    const { at } = this.now;
    if (at < 0) { this.sentence.textContent = ""; return; }
    const chosen = this.says(at);
    const shown = this.pointed >= 0 && this.pointed < this.labels.length ? this.says(this.pointed) : chosen;
    if (this.sentence.textContent !== shown) this.sentence.textContent = shown;
    announce(this.live, `${say(this.words.neuron_value, { n: this.now.neuron, count: this.width - 1 })}. ${chosen}`);
  }

  close() { this.stops.forEach((stop) => stop()); }
}

function render({ model, el }) {
  const view = new NeuronView(model, el);
  return () => view.close();
}

export default { render };
