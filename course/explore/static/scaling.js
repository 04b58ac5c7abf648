// The scaling explorer: what the width d_k of queries and keys does to scores, weights and gradient, and what dividing
// by √d_k undoes.  All widths are computed once at the beginning; a control then chooses what is shown.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element; attributes that are null are left out, strings become text nodes. */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, String(value));
  node.append(...children.flat());
  return node;
}

/** Text for HTML with d_k's k as a subscript: a list of nodes. */
function htmlMath(text) {
  return text.split(/(d_k)/).map((part) => (part === "d_k" ? element("span", { class: "ex-sc-dk" }, "d", element("sub", {}, "k")) : part));
}

/** The same for SVG: <text> at (x, y). */
function svgText(x, y, text, attributes = {}) {
  let lowered = false;
  const parts = text.split(/(d_k)/).flatMap((part) => {
    if (part === "") return [];
    const shift = lowered ? -3 : null;
    lowered = part === "d_k";
    if (!lowered) return [svg("tspan", { dy: shift }, part)];
    return [svg("tspan", { dy: shift, "font-style": "italic" }, "d"), svg("tspan", { dy: 3, "font-size": "0.75em", "font-style": "italic" }, "k")];
  });
  return svg("text", { x, y, ...attributes }, parts);
}

/** A number of an axis or a bound: no zeros at its end, a true minus sign. */
function plain(x) { return String(Number(x.toPrecision(4))).replace("-", "−"); }

// -------------------------------------------------------------------------------------------------------- arithmetic

/** q·k of every query with every key, for each width 1, 2, 4 … `widest`: Map of d_k → Float64Array(queries × keys). */
function productsByWidth(vectors, queries, keys, widest) {
  const products = new Map();
  let sums = new Float64Array(queries * keys);
  for (let from = 0, width = 1; width <= widest; from = width, width *= 2) {
    sums = sums.slice(); // a wider dot product goes on where the narrower one ended
    for (let i = 0; i < queries; i++) {
      for (let j = 0; j < keys; j++) {
        sums[i * keys + j] += dot(vectors, vectors, i * widest + from, (queries + j) * widest + from, width - from);
      }
    }
    products.set(width, sums);
  }
  return products;
}

/** Frobenius norm of the softmax's Jacobian J[i, j] = w[i] (δ[i, j] − w[j]) at the weights w. */
function jacobianNorm(w) {
  let sum = 0;
  for (let i = 0; i < w.length; i++) {
    for (let j = 0; j < w.length; j++) sum += (w[i] * ((i === j ? 1 : 0) - w[j])) ** 2;
  }
  return Math.sqrt(sum);
}

/** Everything shown of one set of scores: {scores, weights, variance, entropy, gradient, top}; the last three are means
 *  over the rows, `top` that of the largest weight. */
function measure(scores, queries, keys) {
  const weights = new Float64Array(scores.length);
  let [sum, squares, entropy, gradient, top] = [0, 0, 0, 0, 0];
  for (let i = 0; i < queries; i++) {
    const row = weights.subarray(i * keys, (i + 1) * keys);
    softmaxRow(scores.subarray(i * keys, (i + 1) * keys), null, 1, row);
    entropy += entropyBits(row) / queries;
    gradient += jacobianNorm(row) / queries;
    top += Math.max(...row) / queries;
  }
  for (const score of scores) sum += score;
  const mean = sum / scores.length;
  for (const score of scores) squares += (score - mean) ** 2;
  return { scores, weights, variance: squares / scores.length, entropy, gradient, top };
}

/** {widths: [1, 2, 4 …], at(d_k, scaled) → measure} for all widths, with and without the division. */
function measureAll(vectors, queries, keys, widest) {
  const products = productsByWidth(vectors, queries, keys, widest);
  const known = { false: new Map(), true: new Map() };
  for (const [width, scores] of products) {
    known.false.set(width, measure(scores, queries, keys));
    known.true.set(width, measure(scores.map((score) => score / Math.sqrt(width)), queries, keys));
  }
  return { widths: [...products.keys()], at: (width, scaled) => known[Boolean(scaled)].get(width) };
}

