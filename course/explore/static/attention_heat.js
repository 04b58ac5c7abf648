// Attention explorer: one head large, as a heat map (rows are queries, columns are keys).

const LABEL_FONT = 12;
const LABEL_ROOM = 12; // CSS pixels that one line of labels needs
const EDGE = 4; // room around the cells for the cursor's frame

/** Sets the pen's font; `bold` for the cursor's labels. */
function setFont(pen, colours, size = LABEL_FONT, bold = false) {
  pen.font = `${bold ? "600 " : ""}${size}px ${colours.font}`;
}

/** Labels are a little smaller where cells are small. */
function labelSize(pitch) { return pitch >= 15 ? LABEL_FONT : 11; }

/** The token as it fits into `room` pixels (at least one character and an ellipsis). */
function fitted(pen, token, room) {
  const text = visible(token);
  let maxChars = 16;
  let short = shorten(text, maxChars);
  while (maxChars > 2 && pen.measureText(short).width > room) short = shorten(text, --maxChars);
  return short;
}

/** Indices to be labelled where a cell has `pitch` pixels: evenly spaced, and always `always`, whose neighbours give way. */
function labelled(count, pitch, always) {
  const every = Math.max(1, Math.ceil(LABEL_ROOM / pitch));
  const chosen = [];
  for (let i = 0; i < count; i += every) if (every === 1 || i === always || Math.abs(i - always) * pitch >= LABEL_ROOM) chosen.push(i);
  if (!chosen.includes(always)) chosen.push(always);
  return chosen;
}

class HeatMap {
  constructor({ label, onMove, onHover }) {
    this.grid = new Grid({ label, onMove: (...place) => onMove(...this.tokensAt(...place)),
      onHover: (row, column) => (row === null ? onHover(null) : onHover(...this.tokensAt(row, column))) });
    [this.rows, this.columns] = [null, null]; // which token stands in each row and column; null: as in the text
    this.base = document.createElement("canvas"); // cells, hatching and numbers: redrawn only when weights or size change
    this.small = document.createElement("canvas"); // one pixel a cell
    this.baseKey = "";
    this.layoutKey = "";
  }

  get element() { return this.grid.element; }

  /** Shows token rows[i] in row i and columns[j] in column j; null is text order. */
  sort(rows, columns) {
    [this.rows, this.columns] = [rows, columns];
    this.baseKey = "";
  }

  tokensAt(row, column) { return [this.rows ? this.rows[row] : row, this.columns ? this.columns[column] : column]; }

  placeOf(row, column) {
    return [this.rows ? this.rows.indexOf(row) : row, this.columns ? this.columns.indexOf(column) : column];
  }

  /** `shown` with its cells where they are seen. */
  inOrder(shown) {
    const { T, S } = this.data;
    if (!this.rows && !this.columns) return shown;
    const moved = (cells) => cells && cells.map((_, at) => {
      const [row, column] = this.tokensAt(Math.floor(at / S), at % S);
      return cells[row * S + column];
    });
    const nothing = Array.from({ length: T }, (_, row) => shown.nothing[this.tokensAt(row, 0)[0]]);
    return { ...shown, weights: moved(shown.weights), mask: moved(shown.mask), nothing };
  }

  /** Decides sizes for `room` CSS pixels of width; returns true when something changed. */
  layout(data, room, colours, corner) {
    const key = [room, data.T, data.S, colours.font, corner.join()].join("|");
    if (key === this.layoutKey && data === this.data) return false;
    [this.layoutKey, this.data, this.colours] = [key, data, colours];
    const pen = this.base.getContext("2d");
    setFont(pen, colours, LABEL_FONT, true);
    const gutter = Math.min(110, room * 0.24);
    this.rowNames = data.tokens.map((token) => fitted(pen, token, gutter));
    this.columnNames = data.keyTokens.map((token) => fitted(pen, token, gutter));
    const widest = (names) => names.reduce((most, name) => Math.max(most, pen.measureText(name).width), 0);
    const corners = Math.max(...corner.map((text) => pen.measureText(text).width));
    const rowsWide = Math.ceil(Math.max(widest(this.rowNames), corners)) + 10;
    const columnsWide = Math.ceil(widest(this.columnNames));
    const tall = Math.max(data.T, data.S) > 64 ? 540 : 420;
    let cell = Math.min(60, (room - rowsWide - EDGE) / data.S, tall / data.T);
    if (cell >= 3) cell = Math.floor(cell);
    this.upright = columnsWide + 6 > cell; // column names stand on end where they don't fit side by side
    const top = Math.max((this.upright ? columnsWide : LABEL_FONT + 4) + 8, 40);
    this.grid.rows = data.T;
    this.grid.columns = data.S;
    this.grid.place = { left: rowsWide, top, cellWidth: cell, cellHeight: cell };
    this.width = Math.ceil(rowsWide + cell * data.S + EDGE);
    this.height = Math.ceil(top + cell * data.T + EDGE);
    this.corner = corner;
    this.baseKey = "";
    return true;
  }

  /** Draws `shown` (see AttentionData.head) with the cursor on tokens row, column. `key` names what was drawn, for the cache. */
  draw(shown, queryToken, keyToken, top, key, colours) {
    this.colours = colours;
    const [row, column] = this.placeOf(queryToken, keyToken);
    const wanted = `${key}|${top}|${colours.ground}|${pixelRatio()}`;
    if (wanted !== this.baseKey) { this.drawBase(this.inOrder(shown), top); this.baseKey = wanted; }
    const pen = surface(this.grid.canvas, this.width, this.height);
    pen.drawImage(this.base, 0, 0, this.width, this.height);
    this.drawNames(pen, row, column);
    this.drawCursor(pen, row, column);
    this.grid.row = row;
    this.grid.column = column;
  }

