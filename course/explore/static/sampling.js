// The sampling explorer, fourth part: text, controls, draws, and the talk with Python.

const LATE_ANSWER = 250; // milliseconds after which it is said that Python is computing
const SLOW_ANSWER = 5000; // and after which, that it still is
const TYPING_RESTS = 150; // milliseconds after the last key before the model is asked
const MOST_ADDED = 1000; // as in Python
const MOST_BARS = 50;

/** The float64 numbers of a bytes trait; copied, as `floats` has it. */
function doubles(model, name) { return new Float64Array(bytes(model, name).buffer); }

class SamplingView {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.draft = null; // what was typed and is not asked yet
    this.left = 0; // tokens that are still to be drawn
    this.pointed = -1;
    this.timers = [];
    this.shell = shell(model, el, { kind: "sampling", label: this.words.label, onLook: () => {} }); // CSS alone follows the theme
    this.build();
    const repaint = frame(() => this.paint());
    this.repaint = repaint;
    const names = ["prompt", "added", "temperature", "top_k", "top_p", "seed", "many", "bars", "answer", "answered", "logit_bytes", "uniforms_seed"];
    this.stops = names.map((name) => listen(model, name, repaint));
    this.ask = debounce(() => this.submit(), TYPING_RESTS);
    this.stops.push(() => repaint.cancel(), () => this.ask.cancel(), () => this.timers.forEach(clearTimeout), () => { this.left = 0; }, () => this.shell.close());
    repaint();
  }

  build() {
    const { model, words, share } = this;
    this.prompt = promptBox({ label: words.prompt, value: model.get("prompt"), onInput: (text) => this.typed(text) });
    this.added = addedTokens({ label: words.added_label, title: words.added });
    this.temperature = stopsSlider({ label: words.temperature, stops: TEMPERATURES, value: model.get("temperature"), min: 0, max: 5,
      format: (x) => (x === 0 ? words.temperature_zero : say(words.temperature_value, { value: x })), onInput: (x) => share("temperature", x) });
    this.topK = stopsSlider({ label: words.top_k, stops: [1], value: 1, min: 1, max: null, whole: true, empty: words.top_k_all,
      format: (x) => say(x === this.size ? words.top_k_off : words.top_k_value, { value: x, count: this.size }),
      onInput: (k) => share("top_k", k === this.size ? null : k) });
    this.topP = stopsSlider({ label: words.top_p, stops: MASSES, value: model.get("top_p"), min: 0.001, max: 1,
      format: (x) => (x === 1 ? words.top_p_off : say(words.top_p_value, { value: x })), onInput: (x) => share("top_p", x) });
    this.one = button({ label: words.sample_one, onClick: () => this.draw(1) });
    this.several = button({ label: "", onClick: () => { if (this.left) this.stop(); else this.draw(model.get("many")); } });
    this.back = button({ label: words.undo, onClick: () => this.undo() });
    this.facts = element("div", { class: "ex-sm-facts" });
    this.note = element("p", { class: "ex-label ex-sm-note", hidden: true });
    this.bars = new Bars({ words, onPoint: (at) => { this.pointed = at; this.read(); }, onMove: () => { this.read(); this.shell.painted(); },
      onChoose: (at) => { if (this.ready()) this.append(this.now.order[at]); } });
    this.key = element("p", { class: "ex-sm-key ex-label", "aria-hidden": "true" });
    this.sentence = element("p", { class: "ex-sentence", "aria-hidden": "true" }); // screen readers read the live region
    this.live = liveRegion();
    this.seed = wholeBox({ label: words.seed, min: 0, max: Number.MAX_SAFE_INTEGER, value: model.get("seed"), onInput: (seed) => this.reseed(seed) });
    this.next = button({ label: words.seed_next, onClick: () => this.reseed(model.get("seed") + 1) });
    this.many = wholeBox({ label: words.many, min: 1, max: MOST_ADDED, value: model.get("many"), onInput: (n) => share("many", n) });
    this.count = wholeBox({ label: words.bars, min: 1, max: MOST_BARS, value: model.get("bars"), onInput: (n) => share("bars", n) });
    this.fold = disclosure({ label: words.more });
    this.fold.body.append(element("div", { class: "ex-controls" }, this.seed.element, this.next.element, this.many.element, this.count.element),
      element("p", { class: "ex-label ex-sm-note" }, words.seed_note));
    this.shell.root.append(this.prompt.element, this.added.element, this.note,
      element("div", { class: "ex-controls ex-sm-draws" }, this.one.element, this.several.element, this.back.element),
      element("div", { class: "ex-controls ex-sm-settings" }, this.temperature.element, this.topK.element, this.topP.element),
      this.facts, this.bars.element, this.key, this.sentence, this.live, this.fold.element);
    if (alone()) for (const control of [this.prompt, this.seed]) control.disable(words.alone);
  }

  // ------------------------------------------------------------------------------------------------ the text, and Python

  same(prompt, added) {
    const own = this.model.get("added");
    return prompt === this.model.get("prompt") && added.length === own.length && own.every((id, place) => id === added[place]);
  }

  /** Has Python dealt with the present text, well or not? */
  handled() {
    const answered = this.model.get("answered");
    return answered.length === 2 && this.same(...answered);
  }

  /** Are the bars those of the text as it stands, and may it change? */
  ready() {
    const { prompt, added } = this.model.get("answer");
    return !alone() && this.draft === null && prompt !== undefined && this.same(prompt, added);
  }

  typed(text) {
    this.stop();
    this.draft = text;
    this.overdue = false; // the hand is typing again
    this.ask();
    this.repaint();
  }

  /** Asks for the text that was typed; while Python still computes an older one it waits, and then asks for the newest. */
  submit() {
    if (this.draft === null) return;
    this.overdue = !this.handled();
    if (this.overdue) return;
    const text = this.draft;
    this.draft = null;
    this.share("prompt", text);
    this.share("added", []);
    this.share.now();
    this.repaint();
  }

  append(id) {
    const added = this.model.get("added");
    if (added.length >= MOST_ADDED) { this.left = 0; return; }
    this.fresh = id;
    this.share("added", [...added, id]);
    this.share.now();
  }

  undo() {
    this.stop();
    this.share("added", this.model.get("added").slice(0, -1));
    this.share.now();
  }

  reseed(seed) {
    this.share("seed", seed);
    this.share.now();
  }

  draw(count) { this.left += count; this.repaint(); }
  stop() { this.left = 0; this.repaint(); }

  /** Draws the next token that is wanted, once the model has answered for the text and Python has sent the seed's numbers. */
  goOn() {
    const { model } = this;
    if (this.left > 0 && this.draft === null && this.handled() && !this.ready()) this.left = 0; // the model failed: a sentence says how
    if (this.left === 0 || !this.ready() || model.get("uniforms_seed") !== model.get("seed")) return;
    this.left--;
    const place = model.get("added").length;
    if (place >= MOST_ADDED) { this.left = 0; return; }
    this.append(drawn(this.now.byId, doubles(model, "uniforms")[place]));
  }

  // ---------------------------------------------------------------------------------------------------------- painting

  load() {
    const { model } = this;
    const packed = model.get("logit_bytes");
    const settings = { temperature: model.get("temperature"), topK: model.get("top_k"), topP: model.get("top_p") };
    const key = JSON.stringify(settings);
    if (this.packed === packed && this.settings === key) return;
    if (this.packed !== packed) {
      const logits = floats(model, "logit_bytes");
      Object.assign(this, { packed, logits, byLogit: ranked(logits) });
      if (this.size !== logits.length) { this.size = logits.length; this.topK.setStops(counts(Math.max(this.size, 1))); }
    }
    this.settings = key;
    this.now = this.size ? chances(this.logits, this.byLogit, settings) : null;
  }

  paint() {
    const { model, words } = this;
    this.load();
    const topK = model.get("top_k");
    this.prompt.set(this.draft === null ? model.get("prompt") : this.draft);
    this.temperature.set(model.get("temperature"));
    this.topK.set(topK === null ? Math.max(this.size, 1) : topK);
    this.topP.set(model.get("top_p"));
    this.seed.set(model.get("seed"));
    this.many.set(model.get("many"));
    this.count.set(model.get("bars"));
    this.added.set(this.draft === null ? model.get("added").map((id) => this.named(id)) : []);
    this.bars.element.hidden = this.key.hidden = !this.now;
    if (this.now) this.paintNumbers();
    this.paintNote();
    this.goOn();
    this.wait(this.draft !== null || !this.handled());
    this.paintButtons();
    this.read();
    this.shell.root.dataset.left = String(this.left);
    this.shell.painted();
    if (this.overdue && this.handled()) this.submit();
  }

  paintNumbers() {
    const { now, words, model } = this;
    this.bars.set({ now, count: model.get("bars"), topP: model.get("top_p"), nameOf: (rank) => this.named(now.order[rank]), saysOf: (rank) => this.says(rank) });
    const choices = (nats) => number(Math.exp(nats));
    const lines = [say(words.entropy, { nats: number(now.entropy), choices: choices(now.entropy) })];
    if (now.cut) {
      lines.push(say(words.kept, { kept: now.kept, count: now.size, mass: sumText(now.mass), nats: number(now.entropyBefore), choices: choices(now.entropyBefore) }));
    }
    this.facts.replaceChildren(...lines.map((line, i) => element("p", { class: i ? "ex-label" : "ex-sm-entropy" }, line)));
    const keys = now.cut ? [["outline", words.key_before], ["cut", words.key_cut]] : [];
    if (model.get("top_p") < 1) keys.push(["limit", words.key_limit]);
    this.key.hidden = !keys.length;
    this.key.replaceChildren(...keys.flatMap(([kind, text]) => [element("span", { class: `ex-sm-mark ex-sm-mark-${kind}` }), element("span", {}, text)]));
    const shown = this.bars.rows.length; // the numbers as they are, for whoever compares them with Python's
    Object.assign(this.shell.root.dataset, { kept: String(now.kept), entropy: String(now.entropy), probs: now.probs.slice(0, shown).join(" "), ids: now.order.slice(0, shown).join(" ") });
  }

  paintNote() {
    const { words } = this;
    const { tokens, used, start } = this.model.get("answer");
    const notes = [tokens > used ? say(words.long, { tokens, used }) : "", start ? say(words.starts, { start: tokenText(start) }) : ""];
    if (this.model.get("added").length >= MOST_ADDED) notes.push(say(words.full, { count: MOST_ADDED }));
    this.note.textContent = notes.filter(Boolean).join(" ");
    this.note.hidden = !this.note.textContent;
  }

  paintButtons() {
    const { model, words } = this;
    const reason = alone() ? words.alone : false;
    const added = model.get("added").length;
    const stuck = reason || (added >= MOST_ADDED ? say(words.full, { count: MOST_ADDED }) : !this.size || (this.handled() && !this.ready() && this.draft === null));
    const text = this.left ? words.stop : say(words.sample_many, { count: model.get("many") });
    if (this.several.element.textContent !== text) this.several.set(text);
    const put = (control, why) => { control.disable(why); if (why === true) control.element.title = ""; };
    put(this.one, stuck || this.left > 0);
    put(this.several, this.left ? false : stuck);
    if (!added && document.activeElement === this.back.element) this.one.element.focus(); // a disabled button keeps no keys
    put(this.back, reason || added === 0);
    put(this.next, reason);
  }

  /** While Python has not answered for the present text it is said that it computes; the bars are then those of the one before. */
  wait(waiting) {
    const { notices, root } = this.shell;
    if (waiting === this.waiting) return;
    this.waiting = waiting;
    root.setAttribute("aria-busy", String(waiting));
    this.timers.forEach(clearTimeout);
    this.timers = [];
    root.classList.remove("ex-sm-late");
    if (!waiting) { notices.busy(""); return; }
    this.timers = [[LATE_ANSWER, this.words.computing], [SLOW_ANSWER, this.words.kernel_slow]].map(([after, words]) => setTimeout(() => {
      notices.busy(words);
      root.classList.add("ex-sm-late");
    }, after));
  }

  // ------------------------------------------------------------------------------------------------------------- words

  named(id) {
    const [text, kind] = this.model.get("answer").names?.[id] || [`id ${id}`, "unknown"];
    return { label: shorten(tokenText(text), 40), kind };
  }

  says(rank) {
    const { words, now } = this;
    const id = now.order[rank];
    const values = { token: this.named(id).label, id, p: weightText(now.probs[rank]), before: weightText(now.before[rank]),
      cumulative: rank < now.keptK ? sumText(now.upTo[rank]) : "", kept: now.keptK, mass: sumText(now.upTo[now.kept - 1]) };
    if (rank >= now.keptK) return say(words.says_cut_k, values);
    if (rank >= now.kept) return say(words.says_cut_p, values);
    return say(words.says, values) + say(this.model.get("top_p") < 1 ? words.says_sum_p : words.says_sum, values) + (now.cut ? say(words.says_before, values) : "");
  }

  /** The sentence of the bar that is pointed at, or of the chosen one, which is read aloud with the entropy. */
  read() {
    if (!this.now) { this.sentence.textContent = ""; return; }
    const chosen = this.says(this.bars.cursor);
    const shown = this.pointed >= 0 && this.pointed < this.bars.rows.length ? this.says(this.pointed) : chosen;
    if (this.sentence.textContent !== shown) this.sentence.textContent = shown;
    const fresh = this.fresh === undefined || !this.ready() ? "" : `${say(this.words.drew, { token: this.named(this.fresh).label })} `;
    if (this.left === 0) announce(this.live, `${fresh}${chosen} ${this.facts.firstChild?.textContent || ""}`);
  }

  close() { this.stops.forEach((stop) => stop()); }
}

function render({ model, el }) {
  const view = new SamplingView(model, el);
  return () => view.close();
}

export default { render };
