// Attention explorer: the same head as lines between two columns of tokens, queries left, keys right.

const MOST_TOKENS = 48; // up to so many tokens the other rows' lines are drawn too, faintly …
const MOST_LINES = 64; // … but only the strongest, or one sees nothing but grey and waits for it

class LinesView {
  constructor({ label, onRow, onColumn }) {
    this.canvas = element("canvas", { class: "ex-canvas", role: "img", "aria-label": label });
    this.element = element("div", { class: "ex-lines" }, this.canvas);
    this.base = document.createElement("canvas"); // the faint lines of all rows
    this.baseKey = "";
    this.canvas.addEventListener("pointerdown", (event) => {
      const box = this.canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const place = (count) => Math.min(Math.max(Math.floor(((y - this.top) / (this.height - EDGE - this.top)) * count), 0), count - 1);
      if (x < this.width / 2) onRow(place(this.data.T)); else onColumn(place(this.data.S));
    });
  }

  /** The view for `width` × `height` CSS pixels whose first row begins at `top`, in line with the heat map. */
  layout(data, width, height, top, colours) {
    Object.assign(this, { data, width, height, top });
    const pen = this.base.getContext("2d");
    setFont(pen, colours, LABEL_FONT, true);
    const room = width * 0.34;
    this.rowNames = data.tokens.map((token) => fitted(pen, token, room));
    this.columnNames = data.keyTokens.map((token) => fitted(pen, token, room));
    const widest = (names) => names.reduce((most, name) => Math.max(most, pen.measureText(name).width), 0);
    this.from = Math.ceil(widest(this.rowNames)) + 8;
    this.to = width - Math.ceil(widest(this.columnNames)) - 8;
    this.baseKey = "";
  }

  y(index, count) { return this.top + ((index + 0.5) * (this.height - EDGE - this.top)) / count; }

  stroke(pen, row, column, share, strong) {
    const { T, S } = this.data;
    const [y0, y1, middle] = [this.y(row, T), this.y(column, S), (this.from + this.to) / 2];
    pen.globalAlpha = strong ? 0.25 + 0.75 * share : 0.15 + 0.5 * share;
    pen.lineWidth = strong ? 0.75 + 7 * share : 1; // hairlines: wide curves, a hundred of them, cost half a frame
    pen.beginPath();
    pen.moveTo(this.from, y0);
    pen.bezierCurveTo(middle, y0, middle, y1, this.to, y1);
    pen.stroke();
  }

  draw(shown, row, column, top, key, colours) {
    const { T, S } = this.data;
    const wanted = `${key}|${top}|${colours.ground}|${pixelRatio()}`;
    if (wanted !== this.baseKey) { this.drawBase(shown, top, colours); this.baseKey = wanted; }
    const pen = surface(this.canvas, this.width, this.height);
    pen.drawImage(this.base, 0, 0, this.width, this.height);
    pen.strokeStyle = colours.accent;
    pen.lineCap = "round";
    for (let j = 0; j < S; j++) {
      const weight = shown.weights[row * S + j];
      if (weight > top * 0.004) this.stroke(pen, row, j, Math.min(weight / top, 1), true);
    }
    pen.globalAlpha = 1;
    this.drawNames(pen, shown, row, column, colours);
  }

  drawBase(shown, top, colours) {
    const { T, S } = this.data;
    const pen = surface(this.base, this.width, this.height);
    if (T > MOST_TOKENS || S > MOST_TOKENS) return;
    pen.strokeStyle = colours.soft;
    const strong = Array.from(shown.weights.keys()).filter((cell) => shown.weights[cell] > 0.03 * top);
    strong.sort((a, b) => shown.weights[b] - shown.weights[a]);
    for (const cell of strong.slice(0, MOST_LINES)) {
      this.stroke(pen, Math.floor(cell / S), cell % S, Math.min(shown.weights[cell] / top, 1), false);
    }
  }

  drawNames(pen, shown, row, column, colours) {
    const { T, S } = this.data;
    const span = this.height - EDGE - this.top;
    pen.textBaseline = "middle";
    const put = (name, x, y, chosen, align, faint) => {
      setFont(pen, colours, labelSize(align === "right" ? span / T : span / S), chosen);
      pen.textAlign = align;
      pen.fillStyle = chosen ? colours.accent : faint ? colours.soft : colours.ink;
      pen.fillText(name, x, y + 0.5);
    };
    for (const i of labelled(T, span / T, row)) put(this.rowNames[i], this.from - 7, this.y(i, T), i === row, "right", true);
    for (const j of this.worthNaming(shown, row, column)) put(this.columnNames[j], this.to + 7, this.y(j, S), j === column, "left", false);
  }

  /** The keys to be named: all where there is room; else the cursor's, then those that the row looks at most. */
  worthNaming(shown, row, column) {
    const { S } = this.data;
    const pitch = (this.height - EDGE - this.top) / S;
    if (pitch >= LABEL_ROOM) return Array.from({ length: S }, (_, j) => j);
    const weights = shown.weights.subarray(row * S, (row + 1) * S);
    const order = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a]).slice(0, 200);
    const named = [column];
    for (const j of order) if (weights[j] > 0.01 * weights[order[0]] && named.every((other) => Math.abs(other - j) * pitch >= LABEL_ROOM)) named.push(j);
    return named;
  }
}
