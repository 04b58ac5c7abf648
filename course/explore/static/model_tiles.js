// Explorer of a whole model: all layers × heads as small pictures on one canvas, one focusable grid.

const LARGEST_TILE = 34; // CSS pixels from tile to tile …
const SMALLEST_TILE = 12; // … below which the overview scrolls instead
const OVERVIEW_HEIGHT = 330;
const SORTED_TILE = 32; // CSS pixels from tile to tile that a name such as 11·11 needs
const NAME_LINE = 14; // CSS pixels of the line of a name
const TILE_LEVELS = 254; // shades of a picture; byte 0 says closed

/** A grid whose cells, while `count` is not 0, are so many in one sequence, line after line: after the last of a line comes
 *  the first of the next. */
class TileGrid extends Grid {
  go(row, column) {
    if (!this.count) { super.go(row, column); return; }
    const { columns, count } = this;
    const lastRow = Math.floor((count - 1) / columns);
    let place = row * columns + column;
    if (row < 0) place = this.column;
    if (place >= count) place = Math.min(lastRow * columns + column, count - 1);
    place = Math.max(place, 0);
    super.go(Math.floor(place / columns), place % columns);
  }

  at(event) {
    const cell = super.at(event);
    return cell && this.count && cell[0] * this.columns + cell[1] >= this.count ? null : cell;
  }
}

class ModelTiles {
  /** `onChoose(layer, head)` when a tile is chosen; `nameOf(layer, head)` is what a screen reader says of it. */
  constructor({ label, headsLabel, onChoose, nameOf }) {
    Object.assign(this, { headsLabel, nameOf, label, key: "", sizes: [], order: null, range: [0, 0] }); // range: the layers shown, the last left out
    this.grid = new TileGrid({ label: "", onMove: (row, column) => onChoose(...this.headAt(row, column)), onHover: (row, column) => this.hover(row, column) });
    this.element = element("div", { class: "ex-model-tiles" }, this.grid.element);
    this.atlas = document.createElement("canvas"); // all pictures side by side, one pixel a cell
  }

  /** Takes over the pictures of a run. */
  build(model) {
    this.sizes = model.get("tile_shapes");
    this.names = model.get("layer_names");
    const levels = bytes(model, "tiles");
    const heads = Math.max(...this.sizes.map(([count]) => count));
    this.side = Math.max(...this.sizes.map(([, rows, columns]) => Math.max(rows, columns)));
    const [width, height] = [heads * this.side, this.sizes.length * this.side];
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
    this.show(0, this.sizes.length);
  }

  /** Shows the layers from `start` to `stop`, the last left out. */
  show(start, stop) {
    this.range = [start, stop];
    const counts = this.sizes.slice(start, stop).map(([count]) => count);
    this.heads = Math.max(...counts);
    this.count = counts.reduce((sum, count) => sum + count, 0);
    this.short = shortNames(this.names.slice(start, stop));
    this.grid.element.setAttribute("aria-label", say(this.label, { layers: stop - start }));
    this.key = "";
  }

  /** [layer, head] of a tile; in rows of layers a move may go past the end of a layer that has fewer heads than others. */
  headAt(row, column) {
    if (this.order) return this.layerHead(this.order[row * this.grid.columns + column]);
    const layer = this.range[0] + row;
    return [layer, Math.min(column, this.sizes[layer][0] - 1)];
  }

  /** [row, column] of a head's tile. */
  seat(layer, head) {
    if (!this.order) return [layer - this.range[0], head];
    const place = this.order.indexOf(this.numberOf(layer, head));
    return [Math.floor(place / this.grid.columns), place % this.grid.columns];
  }

  /** The number of a head among all, layer after layer. */
  numberOf(layer, head) { return this.sizes.slice(0, layer).reduce((sum, [count]) => sum + count, head); }

  layerHead(number_) {
    let layer = 0;
    for (; number_ >= this.sizes[layer][0]; layer++) number_ -= this.sizes[layer][0];
    return [layer, number_];
  }

  hover(row, column) {
    const there = row !== null && (this.order || column < this.sizes[this.range[0] + row][0]);
    this.grid.canvas.title = there ? this.nameOf(...this.headAt(row, column)) : "";
  }

  /** Decides sizes for `room` CSS pixels of width. */
  layout(room, colours) {
    if (this.order) { this.layoutSorted(room); return; }
    const pen = this.grid.canvas.getContext("2d");
    setFont(pen, colours, LABEL_FONT, true);
    const gutter = Math.min(90, Math.max(room * 0.22, room - this.heads * LARGEST_TILE - 14));
    this.rowNames = this.names.slice(...this.range).map((name) => fitted(pen, name, gutter).replaceAll("·", " ")); // a name's spaces stay
    const left = Math.ceil(this.rowNames.reduce((most, name) => Math.max(most, pen.measureText(name).width), 0)) + 10;
    const layers = this.rowNames.length;
    const most = Math.min(LARGEST_TILE, (room - left - 4) / this.heads, OVERVIEW_HEIGHT / layers);
    const pitch = Math.max(Math.floor(most), SMALLEST_TILE);
    this.grid.place = { left, top: 20, cellWidth: pitch, cellHeight: pitch };
    Object.assign(this.grid, { rows: layers, columns: this.heads, count: 0 });
    this.width = left + pitch * this.heads + 4;
    this.height = 20 + pitch * layers + 4;
  }

