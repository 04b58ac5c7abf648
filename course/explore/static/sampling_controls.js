// The sampling explorer, second part: its controls beside the kit's.

/** A range over given stops, with a number box for every number between: {element, set(value), setStops(stops), disable}.
 *  `empty`: what the box says while it holds nothing, which stands for the last stop; null: nothing is no number. */
function stopsSlider({ label, stops, value, min, max, whole = false, empty = null, format, onInput }) {
  const id = uniqueId("slider");
  const range = element("input", { type: "range", id, min: 0, max: stops.length - 1, step: 1 });
  const box = element("input", { type: "number", class: "ex-number", min, max, step: "any", placeholder: empty, "aria-label": label });
  const root = element("div", { class: "ex-control ex-slider" }, element("label", { for: id }, label), range, box);
  const boxText = (x) => (empty !== null && x === stops.at(-1) ? "" : String(Number(x.toPrecision(6))));
  const show = (x) => {
    range.value = nearestStop(stops, x);
    range.setAttribute("aria-valuetext", format(x));
  };
  let now = value;
  const set = (x) => {
    now = x;
    show(x);
    if (document.activeElement !== box) box.value = boxText(x);
  };
  const give = (x) => { now = x; show(x); onInput(x); };
  range.addEventListener("input", () => { give(stops[range.value]); box.value = boxText(now); });
  box.addEventListener("input", () => {
    const nothing = box.value.trim() === "";
    const x = Number(box.value);
    if (nothing ? empty === null || box.validity.badInput : !Number.isFinite(x)) return;
    const inside = nothing ? stops.at(-1) : Math.min(Math.max(whole ? Math.round(x) : x, min), max === null ? stops.at(-1) : max);
    give(inside);
  });
  box.addEventListener("change", () => { box.value = boxText(now); }); // leaving it: the number that is in force
  const setStops = (fresh) => { stops = fresh; range.max = stops.length - 1; };
  set(value);
  return { element: root, input: range, box, set, setStops, disable: disabler(root, [range, box]) };
}

/** A number box alone, for whole numbers from `min` to `max`. */
function wholeBox({ label, min, max, value, onInput }) {
  const input = element("input", { type: "number", class: "ex-number", min, max, step: 1 });
  const root = element("div", { class: "ex-control" }, element("label", {}, element("span", {}, label), input));
  let now = value;
  const set = (x) => { now = x; if (document.activeElement !== input) input.value = x; };
  input.addEventListener("input", () => {
    const x = Number(input.value);
    if (input.value.trim() === "" || !Number.isInteger(x) || x < min || x > max) return;
    now = x;
    onInput(x);
  });
  input.addEventListener("change", () => { input.value = now; });
  set(value);
  return { element: root, input, set, disable: disabler(root, [input]) };
}

/** Several lines of text, otherwise as the kit's `textBox`. */
function promptBox({ label, value, onInput }) {
  const input = element("textarea", { class: "ex-text ex-sm-input", rows: 2, dir: "auto", spellcheck: "false", autocomplete: "off" });
  const root = element("div", { class: "ex-control ex-sm-prompt" }, element("label", {}, element("span", { class: "ex-label" }, label), input));
  let composing = false; // pinyin on its way to characters is no text yet
  input.addEventListener("compositionstart", () => { composing = true; });
  input.addEventListener("compositionend", () => { composing = false; onInput(wellFormed(input.value)); });
  input.addEventListener("input", (event) => { if (!composing && !event.isComposing) onInput(wellFormed(input.value)); });
  const set = (text) => { // a browser's text area has \n for every kind of line break
    if (!composing && wellFormed(input.value) !== text.replace(/\r\n?/g, "\n")) input.value = text;
  };
  set(value);
  return { element: root, input, set, disable: disabler(root, [input]) };
}

/** The tokens that were added, in a row that reads as text: {element, set(tokens)}, tokens {label, kind}. */
function addedTokens({ label, title }) {
  const chips = [];
  const list = element("span", { class: "ex-sm-chips" });
  const root = element("p", { class: "ex-sm-added", tabindex: "0", role: "group", "aria-label": title, hidden: true },
    element("span", { class: "ex-label" }, label, " "), list);
  const set = (tokens) => {
    while (chips.length > tokens.length) chips.pop().remove();
    const grown = tokens.length > chips.length;
    tokens.forEach((token, place) => {
      if (!chips[place]) list.append((chips[place] = element("span", { class: "ex-sm-chip", dir: "auto" })));
      if (chips[place].textContent !== token.label) chips[place].textContent = token.label;
      if (chips[place].dataset.kind !== token.kind) chips[place].dataset.kind = token.kind;
    });
    root.hidden = !tokens.length;
    if (grown) root.scrollTop = root.scrollHeight;
  };
  return { element: root, set };
}
