// The explorer kit, fourth part: the frame around an explorer and its talk with Python.

/** Marks `root` as dark or light after the ground it stands on, now and at each change of theme, then calls `callback`.
 *  Returns a function that stops it. */
function followTheme(root, callback) {
  const look = () => {
    root.classList.remove("ex-dark");
    const channels = getComputedStyle(root).backgroundColor.match(/[\d.]+/g) || [255, 255, 255];
    root.classList.toggle("ex-dark", contrastInk(channels.slice(0, 3).map(Number)) === "#fff");
    callback();
  };
  look();
  return onTheme(look);
}

/** The root of an explorer in `el`: {root, notices, painted(), close()}.
 *  Shows the traits `title` and `problem`, guards the keys, follows the theme (`onLook` is called for each change), and
 *  `painted()` counts the repaints in data-revision, for whoever waits for one. */
function shell(model, el, { kind, label, onLook }) {
  const notes = notices();
  const title = element("p", { class: "ex-title" });
  const root = element("div", { class: `ex ex-${kind}`, role: "group", "aria-label": label, "data-revision": "0" }, title, notes.element);
  const follow = () => {
    title.textContent = model.get("title");
    title.hidden = !model.get("title");
    notes.problem(model.get("problem"));
  };
  follow();
  el.append(root);
  const stops = [guard(root), listen(model, "title", follow), listen(model, "problem", follow)];
  stops.push(followTheme(root, onLook)); // calls onLook at once; what onLook needs must exist by then or be asked for
  let revision = 0;
  return {
    root, notices: notes,
    painted: () => { root.dataset.revision = String(++revision); },
    close: () => stops.forEach((stop) => stop()),
  };
}

/** Calls `callback` when the trait changes, whoever changed it; returns a function that stops it. */
function listen(model, name, callback) {
  model.on(`change:${name}`, callback);
  return () => model.off(`change:${name}`, callback);
}

/** share(name, value): the trait is changed on the page and told to Python at the end of this task, all changes of one
 *  event in one message (ipywidgets keeps one message in flight and merges the rest, so a drag does not flood the kernel).
 *  Telling later would let the kernel's echo of an older value undo what the hand is doing; share.now() tells at once. */
function sharing(model) {
  let waiting = false;
  const tell = () => { waiting = false; model.save_changes(); };
  const share = (name, value) => {
    if (model.get(name) === value) return;
    model.set(name, value);
    if (!waiting) queueMicrotask(tell);
    waiting = true;
  };
  share.now = tell;
  return share;
}
