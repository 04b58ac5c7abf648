// The explorer kit, third part: colour, canvas, legend, and the grid with a cursor.

/** Evenly spaced stops "rrggbb…" as a table of 256 colours [r, g, b]. */
function colourTable(hex) {
  const stops = hex.match(/.{6}/g).map((stop) => [0, 2, 4].map((i) => parseInt(stop.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    return stops[low].map((channel, c) => Math.round(channel + (stops[low + 1][c] - channel) * (place - low)));
  });
}

// Matplotlib's viridis and RdBu_r, read at 33 and 21 even places.
const VIRIDIS = colourTable("440154470d6048186a482374472d7b4536814240863f49893b528b375a8d33638d2f6a8e2c728e297a8e26818e23898e" +
  "21908c1f988b1f9f8821a68528ae8031b57b3ebc744cc26c5dc9636ece5882d34c96d83fabdc32c0df24d5e21aeae51afde725");
const RED_BLUE = colourTable("053061134b862166ab327db84393c36bacd092c5deb2d5e7d1e5f0e4eef4f7f7f6fae9df" +
  "fddbc7f8c0a4f4a582e58268d6604dc43c3cb2182b8c0c2567001f");

const place256 = (t) => (t >= 1 ? 255 : t > 0 ? Math.round(t * 255) : 0);
/** [r, g, b] for a magnitude t in [0, 1]. */
function viridis(t) { return VIRIDIS[place256(t)]; }
/** [r, g, b] for a signed t in [−1, 1]: blue below zero, white at zero, red above. */
function diverging(t) { return RED_BLUE[place256((t + 1) / 2)]; }
/** "rgb(…)" for canvas and CSS. */
function css([r, g, b], alpha = 1) { return alpha === 1 ? `rgb(${r},${g},${b})` : `rgba(${r},${g},${b},${alpha})`; }
/** Black or white, whichever stands out more on the colour (WCAG relative luminance). */
function contrastInk(rgb) {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/** The colours in force, read from the kit's CSS variables (which follow JupyterLab's theme). */
function themeColours(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(`--ex-${name}`).trim();
  return { ink: read("ink"), soft: read("ink-soft"), ground: read("ground"), raised: read("raised"), line: read("line"),
    accent: read("accent"), font: style.fontFamily || "sans-serif" };
}

/** Calls `callback` when JupyterLab, VS Code or the system changes its theme; returns a function that stops it. */
function onTheme(callback) {
  let timer = 0;
  const soon = () => { callback(); clearTimeout(timer); timer = setTimeout(callback, 350); }; // style sheets may arrive late
  const observer = new MutationObserver(soon);
  for (const node of [document.body, document.documentElement]) {
    observer.observe(node, { attributes: true, attributeFilter: ["class", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind", "theme"] });
  }
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", soon);
  return () => { observer.disconnect(); clearTimeout(timer); system.removeEventListener("change", soon); };
}

let forcedRatio = 0;
/** Device pixels for a CSS pixel. */
function pixelRatio() { return forcedRatio || Math.min(window.devicePixelRatio || 1, 3); }
/** Runs `callback`, which draws on canvases, as if the screen had `ratio` device pixels for a CSS pixel: for saved pictures. */
function atRatio(ratio, callback) {
  forcedRatio = ratio;
  try { return callback(); } finally { forcedRatio = 0; }
}

/** Sizes a canvas in CSS pixels for the screen's resolution and returns its cleared 2-D context in CSS pixels. */
function surface(canvas, width, height) {
  const ratio = pixelRatio();
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  if (canvas.style) { canvas.style.width = `${width}px`; canvas.style.height = `${height}px`; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const hatchTiles = new Map(); // colour, gap and resolution → one tile of the pattern

/** The pattern for "not allowed to look": grey diagonal lines, unlike any weight. */
function hatch(context, colour, gap = 6) {
  const ratio = pixelRatio();
  const key = `${colour}|${gap}|${ratio}`;
  let tile = hatchTiles.get(key);
  if (!tile) {
    tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(gap * ratio);
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = ratio;
    for (const shift of [-1, 0, 1]) {
      pen.moveTo(shift * tile.width, tile.height);
      pen.lineTo((shift + 1) * tile.width, 0);
    }
    pen.stroke();
    hatchTiles.set(key, tile);
  }
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern;
}

/** A colour bar with numbers at both ends and in the middle: {element, set(min, max)}; `map` is viridis or diverging. */
function legend({ label, map = viridis, min = 0, max = 1, format = (x) => String(Number(x.toPrecision(3))) }) {
  const from = map === diverging ? -1 : 0;
  const stops = Array.from({ length: 17 }, (_, i) => css(map(from + (i / 16) * (1 - from))));
  const bar = element("span", { class: "ex-bar", style: `background:linear-gradient(to right,${stops.join(",")})` });
  const ticks = [0, 0.5, 1].map(() => element("span", {}));
  const root = element("div", { class: "ex-legend" }, element("span", { class: "ex-label" }, label),
    element("span", { class: "ex-scale" }, bar, element("span", { class: "ex-ticks" }, ticks)));
  const set = (low, high) => ticks.forEach((tick, i) => { tick.textContent = format(low + (i / 2) * (high - low)); });
  set(min, max);
  return { element: root, set };
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** A focusable canvas of rows × columns cells with a cursor.
 *  `place` = {left, top, cellWidth, cellHeight} in CSS pixels says where the cells lie on the canvas (set it when laying
 *  out, with `rows` and `columns`).  Arrow keys, Home/End (Ctrl: corners), PageUp/PageDown, click and drag call
 *  onMove(row, column); hovering calls onHover(row, column), leaving onHover(null).  `describe(row, column, sentence)`
 *  tells screen readers what the cursor's cell says. */
class Grid {
  constructor({ label, rows = 0, columns = 0, onMove, onHover = () => {} }) {
    Object.assign(this, { rows, columns, onMove, onHover, row: 0, column: 0 });
    this.place = { left: 0, top: 0, cellWidth: 1, cellHeight: 1 };
    this.canvas = element("canvas", { class: "ex-canvas", "aria-hidden": "true" });
    this.cell = element("span", { role: "gridcell", id: uniqueId("cell") });
    this.element = element("div", { class: "ex-grid", role: "grid", tabindex: "0", "aria-label": label, "aria-readonly": "true",
      "aria-activedescendant": this.cell.id }, this.canvas, element("div", { class: "ex-unseen", role: "row" }, this.cell));
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.onHover(null));
    this.canvas.addEventListener("pointercancel", () => this.onHover(null));
  }

  key(event) {
    const control = event.ctrlKey || event.metaKey;
    let [row, column] = [this.row, this.column];
    if (event.altKey || event.shiftKey) return;
    if (ARROWS[event.key] && !control) { row += ARROWS[event.key][0]; column += ARROWS[event.key][1]; }
    else if (event.key === "Home") { column = 0; if (control) row = 0; }
    else if (event.key === "End") { column = this.columns - 1; if (control) row = this.rows - 1; }
    else if (event.key === "PageUp") row -= 10;
    else if (event.key === "PageDown") row += 10;
    else return;
    event.preventDefault();
    this.go(row, column);
  }

  go(row, column) {
    row = Math.min(Math.max(row, 0), this.rows - 1);
    column = Math.min(Math.max(column, 0), this.columns - 1);
    if (row < 0 || column < 0 || (row === this.row && column === this.column)) return;
    [this.row, this.column] = [row, column]; // the next key may come before the next frame
    this.onMove(row, column);
  }

  /** The cell under a pointer event, or null. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - this.place.left) / this.place.cellWidth);
    const row = Math.floor((event.clientY - box.top - this.place.top) / this.place.cellHeight);
    return row >= 0 && row < this.rows && column >= 0 && column < this.columns ? [row, column] : null;
  }

  press(event) {
    if (event.button !== 0) return;
    this.element.focus({ preventScroll: true });
    const cell = this.at(event);
    if (cell) this.go(...cell);
  }

  hover(event) {
    const cell = this.at(event);
    if (cell && event.buttons & 1) this.go(...cell);
    else if (cell) this.onHover(...cell);
    else this.onHover(null);
  }

  /** Puts the cursor and its words where screen readers find them. */
  describe(row, column, sentence) {
    this.element.setAttribute("aria-rowcount", this.rows);
    this.element.setAttribute("aria-colcount", this.columns);
    this.cell.setAttribute("aria-rowindex", row + 1);
    this.cell.setAttribute("aria-colindex", column + 1);
    this.cell.textContent = sentence;
  }
}
