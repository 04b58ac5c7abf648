// The tokens explorer, second part: one tokenizer with its tokens, counts, read-out and steps.

const MOST_TOKENS = 1000; // chips that are drawn; what is counted is the whole text
const LONGEST_TOKEN = 40; // characters of a token that are shown in its chip
const MOST_STEP_BYTES = 96; // of a piece that is shown step by step
const COLOURS = 6;

/** Bytes that one code point takes in UTF-8. */
function utf8Length(character) {
  const point = character.codePointAt(0);
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/** The characters of `text` that share bytes with [start, end) of its UTF-8. */
function charactersAt(text, start, end) {
  let [at, found] = [0, ""];
  for (const character of text) {
    if (at >= end) break;
    at += utf8Length(character);
    if (at > start) found += character;
  }
  return found;
}

/** A range with a number box over 0 … count; unlike the kit's box this one never rounds. */
function mergesSlider({ words, count, onInput }) {
  const format = (n) => say(words.merges_value, { n, count });
  const whole = (x) => Math.min(Math.max(Math.round(x), 0), count);
  const control = slider({ label: words.merges, min: 0, max: count, step: 1, value: count, format, onInput: (x) => {
    if (document.activeElement !== control.box) control.box.value = whole(x);
    onInput(whole(x));
  } });
  control.box.step = 1;
  const set = (n) => {
    control.set(n);
    if (document.activeElement !== control.box) control.box.value = n;
  };
  control.box.addEventListener("change", () => { control.box.value = control.input.value; });
  control.element.append(element("span", { class: "ex-label" }, say(words.merges_of, { count })));
  return { ...control, set };
}

/** The tokens as one focusable list: {element, set(tokens, under, chosen), onChoose(place)}.  tokens: {label, below, kind}. */
class TokenList {
  constructor({ label, onChoose, onPoint }) {
    this.chips = [];
    this.chosen = 0;
    this.onChoose = onChoose;
    this.element = element("div", { class: "ex-tk-list", role: "listbox", tabindex: "0", "aria-label": label, onKeydown: (event) => this.key(event) });
    const placeOf = (event) => {
      const chip = event.target.closest("[role=option]");
      return chip ? this.chips.findIndex((one) => one.node === chip) : -1;
    };
    this.element.addEventListener("click", (event) => { const at = placeOf(event); if (at >= 0) onChoose(at); });
    this.element.addEventListener("pointerover", (event) => onPoint(placeOf(event)));
    this.element.addEventListener("pointerleave", () => onPoint(-1));
  }

  chip(place) {
    const text = element("span", { class: "ex-tk-text", dir: "auto" });
    const below = element("span", { class: "ex-tk-below" });
    const node = element("div", { role: "option", id: uniqueId("token"), class: `ex-tk ex-tk-${place % COLOURS}` }, text, below);
    return { node, text, below };
  }

  /** Shows the tokens; only what differs from before is touched. */
  set(tokens) {
    while (this.chips.length > tokens.length) this.chips.pop().node.remove();
    const fresh = [];
    tokens.forEach((token, place) => {
      let chip = this.chips[place];
      if (!chip) fresh.push((this.chips[place] = chip = this.chip(place)).node);
      if (chip.text.textContent !== token.label) chip.text.textContent = token.label;
      if (chip.below.textContent !== token.below) chip.below.textContent = token.below;
      if (chip.kind !== token.kind) { chip.kind = token.kind; chip.node.dataset.kind = token.kind; }
    });
    this.element.append(...fresh);
  }

  /** Marks the chosen token and the tokens of its piece. */
  mark(chosen, samePiece) {
    this.chosen = chosen;
    this.chips.forEach(({ node }, place) => {
      const now = String(place === chosen);
      if (node.getAttribute("aria-selected") !== now) node.setAttribute("aria-selected", now);
      node.classList.toggle("ex-tk-piece", samePiece(place));
    });
    if (this.chips[chosen]) this.element.setAttribute("aria-activedescendant", this.chips[chosen].node.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.chips.length) return;
    const last = this.chips.length - 1;
    const to = { ArrowRight: () => this.chosen + 1, ArrowLeft: () => this.chosen - 1, Home: () => 0, End: () => last,
      ArrowDown: () => this.lineAway(1), ArrowUp: () => this.lineAway(-1) }[event.key];
    if (!to) return;
    event.preventDefault();
    const place = Math.min(Math.max(to(), 0), last);
    this.onChoose(place);
    this.chips[place].node.scrollIntoView({ block: "nearest" });
  }

  /** The token of the next line (1) or the line before (−1) that is nearest to the chosen one. */
  lineAway(way) {
    const middle = ({ node }) => node.offsetLeft + node.offsetWidth / 2;
    const here = this.chips[this.chosen];
    let best = this.chosen;
    let line = null;
    for (let at = this.chosen + way; at >= 0 && at < this.chips.length; at += way) {
      const top = this.chips[at].node.offsetTop;
      if (top === here.node.offsetTop) continue;
      if (line === null) { line = top; best = at; } else if (top !== line) break;
      if (Math.abs(middle(this.chips[at]) - middle(here)) < Math.abs(middle(this.chips[best]) - middle(here))) best = at;
    }
    return best;
  }
}

/** One tokenizer on the page.  `place` 0 or 1: the tokenizer given first, or the one beside it. */
class Panel {
  constructor({ model, words, place, share }) {
    const ending = place ? "_other" : "";
    [this.nMerges, this.token] = [`n_merges${ending}`, `token${ending}`];
    Object.assign(this, { model, words, place, share, pointed: -1 });
    this.source = model.get("sources")[place];
    this.pairs = this.source.pairs ? new BytePairs({ order: Uint8Array.from(this.source.order), merges: wholeNumbers(model, `merges${ending}`),
      special: this.source.special, split: model.get("split") }) : null;
    this.slider = mergesSlider({ words, count: this.source.merges, onInput: (n) => share(this.nMerges, n) });
    if (!this.pairs) this.slider.disable(words.no_merges);
    else if (!this.source.merges) this.slider.disable(words.none_learned);
    this.counts = element("div", { class: "ex-tk-counts" });
    this.list = new TokenList({ label: say(words.list_label, this.source), onChoose: (at) => share(this.token, at),
      onPoint: (at) => { this.pointed = at; this.read(); } });
    this.more = element("p", { class: "ex-label ex-tk-more", hidden: true });
    this.sentence = element("p", { class: "ex-sentence", "aria-hidden": "true" }); // screen readers read the live region
    this.live = liveRegion();
    this.fold = disclosure({ label: words.steps_fold, onToggle: () => this.show() });
    this.name = element("p", { class: "ex-tk-name", hidden: model.get("sources").length < 2 }, this.source.name);
    this.element = element("section", { class: "ex-tk-panel", role: "group", "aria-label": this.source.name },
      this.name, this.slider.element, this.counts, this.list.element, this.more, this.sentence, this.live, this.fold.element);
  }

  /** Computes the tokens of `text`; until Python has answered for another kind of tokenizer the last ones stay. */
  load(text) {
    const { model } = this;
    if (this.pairs) {
      const n = model.get(this.nMerges);
      if (this.text === text && this.n === n) return;
      [this.text, this.n] = [text, n];
      this.coded = this.pairs.encode(text, n);
      this.total = this.coded.ids.length;
      this.ids = this.coded.ids.slice(0, MOST_TOKENS);
    } else {
      this.element.classList.toggle("ex-tk-late", model.get("answered") !== text);
      const answer = model.get("answers")[this.place];
      if (this.answer === answer) return;
      this.answer = answer;
      [this.text, this.total, this.rows] = [answer.text, answer.count, answer.rows];
      this.ids = this.rows.map(([id]) => id);
    }
    this.pointed = -1;
    this.counted = countsOf(this.text, this.total);
  }

  /** {label, below, kind} of the token at a place. */
  token_(place, under) {
    if (!this.pairs) {
      const [id, shown, name, kind] = this.rows[place];
      return { label: shorten(tokenText(kind === "whole" ? shown : name), LONGEST_TOKEN), kind, below: this.below(under, id, () => tokenText(name)) };
    }
    const id = this.ids[place];
    const special = this.specialAt(place);
    const bytes = special === null ? this.pairs.bytesOf(id) : new TextEncoder().encode(special);
    const { label, kind } = this.look(bytes);
    return { label, kind: special === null ? kind : "special", below: this.below(under, id, () => hexadecimal(bytes, " ")) };
  }

  below(under, id, bytes) { return under === "id" ? String(id) : under === "bytes" ? shorten(bytes(), 3 * LONGEST_TOKEN) : ""; }

  /** How bytes look in a chip: their text, or what they are where they are no whole characters. */
  look(bytes) {
    const text = spelledBy(bytes);
    return text === null ? { label: shorten(hexadecimal(bytes), 3 * LONGEST_TOKEN), kind: "part" } : { label: shorten(tokenText(text), LONGEST_TOKEN), kind: "whole" };
  }

  specialAt(place) {
    const piece = this.coded.pieces[this.coded.pieceOf[place]];
    return piece.special >= 0 ? piece.text : null;
  }

  paint(text) {
    this.load(text);
    this.slider.set(this.model.get(this.nMerges));
    const under = this.model.get("under");
    this.list.set(this.ids.map((_, place) => this.token_(place, under)));
    this.list.element.classList.toggle("ex-tk-empty", !this.ids.length);
    this.more.hidden = this.total === this.ids.length;
    this.more.textContent = say(this.words.too_many, { count: this.total, shown: this.ids.length });
    this.writeCounts();
    this.show();
    Object.assign(this.element.dataset, { ids: this.ids.join(" "), count: String(this.total) });
  }

  /** What depends on which token is chosen. */
  show() {
    const chosen = Math.max(Math.min(this.model.get(this.token), this.ids.length - 1), 0);
    const open = this.fold.element.open && this.pairs && this.ids.length > 0;
    const pieceOf = open ? this.coded.pieceOf : [];
    this.list.mark(chosen, (place) => Boolean(open) && pieceOf[place] === pieceOf[chosen]);
    this.read();
    if (this.fold.element.open) this.fold.body.replaceChildren(...this.stepNodes(chosen));
  }

  /** The sentence of the token that is pointed at, or of the chosen one, which is read aloud too. */
  read() {
    const chosen = this.list.chosen;
    const nodes = this.readOut(chosen);
    this.sentence.replaceChildren(...(this.pointed >= 0 ? this.readOut(this.pointed) : nodes.map((node) => node.cloneNode(true))));
    announce(this.live, nodes.map((node) => node.textContent).join(""));
  }

  readOut(place) {
    const { words } = this;
    if (!this.ids.length) return [document.createTextNode(words.empty)];
    const id = this.ids[place];
    if (!this.pairs) {
      const [, shown, name, kind] = this.rows[place];
      return sayNodes({ whole: words.says_named, shared: words.says_shared, added: words.says_added }[kind],
        { token: tokenLabel(tokenText(shown)), name: tokenLabel(tokenText(name)), id });
    }
    const special = this.specialAt(place);
    if (special !== null) return sayNodes(words.says_special, { token: tokenLabel(tokenText(special)), id });
    const bytes = this.pairs.bytesOf(id);
    const sentence = sayNodes(id < 256 ? words.says_byte : words.says_merge, { token: this.named(id), id, rank: id - 256,
      bytes: shorten(hexadecimal(bytes, " "), 60), ...(id < 256 ? {} : this.halves(id)) });
    if (spelledBy(bytes) !== null) return sentence;
    const start = this.ids.slice(0, place).reduce((sum, _, at) => sum + this.lengthAt(at), 0);
    const characters = charactersAt(this.text, start, start + bytes.length);
    return [...sentence, ...sayNodes(words.says_part, { characters: tokenLabel(tokenText(characters)) })];
  }

  lengthAt(place) {
    const special = this.specialAt(place);
    return special === null ? this.pairs.bytesOf(this.ids[place]).length : new TextEncoder().encode(special).length;
  }

  named(id) { return tokenLabel(this.look(this.pairs.bytesOf(id)).label, { maxChars: LONGEST_TOKEN }); }

  halves(id) {
    const [left, right] = this.pairs.pairOf(id).map((half) => this.named(half));
    return { left, right };
  }

  writeCounts() {
    const { words } = this;
    const { characters, bytes, tokens } = this.counted;
    const ratio = (a, b) => (b ? number(a / b) : "–");
    const rows = [[words.characters, characters], [words.bytes, bytes], [words.tokens, tokens],
      [words.tokens_per_character, ratio(tokens, characters)], [words.bytes_per_token, ratio(bytes, tokens)]];
    this.counts.replaceChildren(...rows.map(([name, value]) => element("div", {}, element("span", { class: "ex-tk-value" }, String(value)), " ", element("span", { class: "ex-label" }, name))));
  }

  // ------------------------------------------------------------------------------------------------- step by step

  stepNodes(chosen) {
    const { words } = this;
    const plain = (sentence, values) => [element("p", { class: "ex-tk-intro" }, sayNodes(sentence, values))];
    if (!this.pairs) return plain(words.steps_unknown);
    if (!this.ids.length) return plain(words.empty);
    const piece = this.coded.pieces[this.coded.pieceOf[chosen]];
    const token = tokenLabel(tokenText(piece.text), { maxChars: LONGEST_TOKEN });
    if (piece.special >= 0) return plain(words.steps_special, { token });
    const length = this.pairs.byteIds(piece.text).length;
    if (length > MOST_STEP_BYTES) return plain(words.steps_long, { bytes: length, most: MOST_STEP_BYTES });
    const rows = this.pairs.steps(piece.text, this.n);
    const table = element("table", { class: "ex-tk-steps" }, element("tbody", {}, rows.map((row) => this.stepRow(row))));
    const end = rows.length === 1 ? words.steps_none : words.steps_end;
    return [...plain(words.steps_intro, { piece: token, place: this.coded.pieceOf[chosen] + 1, count: this.coded.pieces.length }),
      element("div", { class: "ex-tk-scroll", tabindex: "0", role: "group", "aria-label": words.steps_fold }, table),
      ...plain(end, { n: this.n, tokens: rows.at(-1).ids.length })];
  }

  stepRow({ ids, rank, fresh }) {
    const { words } = this;
    const heading = rank < 0 ? [words.steps_bytes] : sayNodes(words.steps_merge, { rank, ...this.halves(256 + rank) });
    const chips = ids.map((id, place) => {
      const { label } = rank < 0 ? { label: hexadecimal(this.pairs.bytesOf(id)) } : this.look(this.pairs.bytesOf(id));
      return element("span", { class: `ex-tk-step${fresh.includes(place) ? " ex-tk-fresh" : ""}`, dir: "auto" }, label);
    });
    return element("tr", {}, element("th", { scope: "row" }, heading), element("td", {}, chips));
  }
}

/** The unsigned 32-bit numbers of a bytes trait; copied, as `floats` has it. */
function wholeNumbers(model, name) {
  const { buffer } = bytes(model, name);
  return new Uint32Array(buffer);
}