/** How many scores fall into each of `bins` equal bars from −limit to limit. */
function histogram(scores, limit, bins) {
  const counts = new Array(bins).fill(0);
  for (const score of scores) counts[Math.min(Math.max(Math.floor((score + limit) * (bins / (2 * limit))), 0), bins - 1)]++;
  return counts;
}

// ---------------------------------------------------------------------------------------------------------- pictures

const AXIS = { class: "ex-sc-axis" };
const modeClass = (scaled) => (scaled ? "ex-sc-scaled" : "ex-sc-plain");

/** Redraws a picture: its size, what it says to screen readers, its parts. */
function fill(picture, width, height, alt, parts) {
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("width", width);
  picture.setAttribute("height", height);
  picture.setAttribute("aria-label", alt);
  picture.replaceChildren(...parts);
}

/** Bars on an axis that never moves: what grows with d_k is seen to grow.  Heights are logarithmic, so that the few
 *  far scores, which decide what the softmax does, are not lost beside the many near 0. */
function drawScores(picture, width, { now, scaled, d_k, limit, bins, words }) {
  const height = 210;
  const [left, right, top, bottom] = [38, width - 10, 40, height - 34];
  const total = now.scores.length;
  const x = (score) => left + ((score + limit) / (2 * limit)) * (right - left);
  const y = (count) => bottom - (Math.log(count / 0.5) / Math.log(total / 0.5)) * (bottom - top); // half a score is the ground
  const counts = histogram(now.scores, limit, bins);
  const deviation = Math.sqrt(now.variance);
  const parts = [svg("rect", { x: x(-deviation), y: top, width: x(deviation) - x(-deviation), height: bottom - top, class: "ex-sc-band" })];
  for (let count = 1; count <= total; count *= 10) {
    parts.push(svg("line", { x1: left, x2: right, y1: y(count), y2: y(count), class: "ex-sc-rule" }));
    parts.push(svgText(left - 6, y(count) + 4, String(count), { "text-anchor": "end" }));
  }
  const step = (right - left) / bins;
  const path = counts.map((count, b) => (count ? `M${left + b * step} ${bottom}V${y(count)}h${Math.max(step - 0.6, 1)}V${bottom}z` : "")).join("");
  parts.push(svg("path", { d: path, class: `ex-sc-fill ${modeClass(scaled)}` }), svg("line", { x1: left, x2: right, y1: bottom, y2: bottom, ...AXIS }));
  for (const score of [-limit, -limit / 2, 0, limit / 2, limit]) {
    parts.push(svg("line", { x1: x(score), x2: x(score), y1: bottom, y2: bottom + 4, ...AXIS }));
    parts.push(svgText(x(score), bottom + 17, plain(score), { "text-anchor": score === limit ? "end" : "middle" }));
  }
  const said = { variance: number(now.variance), expected: scaled ? 1 : d_k, deviation: number(deviation) };
  parts.push(svgText(left + 6, 14, say(words.scores_variance, said), { class: "ex-sc-strong" }));
  parts.push(svgText(left + 6, 30, say(words.scores_expected, said)));
  parts.push(svgText(right, 14, say(words.scores_deviation, said), { "text-anchor": "end" }));
  parts.push(svg("path", { d: `M${x(-deviation)} ${top - 8}v6v-3H${x(deviation)}v-3v6`, class: "ex-sc-bracket" }));
  parts.push(svgText((left + right) / 2, height - 2, words.scores_axis, { "text-anchor": "middle", class: "ex-sc-name" }));
  const [lowest, highest] = [number(Math.min(...now.scores)), number(Math.max(...now.scores))];
  fill(picture, width, height, say(words.scores_alt, { ...said, count: total, limit: plain(limit), lowest, highest }), parts);
  return counts;
}

