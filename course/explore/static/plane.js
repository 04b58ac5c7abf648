// A square of the plane with arrows from the origin: drawn as SVG, their tips dragged with mouse, touch or arrow keys.
// Knows nothing of attention; query_plane.js says what to draw.

const SVG = "http://www.w3.org/2000/svg";

/** Sets attributes that changed; numbers are cut to a tenth of a thousandth, plenty for pixels. */
function put(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = typeof value === "number" ? String(Math.round(value * 1e4) / 1e4) : value === null ? null : String(value);
    if (text === null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
  return node;
}

/** An SVG element; strings among the children become text nodes. */
function svg(tag, attributes = {}, ...children) {
  const node = put(document.createElementNS(SVG, tag), attributes);
  node.append(...children);
  return node;
}

const NICE = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The smallest round number ≥ x: 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten. */
function niceAbove(x) {
  if (!(x > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(x));
  return power * NICE.find((n) => n * power >= x * (1 - 1e-9));
}

/** A round number as short as it can be written, with a true minus sign. */
function plainNumber(x) { return String(Number(x.toPrecision(6))).replace(/-/g, "−"); }

/** The smallest step of 1, 2 or 5 times a power of ten that goes at most `times` times into x. */
function niceStep(x, times) {
  const power = 10 ** Math.floor(Math.log10(x / times));
  return power * [1, 2, 5, 10].find((n) => x / (n * power) <= times * (1 + 1e-9));
}

/** A scale from −range to range that holds still while it fits: it grows when `need` is nearly outside and shrinks only
 *  when most of it is empty. */
function adaptRange(range, need) {
  if (need > 0.97 * range || need < 0.35 * range) return niceAbove(Math.max(need * 1.2, 1e-9));
  return range;
}

/** Corners of the convex hull of points [x, y], counter-clockwise (Andrew's monotone chain); none for points all on one spot. */
function convexHull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turns = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const chain = [];
    for (const p of list) {
      while (chain.length > 1 && turns(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) chain.pop();
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

/** Path of an arrow between two points in pixels: a shaft of the given width and a head; a dot where it has no length. */
function arrowPath([x0, y0], [x1, y1], width) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 1) return `M${x1 - 3.5} ${y1}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z`;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const head = Math.min(7 + 1.5 * width, 0.6 * length);
  const wing = Math.min((3.5 + 0.85 * width) * Math.min(1, head / 9), 12);
  const shaft = Math.min(width / 2, wing);
  const at = (along, across) => `${(x0 + ux * along - uy * across).toFixed(2)} ${(y0 + uy * along + ux * across).toFixed(2)}`;
  const neck = length - head;
  return `M${at(0, shaft)}L${at(neck, shaft)}L${at(neck, wing)}L${at(length, 0)}L${at(neck, -wing)}L${at(neck, -shaft)}L${at(0, -shaft)}Z`;
}

const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();
/** Width of a label in pixels, remembered. */
function labelWidth(text, font) {
  const name = `${font}|${text}`;
  if (!widths.has(name)) {
    if (widths.size > 2000) widths.clear();
    pen.font = font;
    widths.set(name, pen.measureText(text).width);
  }
  return widths.get(name);
}

const KEY_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const [MOUSE, FINGER] = [18, 26]; // pixels from a tip at which it is taken hold of
const MARGIN = 16; // pixels between the range's end and the picture's edge, room for a label

/** A picture of the plane from −range to range.
 *  draw(arrows, around) draws arrows {id, role, name, x, y, width, opacity, lit, front, handle: "label" | null, said, of} and the SVG
 *  nodes that `around(plane)` returns as {below, above}.  onMove(id, x, y) is called for each move of a handle, onRest() when the
 *  hand lets go, onLight(of | null) when a handle is pointed at or focused; onFrame() asks for another draw. */
class Plane {
  constructor({ label, onMove, onRest, onLight, onFrame }) {
    Object.assign(this, { onMove, onRest, onLight, onFrame });
    this.range = this.shown = 0;
    this.side = 300;
    this.drag = null;
    this.items = new Map(); // id → {arrow, label, handle, spot}
    this.layers = Object.fromEntries(["grid", "below", "arrows", "front", "above", "handles", "labels"].map((name) => [name, svg("g", { class: `qp-${name}` })]));
    for (const name of ["grid", "below", "arrows", "front", "above", "labels"]) put(this.layers[name], { "aria-hidden": "true" });
    this.svg = svg("svg", { class: "qp-svg", role: "group", "aria-label": label }, ...Object.values(this.layers));
    this.element = element("div", { class: "qp-plane" }, this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    // A finger on a tip drags it; elsewhere it scrolls the page (touch-action has no effect on parts of an SVG).
    this.svg.addEventListener("touchstart", (event) => {
      if (event.cancelable && this.within(FINGER, this.pointerPixel(event.changedTouches[0])).length) event.preventDefault();
    }, { passive: false });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) this.svg.addEventListener(type, () => this.release());
    this.observer = new ResizeObserver(() => this.onFrame());
    this.observer.observe(this.element);
  }

  close() { this.observer.disconnect(); }

  /** Pixels of a point of the plane, and back. */
  pixel([x, y]) { const scale = (this.side / 2 - MARGIN) / this.shown; return [this.side / 2 + x * scale, this.side / 2 - y * scale]; }
  point([px, py]) { const scale = (this.side / 2 - MARGIN) / this.shown; return [(px - this.side / 2) / scale, (this.side / 2 - py) / scale]; }

  /** Distance between neighbouring places a handle can be put: about half a pixel, and a round number. */
  get grain() { return 10 ** (Math.floor(Math.log10(this.range)) - 2); }
  get decimals() { return Math.max(0, 2 - Math.floor(Math.log10(this.range))); }
  coordinate(x) {
    const text = x.toFixed(Math.min(this.decimals, 12));
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
  }

  /** Makes room for vectors as long as `need` along an axis; never while a hand is dragging. */
  fit(need, still) {
    if (this.drag) return;
    const range = this.range ? adaptRange(this.range, need) : niceAbove(need * 1.2);
    if (still || !this.shown) this.shown = range;
    this.range = range;
  }

  draw(arrows, around) {
    this.side = Math.max(160, Math.min(Math.floor(this.element.clientWidth) || 300, 400));
    put(this.svg, { width: this.side, height: this.side, viewBox: `0 0 ${this.side} ${this.side}` });
    if (Math.abs(this.shown - this.range) > 1e-3 * this.range) { // glide to a new range rather than jump
      this.shown += 0.35 * (this.range - this.shown);
      this.onFrame();
    } else this.shown = this.range;
    this.drawGrid();
    this.taken = []; // boxes where no label may go
    const { below, above } = around(this);
    this.layers.below.replaceChildren(...below);
    this.layers.above.replaceChildren(...above);
    for (const { node, box } of this.ticks) put(node, { visibility: this.taken.some((other) => overlapArea(box, other)) ? "hidden" : null });
    const here = new Set(arrows.map((arrow) => arrow.id));
    for (const [id, item] of this.items) if (!here.has(id)) this.remove(id, item);
    for (const arrow of arrows) this.drawArrow(arrow);
    this.placeLabels(arrows);
  }

  remove(id, item) {
    for (const node of [item.arrow, item.label, item.handle]) if (node) node.remove();
    this.items.delete(id);
  }

  drawGrid() {
    const signature = `${this.side} ${this.shown}`;
    if (signature === this.gridDrawn) return;
    this.gridDrawn = signature;
    const [side, middle] = [this.side, this.side / 2];
    const step = niceStep(this.shown, 4);
    const nodes = [];
    this.ticks = [];
    const reach = (this.shown * middle) / (middle - MARGIN);
    const count = Math.floor(reach / step);
    for (let i = -count; i <= count; i++) {
      const [x, y] = this.pixel([i * step, i * step]);
      nodes.push(svg("path", { class: i ? "qp-line" : "qp-axis", d: `M${x.toFixed(1)} 0V${side}M0 ${y.toFixed(1)}H${side}` }));
    }
    const last = step * Math.max(1, Math.floor((0.9 * this.shown) / step)); // one number an axis and direction tells the scale
    const [high] = this.pixel([last, 0]);
    const edge = side - 6;
    for (const [x, y, value, anchor] of [[high, edge, last, "middle"], [side - high, edge, -last, "middle"], [5, side - high + 4, last, "start"], [5, high + 4, -last, "start"]]) {
      const text = plainNumber(value);
      const node = svg("text", { class: "qp-tick", x, y, "text-anchor": anchor }, text);
      const left = anchor === "start" ? x : x - 3.5 * text.length;
      this.ticks.push({ node, box: [left, y - 10, left + 7 * text.length, y + 2] });
      nodes.push(node);
    }
    this.layers.grid.replaceChildren(...nodes);
  }

  /** Keeps names off a text that stands at a place in pixels. */
  keepFree([x, y], text) { this.taken.push([x - 3.5 * text.length - 2, y - 8, x + 3.5 * text.length + 2, y + 8]); }

  drawArrow(arrow) {
    let item = this.items.get(arrow.id);
    if (!item) {
      item = { arrow: svg("path", {}), label: svg("text", {}), handle: null, spot: 0 };
      this.layers[arrow.front ? "front" : "arrows"].append(item.arrow);
      this.layers.labels.append(item.label);
      if (arrow.handle) this.layers.handles.append((item.handle = this.makeHandle(arrow.id)));
      this.items.set(arrow.id, item);
    }
    const tip = this.pixel([arrow.x, arrow.y]);
    const lit = arrow.lit ? " qp-lit" : "";
    put(item.arrow, { class: `qp-arrow qp-${arrow.role}${lit}`, d: arrowPath(this.pixel([0, 0]), tip, arrow.width), opacity: arrow.opacity });
    put(item.label, { class: `qp-name qp-${arrow.role}${lit}` });
    if (item.label.textContent !== arrow.name) item.label.textContent = arrow.name;
    if (item.handle) {
      item.of = arrow.of;
      item.tip = tip;
      item.at = [arrow.x, arrow.y];
      put(item.handle, { class: `qp-handle qp-${arrow.role}${lit}`, transform: `translate(${tip[0].toFixed(2)} ${tip[1].toFixed(2)})`,
        "aria-label": arrow.handle, "aria-valuetext": arrow.said, "aria-valuenow": arrow.x, "aria-valuemin": -this.range, "aria-valuemax": this.range,
        "data-x": String(arrow.x), "data-y": String(arrow.y) });
    }
  }

  makeHandle(id) {
    const node = svg("g", { tabindex: "0", role: "slider", "data-id": id },
      svg("circle", { class: "qp-hit", r: 18 }), svg("circle", { class: "qp-halo", r: 9 }));
    const light = (on) => () => { const item = this.items.get(id); if (item && !this.drag) this.onLight(on ? item.of : null); };
    node.addEventListener("keydown", (event) => this.key(event, id));
    node.addEventListener("focus", light(true));
    node.addEventListener("blur", light(false));
    node.addEventListener("pointerenter", light(true));
    node.addEventListener("pointerleave", light(false));
    return node;
  }

  key(event, id) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [x, y] = this.items.get(id).at;
    let to = null;
    if (KEY_STEPS[event.key]) {
      const step = this.grain * (event.shiftKey ? 50 : 10);
      to = [x + KEY_STEPS[event.key][0] * step, y + KEY_STEPS[event.key][1] * step];
    } else if (event.key === "Home") to = [0, 0];
    if (!to) return;
    event.preventDefault();
    this.onMove(id, ...to.map((c) => Number(c.toPrecision(12)))); // 0.1 + 0.2 is 0.3 to a reader
    this.onRest();
  }

  pointerPixel(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Handles within a hand's reach of a place in pixels, nearest first: {id, item, distance}. */
  within(reach, [px, py]) {
    return [...this.items].filter(([, item]) => item.handle)
      .map(([id, item]) => ({ id, item, distance: Math.hypot(item.tip[0] - px, item.tip[1] - py) }))
      .filter(({ distance }) => distance <= reach).sort((a, b) => a.distance - b.distance);
  }

  /** Takes the nearest handle.  Of several on one spot: the focused one, so that Tab (or a click without a move, which
   *  goes to the next of them) reaches each. */
  press(event) {
    if (event.button !== 0 || this.drag) return;
    const [px, py] = this.pointerPixel(event);
    const near = this.within(event.pointerType === "touch" ? FINGER : MOUSE, [px, py]);
    if (!near.length) return;
    const stack = near.filter(({ distance }) => distance <= near[0].distance + 3);
    const chosen = stack.find(({ item }) => item.handle === item.handle.getRootNode().activeElement) || stack[0];
    event.preventDefault();
    chosen.item.handle.focus({ preventScroll: true });
    this.svg.setPointerCapture(event.pointerId);
    this.drag = { id: chosen.id, from: [px, py], offset: [chosen.item.tip[0] - px, chosen.item.tip[1] - py], moved: false,
      next: stack.length > 1 ? stack[(stack.indexOf(chosen) + 1) % stack.length] : null };
    this.element.classList.add("qp-dragging");
    this.onLight(chosen.item.of);
  }

  move(event) {
    if (!this.drag) return;
    const [px, py] = this.pointerPixel(event);
    if (!this.drag.moved && Math.hypot(px - this.drag.from[0], py - this.drag.from[1]) < 3) return;
    this.drag.moved = true;
    const inside = (c) => Math.min(Math.max(c, -this.range), this.range);
    const to = this.point([px + this.drag.offset[0], py + this.drag.offset[1]]);
    this.onMove(this.drag.id, ...to.map((c) => Number((Math.round(inside(c) / this.grain) * this.grain).toPrecision(12))));
  }

  release() {
    if (!this.drag) return;
    const { moved, next } = this.drag;
    this.drag = null;
    this.element.classList.remove("qp-dragging");
    if (!moved && next) next.item.handle.focus({ preventScroll: true });
    this.onRest();
  }

  /** Puts each name beyond its arrow's tip, turned aside or further out where others stand already; a name keeps its place
   *  as long as it is free, so that nothing flickers during a drag. */
  placeLabels(arrows) {
    const font = `13px ${getComputedStyle(this.svg).fontFamily}`;
    const taken = [...arrows.map(({ x, y }) => this.pixel([x, y])).map(([x, y]) => [x - 5, y - 5, x + 5, y + 5]), ...this.taken];
    const order = [...arrows].sort((a, b) => (b.lit || 0) - (a.lit || 0) || b.width - a.width);
    for (const arrow of order) {
      const item = this.items.get(arrow.id);
      const [tx, ty] = this.pixel([arrow.x, arrow.y]);
      const [w, h] = [labelWidth(arrow.name, font) + 4, 16];
      const angle = Math.hypot(arrow.x, arrow.y) ? Math.atan2(-arrow.y, arrow.x) : -Math.PI / 2;
      const own = arrows.indexOf(arrow);
      let best = null;
      for (const spot of [item.spot, ...LABEL_SPOTS.keys()]) {
        const [turn, out] = LABEL_SPOTS[spot];
        const [ux, uy] = [Math.cos(angle + turn), Math.sin(angle + turn)];
        const away = 11 + out + Math.abs(ux) * (w / 2) + Math.abs(uy) * (h / 2 - 2);
        const [x, y] = [tx + ux * away, ty + uy * away];
        const box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
        const outside = Math.max(0, -box[0], -box[1], box[2] - this.side, box[3] - this.side);
        const overlap = taken.reduce((sum, other, i) => sum + (i === own ? 0 : overlapArea(box, other)), 0);
        const cost = outside * 40 + overlap + (spot === item.spot ? 0 : 1) + spot * 0.01;
        if (best === null || cost < best.cost) best = { cost, spot, x, y, box };
        if (cost < 1) break;
      }
      item.spot = best.spot;
      taken.push(best.box);
      put(item.label, { x: best.x, y: best.y, "text-anchor": "middle", "dominant-baseline": "central" });
    }
  }
}

// Turn from the arrow's direction (radians) and extra distance (pixels), the best first.
const LABEL_SPOTS = [0, 16, 32, 48].flatMap((out) => [0, 0.6, -0.6, 1.2, -1.2, 1.8, -1.8].map((turn) => [turn, out]));

function overlapArea(a, b) {
  return Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
}
