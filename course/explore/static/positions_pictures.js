// The positions explorer, third part: the dial with its two hands, and the similarity against distance.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element; attributes that are null are left out, strings become text nodes. */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, String(value));
  node.append(...children.flat());
  return node;
}

/** Redraws a picture: its size, what it says to screen readers, its parts. */
function fill(picture, width, height, alt, parts) {
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": alt })) picture.setAttribute(name, value);
  picture.replaceChildren(...parts);
}

const DIAL = { width: 280, height: 250, x: 132, y: 130, radius: 92 };

/** Path of the arc from angle `from` over `turn` radians (anticlockwise is positive) at `radius`; more than a turn is a circle. */
function arcPath(from, turn, radius) {
  const { x, y } = DIAL;
  const at = (angle) => `${(x + radius * Math.cos(angle)).toFixed(2)} ${(y - radius * Math.sin(angle)).toFixed(2)}`;
  if (Math.abs(turn) >= 2 * Math.PI) return `M${at(0)}A${radius} ${radius} 0 0 0 ${at(Math.PI)}A${radius} ${radius} 0 0 0 ${at(0)}`;
  return `M${at(from)}A${radius} ${radius} 0 ${Math.abs(turn) > Math.PI ? 1 : 0} ${turn > 0 ? 0 : 1} ${at(from + turn)}`;
}

/** The dial of pair i: a dot for every position, a hand for `position` and a dashed one for `reference`, between them the
 *  arc of `turn` radians (NaN for none).  Returns the two hands as [across, up]. */
function drawDial(picture, { shown, kind, pair, position, reference, turn, words }) {
  const { width, height, x, y, radius } = DIAL;
  const points = Array.from({ length: shown.T }, (_, p) => hand(shown, kind, p, pair));
  const longest = kind === "learned" ? Math.max(...points.map((point) => Math.hypot(...point))) || 1 : shown.limit;
  const pixel = ([across, up], stretch = 1) => [x + (across / longest) * radius * stretch, y - (up / longest) * radius * stretch];
  const path = (from, to) => `M${from.map((c) => c.toFixed(2)).join(" ")}L${to.map((c) => c.toFixed(2)).join(" ")}`;
  const [now, before] = [points[position], points[reference]];
  const angle = ([across, up]) => Math.atan2(up, across);
  const parts = [
    svg("circle", { cx: x, cy: y, r: radius, class: "ex-po-rim" }),
    svg("path", { d: `M${x - radius} ${y}H${x + radius}M${x} ${y - radius}V${y + radius}`, class: "ex-po-rule" }),
    svg("path", { d: points.map((point) => `M${pixel(point).map((c) => c.toFixed(1)).join(" ")}h0`).join(""), class: "ex-po-dots" }),
  ];
  if (Number.isFinite(turn)) parts.push(svg("path", { d: arcPath(angle(before), turn, 0.3 * radius), class: "ex-po-arc" }));
  const [tip, old] = [pixel(now), pixel(before)];
  parts.push(svg("path", { d: `M${tip[0].toFixed(2)} ${y}V${tip[1].toFixed(2)}M${x} ${tip[1].toFixed(2)}H${tip[0].toFixed(2)}`, class: "ex-po-drop" }));
  parts.push(svg("path", { d: path([x, y], old), class: "ex-po-hand ex-po-before" }), svg("circle", { cx: old[0], cy: old[1], r: 4.5, class: "ex-po-tip-before" }));
  parts.push(svg("path", { d: path([x, y], tip), class: "ex-po-hand" }), svg("circle", { cx: tip[0], cy: tip[1], r: 5.5, class: "ex-po-tip" }));
  parts.push(...handNames(now, before, position, reference));
  const [across, up] = kind === "sinusoidal" ? [2 * pair + 1, 2 * pair] : [2 * pair, 2 * pair + 1];
  parts.push(svg("text", { x, y: 12, "text-anchor": "middle" }, `↑ ${up}`), svg("text", { x: x + radius + 32, y: y + 4 }, `${across} →`));
  fill(picture, width, height, say(words.dial_alt, { pair, position, reference, x: fixed(now[0]), y: fixed(now[1]), x2: fixed(before[0]), y2: fixed(before[1]) }), parts);
  return [now, before];
}

