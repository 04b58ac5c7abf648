// A question on a card.  In a prediction an option is a radio and a degree of confidence hands it in; in the quiz an
// option is a button and says at once whether it is right.  Python decides what is kept; the page says what was done.

const PART_TAGS = { code: "code", em: "em", option: "strong" };

/** Parts [kind, text] as nodes; an option keeps its direction of writing to itself. */
function partNodes(sentence) {
  return sentence.map(([kind, text]) => {
    if (!PART_TAGS[kind]) return document.createTextNode(text);
    return element(PART_TAGS[kind], kind === "option" ? { class: "ex-token", dir: "auto" } : {}, text);
  });
}

/** Parts as plain text, for what is read aloud. */
function partText(sentence) { return sentence.map(([, text]) => text).join(""); }

/** Gives the keyboard back to the notebook: the nearest thing around the card that can have it. */
function leave(root) {
  const around = root.parentElement && root.parentElement.closest("[tabindex]");
  if (around) around.focus({ preventScroll: true }); else document.activeElement.blur();
}

/** The number by which an option is chosen, and its text. */
function optionNodes(option, place) {
  return [element("span", { class: "qu-number", "aria-hidden": "true" }, String(place + 1)),
    element("span", { class: "qu-text", dir: "auto" }, partNodes(option))];
}

/** The options of a prediction: {element, mark(place, locked), choose(place), holds(node)}. */
function radios(options, { name, label, onChoose }) {
  const inputs = options.map((option, place) => element("input", { type: "radio", name, value: place,
    "aria-keyshortcuts": place + 1, onChange: () => onChoose(place) }));
  const rows = options.map((option, place) => element("label", { class: "qu-option" }, inputs[place], optionNodes(option, place)));
  const mark = (chosen, locked) => rows.forEach((row, place) => {
    inputs[place].checked = place === chosen;
    inputs[place].disabled = locked;
    row.classList.toggle("qu-chosen", place === chosen);
    row.classList.toggle("qu-locked", locked);
  });
  return { element: element("div", { class: "qu-options", role: "radiogroup", "aria-label": label }, rows), mark,
    choose: (place) => { inputs[place].focus(); inputs[place].click(); }, holds: (node) => inputs.includes(node) };
}

/** The options of the quiz, each with room for what is said to it: {element, choose(place), move(step), show(tried)}. */
function answers(options, { label, right, whys, words, onChoose }) {
  const buttons = options.map((option, place) => element("button", { type: "button", class: "qu-option",
    "aria-keyshortcuts": place + 1, onClick: () => onChoose(place) }, optionNodes(option, place)));
  const verdict = (place) => (place === right ? `✓ ${words.right}` : `✗ ${words.wrong}`);
  const notes = options.map((option, place) => element("p", { class: "qu-why", id: uniqueId("why"), hidden: true },
    element("strong", {}, verdict(place)), " ", partNodes(whys[place])));
  const show = (tried) => buttons.forEach((button, place) => {
    const was = tried.includes(place);
    notes[place].hidden = !was;
    button.classList.toggle("qu-right", was && place === right);
    button.classList.toggle("qu-wrong", was && place !== right);
    if (was) button.setAttribute("aria-describedby", notes[place].id);
  });
  const move = (step) => {
    const at = buttons.indexOf(document.activeElement);
    if (at >= 0) buttons[(at + step + buttons.length) % buttons.length].focus();
    return at >= 0;
  };
  const rows = buttons.map((button, place) => element("div", { class: "qu-answer" }, button, notes[place]));
  return { element: element("div", { class: "qu-options", role: "group", "aria-label": label }, rows), show, move,
    choose: (place) => { buttons[place].focus(); buttons[place].click(); } };
}

/** The degrees of confidence; each hands in the prediction.  Before an option is chosen they only say so. */
function confidence(degrees, { words, onChoose }) {
  const title = element("span", { class: "qu-how", id: uniqueId("how") }, words.how_sure);
  const buttons = degrees.map((degree) => element("button", { type: "button", class: "qu-degree",
    "aria-keyshortcuts": degree.key, onClick: () => onChoose(degree.id) }, say(words.degree, degree)));
  const root = element("div", { class: "qu-degrees", role: "group", "aria-label": words.how_sure_label }, title, buttons);
  const show = (ready, locked) => {
    root.hidden = locked;
    buttons.forEach((button) => { button.setAttribute("aria-disabled", String(!ready)); });
  };
  return { element: root, show, focus: () => buttons[0].focus(), press: (place) => buttons[place].click(),
    byKey: (key) => degrees.findIndex((degree) => degree.key === key) };
}

/** Keys of the card: `actions(key, target)` says whether it took the key.  Shift+Enter, by which a notebook is run, hands
 *  nothing in, but leaves the card as Escape does; other keys with Ctrl, Alt or Meta are left alone. */
function keys(root, actions) {
  root.addEventListener("keydown", (event) => {
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (event.key === "Enter" && (modified || event.shiftKey) || event.key === "Escape") {
      event.preventDefault();
      if (!modified) leave(root);
      return;
    }
    if (modified || event.key === "Tab") return;
    const held = event.repeat && !event.key.startsWith("Arrow"); // one press is one answer
    if (held || actions(event.key, event.target)) event.preventDefault();
  });
}

