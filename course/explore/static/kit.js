// The explorer kit, first part: DOM, tokens, sentences, arithmetic.  Python joins the kit's files and one explorer's
// files into one ES module, so everything here is a plain top-level name: no import, no export.
// Rule of the house: text from outside becomes a text node, never markup.

const SUPPRESS = "data-lm-suppress-shortcuts"; // JupyterLab leaves keys alone on elements that carry this themselves
const FOCUSABLE = new Set(["INPUT", "BUTTON", "SELECT", "TEXTAREA", "SUMMARY", "A"]);

/** A DOM element. Attributes: `on…` functions become listeners, `class`/`style`/any other are set as text, false and
 *  null are left out; children are nodes or strings (strings become text nodes). */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on") && typeof value === "function") node.addEventListener(name.slice(2).toLowerCase(), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  if (FOCUSABLE.has(node.tagName) || node.hasAttribute("tabindex")) node.setAttribute(SUPPRESS, "true");
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Keeps JupyterLab's shortcuts (d d deletes a cell) off everything inside `root`, now and for elements added later. */
function guard(root) {
  const mark = (node) => {
    if (node.nodeType !== 1) return;
    if (FOCUSABLE.has(node.tagName) || node.hasAttribute("tabindex")) node.setAttribute(SUPPRESS, "true");
    if (!node.firstElementChild) return;
    for (const inner of node.querySelectorAll("input,button,select,textarea,summary,a,[tabindex]")) {
      inner.setAttribute(SUPPRESS, "true");
    }
  };
  root.setAttribute(SUPPRESS, "true");
  mark(root);
  const observer = new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(mark)));
  observer.observe(root, { childList: true, subtree: true });
  for (const type of ["keydown", "keyup", "keypress"]) root.addEventListener(type, (event) => event.stopPropagation());
  root.addEventListener("contextmenu", (event) => event.stopPropagation());
  return () => observer.disconnect();
}

// ---------------------------------------------------------------------------------------------- tokens and sentences

const WHITE_SPACE = { " ": "·", "\n": "↵", "\r": "↵", "\t": "⇥", "\u00a0": "·", "\u3000": "·" };

/** The token as it is shown: white space and control characters made visible, the empty token as ∅. */
function visible(token) {
  if (token === "") return "∅";
  return token.replace(/[ \n\r\t\u00a0\u3000]/g, (space) => WHITE_SPACE[space])
    .replace(/[\u0000-\u001f\u007f]/g, (control) => String.fromCodePoint(0x2400 + Math.min(control.codePointAt(0), 0x21)))
    .replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, "⇄"); // direction overrides may not reorder our sentences
}

const graphemes = typeof Intl !== "undefined" && Intl.Segmenter ? new Intl.Segmenter() : null;

/** `text` cut to at most `maxChars` user-perceived characters, with an ellipsis. */
function shorten(text, maxChars) {
  if (text.length <= maxChars) return text;
  const characters = graphemes ? Array.from(graphemes.segment(text.slice(0, 8 * maxChars + 64)), (part) => part.segment) : Array.from(text);
  return characters.length <= maxChars ? characters.join("") : characters.slice(0, maxChars - 1).join("") + "…";
}

/** A token as a <span> for sentences and lists: shortened, the whole in its title, its direction kept to itself. */
function tokenLabel(token, { maxChars = 24 } = {}) {
  return element("span", { class: "ex-token", dir: "auto", title: visible(token) }, shorten(visible(token), maxChars));
}

/** Fills {name} in a sentence sent from Python; `values` are strings or numbers. */
function say(template, values = {}) {
  return String(template).replace(/\{(\w+)\}/g, (hole, name) => (name in values ? String(values[name]) : hole));
}

/** As `say`, but values may be nodes: returns a list of text nodes and elements. */
function sayNodes(template, values = {}) {
  return String(template).split(/(\{\w+\})/).filter(Boolean).map((part) => {
    const name = part.startsWith("{") ? part.slice(1, -1) : null;
    if (name === null || !(name in values)) return document.createTextNode(part);
    return values[name] instanceof Node ? values[name] : document.createTextNode(String(values[name]));
  });
}

const announcements = new WeakMap();