/** The weights of one row as bars from 0 to 1, the even share as a dotted line. */
function drawWeights(picture, width, { weights, scaled, row, words }) {
  const height = 210;
  const [left, right, top, bottom] = [30, width - 30, 18, height - 34];
  const keys = weights.length;
  const step = (right - left) / keys;
  const y = (weight) => bottom - weight * (bottom - top);
  const parts = [];
  for (const weight of [0, 0.5, 1]) {
    parts.push(svg("line", { x1: left, x2: right, y1: y(weight), y2: y(weight), class: weight ? "ex-sc-rule" : "ex-sc-axis" }));
    parts.push(svgText(left - 6, y(weight) + 4, String(weight), { "text-anchor": "end" }));
  }
  let best = 0;
  weights.forEach((weight, j) => {
    if (weight > weights[best]) best = j;
    parts.push(svg("rect", { x: left + (j + 0.12) * step, y: y(weight), width: 0.76 * step, height: bottom - y(weight), class: `ex-sc-fill ${modeClass(scaled)}` }));
    if (j % Math.ceil(keys / 8) === 0) parts.push(svgText(left + (j + 0.5) * step, bottom + 17, String(j), { "text-anchor": "middle" }));
  });
  parts.push(svg("line", { x1: left, x2: right, y1: y(1 / keys), y2: y(1 / keys), class: "ex-sc-even" }));
  parts.push(svgText(right + 3, y(1 / keys) + 4, say(words.weights_even, { keys })));
  const place = Math.min(Math.max(left + (best + 0.5) * step, left + 14), right - 14);
  parts.push(svgText(place, y(weights[best]) - 5, weightText(weights[best]), { "text-anchor": "middle", class: "ex-sc-strong" }));
  parts.push(svgText((left + right) / 2, height - 2, words.weights_axis, { "text-anchor": "middle", class: "ex-sc-name" }));
  fill(picture, width, height, say(words.weights_alt, { row, keys, top: weightText(weights[best]), key: best }), parts);
}

/** One number against d_k, scaled and not, on a logarithmic axis of widths; the present d_k is marked.
 *  `scale` = {low, high, log, ticks, most}: the vertical axis, and a line at `most` where there is a maximum. */
function drawCurve(picture, width, { name, title, all, d_k, scaled, scale, words }) {
  const height = 104;
  const [left, right, top, bottom] = [34, width - 12, 10, height - 22];
  const widest = all.widths.at(-1);
  const x = (w) => left + (Math.log2(w) / Math.log2(widest)) * (right - left);
  const place = scale.log ? (v) => Math.log(v / scale.low) / Math.log(scale.high / scale.low) : (v) => (v - scale.low) / (scale.high - scale.low);
  const y = (v) => bottom - Math.min(Math.max(place(v), 0), 1) * (bottom - top);
  const parts = scale.ticks.flatMap((tick) => [
    svg("line", { x1: left, x2: right, y1: y(tick), y2: y(tick), class: tick === scale.most ? "ex-sc-most" : "ex-sc-rule" }),
    svgText(left - 5, y(tick) + 4, plain(tick), { "text-anchor": "end" }),
  ]);
  parts.push(svg("line", { x1: x(d_k), x2: x(d_k), y1: top, y2: bottom, class: "ex-sc-here" }));
  for (const mode of [!scaled, scaled]) { // the present mode lies on top
    const points = all.widths.map((w) => `${x(w).toFixed(2)},${y(all.at(w, mode)[name]).toFixed(2)}`);
    parts.push(svg("polyline", { points: points.join(" "), class: `ex-sc-line ${modeClass(mode)}` }));
    parts.push(svg("circle", { cx: x(d_k), cy: y(all.at(d_k, mode)[name]), r: mode === scaled ? 5 : 3, class: `ex-sc-dot ${modeClass(mode)}` }));
  }
  const label = Math.min(Math.max(x(d_k), left + 24), right - 24);
  parts.push(svgText(label, height - 6, say(words.width_value, { d_k }), { "text-anchor": "middle", class: "ex-sc-strong" }));
  if (label - left > 48) parts.push(svgText(left, height - 6, "1", { "text-anchor": "middle" }));
  if (right - label > 66) parts.push(svgText(right, height - 6, String(widest), { "text-anchor": "end" }));
  const end = (w, mode) => number(all.at(w, mode)[name]);
  fill(picture, width, height, say(words.curve_alt, { name: title, widest, first: end(1, false), last: end(widest, false),
    scaled_first: end(1, true), scaled_last: end(widest, true) }), parts);
}

// ---------------------------------------------------------------------------------------------------------- controls

