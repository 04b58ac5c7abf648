// The sampling explorer, third part: the bars.  What is cut says so in words, is struck through and hatched; the outline
// behind a bar is the probability before the cuts; the line across the cumulative mass is top-p.

/** A sum of probabilities for reading: rounding alone is no reason for "> 0.9999". */
const sumText = (sum) => weightText(sum > 1 - 1e-12 ? 1 : sum);
const percent = (x) => `${Math.min(Math.max(x, 0), 1) * 100}%`;

/** One row of the bars; `set` touches only what differs from before. */
class BarRow {
  constructor(attributes) {
    this.name = element("span", { class: "ex-sm-name", dir: "auto" });
    this.outline = element("span", { class: "ex-sm-outline" });
    this.fill = element("span", { class: "ex-sm-fill" });
    this.value = element("span", { class: "ex-sm-value" });
    this.total = element("span", { class: "ex-sm-fill" });
    this.limit = element("span", { class: "ex-sm-limit" });
    this.sum = element("span", { class: "ex-sm-value" });
    this.node = element("div", { class: "ex-sm-row", ...attributes }, this.name, element("span", { class: "ex-sm-track" }, this.fill, this.outline), this.value,
      element("span", { class: "ex-sm-track ex-sm-total" }, this.total, this.limit), this.sum);
    this.known = {};
  }

  put(key, value, apply) { if (this.known[key] !== value) { this.known[key] = value; apply(value); } }

  set({ label, kind = "whole", p, before, scale, cut, word, upTo, topP, says }) {
    this.put("label", label, (text) => { this.name.textContent = text; this.name.title = text; });
    this.put("kind", kind, (text) => { this.node.dataset.kind = text; });
    this.put("cut", cut, (text) => { this.node.dataset.cut = text; });
    this.put("fill", percent(p / scale), (width) => { this.fill.style.width = width; });
    this.put("outline", before === null ? "" : percent(before / scale), (width) => { this.outline.hidden = width === ""; this.outline.style.width = width; });
    this.put("long", Math.max(p, before ?? 0) > scale, (long) => { this.node.classList.toggle("ex-sm-long", long); });
    this.put("word", word, (text) => { this.value.textContent = text; });
    this.put("total", upTo === null ? "0%" : percent(upTo), (width) => { this.total.style.width = width; });
    this.put("sum", upTo === null ? "–" : sumText(upTo), (text) => { this.sum.textContent = text; });
    this.put("limit", topP < 1 ? percent(topP) : "", (left) => { this.limit.hidden = left === ""; this.limit.style.left = left; });
    this.put("says", says, (text) => { if (text) this.node.setAttribute("aria-label", text); });
  }
}

/** The most probable tokens as one focusable list, and the others in a row below it. */
class Bars {
  constructor({ words, onPoint, onMove, onChoose }) {
    Object.assign(this, { words, onMove, onChoose, rows: [], cursor: 0 });
    this.heads = [0, 1, 2].map(() => element("span", {}));
    this.list = element("div", { class: "ex-sm-list", role: "listbox", tabindex: "0", "aria-label": words.bars_label, onKeydown: (event) => this.key(event) });
    this.rest = new BarRow({ class: "ex-sm-row ex-sm-rest" });
    this.element = element("div", { class: "ex-sm-bars" }, element("div", { class: "ex-sm-row ex-sm-heads ex-label" }, this.heads), this.list, this.rest.node);
    const placeOf = (event) => this.rows.findIndex((row) => row.node.contains(event.target));
    this.list.addEventListener("click", (event) => { const at = placeOf(event); if (at >= 0) { this.move(at); onChoose(at); } });
    this.list.addEventListener("pointerover", (event) => onPoint(placeOf(event)));
    this.list.addEventListener("pointerleave", () => onPoint(-1));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !this.rows.length) return;
    const last = this.rows.length - 1;
    if (event.key === "Enter") { event.preventDefault(); if (!event.repeat) this.onChoose(this.cursor); return; }
    const to = { ArrowDown: this.cursor + 1, ArrowUp: this.cursor - 1, Home: 0, End: last, PageDown: this.cursor + 10, PageUp: this.cursor - 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.move(Math.min(Math.max(to, 0), last));
    this.rows[this.cursor].node.scrollIntoView({ block: "nearest" });
  }

  move(place) {
    this.cursor = place;
    this.mark();
    this.onMove();
  }

  mark() {
    this.cursor = Math.max(Math.min(this.cursor, this.rows.length - 1), 0);
    this.rows.forEach(({ node }, place) => {
      const now = String(place === this.cursor);
      if (node.getAttribute("aria-selected") !== now) node.setAttribute("aria-selected", now);
    });
    if (this.rows.length) this.list.setAttribute("aria-activedescendant", this.rows[this.cursor].node.id);
    else this.list.removeAttribute("aria-activedescendant");
  }

  /** Shows the first `count` tokens of `now` (see `chances`); nameOf(rank) gives {label, kind}, saysOf(rank) the sentence. */
  set({ now, count, topP, nameOf, saysOf }) {
    const { words } = this;
    const shown = Math.min(count, now.size);
    while (this.rows.length > shown) this.rows.pop().node.remove();
    const fresh = [];
    while (this.rows.length < shown) {
      const row = new BarRow({ role: "option", id: uniqueId("bar") });
      this.rows.push(row);
      fresh.push(row.node);
    }
    this.list.append(...fresh);
    const scale = scaleFor(Math.max(now.probs[0], now.before[0]));
    this.rows.forEach((row, rank) => {
      const cut = rank < now.kept ? "" : rank < now.keptK ? "p" : "k";
      row.set({ ...nameOf(rank), p: now.probs[rank], before: now.cut ? now.before[rank] : null, scale, cut, topP, says: saysOf(rank),
        word: cut ? words[`cut_${cut}`] : weightText(now.probs[rank]), upTo: cut === "k" ? null : now.upTo[rank] });
    });
    this.setRest(now, shown, scale, topP);
    [words.head_token, say(words.head_probability, { scale }), topP < 1 ? words.head_before_p : words.head_cumulative].forEach((text, i) => { this.heads[i].textContent = text; });
    this.mark();
  }

  setRest(now, shown, scale, topP) {
    const { words } = this;
    const others = now.size - shown;
    this.rest.node.hidden = others === 0;
    if (!others) return;
    const before = now.cut ? Math.max(1 - sumOf(now.before, shown), 0) : null;
    const p = now.kept > shown ? Math.max(1 - sumOf(now.probs, shown), 0) : 0;
    const cut = now.kept > shown ? "" : now.keptK > shown ? "p" : "k";
    this.rest.set({ label: say(others === 1 ? words.rest_one : words.rest, { count: others }), p, before, scale, cut, topP,
      word: cut ? words[`cut_${cut}`] : weightText(p), upTo: cut === "k" ? null : 1 });
  }
}
