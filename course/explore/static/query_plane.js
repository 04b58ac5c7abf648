// One query in the plane: the keys it listens to on the left, the values it takes a blend of on the right, and between
// them the table score → weight that leads from one to the other.  All arithmetic of a drag happens here.

const MOST_KEYS = 16;
const SQUARE_ROOT_OF_WIDTH = Math.SQRT2; // √d_k with d_k = 2: the plane has two axes

/** Scores, weights and output of the state; in double precision, as NumPy does it. */
function attend({ q, k, v, temperature, scale_on }) {
  const scores = k.map((key) => (q[0] * key[0] + q[1] * key[1]) / (scale_on ? SQUARE_ROOT_OF_WIDTH : 1));
  const weights = new Float64Array(k.length);
  softmaxRow(scores, null, temperature, weights);
  const output = [0, 1].map((axis) => v.reduce((sum, value, j) => sum + weights[j] * value[axis], 0));
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a] || a - b);
  return { scores, weights, output, order };
}

/** Largest coordinate of a list of points, without its sign. */
function farthest(points) { return Math.max(...points.flat().map(Math.abs)); }

class QueryPlane {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.lit = null; // the key pointed at or focused
    this.scoreRange = 0;
    this.repaint = frame(() => this.paint());
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.build();
    this.shell = shell(model, el, { kind: "query-plane", label: this.words.label, onLook: this.repaint });
    this.shell.root.append(this.says, this.stage, this.controls, this.more.element, this.live);
    const traits = ["q", "k", "v", "names", "temperature", "scale_on", "show_levels", "show_projections", "show_sum"];
    this.stops = traits.map((name) => listen(model, name, this.repaint));
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.share.now();
    this.repaint.cancel();
    this.keyPlane.close();
    this.valuePlane.close();
    this.shell.close();
  }

  // ---------------------------------------------------------------------------------------------------- state

  /** The state, or null (and a sentence in the explorer) where keys and values do not match. */
  read() {
    const get = (name) => this.model.get(name);
    const [q, k, v] = [get("q"), get("k"), get("v")];
    if (k.length !== v.length) {
      this.shell.notices.problem(say(this.words.unmatched, { keys: k.length, values: v.length }));
      return null;
    }
    this.shell.notices.problem(get("problem"));
    const names = k.map((_, j) => get("names")[j] ?? say(this.words.default_name, { number: j + 1 }));
    return { q, k, v, names, temperature: get("temperature"), scale_on: get("scale_on") };
  }

  moved(id, x, y) {
    const [name, j] = [id[0], Number(id.slice(1))];
    if (name === "q") this.share("q", [x, y]);
    else this.share(name, this.model.get(name).map((point, i) => (i === j ? [x, y] : point)));
  }

  light(j) {
    if (this.lit === j) return;
    this.lit = j;
    this.repaint();
  }

  addKey() {
    const { k, v, names } = this.read();
    if (k.length >= MOST_KEYS) return; // the button is greyed only with the next picture
    const turn = k.length * 2.4; // the golden angle: new arrows fall between the old ones
    const length = (points) => farthest(points) || 1;
    const round = (x, plane) => Number(x.toFixed(Math.min(plane.decimals, 12)));
    const at = (points, angle, plane) => [Math.cos(angle), Math.sin(angle)].map((c) => round(0.8 * length(points) * c, plane));
    this.share("names", [...names, say(this.words.default_name, { number: k.length + 1 })]);
    this.share("v", [...v, at(v, turn + 0.7, this.valuePlane)]);
    this.share("k", [...k, at(k, turn, this.keyPlane)]);
    this.share.now();
  }

  removeKey(j) {
    const { k, v, names } = this.read();
    if (k.length === 1) return;
    this.lit = null;
    for (const [name, list] of Object.entries({ names, v, k })) this.share(name, list.filter((_, i) => i !== j));
    this.share.now();
    this.repaint();
  }

  startAgain() {
    for (const [name, value] of Object.entries(this.model.get("start"))) this.share(name, value);
    this.share.now();
    this.lit = null;
  }

  savePicture() {
    const rows = [...this.rows.children].map((row) => ({ label: shorten(visible(row.named), 10), weight: Number(row.dataset.weight), text: row.parts.weight.textContent }));
    return savePlanes({ root: this.shell.root, planes: [this.keyPlane, this.valuePlane], titles: [this.words.keys_title, this.words.values_title],
      rows, sentence: this.says.textContent, name: "query-plane.png" });
  }

  // --------------------------------------------------------------------------------------------------- layout

  build() {
    const words = this.words;
    this.live = liveRegion();
    this.says = element("p", { class: "ex-sentence qp-says" });
    const plane = (label) => new Plane({ label, onMove: (id, x, y) => this.moved(id, x, y), onLight: (j) => this.light(j), onFrame: this.repaint,
      onRest: () => { this.share.now(); this.repaint(); } });
    this.keyPlane = plane(words.keys_label);
    this.valuePlane = plane(words.values_label);
    this.queryText = element("p", { class: "qp-caption" });
    this.outputText = element("p", { class: "qp-caption" });
    const panel = (name, title, ...parts) => element("section", { class: `qp-panel qp-panel-${name}` }, element("h4", { class: "qp-title" }, title), parts);
    this.stage = element("div", { class: "qp-stage" },
      panel("keys", words.keys_title, this.keyPlane.element, this.queryText),
      panel("table", words.table_title, ...this.buildTable()),
      panel("values", words.values_title, this.valuePlane.element, this.outputText));
    this.scale = toggle({ label: words.scale, value: true, onInput: (on) => this.share("scale_on", on) });
    this.temperature = slider({ label: words.temperature, min: 0.05, max: 20, value: 1, log: true, format: (x) => number(x),
      onInput: (x) => this.share("temperature", x) });
    this.again = button({ label: words.start_again, onClick: () => this.startAgain() });
    this.save = button({ label: words.save_picture, onClick: () => this.savePicture() });
    this.controls = element("div", { class: "ex-controls qp-controls" }, this.scale.element, this.temperature.element, this.again.element, this.save.element);
    this.buildMore();
  }

  buildTable() {
    this.scoreFormula = element("span", { class: "qp-formula" });
    this.weightFormula = element("span", { class: "qp-formula" });
    const head = (name, ...formula) => element("th", { scope: "col" }, name, formula);
    this.rows = element("tbody", {});
    this.working = element("p", { class: "qp-caption qp-working" });
    return [element("table", { class: "qp-table" },
      element("thead", {}, element("tr", {}, head(this.words.key), head(this.words.score, " ", this.scoreFormula),
        head(this.words.weight, " ", this.weightFormula))), this.rows), this.working];
  }

  buildMore() {
    const words = this.words;
    this.more = disclosure({ label: words.more });
    this.overlays = ["show_projections", "show_levels", "show_sum"].map((name) => [name,
      toggle({ label: words[name], value: false, onInput: (on) => this.share(name, on) })]);
    this.nameList = element("div", { class: "qp-names", role: "group", "aria-label": words.names });
    this.add = button({ label: words.add_key, onClick: () => this.addKey() });
    this.more.body.append(
      element("div", { class: "qp-overlays" }, this.overlays.map(([, control]) => control.element)),
      element("p", { class: "qp-title" }, words.names), this.nameList, this.add.element,
      element("p", { class: "qp-caption qp-help" }, words.help));
    this.nameBoxes = [];
  }

  // ---------------------------------------------------------------------------------------------------- paint

  paint() {
    const state = this.read();
    if (!state) return this.shell.painted();
    Object.assign(state, attend(state));
    if (this.lit !== null && this.lit >= state.k.length) this.lit = null;
    this.keyPlane.fit(farthest([state.q, ...state.k]), this.still.matches);
    this.valuePlane.fit(farthest(state.v), this.still.matches);
    this.paintKeys(state);
    this.paintValues(state);
    this.paintTable(state);
    this.paintWords(state);
    this.paintControls(state);
    this.shell.painted();
  }

  /** How a key and its value are drawn: the more they are listened to, the thicker. */
  strength(weight) { return { width: 1.5 + 8.5 * weight, opacity: 0.62 + 0.38 * weight }; }

  said(template, name, plane, [x, y]) {
    return say(template, { name: shorten(visible(name), 40), x: plane.coordinate(x), y: plane.coordinate(y) });
  }

  paintKeys({ q, k, names, weights, scores, scale_on }) {
    const words = this.words;
    const arrows = [{ id: "q", role: "query", name: words.query, x: q[0], y: q[1], width: 4, opacity: 1, front: true, of: null,
      handle: words.query, said: this.said(words.query_at, words.query, this.keyPlane, q) }];
    k.forEach(([x, y], j) => arrows.push({ id: `k${j}`, role: "key", name: shorten(visible(names[j]), 10), x, y, ...this.strength(weights[j]),
      lit: this.lit === j, of: j, handle: say(words.key_handle, { name: shorten(visible(names[j]), 40) }), said: this.said(words.key_at, names[j], this.keyPlane, [x, y]) }));
    this.keyPlane.draw(arrows, (plane) => {
      const { below, above } = this.shadows(plane, q, k);
      return { below: [...(this.model.get("show_levels") ? this.levels(plane, q, scale_on) : []), ...below], above };
    });
  }

  /** The query's line and, for the lit key (or all of them), the foot of the key on it: the longer the shadow, the higher the score. */
  shadows(plane, q, k) {
    const all = this.model.get("show_projections");
    const size = Math.hypot(...q);
    const [below, above] = [[], []];
    if (!size || (!all && this.lit === null)) return { below, above };
    const unit = [q[0] / size, q[1] / size];
    const far = 3 * plane.range;
    const line = (a, b, kind) => svg("path", { class: kind, d: `M${plane.pixel(a).map((c) => c.toFixed(2)).join(" ")}L${plane.pixel(b).map((c) => c.toFixed(2)).join(" ")}` });
    below.push(line([-far * unit[0], -far * unit[1]], [far * unit[0], far * unit[1]], "qp-query-line"));
    k.forEach((key, j) => {
      if (!all && j !== this.lit) return;
      const along = key[0] * unit[0] + key[1] * unit[1];
      const foot = [along * unit[0], along * unit[1]];
      const [cx, cy] = plane.pixel(foot);
      below.push(line([0, 0], foot, `qp-shadow${along < 0 ? " qp-against" : ""}`));
      above.push(line(key, foot, "qp-drop"), svg("circle", { class: "qp-foot", cx, cy, r: 3.5 }));
    });
    return { below, above };
  }

  /** Lines of equal score: all keys on one of them are listened to alike.  They stand across the query. */
  levels(plane, q, scale_on) {
    const size = Math.hypot(...q);
    if (!size) return [];
    const divisor = scale_on ? SQUARE_ROOT_OF_WIDTH : 1;
    const [ux, uy] = [q[0] / size, q[1] / size];
    const reach = plane.range * (Math.abs(ux) + Math.abs(uy));
    const step = niceStep((size * reach) / divisor, 4);
    const nodes = [];
    for (let i = -4; i <= 4; i++) {
      const along = (i * step * divisor) / size;
      const [x, y] = [along * ux, along * uy];
      const far = 4 * plane.range;
      const ends = [1, -1].map((s) => plane.pixel([x - s * far * uy, y + s * far * ux]).map((c) => c.toFixed(2)).join(" "));
      nodes.push(svg("path", { class: i ? "qp-level" : "qp-level qp-level-zero", d: `M${ends.join("L")}` }));
      const edge = this.edgeOf(plane, [x, y], [-uy, ux]);
      if (edge) nodes.push(svg("text", { class: "qp-level-name", x: edge[0], y: edge[1], "text-anchor": "middle", "dominant-baseline": "central" }, plainNumber(i * step)));
      if (edge) plane.keepFree(edge, plainNumber(i * step));
    }
    return nodes;
  }

  /** Where the line through `at` along `way` leaves the frame, a little inside the picture, in pixels; null where it misses it. */
  edgeOf(plane, at, way) {
    const frame = 0.96 * plane.range;
    let [from, to] = [-Infinity, Infinity];
    for (const axis of [0, 1]) {
      if (Math.abs(way[axis]) < 1e-9) { if (Math.abs(at[axis]) > frame) return null; continue; }
      const cuts = [(-frame - at[axis]) / way[axis], (frame - at[axis]) / way[axis]].sort((a, b) => a - b);
      [from, to] = [Math.max(from, cuts[0]), Math.min(to, cuts[1])];
    }
    return from < to ? plane.pixel([at[0] + to * way[0], at[1] + to * way[1]]) : null;
  }

  paintValues({ v, names, weights, output }) {
    const words = this.words;
    const arrows = v.map(([x, y], j) => ({ id: `v${j}`, role: "value", name: shorten(visible(names[j]), 10), x, y, ...this.strength(weights[j]),
      lit: this.lit === j, of: j, handle: say(words.value_handle, { name: shorten(visible(names[j]), 40) }), said: this.said(words.value_at, names[j], this.valuePlane, [x, y]) }));
    arrows.push({ id: "o", role: "output", name: words.output, x: output[0], y: output[1], width: 5, opacity: 1, front: true, of: null, handle: null });
    this.valuePlane.draw(arrows, (plane) => {
      const corners = convexHull(v).map((p) => plane.pixel(p).map((c) => c.toFixed(2)).join(" "));
      const nodes = corners.length ? [svg("path", { class: "qp-hull", d: `M${corners.join("L")}Z` })] : [];
      if (!this.model.get("show_sum")) return { below: nodes, above: [] };
      const above = [];
      let at = [0, 0];
      v.forEach((value, j) => { // weight · value, one after the other, tip to tail
        const to = [at[0] + weights[j] * value[0], at[1] + weights[j] * value[1]];
        above.push(svg("path", { class: `qp-part${this.lit === j ? " qp-lit" : ""}`, d: arrowPath(plane.pixel(at), plane.pixel(to), 1.5) }));
        at = to;
      });
      return { below: nodes, above };
    });
  }

  paintTable({ k, names, scores, weights, temperature, scale_on }) {
    const words = this.words;
    this.scoreFormula.textContent = scale_on ? words.score_scaled : words.score_plain;
    this.weightFormula.textContent = temperature === 1 ? words.softmax : say(words.softmax_at_temperature, { temperature: plainNumber(temperature) });
    while (this.rows.children.length > k.length) this.rows.lastChild.remove();
    while (this.rows.children.length < k.length) this.rows.append(this.makeRow(this.rows.children.length));
    const most = farthest([scores]);
    if (!(this.keyPlane.drag && most <= this.scoreRange)) this.scoreRange = this.scoreRange ? adaptRange(this.scoreRange, most) : niceAbove(most * 1.2);
    [...this.rows.children].forEach((row, j) => {
      const { label, scoreBar, score, weightBar, weight } = row.parts;
      if (row.named !== names[j]) { label.replaceChildren(tokenLabel(names[j], { maxChars: 18 })); row.named = names[j]; }
      row.classList.toggle("qp-lit", this.lit === j);
      Object.assign(row.dataset, { score: String(scores[j]), weight: String(weights[j]) });
      const part = Math.min(1, Math.abs(scores[j]) / this.scoreRange);
      scoreBar.style.cssText = `width:${(50 * part).toFixed(2)}%;${scores[j] < 0 ? "right" : "left"}:50%`;
      weightBar.style.cssText = `width:${(100 * weights[j]).toFixed(2)}%;left:0`;
      score.textContent = this.scoreText(scores[j]);
      weight.textContent = weightText(weights[j]);
    });
  }

  scoreText(x) { return this.scoreRange >= 100 || this.scoreRange < 0.1 ? number(x) : (Math.abs(x) < 0.005 ? 0 : x).toFixed(2).replace("-", "−"); }

  makeRow(j) {
    const bar = () => element("i", {});
    const parts = { label: element("th", { scope: "row" }), scoreBar: bar(), score: element("span", { class: "qp-figure" }),
      weightBar: bar(), weight: element("span", { class: "qp-figure" }) };
    const cell = (kind, barNode, figure) => element("td", {}, element("div", { class: "qp-cell" }, element("span", { class: `qp-bar qp-bar-${kind}`, "aria-hidden": "true" }, barNode), figure));
    const row = element("tr", { onPointerenter: () => this.light(j), onPointerleave: () => this.light(null) },
      parts.label, cell("score", parts.scoreBar, parts.score), cell("weight", parts.weightBar, parts.weight));
    row.parts = parts;
    return row;
  }

  paintWords({ q, k, names, scores, weights, output, order, scale_on }) {
    const words = this.words;
    const [top, second] = order;
    const x = this.valuePlane.coordinate(output[0]);
    const y = this.valuePlane.coordinate(output[1]);
    const alike = k.length > 1 && weights[top] - weights[order[k.length - 1]] < 5e-4;
    const zero = q[0] === 0 && q[1] === 0;
    const pair = !alike && k.length > 1 && weights[top] - weights[second] < 5e-4;
    const template = k.length === 1 ? words.says_one : zero ? words.says_zero : alike ? words.says_alike : pair ? words.says_pair : words.says_most;
    const values = { count: k.length, weight: weightText(weights[top]), x, y };
    this.says.replaceChildren(...sayNodes(template, { ...values, name: tokenLabel(names[top]), other: k.length > 1 ? tokenLabel(names[second]) : "" }));
    announce(this.live, say(template, { ...values, name: shorten(visible(names[top]), 24), other: k.length > 1 ? shorten(visible(names[second]), 24) : "" }));

    const [qx, qy] = q.map((c) => this.keyPlane.coordinate(c));
    this.queryText.textContent = say(words.query_text, { x: qx, y: qy });
    Object.assign(this.outputText.dataset, { x: String(output[0]), y: String(output[1]) });
    const parts = order.slice(0, 2).flatMap((j, i) => [i ? " + " : "", `${weightText(weights[j])} × `, tokenLabel(names[j], { maxChars: 10 })]);
    this.outputText.replaceChildren(...sayNodes(words.output_text, { x, y, parts: element("span", {}, parts, k.length > 2 ? " + …" : "") }));

    const j = this.lit ?? top;
    const [kx, ky] = k[j].map((c) => this.keyPlane.coordinate(c));
    const bracket = (text) => (text.startsWith("−") ? `(${text})` : text);
    this.working.replaceChildren(...sayNodes(scale_on ? words.working_scaled : words.working_plain, { name: tokenLabel(names[j], { maxChars: 18 }),
      qx: bracket(qx), qy: bracket(qy), kx: bracket(kx), ky: bracket(ky), product: this.scoreText(q[0] * k[j][0] + q[1] * k[j][1]), score: this.scoreText(scores[j]) }));
  }

  paintControls({ k, names, temperature, scale_on }) {
    this.scale.set(scale_on);
    this.temperature.set(temperature);
    for (const [name, control] of this.overlays) control.set(this.model.get(name));
    while (this.nameBoxes.length > k.length) this.nameBoxes.pop().element.remove();
    while (this.nameBoxes.length < k.length) this.nameBoxes.push(this.makeNameBox(this.nameBoxes.length));
    this.nameBoxes.forEach((box, j) => { box.set(names[j]); box.remove.disable(k.length === 1 ? this.words.last_key : null); });
    this.add.disable(k.length >= MOST_KEYS ? say(this.words.enough_keys, { most: MOST_KEYS }) : null);
  }

  makeNameBox(j) {
    const label = say(this.words.name_of, { number: j + 1 });
    const box = textBox({ label, value: "", onInput: (text) => {
      const names = this.read().names;
      this.share("names", names.map((name, i) => (i === j ? text : name)));
    } });
    const remove = button({ label: "×", title: say(this.words.remove_key, { number: j + 1 }), onClick: () => this.removeKey(j) });
    remove.element.setAttribute("aria-label", say(this.words.remove_key, { number: j + 1 }));
    const root = element("div", { class: "qp-name-row" }, box.element, remove.element);
    this.nameList.append(root);
    return { element: root, set: box.set, remove };
  }
}

function render({ model, el }) {
  const plane = new QueryPlane(model, el);
  return () => plane.close();
}

export default { render };
