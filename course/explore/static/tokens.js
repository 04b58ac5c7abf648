// The tokens explorer, third part: the text, its tokenizers, and the talk with Python.

const LATE_ANSWER = 250; // milliseconds after which it is said that Python is computing
const SLOW_ANSWER = 5000; // and after which, that it still is

/** Several lines of text, otherwise as the kit's `textBox`. */
function textArea({ label, value, onInput }) {
  const input = element("textarea", { class: "ex-text ex-tk-input", rows: 2, dir: "auto", spellcheck: "false", autocomplete: "off" });
  const root = element("div", { class: "ex-control ex-text-control" }, element("label", {}, element("span", { class: "ex-label" }, label), input));
  let composing = false; // pinyin on its way to characters is no text yet
  input.addEventListener("compositionstart", () => { composing = true; });
  input.addEventListener("compositionend", () => { composing = false; onInput(input.value); });
  input.addEventListener("input", (event) => { if (!composing && !event.isComposing) onInput(input.value); });
  const set = (text) => { // a browser's text area has \n for every kind of line break
    if (!composing && wellFormed(input.value) !== text.replace(/\r\n?/g, "\n")) input.value = text;
  };
  set(value);
  return { element: root, input, set };
}

class TokensView {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("sentences");
    this.share = sharing(model);
    this.shell = shell(model, el, { kind: "tokens", label: this.words.label, onLook: () => {} }); // CSS alone follows the theme
    const { words, share } = this;
    this.text = textArea({ label: words.text, value: model.get("text"), onInput: (text) => share("text", wellFormed(text)) });
    const below = ["id", "bytes", "nothing"].map((value) => ({ value, label: words[`under_${value}`] }));
    this.under = choice({ label: words.under, options: below, value: model.get("under"), onInput: (value) => share("under", value) });
    this.panels = model.get("sources").map((_, place) => new Panel({ model, words, place, share }));
    const { root } = this.shell;
    root.append(this.text.element, this.under.element,
      element("div", { class: "ex-tk-panels", "data-count": this.panels.length }, this.panels.map((panel) => panel.element)));
    const repaint = frame(() => this.paint());
    const names = ["text", "n_merges", "n_merges_other", "under", "answers", "answered"];
    this.stops = names.map((name) => listen(model, name, repaint));
    this.stops.push(...["token", "token_other"].map((name) => listen(model, name, frame(() => { this.panels.forEach((panel) => panel.show()); this.shell.painted(); }))));
    this.stops.push(() => repaint.cancel(), () => this.timers.forEach(clearTimeout), () => this.shell.close());
    this.timers = [];
    repaint();
  }

  paint() {
    const { model } = this;
    const text = model.get("text");
    this.text.set(text);
    this.under.set(model.get("under"));
    this.panels.forEach((panel) => panel.paint(text));
    this.wait(this.panels.some((panel) => !panel.pairs) && model.get("answered") !== text);
    this.shell.painted();
  }

  /** While Python has not answered for the present text it is said that it computes; an answer to an older text is none. */
  wait(waiting) {
    const { notices, root } = this.shell;
    root.setAttribute("aria-busy", String(waiting));
    this.timers.forEach(clearTimeout);
    this.timers = [];
    if (!waiting) { notices.busy(""); return; }
    this.timers = [[LATE_ANSWER, this.words.computing], [SLOW_ANSWER, this.words.kernel_slow]].map(([after, words]) => setTimeout(() => notices.busy(words), after));
  }

  close() { this.stops.forEach((stop) => stop()); }
}

function render({ model, el }) {
  const view = new TokensView(model, el);
  return () => view.close();
}

export default { render };
