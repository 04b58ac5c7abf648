// Explorer of a whole model: all layers × heads as small pictures on one canvas, one focusable grid.

const LARGEST_TILE = 34; // CSS pixels from tile to tile …
const SMALLEST_TILE = 12; // … below which the overview scrolls instead
const OVERVIEW_HEIGHT = 330;
const TILE_LEVELS = 254; // shades of a picture; byte 0 says closed

class ModelTiles {
  /** `onChoose(layer, head)` when a tile is chosen; `nameOf(layer, head)` is what a screen reader says of it. */
  constructor({ label, headsLabel, onChoose, nameOf }) {
    Object.assign(this, { headsLabel, nameOf, label, key: "", sizes: [] });
    this.grid = new Grid({ label: "", onMove: onChoose, onHover: (layer, head) => this.hover(layer, head) });
    this.element = element("div", { class: "ex-model-tiles" }, this.grid.element);
    this.atlas = document.createElement("canvas"); // all pictures side by side, one pixel a cell
  }

  /** Takes over the pictures of a run. */
  build(model) {
    this.sizes = model.get("tile_shapes");
    this.names = model.get("layer_names");
    const levels = bytes(model, "tiles");
    this.heads = Math.max(...this.sizes.map(([count]) => count));
    this.side = Math.max(...this.sizes.map(([, rows, columns]) => Math.max(rows, columns)));
    const [width, height] = [this.heads * this.side, this.sizes.length * this.side];
    const image = new ImageData(width, height);
    let at = 0;
    this.sizes.forEach(([count, rows, columns], layer) => {
      for (let cell = 0; cell < count * rows * columns; cell++, at++) {
        if (levels[at] === 0) continue; // closed: transparent
        const [head, row, column] = [Math.floor(cell / (rows * columns)), Math.floor(cell / columns) % rows, cell % columns];
        const [r, g, b] = viridis((levels[at] - 1) / TILE_LEVELS);
        image.data.set([r, g, b, 255], 4 * ((layer * this.side + row) * width + head * this.side + column));
      }
    });
    Object.assign(this.atlas, { width, height });
    this.atlas.getContext("2d").putImageData(image, 0, 0);
    this.grid.rows = this.sizes.length;
    this.grid.columns = this.heads;
    this.grid.element.setAttribute("aria-label", say(this.label, { layers: this.sizes.length }));
    this.key = "";
  }

  /** The head that a move to `column` of a layer means: layers of an odd model may have fewer heads than others. */
  headIn(layer, column) { return Math.min(column, this.sizes[layer][0] - 1); }

  hover(layer, head) {
    this.grid.canvas.title = layer === null || head >= this.sizes[layer][0] ? "" : this.nameOf(layer, head);
  }

  /** Decides sizes for `room` CSS pixels of width. */
  layout(room, colours) {
    const pen = this.grid.canvas.getContext("2d");
    setFont(pen, colours, LABEL_FONT, true);
    const gutter = Math.min(90, room * 0.22);
    this.rowNames = this.names.map((name) => fitted(pen, name, gutter).replaceAll("·", " ")); // a name's spaces stay
    const left = Math.ceil(this.rowNames.reduce((most, name) => Math.max(most, pen.measureText(name).width), 0)) + 10;
    const most = Math.min(LARGEST_TILE, (room - left - 4) / this.heads, OVERVIEW_HEIGHT / this.sizes.length);
    const pitch = Math.max(Math.floor(most), SMALLEST_TILE);
    this.grid.place = { left, top: 20, cellWidth: pitch, cellHeight: pitch };
    this.width = left + pitch * this.heads + 4;
    this.height = 20 + pitch * this.sizes.length + 4;
  }