/** The positions' numbers outside the rim, beside their hands; the second gives way where both point the same way. */
function handNames(now, before, position, reference) {
  const place = (angle) => ({ x: (DIAL.x + (DIAL.radius + 15) * Math.cos(angle)).toFixed(1), y: (DIAL.y - (DIAL.radius + 13) * Math.sin(angle) + 4).toFixed(1) });
  const text = (angle, kind, name) => svg("text", { ...place(angle), class: kind, "text-anchor": "middle" }, String(name));
  const [first, second] = [now, before].map(([across, up]) => Math.atan2(up, across));
  const gap = Math.atan2(Math.sin(second - first), Math.cos(second - first));
  const moved = Math.abs(gap) < 0.26 ? first + (gap < 0 ? -0.26 : 0.26) : second;
  return [text(first, "ex-po-strong", position), position === reference ? null : text(moved, "ex-po-name", reference)].filter(Boolean);
}

/** Round numbers of an axis from low to high, at most about `most` of them. */
function roundTicks(low, high, most) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = power * [1, 2, 5, 10].find((n) => (high - low) / (n * power) <= most);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const PLOT = { height: 200, left: 46, right: 12, top: 12, bottom: 168 };

/** Horizontal place of a position in the similarity's plot, and back. */
function plotX(position, T, width) { return PLOT.left + (T > 1 ? position / (T - 1) : 0.5) * (width - PLOT.left - PLOT.right); }
function plotPosition(x, T, width) {
  return Math.min(Math.max(Math.round(((x - PLOT.left) / (width - PLOT.left - PLOT.right)) * (T - 1)), 0), T - 1);
}

/** Similarity with `reference` at every position, one curve a series; shaded, what the same distance gives from all references.
 *  curves: [{name, values (T,), spread}]; all lie on one axis that does not depend on the reference. */
function drawSimilarity(picture, width, { curves, T, position, reference, words }) {
  const { height, left, right, top, bottom } = PLOT;
  const low = Math.min(0, ...curves.flatMap((curve) => Array.from(curve.spread.low)));
  const high = Math.max(0, ...curves.flatMap((curve) => Array.from(curve.spread.high)));
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  const at = (p, value) => `${plotX(p, T, width).toFixed(2)} ${y(value).toFixed(2)}`;
  const parts = [];
  for (const tick of high > low ? roundTicks(low, high, 4) : [0]) {
    parts.push(svg("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: tick === 0 ? "ex-po-axis" : "ex-po-rule" }));
    parts.push(svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  const steps = T > 1 ? roundTicks(0, T - 1, 8).filter(Number.isInteger) : [0];
  for (const p of steps) parts.push(svg("text", { x: plotX(p, T, width), y: bottom + 16, "text-anchor": "middle" }, String(p)));
  parts.push(svg("text", { x: (left + width) / 2, y: height - 2, "text-anchor": "middle" }, words.similarity_axis));
  const from = plotX(reference, T, width);
  parts.push(svg("line", { x1: from, x2: from, y1: top, y2: bottom, class: "ex-po-from" }));
  curves.forEach(({ values, spread: all }, n) => {
    const row = Array.from({ length: T }, (_, p) => p);
    const edge = (side) => row.map((p) => at(p, side[p - reference + T - 1]));
    parts.push(svg("path", { d: `M${[...edge(all.high), ...edge(all.low).reverse()].join("L")}Z`, class: "ex-po-band" }));
    parts.push(svg("polyline", { points: row.map((p) => at(p, values[p])).join(" "), class: `ex-po-curve ex-po-curve-${n}` }));
  });
  curves.forEach(({ values }, n) => {
    parts.push(svg("circle", { cx: plotX(position, T, width), cy: y(values[position]), r: 4.5, class: `ex-po-mark ex-po-curve-${n}` }));
  });
  const grip = [from - 7, bottom + 1];
  parts.push(svg("path", { d: `M${from} ${grip[1] - 9}l7 12h-14z`, class: "ex-po-grip" }));
  const alt = curves.map((curve) => say(words.similarity_alt, { name: curve.name, position, value: short(curve.values[position]),
    high: short(Math.max(...curve.values)), low: short(Math.min(...curve.values)) })).join(" ");
  fill(picture, width, height, alt, parts);
}