  drawBase(shown, top) {
    const { T, S } = this.data;
    const { left, top: above, cellWidth: cell } = this.grid.place;
    const pen = surface(this.base, this.width, this.height);
    const area = [left, above, cell * S, cell * T];
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.cells(shown, top), ...area);
    if (cell >= 8) { // gaps between cells, not between places that are closed
      pen.globalCompositeOperation = shown.mask || shown.nothing.includes(1) ? "source-atop" : "source-over";
      pen.fillStyle = this.colours.ground;
      for (let i = 1; i < T; i++) pen.fillRect(left, above + i * cell - 0.5, cell * S, 1);
      for (let j = 1; j < S; j++) pen.fillRect(left + j * cell - 0.5, above, 1, cell * T);
      pen.globalCompositeOperation = "source-over";
    }
    this.hatchClosed(pen, shown, area);
    if (cell >= 34) this.drawNumbers(pen, shown, top);
  }

  /** The weights as a picture of T × S pixels. */
  cells(shown, top) {
    const { T, S } = this.data;
    const small = this.small;
    if (small.width !== S || small.height !== T) [small.width, small.height] = [S, T];
    const image = new ImageData(S, T);
    for (let cell = 0; cell < T * S; cell++) {
      const [r, g, b] = viridis(shown.weights[cell] / top);
      const at = cell * 4;
      image.data[at] = r;
      image.data[at + 1] = g;
      image.data[at + 2] = b;
      image.data[at + 3] = this.closed(shown, cell) ? 0 : 255;
    }
    small.getContext("2d").putImageData(image, 0, 0);
    return small;
  }

  closed(shown, cell) {
    return shown.nothing[Math.floor(cell / this.data.S)] === 1 || (shown.mask !== null && shown.mask[cell] === 0);
  }

  /** Hatches the cells that may not be looked at, which the picture of the cells left empty. */
  hatchClosed(pen, shown, [x, y, width, height]) {
    if (!shown.mask && !shown.nothing.includes(1)) return;
    pen.save();
    pen.globalCompositeOperation = "destination-over"; // under the cells: shows only where they are empty
    pen.fillStyle = hatch(pen, this.colours.soft);
    pen.globalAlpha = 0.4;
    pen.fillRect(x, y, width, height);
    pen.globalAlpha = 1;
    pen.fillStyle = this.colours.raised;
    pen.fillRect(x, y, width, height);
    pen.restore();
  }

  drawNumbers(pen, shown, top) {
    const { T, S } = this.data;
    const { left, top: above, cellWidth: cell } = this.grid.place;
    setFont(pen, this.colours, cell >= 44 ? 12 : 11);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let i = 0; i < T; i++) {
      for (let j = 0; j < S; j++) {
        if (this.closed(shown, i * S + j)) continue;
        const weight = shown.weights[i * S + j];
        pen.fillStyle = contrastInk(viridis(weight / top));
        pen.fillText(weight.toFixed(2), left + (j + 0.5) * cell, above + (i + 0.5) * cell + 0.5);
      }
    }
  }

  drawNames(pen, row, column) {
    const { T, S } = this.data;
    const { left, top, cellWidth: cell } = this.grid.place;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const i of labelled(T, cell, row)) {
      this.useInk(pen, i === row);
      pen.fillText(this.rowNames[this.tokensAt(i, 0)[0]], left - 7, top + (i + 0.5) * cell + 0.5);
    }
    for (const j of labelled(S, cell, column)) {
      const name = this.columnNames[this.tokensAt(0, j)[1]];
      this.useInk(pen, j === column);
      pen.save();
      pen.translate(left + (j + 0.5) * cell, top - 7);
      if (this.upright) { pen.rotate(-Math.PI / 2); pen.textAlign = "left"; pen.fillText(name, 0, 0.5); } else {
        pen.textAlign = "center";
        pen.textBaseline = "alphabetic";
        pen.fillText(name, 0, 0);
      }
      pen.restore();
    }
    setFont(pen, this.colours, 11);
    pen.fillStyle = this.colours.soft;
    pen.textAlign = "right";
    pen.textBaseline = "alphabetic";
    pen.fillText(this.corner[1], left - 7, top - 25);
    pen.fillText(this.corner[0], left - 7, top - 11);
  }

  useInk(pen, chosen) {
    setFont(pen, this.colours, labelSize(this.grid.place.cellWidth), chosen);
    pen.fillStyle = chosen ? this.colours.accent : this.colours.ink;
  }

  drawCursor(pen, row, column) {
    const { S } = this.data;
    const { left, top, cellWidth: cell } = this.grid.place;
    const y = top + row * cell;
    pen.strokeStyle = this.colours.accent; // the row that asks
    pen.lineWidth = 1.5;
    pen.strokeRect(left - 0.5, y - 0.5, cell * S + 1, cell + 1);
    const size = Math.max(cell, 7); // the cell looked at, never too small to be found
    const x = left + (column + 0.5) * cell - size / 2;
    const middle = y + cell / 2 - size / 2;
    pen.lineWidth = 4;
    pen.strokeStyle = "#000";
    pen.strokeRect(x - 0.5, middle - 0.5, size + 1, size + 1);
    pen.lineWidth = 2;
    pen.strokeStyle = "#fff";
    pen.strokeRect(x - 0.5, middle - 0.5, size + 1, size + 1);
  }
}
