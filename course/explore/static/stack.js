// The stack explorer, third part: controls, painting, and the talk with Python.

const LATE_ANSWER = 250; // milliseconds after which it is said that Python is computing
const SLOW_ANSWER = 5000; // and after which, that it still is
const TYPING_RESTS = 150; // milliseconds after the last key before the model is asked
const MOST_TOP = 10; // as in Python

class StackView {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.draft = null; // {text, off, follow} that is wanted and not asked yet
    this.timers = [];
    this.pointed = -1;
    this.parts = model.get("parts");
    this.places = [...this.parts, ...(model.get("normed") ? ["norm"] : [])];
    this.names = this.places.map((place) => this.placeName(place));
    this.kind = model.get("stream_kind");
    this.shell = shell(model, el, { kind: "stack", label: this.words.label, onLook: () => {} }); // CSS alone follows the theme
    const repaint = frame(() => this.paint());
    this.repaint = repaint;
    this.build();
    this.stops = ["text", "token", "off", "follow", "top", "answer", "answered"].map((name) => listen(model, name, repaint));
    this.ask = debounce(() => this.submit(), TYPING_RESTS);
    this.stops.push(() => repaint.cancel(), () => this.ask.cancel(), () => this.timers.forEach(clearTimeout), () => this.shell.close());
    repaint();
  }

  build() {
    const { model, words, share } = this;
    this.text = promptBox({ label: words.text, value: model.get("text"), onInput: (text) => this.want({ text }) });
    this.list = new TokenList({ label: words.tokens, onChoose: (at) => share("token", at), onPoint: () => {} });
    this.note = element("p", { class: "ex-label ex-st-note", hidden: true });
    this.ladder = new Ladder({ words, onMove: () => { this.read(); this.shell.painted(); }, onPoint: (place) => { this.pointed = place; this.read(); } });
    this.sentence = element("p", { class: "ex-sentence", "aria-hidden": "true" }); // screen readers read the live region
    this.live = liveRegion();
    const reading = [model.get("normed") ? words.reading : words.reading_bare, ...(this.kind === "sum" ? [] : [words[`not_sum_${this.kind}`]])];
    this.table = new NumberTable(words, this.kind === "sum");
    this.switches = new Switches({ words, parts: this.parts, nameOf: (part) => this.placeName(part), note: this.kind === "replaced" ? words.switches_note_replaced : words.switches_note,
      onSwitch: (part, isOn) => { this.want({ off: switched(this.parts, this.wanted().off, part, isOn) }); this.ask.now(); },
      onAll: () => { this.want({ off: [] }); this.ask.now(); } });
    this.top = wholeBox({ label: words.top, min: 1, max: MOST_TOP, value: model.get("top"), onInput: (count) => share("top", count) });
    this.follow = textBox({ label: words.follow, value: model.get("follow"), onInput: (follow) => this.want({ follow: wellFormed(follow) }) });
    this.followCut = element("p", { class: "ex-label ex-st-note", hidden: true });
    const folds = [[words.switches, this.switches.element], [words.numbers, this.table.element],
      [words.readings, element("div", { class: "ex-controls" }, this.top.element, this.follow.element), element("p", { class: "ex-label ex-st-note" }, words.follow_hint), this.followCut]]
      .map(([label, ...inside]) => {
        const fold = disclosure({ label, onToggle: () => this.repaint() });
        fold.body.append(...inside);
        return fold;
      });
    this.tableFold = folds[1];
    this.shell.root.append(this.text.element, this.list.element, this.note, this.ladder.element, this.sentence, this.live,
      element("div", {}, reading.map((text) => element("p", { class: "ex-label ex-st-note" }, text))), ...folds.map((fold) => fold.element));
    if (alone()) for (const control of [this.text, this.switches, this.follow]) control.disable(words.alone);
  }

  placeName(place) {
    const [part, layer = ""] = place.split(" ");
    return say(this.words[`place_${part}`], { layer });
  }

  // ------------------------------------------------------------------------------------------------ what is asked of Python

  present() { return { text: this.model.get("text"), off: this.model.get("off"), follow: this.model.get("follow") }; }
  wanted() { return { ...this.present(), ...this.draft }; }

  /** Has Python dealt with the present state, well or not? */
  handled() {
    const { text, off, follow } = this.present();
    return JSON.stringify(this.model.get("answered")) === JSON.stringify([text, off, follow]);
  }

  want(change) {
    this.draft = { ...this.wanted(), ...change };
    this.overdue = false; // the hand is still at work
    this.ask();
    this.repaint();
  }

  /** Asks for what is wanted; while Python still computes something older it waits, and then asks for the newest. */
  submit() {
    if (this.draft === null) return;
    this.overdue = !this.handled();
    if (this.overdue) return;
    const { text, off, follow } = this.draft;
    this.draft = null;
    this.share("text", text);
    if (off.join() !== this.model.get("off").join()) this.share("off", off);
    this.share("follow", follow);
    this.share.now();
    this.repaint();
  }

  // ---------------------------------------------------------------------------------------------------------- painting

  /** What Python sent for the present answer, read once. */
  load() {
    const { model } = this;
    const packed = model.get("answer");
    if (this.packed === packed) return;
    const whole = (name) => new Uint32Array(bytes(model, name).buffer);
    Object.assign(this, { packed, numbers: floats(model, "numbers"), topIds: whole("top_ids"), topProbs: floats(model, "top_probs"),
      wholeIds: whole("whole_ids"), wholeProbs: floats(model, "whole_probs") });
    this.labels = (packed.labels || []).map(([text, kind]) => ({ label: shorten(tokenText(text), LONGEST_TOKEN), kind, below: "" }));
    this.kept = this.labels.length ? this.wholeIds.length / this.labels.length : 0;
  }

  named(id) {
    const [text] = (this.packed.names || {})[id] || [`id ${id}`];
    return shorten(tokenText(text), LONGEST_TOKEN);
  }

  /** The tokens read at a place, or with `place` −1 what the whole model says. */
  tokensAt(place) {
    const { kept, at } = this;
    const [ids, probs, first] = place < 0 ? [this.wholeIds, this.wholeProbs, 0] : [this.topIds, this.topProbs, place];
    return readAt(ids, probs, { place: first, tokens: this.labels.length, at, kept, count: this.model.get("top") }).map(({ id, p }) => ({ label: this.named(id), p }));
  }

  paint() {
    const { model } = this;
    this.load();
    const tokens = this.labels.length;
    this.at = Math.min(model.get("token"), tokens - 1);
    const wanted = this.wanted();
    this.text.set(wanted.text);
    this.follow.set(wanted.follow);
    this.top.set(model.get("top"));
    this.list.set(this.labels);
    this.list.mark(this.at, () => false);
    this.ladder.element.hidden = !tokens;
    this.rungs = !tokens ? [] : ladderOf(this.numbers, { places: this.places.length, tokens, parts: this.parts.length, at: this.at, isSum: this.kind === "sum" });
    if (tokens) this.paintLadder(wanted);
    this.paintNotes();
    this.wait(this.draft !== null || !this.handled());
    this.read();
    this.mirror();
    this.shell.painted();
    if (this.overdue && this.handled()) this.submit();
  }

  paintLadder(wanted) {
    const off = this.packed.off;
    this.followedName = this.named(this.packed.followed[this.at]);
    this.rungs = this.rungs.map((rung, place) => ({ ...rung, name: this.names[place], off: off.includes(this.places[place]), rescaled: this.places[place] === "norm", tokens: this.tokensAt(place) }));
    this.ladder.set(this.rungs, { followed: this.followedName, says: (place) => this.says(place) });
    if (this.tableFold.open) {
      this.table.set(this.rungs, this.followedName, ({ p, rank }) => `${weightText(p)} (${rank})`);
    }
    this.switches.set({ off: wanted.off, shown: off.length, token: this.labels[this.at].label, before: this.tokensAt(-1), after: this.rungs.at(-1).tokens });
    if (alone()) write(this.switches.said, this.words.alone);
  }

  paintNotes() {
    const { words } = this;
    const { tokens: count = 0, limit = 0, following = 0, follow = "" } = this.packed;
    const shown = this.labels.length;
    this.note.hidden = count <= shown;
    write(this.note, say(shown === limit ? words.too_long : words.too_many, { count, limit, shown }));
    this.followCut.hidden = following < 2;
    if (following > 1) write(this.followCut, say(words.follow_cut, { text: shorten(tokenText(follow), LONGEST_TOKEN), count: following, token: this.followedName }));
  }

  /** The numbers as they are, for whoever compares them with Python's. */
  mirror() {
    const all = (name) => this.rungs.map((rung) => rung[name]).join(" ");
    Object.assign(this.shell.root.dataset, { token: String(this.at), off: (this.packed.off || []).join(), lengths: all("length"), shares: all("share"), cosines: all("cosine"),
      added: all("added"), p: all("p"), rank: all("rank") });
  }

  /** While Python has not answered for the present state it is said that it computes. */
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

  says(place) {
    const { words } = this;
    const { length, added, share, cosine, p, rank, name, off, tokens } = this.rungs[place];
    const parts = [say(words.says, { token: this.labels[this.at].label, place: name, length: number(length) })];
    if (off) parts.push(words.says_off);
    else if (!Number.isNaN(added)) {
      const replaces = this.kind === "replaced" && this.places[place].startsWith("feed_forward");
      parts.push(say(replaces ? words.says_gave : words.says_added, { added: number(added) }));
    }
    if (!Number.isNaN(share)) parts.push(say(words.says_share, { share: number(share) }));
    if (!Number.isNaN(cosine)) parts.push(say(words.says_cosine, { cosine: number(cosine) }));
    parts.push(say(words.says_top, { tokens: tokens.map((one) => say(words.one_of_top, { token: one.label, p: weightText(one.p) })).join(", ") }));
    parts.push(say(words.says_followed, { token: this.followedName, p: weightText(p), rank, count: this.model.get("size") }));
    return parts.join("");
  }

  /** The sentence of the place that is pointed at, or of the chosen one, which is read aloud. */
  read() {
    if (!this.rungs.length) { this.sentence.textContent = ""; return; }
    const chosen = this.says(this.ladder.chosen);
    write(this.sentence, this.pointed >= 0 && this.pointed < this.rungs.length ? this.says(this.pointed) : chosen);
    announce(this.live, chosen);
  }

  close() { this.stops.forEach((stop) => stop()); }
}

function render({ model, el }) {
  const view = new StackView(model, el);
  return () => view.close();
}

export default { render };
