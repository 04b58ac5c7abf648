// The explorer kit, second part: labelled native controls.  Each returns {element, set(value), disable(reason)}:
// `set` changes what is shown without calling onInput; `disable("why")` greys it and says why, `disable(null)` lifts it.

let identity = 0;
/** A fresh element id, for labels and aria references. */
function uniqueId(stem = "ex") { return `${stem}-${Date.now().toString(36)}-${identity++}`; }

function disabler(box, inputs) {
  const note = element("span", { class: "ex-reason", id: uniqueId("reason"), hidden: true });
  box.append(note);
  return (reason) => {
    const off = reason !== null && reason !== undefined && reason !== false;
    for (const input of inputs) {
      input.disabled = off;
      if (off) input.setAttribute("aria-describedby", note.id); else input.removeAttribute("aria-describedby");
    }
    box.classList.toggle("ex-off", off);
    note.hidden = !off || reason === true;
    note.textContent = off && reason !== true ? reason : "";
  };
}

/** A range with a number box; `log: true` spaces the range by ratios. `hint` is a short text after the label. */
function slider({ label, min, max, step = 0.01, value, log = false, format = (x) => String(x), onInput }) {
  const RANGE = 200; // of a logarithmic range; the middle of a range symmetric about 1 is exactly 1
  const id = uniqueId("slider");
  const toRange = (x) => (log ? (RANGE * Math.log(x / min)) / Math.log(max / min) : x);
  const fromRange = (r) => (log ? Number((min * (max / min) ** (r / RANGE)).toPrecision(3)) : Number(r));
  const range = element("input", log ? { type: "range", id, min: 0, max: RANGE, step: 1 } : { type: "range", id, min, max, step });
  const box = element("input", { type: "number", class: "ex-number", min, max, step: "any", "aria-label": label });
  const root = element("div", { class: "ex-control ex-slider" }, element("label", { for: id }, label), range, box);
  const show = (x) => { range.setAttribute("aria-valuetext", format(x)); };
  const set = (x) => {
    range.value = toRange(x);
    if (document.activeElement !== box) box.value = Number(x.toPrecision(4));
    show(x);
  };
  range.addEventListener("input", () => {
    const x = fromRange(range.value);
    box.value = Number(x.toPrecision(4));
    show(x);
    onInput(x);
  });
  const typed = () => {
    const x = Number(box.value);
    if (box.value.trim() === "" || !Number.isFinite(x)) return;
    const inside = Math.min(Math.max(x, min), max);
    range.value = toRange(inside);
    show(inside);
    onInput(inside);
  };
  box.addEventListener("input", typed);
  box.addEventListener("change", () => { // leaving the box: show the number that is in force
    const x = Number(box.value);
    const inside = box.value.trim() === "" || !Number.isFinite(x) ? fromRange(range.value) : Math.min(Math.max(x, min), max);
    box.value = Number(inside.toPrecision(4));
  });
  set(value);
  return { element: root, input: range, box, set, disable: disabler(root, [range, box]) };
}

/** A check box with its label. */
function toggle({ label, value, onInput }) {
  const input = element("input", { type: "checkbox" });
  const root = element("div", { class: "ex-control ex-toggle" }, element("label", {}, input, element("span", {}, label)));
  input.addEventListener("change", () => onInput(input.checked));
  const set = (on) => { input.checked = Boolean(on); };
  set(value);
  return { element: root, input, set, disable: disabler(root, [input]) };
}

/** One of several, as a radio group; options are {value, label}. `disableOption(value, reason)` greys a single one. */
function choice({ label, options, value, onInput }) {
  const name = uniqueId("choice");
  const inputs = options.map((option) => {
    const input = element("input", { type: "radio", name, value: option.value });
    input.addEventListener("change", () => { if (input.checked) onInput(option.value); });
    return input;
  });
  const parts = options.map((option, i) => element("label", { class: "ex-part" }, inputs[i], element("span", {}, option.label)));
  const title = element("span", { class: "ex-label", id: uniqueId("title") }, label);
  const group = element("span", { class: "ex-parts", role: "radiogroup", "aria-labelledby": title.id }, parts);
  const root = element("div", { class: "ex-control ex-choice" }, title, group);
  const set = (chosen) => { for (const input of inputs) input.checked = input.value === chosen; };
  const disableOption = (chosen, reason) => inputs.forEach((input, i) => {
    if (input.value !== chosen) return;
    input.disabled = Boolean(reason);
    parts[i].classList.toggle("ex-off", Boolean(reason));
    parts[i].title = reason || "";
  });
  set(value);
  return { element: root, inputs, set, disableOption, disable: disabler(root, inputs) };
}

/** One of many, as a menu; options are {value, label}. */
function menu({ label, options, value, onInput }) {
  const input = element("select", { class: "ex-select" }, options.map((option) => element("option", { value: option.value }, option.label)));
  const root = element("div", { class: "ex-control ex-menu" }, element("label", {}, element("span", { class: "ex-label" }, label), input));
  input.addEventListener("change", () => onInput(input.value));
  const set = (chosen) => { input.value = chosen; };
  set(value);
  return { element: root, input, set, disable: disabler(root, [input]) };
}

/** A push button. */
function button({ label, onClick, title = null }) {
  const root = element("button", { type: "button", class: "ex-button", title, onClick }, label);
  return { element: root, set: (text) => { root.textContent = text; }, disable: (reason) => { root.disabled = Boolean(reason); root.title = reason || title || ""; } };
}

/** A line of text; onInput is called while typing (debounce it where the kernel is asked), not within an input method. */
function textBox({ label, value, onInput, placeholder = "" }) {
  const input = element("input", { type: "text", class: "ex-text", dir: "auto", spellcheck: "false", autocomplete: "off", placeholder });
  const root = element("div", { class: "ex-control ex-text-control" }, element("label", {}, element("span", { class: "ex-label" }, label), input));
  let composing = false; // pinyin on its way to characters is no text yet
  input.addEventListener("compositionstart", () => { composing = true; });
  input.addEventListener("compositionend", () => { composing = false; onInput(input.value); });
  input.addEventListener("input", (event) => { if (!composing && !event.isComposing) onInput(input.value); });
  const set = (text) => { if (!composing && input.value !== text) input.value = text; };
  set(value);
  return { element: root, input, set, disable: disabler(root, [input]) };
}

/** A part that is folded away until asked for: {element, body, open, onToggle}. */
function disclosure({ label, open = false, onToggle = () => {} }) {
  const body = element("div", { class: "ex-fold-body" });
  const root = element("details", { class: "ex-fold", open }, element("summary", {}, label), body);
  root.addEventListener("toggle", () => onToggle(root.open));
  return { element: root, body, get open() { return root.open; } };
}

/** The one place where an explorer speaks of trouble or of work in progress: {element, problem(text), busy(text)}.
 *  `never` is said in place of every word about work, where nothing works. */
function notices(never = "") {
  const trouble = element("div", { class: "ex-problem", role: "alert", hidden: true });
  const work = element("div", { class: "ex-busy", role: "status", "aria-live": "polite", hidden: true });
  const put = (node, text) => { node.textContent = text || ""; node.hidden = !text; };
  return {
    element: element("div", { class: "ex-notices" }, trouble, work),
    problem: (text) => put(trouble, text),
    busy: (text) => put(work, text && (never || text)),
  };
}
