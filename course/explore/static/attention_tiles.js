// Attention explorer: all heads as small heat maps, and the choice of one.

const TILE = 46; // CSS pixels

class HeadTiles {
  /** `compute(head)` gives AttentionData.head's answer; `onChoose(head)` when a tile is chosen. */
  constructor({ label, nameOf, compute, onChoose }) {
    Object.assign(this, { nameOf, compute, onChoose, tiles: [], waiting: [], timer: 0 });
    this.small = document.createElement("canvas"); // one pixel a cell
    this.element = element("div", { class: "ex-tiles", role: "radiogroup", "aria-label": label });
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** One tile for each head of `data`; none where there is one head. */
  build(data) {
    this.data = data;
    const count = data.H > 1 ? data.H : 0;
    this.element.hidden = !count;
    this.tiles = Array.from({ length: count }, (_, head) => {
      const canvas = element("canvas", { class: "ex-tile-picture", "aria-hidden": "true" });
      surface(canvas, TILE, this.tileHeight());
      const name = this.nameOf(head);
      const tile = element("button", { type: "button", class: "ex-tile", role: "radio", "aria-checked": "false", "aria-label": name,
        title: name, tabindex: "-1", onClick: () => this.onChoose(head) }, canvas, element("span", {}, String(head)));
      return { tile, canvas };
    });
    this.element.replaceChildren(...this.tiles.map(({ tile }) => tile));
  }

  /** Wide heads (few queries, many keys) have low tiles. */
  tileHeight() { return Math.max(Math.round(TILE * Math.min(1, this.data.T / this.data.S)), 6); }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const count = this.tiles.length;
    let head = this.chosen;
    if (step) head = (head + step + count) % count;
    else if (event.key === "Home") head = 0;
    else if (event.key === "End") head = count - 1;
    else return;
    event.preventDefault();
    this.onChoose(head);
    this.tiles[head].tile.focus();
  }

  choose(head) {
    this.chosen = head;
    this.tiles.forEach(({ tile }, i) => {
      tile.setAttribute("aria-checked", String(i === head));
      tile.tabIndex = i === head ? 0 : -1;
    });
  }

  /** Draws all tiles anew once the hand rests, one whenever the page is idle, the chosen one first: a drag never waits. */
  refresh(colours) {
    this.colours = colours;
    this.stop();
    this.waiting = Array.from(this.tiles.keys()).sort((a, b) => (b === this.chosen) - (a === this.chosen));
    this.rest = setTimeout(() => this.next(), 150);
  }

  next() {
    if (!this.waiting.length) return;
    const idle = window.requestIdleCallback;
    const work = () => { this.drawTile(this.waiting.shift()); this.next(); };
    this.timer = idle ? idle(work, { timeout: 400 }) : setTimeout(work, 30);
  }

  stop() {
    clearTimeout(this.rest);
    (window.cancelIdleCallback || clearTimeout)(this.timer);
    this.waiting = [];
  }

  /** All tiles with their numbers as one block of a saved picture, in lines of twelve. */
  blocks(colours) {
    const count = this.tiles.length;
    if (!count) return [];
    this.colours = colours;
    const [across, high] = [Math.min(count, 12), this.tileHeight() + 20];
    const draw = (pen, x, y) => this.tiles.forEach(({ canvas }, head) => {
      this.drawTile(head);
      const [left, top] = [x + (head % across) * (TILE + 8) + 4, y + Math.floor(head / across) * high + 4];
      pen.drawImage(canvas, left, top, TILE, this.tileHeight());
      const chosen = head === this.chosen;
      setFont(pen, colours, 11, chosen);
      pen.textAlign = "center";
      pen.fillStyle = chosen ? colours.accent : colours.soft;
      pen.fillText(String(head), left + TILE / 2, top + this.tileHeight() + 12);
      if (!chosen) return;
      pen.strokeStyle = colours.accent;
      pen.lineWidth = 2;
      pen.strokeRect(left - 2, top - 2, TILE + 4, this.tileHeight() + 4);
    });
    return [{ width: across * (TILE + 8), height: Math.ceil(count / across) * high, draw }];
  }

  drawTile(head) {
    const shown = this.compute(head);
    if (!shown) return;
    const { rows, columns, cells, open } = this.data.overview(shown, TILE);
    const small = this.small;
    if (small.width !== columns || small.height !== rows) [small.width, small.height] = [columns, rows];
    const image = new ImageData(columns, rows);
    cells.forEach((weight, cell) => {
      const [r, g, b] = viridis(shown.top > 0 ? weight / shown.top : 0);
      image.data.set([r, g, b, open[cell] ? 255 : 0], cell * 4);
    });
    small.getContext("2d").putImageData(image, 0, 0);
    const height = this.tileHeight();
    const width = Math.min(TILE, (TILE * columns) / rows);
    const pen = surface(this.tiles[head].canvas, TILE, height);
    if (open.includes(0)) {
      pen.fillStyle = this.colours.raised;
      pen.fillRect(0, 0, width, height);
      pen.fillStyle = hatch(pen, this.colours.soft, 4);
      pen.globalAlpha = 0.4;
      pen.fillRect(0, 0, width, height);
      pen.globalAlpha = 1;
    }
    pen.imageSmoothingEnabled = false;
    pen.drawImage(small, 0, 0, width, height);
  }
}