/** The card of a prediction: {elements, follow(), stop()}. */
function predictionCard({ model, words, root, live }) {
  const [degrees, options] = [model.get("degrees"), model.get("options")];
  let candidate = -1; // chosen, but not handed in
  let waiting = 0; // a timer, from the handing in until Python answers
  const said = () => (alone() && !model.get("locked") ? [] : model.get("status")); // of what Python does with an answer
  const now = () => (model.get("locked") ? { locked: true, chosen: model.get("chosen") } : { locked: waiting !== 0, chosen: candidate });
  const choose = (place) => {
    candidate = place;
    show(said()); // in place of "choose first"
    paint();
    announce(live, say(words.chosen, { option: partText(options[place]) }));
  };
  const list = radios(options, { name: uniqueId("question"), label: words.options_label, onChoose: choose });
  const status = element("p", { class: "ex-sentence qu-status", tabindex: "-1" });
  const show = (sentence) => {
    status.replaceChildren(...partNodes(sentence));
    status.hidden = !sentence.length;
  };
  const tell = (sentence) => {
    show(sentence);
    if (sentence.length) announce(live, partText(sentence));
  };
  const handIn = (id) => {
    if (now().locked) return;
    if (candidate < 0) { tell([["", words.first_choose]]); return; }
    if (alone()) { tell([["", words.alone_given]]); return; }
    waiting = setTimeout(() => tell([["", words.waiting]]), 400);
    model.set("given", [candidate, id]);
    model.save_changes();
    paint();
    status.hidden = false;
    status.focus({ preventScroll: true }); // the button is gone, and JupyterLab should not get the next key
  };
  const sure = confidence(degrees, { words, onChoose: handIn });
  const letters = degrees.map((degree) => degree.key).join(", ");
  const hint = element("p", { class: "ex-label qu-keys" }, say(words.prediction_keys, { count: options.length, keys: letters }));
  const paint = () => {
    const { locked, chosen } = now();
    list.mark(chosen, locked);
    sure.show(candidate >= 0, locked);
    hint.hidden = locked;
  };
  const follow = () => {
    if (model.get("locked")) { clearTimeout(waiting); waiting = 0; }
    tell(said());
    paint();
  };
  keys(root, (key, target) => {
    if (now().locked) return false;
    if (/^[1-9]$/.test(key) && key <= options.length) { list.choose(Number(key) - 1); return true; }
    if (key === "Enter" && list.holds(target)) {
      if (candidate < 0) list.choose(Number(target.value));
      sure.focus();
      return true;
    }
    const degree = sure.byKey(key.toLowerCase());
    if (degree < 0) return false;
    sure.press(degree);
    return true;
  });
  return { elements: [list.element, sure.element, status, hint], follow, stop: () => clearTimeout(waiting) };
}

/** The card of a quiz question: {elements, follow(), stop()}. */
function quizCard({ model, words, root, live }) {
  const [options, whys, right] = ["options", "whys", "right"].map((name) => model.get(name));
  const choose = (place) => {
    if (!model.get("tried").includes(place)) {
      model.set("tried", [...model.get("tried"), place]);
      model.save_changes();
    }
    const verdict = place === right ? words.announce_right : words.announce_wrong;
    announce(live, say(verdict, { option: partText(options[place]), why: partText(whys[place]) }));
  };
  const list = answers(options, { label: words.options_label, right, whys, words, onChoose: choose });
  const status = element("p", { class: "ex-sentence qu-status" });
  const hint = element("p", { class: "ex-label qu-keys" }, say(alone() ? words.alone_quiz_keys : words.quiz_keys, { count: options.length }));
  const follow = () => {
    const sentence = model.get("status");
    status.replaceChildren(...partNodes(sentence));
    status.hidden = !sentence.length;
    list.show(model.get("tried"));
  };
  keys(root, (key) => {
    if (/^[1-9]$/.test(key) && key <= options.length) { list.choose(Number(key) - 1); return true; }
    return (key === "ArrowDown" || key === "ArrowUp") && list.move(key === "ArrowDown" ? 1 : -1);
  });
  return { elements: [list.element, status, hint], follow, stop: () => {} };
}

function render({ model, el }) {
  const words = model.get("sentences");
  const isQuiz = model.get("mode") === "quiz";
  const label = say(isQuiz ? words.quiz_label : words.prediction_label, { count: model.get("options").length });
  const frameOfPage = shell(model, el, { kind: "question", label, onLook: () => {} }); // CSS alone follows the theme
  const { root } = frameOfPage;
  root.tabIndex = -1; // a click anywhere on the card brings the keys to it, and not to JupyterLab
  const live = liveRegion();
  const card = (isQuiz ? quizCard : predictionCard)({ model, words, root, live });
  const prompt = model.get("prompt").map((sentence) => element("p", { class: "ex-sentence qu-prompt", dir: "auto" }, partNodes(sentence)));
  root.append(...prompt, ...card.elements, live);
  const follow = () => { card.follow(); frameOfPage.painted(); };
  const stops = ["status", "locked", "chosen", "tried"].map((name) => listen(model, name, follow));
  follow();
  return () => {
    stops.forEach((stop) => stop());
    card.stop();
    frameOfPage.close();
  };
}

export default { render };