/** Puts `sentence` into the aria-live element once the hand has rested for a moment. */
function announce(live, sentence, delay = 180) {
  clearTimeout(announcements.get(live));
  announcements.set(live, setTimeout(() => { if (live.textContent !== sentence) live.textContent = sentence; }, delay));
}

/** An invisible polite live region, to be appended to the root and handed to `announce`. */
function liveRegion() {
  return element("div", { class: "ex-unseen", role: "status", "aria-live": "polite", "aria-atomic": "true" });
}

/** A number for reading: three significant digits, a true minus sign, no exponent in the everyday range. */
function number(x, digits = 3) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e5 || size < 1e-3 ? x.toExponential(Math.max(digits - 2, 0))
    : x.toFixed(Math.min(Math.max(digits - 1 - Math.floor(Math.log10(size)), 0), 4));
  return text.replace(/^-/, "−").replace("e-", "e−");
}

/** A weight or probability for reading: two decimals, more where it is small, and never a false 0 or 1. */
function weightText(w) {
  if (w === 0 || w === 1) return String(w);
  if (w < 5e-5) return "< 0.0001";
  if (w > 0.995) return w > 0.9999 ? "> 0.9999" : w.toFixed(4);
  return w < 0.01 ? w.toFixed(4) : w.toFixed(2);
}

// -------------------------------------------------------------------------------------------------------- arithmetic

/** The float32 numbers of a bytes trait. The buffer is copied: the DataView may begin at an address floats refuse. */
function floats(model, name) {
  const view = model.get(name);
  if (!view || !view.byteLength) return new Float32Array(0);
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** The bytes of a bytes trait, copied. */
function bytes(model, name) {
  const view = model.get(name);
  if (!view || !view.byteLength) return new Uint8Array(0);
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** Σ a[i]·b[i] over `length` elements from the two offsets, in double precision. */
function dot(a, b, offsetA = 0, offsetB = 0, length = a.length) {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[offsetA + i] * b[offsetB + i];
  return sum;
}

/** Softmax of one row of scores / temperature into `out`; `mask` (1 = may look) or null.
 *  Returns false, and zeros, for a row with nothing to look at. */
function softmaxRow(scores, mask, temperature, out) {
  const size = scores.length;
  let top = -Infinity;
  for (let j = 0; j < size; j++) if ((mask === null || mask[j]) && scores[j] > top) top = scores[j];
  if (top === -Infinity) { out.fill(0); return false; }
  let sum = 0;
  for (let j = 0; j < size; j++) {
    const e = mask === null || mask[j] ? Math.exp((scores[j] - top) / temperature) : 0;
    out[j] = e;
    sum += e;
  }
  for (let j = 0; j < size; j++) out[j] /= sum;
  return true;
}

/** Entropy of a row of probabilities in bits; 0·log 0 counts as 0. */
function entropyBits(probabilities) {
  let bits = 0;
  for (const p of probabilities) if (p > 0) bits -= p * Math.log2(p);
  return bits;
}

/** `callback` at most once for each animation frame, however often the returned function is called.  The first call after
 *  a frame is answered at the end of the present event, while the browser still waits for the next frame: drawing within
 *  the frame would make the learner wait for both. */
function frame(callback) {
  let asked = 0; // 0: nothing is waiting; -1: the end of this event; else the animation frame's number
  let drawn = false; // since the last frame
  const run = () => {
    asked = 0;
    if (!drawn) requestAnimationFrame(() => { drawn = false; });
    drawn = true;
    callback(performance.now());
  };
  const request = () => {
    if (asked) return;
    asked = drawn ? requestAnimationFrame(run) : -1;
    if (asked === -1) queueMicrotask(() => { if (asked === -1) run(); });
  };
  request.cancel = () => { if (asked > 0) cancelAnimationFrame(asked); asked = 0; };
  return request;
}

/** `callback` once the calls have stopped for `delay` milliseconds; `.now()` runs a waiting call at once. */
function debounce(callback, delay) {
  let timer = 0;
  let waiting = null;
  const run = () => { clearTimeout(timer); const args = waiting; waiting = null; if (args) callback(...args); };
  const later = (...args) => { waiting = args; clearTimeout(timer); timer = setTimeout(run, delay); };
  later.now = run;
  later.cancel = () => { clearTimeout(timer); waiting = null; };
  return later;
}