/** A range over a list of values, one key press a value: {element, input, set(value)}. */
function steps({ label, name, values, value, format, onInput }) {
  const id = uniqueId("steps");
  const input = element("input", { type: "range", id, min: 0, max: values.length - 1, step: 1, "aria-label": name });
  const shown = element("span", { class: "ex-sc-shown", "aria-hidden": "true" }); // the range says its value itself
  const root = element("div", { class: "ex-control ex-slider" }, element("label", { for: id }, htmlMath(label)), input, shown);
  const show = (x) => { shown.textContent = String(x); input.setAttribute("aria-valuetext", format(x)); };
  input.addEventListener("input", () => { show(values[input.value]); onInput(values[input.value]); });
  const set = (x) => { input.value = values.indexOf(x); show(x); };
  set(value);
  return { element: root, input, set };
}

/** A number with its small curve: {element, value, note, picture}. */
function card(label, unit = "") {
  const value = element("span", { class: "ex-sc-value" });
  const note = element("span", { class: "ex-label" });
  const picture = svg("svg", { role: "img" });
  const words = element("div", { class: "ex-sc-words" }, element("div", { class: "ex-sc-heading" }, label),
    element("div", {}, value, unit ? element("span", { class: "ex-sc-unit" }, ` ${unit}`) : null), element("div", {}, note));
  const plot = element("div", { class: "ex-sc-plot" }, picture);
  return { element: element("div", { class: "ex-sc-card" }, words, plot), value, note, picture, plot };
}

/** A dashed or solid sample of a curve with its name. */
function sample(scaled, label) {
  const line = svg("svg", { width: 34, height: 12, "aria-hidden": "true" }, svg("line", { x1: 1, x2: 33, y1: 6, y2: 6, class: `ex-sc-line ${modeClass(scaled)}` }));
  return element("span", { class: "ex-sc-sample" }, line, element("span", {}, htmlMath(label)));
}

/** The vertical axes of the three curves, fixed by the data so that they never move. */
function scales(all, widest, keys) {
  const variances = all.widths.flatMap((w) => [all.at(w, false).variance, all.at(w, true).variance]);
  const most = Math.log2(keys);
  return {
    variance: { log: true, low: Math.min(0.5, ...variances), high: Math.max(widest, ...variances) * 1.3, ticks: [1, Math.round(Math.sqrt(widest)), widest] },
    entropy: { low: 0, high: most * 1.06, ticks: [0, most / 2, most], most },
    gradient: { low: 0, high: 0.5, ticks: [0, 0.25, 0.5] }, // the norm is largest, ½, where two keys share all the weight
  };
}

/** What is seen, in words: "d_k = 256, not scaled: variance …". */
function stateSentence(words, now, d_k, scaled, keys) {
  const verdict = words.verdicts.find((one) => now.top >= one.at_least).text;
  return say(words.state, { d_k, mode: scaled ? words.scaled : words.not_scaled, variance: number(now.variance), entropy: number(now.entropy),
    most: plain(Math.log2(keys)), gradient: number(now.gradient), verdict: say(verdict, { top: number(now.top, 2) }) });
}

/** A picture under its title, with a control beside the title or none. */
function panel(title, control, plot) {
  return element("div", {}, element("div", { class: "ex-sc-head" }, element("div", { class: "ex-sc-heading" }, title), control), plot);
}

/** Keeps in `widths` how wide each plot was when last seen, and calls `changed`; returns a function that stops it. */
function watchWidths(plots, widths, changed) {
  const observer = new ResizeObserver((changes) => {
    for (const { target, contentRect } of changes) if (contentRect.width > 0) widths.set(target, Math.max(Math.floor(contentRect.width), 120));
    changed();
  });
  plots.forEach((plot) => observer.observe(plot));
  return () => observer.disconnect();
}

