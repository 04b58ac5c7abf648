// The stack explorer, second part: the ladder of places, the table of all numbers, the switches, and what is said before and after.

/** Writes `text` into a node where it says something else. */
function write(node, text) { if (node.textContent !== text) node.textContent = text; }

/** Tokens with their probabilities in one line: {element, set(tokens)}; tokens: [{label, p}]. */
function tokensInLine(kind) {
  const root = element("span", { class: kind });
  const spans = [];
  const set = (tokens) => {
    while (spans.length > tokens.length) spans.pop().node.remove();
    tokens.forEach(({ label, p }, place) => {
      if (!spans[place]) {
        const [name, value] = [element("bdi", { class: "ex-st-token" }), element("span", { class: "ex-st-p" })];
        spans.push({ node: element("span", { class: "ex-st-read" }, name, " ", value), name, value });
        root.append(spans[place].node);
      }
      write(spans[place].name, label);
      write(spans[place].value, weightText(p));
    });
  };
  return { element: root, set };
}

/** The places as one focusable list, the embedding first: {element, set(rows, …)}.  rows: {name, length, added,
 *  p, tokens, off, rescaled}; a row that is rescaled, by the final norm, has its number alone: its length says nothing beside the others. */
class Ladder {
  constructor({ words, onMove, onPoint }) {
    Object.assign(this, { words, onMove, rows: [], chosen: 0 });
    this.list = element("div", { class: "ex-st-list", role: "listbox", tabindex: "0", "aria-label": words.ladder, onKeydown: (event) => this.key(event) });
    const placeOf = (event) => {
      const row = event.target.closest("[role=option]");
      return row ? this.rows.findIndex((one) => one.node === row) : -1;
    };
    this.list.addEventListener("click", (event) => { const at = placeOf(event); if (at >= 0) this.go(at); });
    this.list.addEventListener("pointerover", (event) => onPoint(placeOf(event)));
    this.list.addEventListener("pointerleave", () => onPoint(-1));
    this.followed = element("span", { class: "ex-st-head-followed" });
    const heads = element("div", { class: "ex-st-row ex-st-heads ex-label", "aria-hidden": "true" }, element("span", {}, words.head_place),
      element("span", {}, words.head_length), element("span", {}), element("span", {}, words.head_top), this.followed);
    const mark = (kind, text) => [element("span", { class: `ex-st-mark ex-st-mark-${kind}` }), element("span", {}, text)];
    this.key_ = element("p", { class: "ex-st-key ex-label", "aria-hidden": "true" }, mark("stream", words.key_length), mark("added", words.key_added));
    this.element = element("div", { class: "ex-st-ladder" }, heads, this.list, this.key_);
  }

  row() {
    const name = element("span", { class: "ex-st-name" });
    const [stream, added] = ["stream", "added"].map((kind) => element("span", { class: `ex-st-fill ex-st-${kind}` }));
    const length = element("span", { class: "ex-st-value" });
    const read = tokensInLine("ex-st-reads");
    const part = element("span", { class: "ex-st-fill ex-st-stream" });
    const chance = element("span", { class: "ex-st-value" });
    const node = element("div", { role: "option", id: uniqueId("place"), class: "ex-st-row", "aria-selected": "false" }, name,
      element("span", { class: "ex-st-track" }, stream, added), length, read.element,
      element("span", { class: "ex-st-followed" }, element("span", { class: "ex-st-track" }, part), chance));
    this.list.append(node);
    return { node, name, stream, added, length, read, part, chance };
  }

  /** `followed`: the token whose probability stands at the right; says(place): a row's sentence. */
  set(rows, { followed, says }) {
    while (this.rows.length > rows.length) this.rows.pop().node.remove();
    const longest = rows.reduce((most, { length, added, rescaled }) => Math.max(most, rescaled ? 0 : length, added || 0), 1e-30);
    write(this.followed, say(this.words.head_followed, { token: followed }));
    rows.forEach(({ name, length, added, p, tokens, off, rescaled }, place) => {
      const row = (this.rows[place] ||= this.row());
      write(row.name, name);
      row.node.classList.toggle("ex-st-off", off);
      row.stream.style.width = `${rescaled ? 0 : (100 * length) / longest}%`;
      row.added.style.width = `${(100 * (added || 0)) / longest}%`;
      row.added.hidden = !added; // its edge would stay
      write(row.length, number(length));
      row.read.set(tokens);
      row.part.style.width = `${100 * p}%`;
      write(row.chance, weightText(p));
      const sentence = says(place);
      if (row.sentence !== sentence) { row.sentence = sentence; row.node.setAttribute("aria-label", sentence); }
    });
    this.mark(Math.min(this.chosen, this.rows.length - 1));
  }