  /** Sorted tiles bear their names, for which they need a width and a line of their own. */
  layoutSorted(room) {
    const columns = Math.max(1, Math.min(this.heads, Math.floor((room - 8) / SORTED_TILE)));
    const pitch = Math.max(SORTED_TILE, Math.min(LARGEST_TILE, Math.floor((room - 8) / columns)));
    const rows = Math.ceil(this.count / columns);
    this.grid.place = { left: 4, top: 4, cellWidth: pitch, cellHeight: pitch + NAME_LINE };
    Object.assign(this.grid, { rows, columns, count: this.count });
    this.width = 8 + pitch * columns;
    this.height = 8 + (pitch + NAME_LINE) * rows;
  }

  /** Draws everything, if anything changed: `off` is a list of [layer, head], `marks` null or {scores, baselines, best, order}
   *  with a number for each head, layer after layer; `sorted`: in the order of the marks. */
  draw({ layer, head, off, marks, markKey, sorted, room, colours }) {
    const key = [layer, head, off.join(";"), markKey, sorted, room, colours.ground, pixelRatio()].join("|");
    if (key === this.key) return;
    this.key = key;
    this.order = sorted && marks ? marks.order : null;
    this.layout(room, colours);
    const pen = surface(this.grid.canvas, this.width, this.height);
    if (this.order) this.drawSortedNames(pen, layer, head, colours);
    else this.drawNames(pen, layer, head, colours);
    const silent = new Set(off.map(String));
    let number = 0;
    this.sizes.forEach(([count, rows, columns], l) => {
      for (let h = 0; h < count; h++, number++) {
        if (l < this.range[0] || l >= this.range[1]) continue;
        this.drawTile(pen, l, h, rows, columns, silent.has(String([l, h])), colours);
        if (marks) this.drawMark(pen, l, h, this.extent(l, h), marks.scores[number], marks.baselines[number], marks.best === number, colours);
      }
    });
    const [x, y, size] = this.box(layer, head);
    pen.strokeStyle = colours.accent;
    pen.lineWidth = 2.5;
    pen.strokeRect(x - 1, y - 1, size + 2, size + 2);
    this.chosen = this.seat(layer, head);
    this.stay();
    this.grid.describe(...this.chosen, this.nameOf(layer, head));
  }

  /** Keys go on from the tile that is chosen. */
  stay() { [this.grid.row, this.grid.column] = this.chosen; }

  /** [x, y, size] of a tile's picture. */
  box(layer, head) {
    const { left, top, cellWidth: pitch, cellHeight } = this.grid.place;
    const [row, column] = this.seat(layer, head);
    return [left + column * pitch + 2, top + row * cellHeight + 2, pitch - 4];
  }

  /** [width, height] of the picture itself, which is no square where rows and columns are two texts. */
  extent(layer, head) {
    const [[, rows, columns], [, , size]] = [this.sizes[layer], this.box(layer, head)];
    return [(size * columns) / Math.max(rows, columns), (size * rows) / Math.max(rows, columns)];
  }

  drawNames(pen, layer, head, colours) {
    const { left, top, cellWidth: pitch } = this.grid.place;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const here = layer - this.range[0];
    for (const l of labelled(this.rowNames.length, pitch, here)) {
      setFont(pen, colours, labelSize(pitch), l === here);
      pen.fillStyle = l === here ? colours.accent : colours.soft;
      pen.fillText(this.rowNames[l], left - 6, top + (l + 0.5) * pitch);
    }
    pen.textAlign = "center";
    for (const h of labelled(this.heads, pitch / 1.3, head)) {
      setFont(pen, colours, 11, h === head);
      pen.fillStyle = h === head ? colours.accent : colours.soft;
      pen.fillText(String(h), left + (h + 0.5) * pitch, top - 9);
    }
  }

  drawSortedNames(pen, layer, head, colours) {
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const number_ of this.order) {
      const [l, h] = this.layerHead(number_);
      const [x, y, size] = this.box(l, h);
      const chosen = l === layer && h === head;
      setFont(pen, colours, 11, chosen);
      pen.fillStyle = chosen ? colours.accent : colours.soft;
      pen.fillText(`${this.short[l - this.range[0]]}·${h}`, x + size / 2, y + size + 2, size + 3);
    }
  }

  drawTile(pen, layer, head, rows, columns, silent, colours) {
    const [x, y, size] = this.box(layer, head);
    const [width, height] = this.extent(layer, head);
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
  drawMark(pen, layer, head, [width, height], score, baseline, best, colours) {
    const [x, y, size] = this.box(layer, head);
    if (Number.isNaN(score)) return;
    const bar = Math.min(height + 1, size - 5); // under the picture, over its last line where there is no room
    pen.fillStyle = colours.ground;
    pen.fillRect(x, y + bar, size, 5);
    pen.fillStyle = colours.ink;
    pen.fillRect(x, y + bar + 2, size * score, 3);
    pen.fillStyle = colours.accent;
    pen.fillRect(x + size * baseline - 0.75, y + bar, 1.5, 5);
    if (!best) return;
    for (const [line, colour] of [[5, "#000"], [2.5, "#fff"]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.beginPath();
      pen.ellipse(x + width / 2, y + bar / 2, Math.max(width / 2 - 4, 2), Math.max(bar / 2 - 1.5, 2), 0, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  // What AttentionView asks of the tiles of one layer; here one canvas is drawn anew where something changed.
  blocks() { return [canvasBlock(this.grid.canvas, this.width, this.height)]; }
  choose() {}
  refresh() {}
  stop() {}
}
