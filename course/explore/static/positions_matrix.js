// The positions explorer, second part: the encoding as a matrix of colours with a cursor.

const LABEL_ROOM = 13; // CSS pixels that one line of labels needs
const LEFT = 64; // room for the names of rows
const TOP = 36; // and of columns
const EDGE = 3; // room around the cells for the cursor's frame

/** Numbers to be named where a cell has `pitch` pixels: round ones, and always `always`, whose neighbours give way to it. */
function named(count, pitch, always, room) {
  const every = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 256].find((step) => step * pitch >= room) || count;
  const chosen = [always];
  for (let i = 0; i < count; i += every) if (i !== always && Math.abs(i - always) * pitch >= room) chosen.push(i);
  return chosen;
}

class EncodingMatrix {
  constructor({ words, onMove }) {
    this.words = words;
    this.grid = new Grid({ label: words.matrix_label, onMove });
    this.base = document.createElement("canvas"); // all cells; redrawn only when numbers, size or theme change
    this.small = document.createElement("canvas"); // one pixel a cell
    this.key = "";
  }

  get element() { return this.grid.element; }

  /** Draws `shown` (see encode) into `room` CSS pixels of width with the cursor at row, column. */
  draw(shown, row, column, room, colours) {
    const { T, width } = shown;
    const pitch = (length, most, largest) => { const size = Math.min(length / most, largest); return size >= 3 ? Math.floor(size) : size; };
    const [cellWidth, cellHeight] = [pitch(room - LEFT - EDGE, width, 30), pitch(384, T, 30)];
    Object.assign(this.grid, { rows: T, columns: width, row, column, place: { left: LEFT, top: TOP, cellWidth, cellHeight } });
    this.size = [Math.max(Math.ceil(LEFT + cellWidth * width + EDGE), LEFT + 60), Math.ceil(TOP + cellHeight * T + EDGE)];
    const key = [this.size, colours.ground, pixelRatio()].join("|");
    if (shown !== this.shown || key !== this.key) this.drawCells(shown);
    [this.shown, this.key] = [shown, key];
    const pen = surface(this.grid.canvas, ...this.size);
    pen.drawImage(this.base, 0, 0, ...this.size);
    this.drawNames(pen, row, column, colours);
    this.drawCursor(pen, row, column, colours);
  }

  drawCells({ values, T, width, limit }) {
    const { cellWidth, cellHeight } = this.grid.place;
    [this.small.width, this.small.height] = [width, T];
    const image = new ImageData(width, T);
    values.forEach((value, at) => image.data.set([...diverging(value / limit), 255], 4 * at));
    this.small.getContext("2d").putImageData(image, 0, 0);
    const pen = surface(this.base, ...this.size);
    pen.imageSmoothingEnabled = Math.min(cellWidth, cellHeight) * pixelRatio() < 1; // rows that share a pixel are blended
    pen.drawImage(this.small, LEFT, TOP, cellWidth * width, cellHeight * T);
  }

  drawNames(pen, row, column, colours) {
    const { rows, columns, place: { cellWidth, cellHeight } } = this.grid;
    const write = (text, x, y, align, chosen) => {
      pen.font = `${chosen ? "600 " : ""}11px ${colours.font}`;
      pen.fillStyle = chosen ? colours.ink : colours.soft;
      pen.textAlign = align;
      pen.fillText(text, x, y);
    };
    pen.textBaseline = "middle";
    for (const p of named(rows, cellHeight, row, LABEL_ROOM)) write(String(p), LEFT - 6, TOP + (p + 0.5) * cellHeight + 0.5, "right", p === row);
    for (const j of named(columns, cellWidth, column, 24)) write(String(j), LEFT + (j + 0.5) * cellWidth, TOP - 9, "center", j === column);
    write(this.words.feature, LEFT, TOP - 27, "left", false);
    write(this.words.rows, LEFT - 6, TOP - 9, "right", false);
  }

  drawCursor(pen, row, column, colours) {
    const { rows, columns, place: { cellWidth, cellHeight } } = this.grid;
    const [x, y] = [LEFT + column * cellWidth, TOP + row * cellHeight];
    const frame = (left, top, wide, tall, width, colour) => {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.strokeRect(left, top, wide, tall);
    };
    const pair = LEFT + 2 * Math.floor(column / 2) * cellWidth;
    frame(pair - 0.5, TOP - 0.5, 2 * cellWidth + 1, rows * cellHeight + 1, 1.5, colours.accent);
    frame(LEFT - 0.5, y - 0.5, columns * cellWidth + 1, cellHeight + 1, 1.5, colours.accent);
    const [wide, tall] = [Math.max(cellWidth, 7), Math.max(cellHeight, 7)]; // never too small to be found
    const cell = [x + (cellWidth - wide) / 2 - 0.5, y + (cellHeight - tall) / 2 - 0.5, wide + 1, tall + 1];
    frame(...cell, 4, "#000");
    frame(...cell, 2, "#fff");
  }
}
