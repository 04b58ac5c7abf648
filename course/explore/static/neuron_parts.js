// The neuron explorer, second part: the curve, the texts of the corpus, the tokens of the vocabulary.

const AROUND = 20; // tokens before and after the one that switches a neuron on
const CURVE_HEIGHT = 220;
const CURVE_POINTS = 161;

/** Ground and ink of an activation, where `top` has the strongest colour. */
function tint(node, value, top) {
  const rgb = diverging(top > 0 ? value / top : 0);
  const ground = css(rgb);
  if (node.tinted === ground) return;
  node.tinted = ground;
  node.style.backgroundColor = ground;
  node.style.color = contrastInk(rgb);
}

/** The bend with a point for each token: {element, draw(state)}. */
class Curve {
  constructor() {
    this.canvas = element("canvas", { class: "ex-canvas", "aria-hidden": "true" }); // the sentence below says what it shows
    this.element = element("div", { class: "ex-ne-curve" }, this.canvas);
  }

  /** z: of all tokens; at: the one looked at; bend, own: names of activations; words: of the axes. */
  draw({ root, z, at, bend, own, axes, width }) {
    const colours = themeColours(root);
    const pen = surface(this.canvas, width, CURVE_HEIGHT);
    const reach = Math.max(3, 1.12 * z.reduce((most, one) => Math.max(most, Math.abs(one)), 0));
    const [left, right, top, bottom] = [16, 16, 22, 34];
    const low = -0.3 * reach;
    const x = (value) => left + ((value + reach) / (2 * reach)) * (width - left - right);
    const y = (value) => CURVE_HEIGHT - bottom - ((value - low) / (reach - low)) * (CURVE_HEIGHT - top - bottom);
    pen.font = `11px ${colours.font}`;
    this.axes(pen, { x, y, reach, low, colours, axes, width });
    if (own !== bend) this.line(pen, BENDS[own], { x, y, reach, colour: colours.soft, dash: [4, 4] });
    this.line(pen, BENDS[bend], { x, y, reach, colour: colours.accent, dash: [] });
    pen.fillStyle = colours.ink;
    pen.globalAlpha = 0.45;
    for (const one of z) this.dot(pen, x(one), y(BENDS[bend](one)), 2.5);
    pen.globalAlpha = 1;
    if (at < 0) return;
    const [px, py] = [x(z[at]), y(BENDS[bend](z[at]))];
    pen.strokeStyle = colours.ink;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(px, y(0));
    pen.lineTo(px, py);
    pen.lineTo(x(0), py);
    pen.stroke();
    pen.setLineDash([]);
    this.dot(pen, px, py, 6);
    pen.lineWidth = 2;
    pen.strokeStyle = colours.ground;
    pen.stroke();
  }

  axes(pen, { x, y, reach, low, colours, axes, width }) {
    pen.strokeStyle = colours.line;
    pen.fillStyle = colours.soft;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x(-reach), y(0));
    pen.lineTo(x(reach), y(0));
    pen.moveTo(x(0), y(low));
    pen.lineTo(x(0), y(reach));
    pen.stroke();
    const step = markStep(reach);
    const mark = (i) => String(Number((i * step).toPrecision(6))).replace("-", "−");
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const last = Math.floor(reach / step);
    for (let i = -last; i <= last; i++) pen.fillText(mark(i), x(i * step), y(low) + 3); // below the curve, which dips under 0
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (let i = 1; i <= last; i++) pen.fillText(mark(i), x(0) - 5, y(i * step));
    pen.textBaseline = "bottom";
    pen.fillText(axes[0], width - 4, CURVE_HEIGHT - 1);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.fillText(axes[1], x(0), 3);
  }

  line(pen, bend, { x, y, reach, colour, dash }) {
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.setLineDash(dash);
    pen.beginPath();
    for (let i = 0; i < CURVE_POINTS; i++) {
      const z = (2 * i / (CURVE_POINTS - 1) - 1) * reach;
      pen.lineTo(x(z), y(bend(z)));
    }
    pen.stroke();
    pen.setLineDash([]);
    pen.lineWidth = 1;
  }

  dot(pen, x, y, radius) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** The texts of the corpus that switch a neuron on: {element, set(rows)}. */
class Texts {
  constructor(words) {
    this.words = words;
    this.list = element("ol", { class: "ex-ne-texts" });
    this.note = element("p", { class: "ex-label ex-ne-note" });
    this.element = element("section", { class: "ex-ne-part", "aria-label": words.corpus }, element("p", { class: "ex-ne-head" }, words.corpus), this.list, this.note);
  }

  /** rows: {before, token, after, value}; tokens of the text are labels.  top: the activation of the strongest colour. */
  set(rows, { count, top }) {
    const { words } = this;
    this.list.hidden = !rows.length;
    this.note.textContent = say(rows.length ? words.corpus_note : words.corpus_none, { count });
    this.list.replaceChildren(...rows.map(({ before, token, after, value }) => {
      const mark = element("mark", { class: "ex-ne-mark", dir: "auto" }, token);
      tint(mark, value, top);
      const text = element("span", { class: "ex-ne-context" }, element("bdi", {}, before), mark, element("bdi", {}, after));
      return element("li", { class: "ex-ne-text" }, element("span", { class: "ex-ne-value" }, number(value)), text);
    }));
  }
}

/** The tokens that a value row raises and lowers most: {element, set({raised, lowered})}, each a list of {label, value}. */
class Said {
  constructor(words) {
    this.lists = ["raised", "lowered"].map((name) => ({ name, rows: [], list: element("ol", { class: "ex-ne-said" }) }));
    const columns = this.lists.map(({ name, list }) => element("div", {}, element("p", { class: "ex-label ex-ne-sub" }, words[name]), list));
    this.element = element("section", { class: "ex-ne-part", "aria-label": words.values }, element("p", { class: "ex-ne-head" }, words.values),
      element("div", { class: "ex-ne-columns" }, columns), element("p", { class: "ex-label ex-ne-note" }, words.values_note));
  }

  set(found) {
    const top = Math.max(...this.lists.flatMap(({ name }) => found[name].map(({ value }) => Math.abs(value))), 1e-30);
    for (const part of this.lists) {
      while (part.rows.length > found[part.name].length) part.rows.pop().node.remove();
      found[part.name].forEach(({ label, value }, place) => {
        const row = (part.rows[place] ||= this.row(part));
        row.name.textContent = row.name.title = label;
        row.number.textContent = (value > 0 ? "+" : "") + number(value);
        row.bar.style.width = `${(Math.abs(value) / top) * 100}%`;
        row.bar.style.backgroundColor = css(diverging(value < 0 ? -0.75 : 0.75));
      });
    }
  }

  row(part) {
    const [name, bar, value] = ["ex-ne-token", "ex-ne-bar", "ex-ne-value"].map((kind) => element("span", { class: kind, dir: kind === "ex-ne-token" ? "auto" : null }));
    const node = element("li", {}, name, element("span", { class: "ex-ne-track" }, bar), value);
    part.list.append(node);
    return { node, name, bar, number: value };
  }
}