function render({ model, el }) {
  const words = model.get("sentences");
  const [queries, keys, widest] = ["n_queries", "n_keys", "widest"].map((name) => model.get(name));
  const all = measureAll(floats(model, "vectors"), queries, keys, widest);
  const axes = scales(all, widest, keys);
  const frameOfPage = shell(model, el, { kind: "scaling", label: words.label, onLook: () => {} }); // CSS alone follows the theme
  const { root } = frameOfPage;
  // Told to Python at once: ipywidgets keeps one message on its way and joins the rest, and what it has not been handed
  // yet, the kernel's late confirmation of an older value would overwrite.
  const share = (name, value) => { model.set(name, value); model.save_changes(); };

  const width = steps({ label: words.width, name: words.width_name, values: all.widths, value: model.get("d_k"),
    format: (x) => say(words.width_value, { d_k: x }), onInput: (x) => share("d_k", x) });
  const divide = toggle({ label: htmlMath(words.divide), value: model.get("scaled"), onInput: (on) => share("scaled", on) });
  const row = steps({ label: words.row, name: words.row_name, values: Array.from({ length: queries }, (_, i) => i), value: model.get("row"),
    format: (x) => say(words.row_value, { row: x }), onInput: (x) => share("row", x) });

  const [scoresPicture, weightsPicture] = [svg("svg", { role: "img" }), svg("svg", { role: "img" })];
  const [scoresPlot, weightsPlot] = [scoresPicture, weightsPicture].map((picture) => element("div", { class: "ex-sc-plot" }, picture));
  const cards = { variance: card(words.variance), entropy: card(words.entropy, words.entropy_unit), gradient: card(words.gradient) };
  const samples = [sample(false, words.not_scaled), sample(true, words.scaled)];
  const sentence = element("p", { class: "ex-sentence", "aria-hidden": "true" }); // screen readers read the live region
  const live = liveRegion();
  root.append(
    element("div", { class: "ex-controls ex-sc-controls" }, width.element, divide.element),
    element("div", { class: "ex-sc-pictures" },
      panel(say(words.scores_title, { count: queries * keys }), null, scoresPlot), panel(words.weights_title, row.element, weightsPlot)),
    element("div", { class: "ex-sc-legend" }, element("span", { class: "ex-sc-heading" }, htmlMath(words.curves_title)), samples),
    element("div", { class: "ex-sc-cards" }, Object.values(cards).map((one) => one.element)), sentence, live);

  // The width a plot was last seen with: one that is hidden for a moment has none.
  const plots = [scoresPlot, weightsPlot, ...Object.values(cards).map((one) => one.plot)];
  const widths = new Map(plots.map((plot) => [plot, 320]));
  const paint = () => {
    const [d_k, scaled, query] = ["d_k", "scaled", "row"].map((name) => model.get(name));
    const now = all.at(d_k, scaled);
    const weights = now.weights.subarray(query * keys, (query + 1) * keys);
    width.set(d_k); divide.set(scaled); row.set(query);
    const counts = drawScores(scoresPicture, widths.get(scoresPlot), { now, scaled, d_k, limit: model.get("limit"), bins: model.get("bins"), words });
    drawWeights(weightsPicture, widths.get(weightsPlot), { weights, scaled, row: query, words });
    for (const [name, one] of Object.entries(cards)) {
      one.value.textContent = number(now[name]);
      drawCurve(one.picture, widths.get(one.plot), { name, title: words[name], all, d_k, scaled, scale: axes[name], words });
      root.dataset[name] = String(now[name]);
    }
    cards.variance.note.textContent = say(words.variance_note, { expected: scaled ? 1 : d_k });
    cards.entropy.note.textContent = say(words.entropy_note, { most: plain(Math.log2(keys)) });
    cards.gradient.note.textContent = words.gradient_note;
    samples.forEach((node, i) => node.classList.toggle("ex-sc-now", Boolean(i) === scaled));
    const state = stateSentence(words, now, d_k, scaled, keys);
    sentence.replaceChildren(...htmlMath(state));
    announce(live, state);
    Object.assign(root.dataset, { width: String(d_k), scaled: String(scaled), row: String(query), weights: Array.from(weights).join(" "), counts: counts.join(" ") });
    frameOfPage.painted();
  };
  const repaint = frame(paint);
  const stops = ["d_k", "scaled", "row"].map((name) => listen(model, name, repaint));
  const unwatch = watchWidths(plots, widths, repaint);
  repaint();
  return () => {
    stops.forEach((stop) => stop());
    unwatch();
    repaint.cancel();
    frameOfPage.close();
  };
}

export default { render };
