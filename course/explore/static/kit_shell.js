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
  // Made by a cell that runs, it is not in the page yet and has no colours to look at: look again when it is.
  if (!root.isConnected) requestAnimationFrame(() => { if (root.isConnected) look(); });
  return onTheme(look);
}

/** True on a page with no Python behind it; course/export.py marks the pages it writes.  What needs Python is off there. */
function alone() { return document.documentElement.hasAttribute("data-course-alone"); }

/** The root of an explorer in `el`: {root, notices, painted(), close()}.
 *  Shows the traits `title` and `problem`, guards the keys, follows the theme (`onLook` is called for each change), and
 *  `painted()` counts the repaints in data-revision, for whoever waits for one. */
function shell(model, el, { kind, label, onLook }) {
  const notes = notices(alone() ? model.get("sentences").alone : "");
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

/** share(name, value): the trait is changed on the page at once and told to Python when the hand rests, or JupyterLab would
 *  redraw the kernel's busy sign between a key press and its picture.  Until then the hand's value holds, whatever the
 *  kernel's late echo of an older one says.  share.now() tells Python without waiting. */
function sharing(model, delay = 120) {
  const untold = new Map(); // trait: the function that keeps its value
  const tell = () => {
    for (const [name, keep] of untold) model.off(`change:${name}`, keep);
    untold.clear();
    model.save_changes();
  };
  const later = debounce(tell, delay);
  const share = (name, value) => {
    if (model.get(name) === value) return;
    if (untold.has(name)) model.off(`change:${name}`, untold.get(name));
    model.set(name, value);
    const keep = () => { if (model.get(name) !== value) model.set(name, value); };
    untold.set(name, keep);
    model.on(`change:${name}`, keep);
    later();
  };
  share.now = () => { later.cancel(); tell(); };
  return share;
}