  mark(place) {
    this.chosen = Math.max(place, 0);
    this.rows.forEach(({ node }, at) => {
      const selected = String(at === this.chosen);
      if (node.getAttribute("aria-selected") !== selected) node.setAttribute("aria-selected", selected);
    });
    const row = this.rows[this.chosen];
    if (row) this.list.setAttribute("aria-activedescendant", row.node.id);
  }

  go(place) {
    this.mark(Math.min(Math.max(place, 0), this.rows.length - 1));
    this.rows[this.chosen].node.scrollIntoView({ block: "nearest" });
    this.onMove(this.chosen);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !this.rows.length) return;
    const to = { ArrowDown: this.chosen + 1, ArrowUp: this.chosen - 1, Home: 0, End: this.rows.length - 1, PageDown: this.chosen + 10, PageUp: this.chosen - 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.go(to);
  }
}

/** All numbers of one token as a table: {element, set(rows, followed)}; rows as `ladderOf` gives them, with a name. */
class NumberTable {
  constructor(words, isSum) {
    this.words = words;
    this.isSum = isSum;
    this.followed = element("th", { scope: "col" });
    const heads = [words.head_place, words.head_length, words.head_added, ...(isSum ? [words.head_share] : []), words.head_cosine];
    this.body = element("tbody", {});
    const table = element("table", { class: "ex-st-table" }, element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)), this.followed)), this.body);
    this.element = element("div", { class: "ex-st-scroll", tabindex: "0", role: "region", "aria-label": words.numbers_label }, table);
  }

  set(rows, followed, rankOf) {
    const { words } = this;
    const written = (x) => (Number.isNaN(x) ? words.none : number(x));
    write(this.followed, say(words.head_followed, { token: followed }));
    const cells = rows.map((row) => [written(row.length), written(row.added), ...(this.isSum ? [written(row.share)] : []), written(row.cosine), rankOf(row)]);
    while (this.body.rows.length > rows.length) this.body.lastElementChild.remove();
    rows.forEach(({ name }, place) => {
      let line = this.body.rows[place];
      if (!line) {
        line = element("tr", {}, element("th", { scope: "row" }), cells[place].map(() => element("td", {})));
        this.body.append(line);
      }
      write(line.cells[0], name);
      cells[place].forEach((text, i) => write(line.cells[i + 1], text));
    });
  }
}

/** A box for each part, and what the model says with all of them and with those that are on: {element, set(…), disable}. */
class Switches {
  constructor({ words, parts, nameOf, note, onSwitch, onAll }) {
    this.words = words;
    this.boxes = parts.map((part) => ({ part, control: toggle({ label: nameOf(part), value: true, onInput: (isOn) => onSwitch(part, isOn) }) }));
    this.all = button({ label: words.all_on, onClick: onAll });
    const group = element("div", { class: "ex-st-switches", role: "group", "aria-label": words.switches_label }, this.boxes.map(({ control }) => control.element), this.all.element);
    this.said = element("p", { class: "ex-label ex-st-note" });
    [this.before, this.after] = ["before", "after"].map(() => ({ head: element("span", { class: "ex-label" }), line: tokensInLine("ex-st-reads") }));
    const lines = [this.before, this.after].map((one) => (one.node = element("p", { class: "ex-st-line" }, one.head, one.line.element)));
    this.element = element("div", { class: "ex-st-part" }, group, element("p", { class: "ex-label ex-st-note" }, note), this.said, lines);
  }

  /** off: the parts that are to be off; shown: how many are in the picture; before, after: [{label, p}]. */
  set({ off, shown, token, before, after }) {
    const { words } = this;
    for (const { part, control } of this.boxes) control.set(!off.includes(part));
    if (!this.never) this.all.disable(!off.length);
    write(this.said, say(words.after_label, { token }));
    write(this.before.head, words.before);
    this.before.line.set(before);
    this.after.node.hidden = !shown;
    write(this.after.head, say(words.after, { count: shown }));
    this.after.line.set(after);
  }

  disable(reason) {
    this.never = reason;
    for (const { control } of this.boxes) control.disable(true);
    this.all.disable(reason);
    write(this.said, reason);
  }
}