  /** Draws everything, if anything changed: `off` is a list of [layer, head], `marks` null or {scores, baselines, best} with
   *  a number for each head, layer after layer. */
  draw({ layer, head, off, marks, markKey, room, colours }) {
    const key = [layer, head, off.join(";"), markKey, room, colours.ground, pixelRatio()].join("|");
    if (key === this.key) return;
    this.key = key;
    this.layout(room, colours);
    const pen = surface(this.grid.canvas, this.width, this.height);
    this.drawNames(pen, layer, head, colours);
    const silent = new Set(off.map(String));
    let number = 0;
    this.sizes.forEach(([count, rows, columns], l) => {
      for (let h = 0; h < count; h++, number++) {
        this.drawTile(pen, l, h, rows, columns, silent.has(String([l, h])), colours);
        if (marks) this.drawMark(pen, l, h, marks.scores[number], marks.baselines[number], marks.best === number, colours);
      }
    });
    const [x, y, size] = this.box(layer, head);
    pen.strokeStyle = colours.accent;
    pen.lineWidth = 2.5;
    pen.strokeRect(x - 1, y - 1, size + 2, size + 2);
    this.chosen = [layer, head];
    this.stay();
    this.grid.describe(layer, head, this.nameOf(layer, head));
  }

  /** Keys go on from the tile that is chosen. */
  stay() { [this.grid.row, this.grid.column] = this.chosen; }

  /** [x, y, size] of a tile's picture. */
  box(layer, head) {
    const { left, top, cellWidth: pitch } = this.grid.place;
    return [left + head * pitch + 2, top + layer * pitch + 2, pitch - 4];
  }

  drawNames(pen, layer, head, colours) {
    const { left, top, cellWidth: pitch } = this.grid.place;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const l of labelled(this.sizes.length, pitch, layer)) {
      setFont(pen, colours, labelSize(pitch), l === layer);
      pen.fillStyle = l === layer ? colours.accent : colours.soft;
      pen.fillText(this.rowNames[l], left - 6, top + (l + 0.5) * pitch);
    }
    pen.textAlign = "center";
    for (const h of labelled(this.heads, pitch / 1.3, head)) {
      setFont(pen, colours, 11, h === head);
      pen.fillStyle = h === head ? colours.accent : colours.soft;
      pen.fillText(String(h), left + (h + 0.5) * pitch, top - 9);
    }
  }

  drawTile(pen, layer, head, rows, columns, silent, colours) {
    const [x, y, size] = this.box(layer, head);
    const [width, height] = [(size * columns) / Math.max(rows, columns), (size * rows) / Math.max(rows, columns)];
    pen.fillStyle = colours.raised;
    pen.fillRect(x, y, width, height);
    pen.imageSmoothingEnabled = Math.max(rows, columns) > size * pixelRatio();
    pen.globalAlpha = silent ? 0.25 : 1;
    pen.drawImage(this.atlas, head * this.side, layer * this.side, columns, rows, x, y, width, height);
    pen.globalAlpha = 1;
    if (!silent) return;
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x + 2, y + 2);
    pen.lineTo(x + width - 2, y + height - 2);
    pen.moveTo(x + width - 2, y + 2);
    pen.lineTo(x + 2, y + height - 2);
    pen.stroke();
  }

  /** A bar under the picture as long as the score, a tick at the baseline, and a ring around the best. */
  drawMark(pen, layer, head, score, baseline, best, colours) {
    const [x, y, size] = this.box(layer, head);
    if (Number.isNaN(score)) return;
    pen.fillStyle = colours.ground;
    pen.fillRect(x, y + size - 5, size, 5);
    pen.fillStyle = colours.ink;
    pen.fillRect(x, y + size - 3, size * score, 3);
    pen.fillStyle = colours.accent;
    pen.fillRect(x + size * baseline - 0.75, y + size - 5, 1.5, 5);
    if (!best) return;
    for (const [width, colour] of [[5, "#000"], [2.5, "#fff"]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x + size / 2, y + (size - 5) / 2, size / 2 - 4, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  // What AttentionView asks of the tiles of one layer; here one canvas is drawn anew where something changed.
  choose() {}
  refresh() {}
  stop() {}
}
