// Explorer of a whole model: what is said beside the tiles and under the large head.

/** The numbers of all heads for all patterns: for each pattern {scores, baselines, best, order}, arrays over heads, layer
 *  after layer; `best` is the head furthest above its baseline, −1 where the pattern is nowhere in the text; `order` lists the
 *  heads from there down, of equals the one in the earlier layer first, those without a target last. */
function patternMarks(model) {
  const numbers = floats(model, "pattern_numbers");
  const names = model.get("patterns");
  const count = numbers.length / (2 * names.length);
  return Object.fromEntries(names.map((name, p) => {
    const [scores, baselines] = [0, 1].map((part) => numbers.subarray((2 * p + part) * count, (2 * p + part + 1) * count));
    const above = Array.from(scores, (score, h) => (Number.isNaN(score) ? -Infinity : score - baselines[h]));
    const order = Array.from(above.keys()).sort((a, b) => (above[a] === above[b] ? a - b : above[b] - above[a]));
    return [name, { scores, baselines, best: bestHead(scores, baselines, 0, count), order }];
  }));
}

/** The head from `start` to `stop`, the last left out, that is furthest above its baseline; −1 where none has a score. */
function bestHead(scores, baselines, start, stop) {
  let best = -1;
  for (let h = start; h < stop; h++) {
    if (!Number.isNaN(scores[h]) && (best < 0 || scores[h] - baselines[h] > scores[best] - baselines[best])) best = h;
  }
  return best;
}

/** What stands for each layer before a head's number: the number at the end of its name, where all have one of their own. */
function shortNames(names) {
  const ends = names.map((name) => (name.match(/\d+$/) || [""])[0]);
  return ends.every(Boolean) && new Set(ends).size === names.length ? ends : names.map((_, layer) => String(layer + 1));
}

/** A share as a bar; with a tick where looking evenly would end, if that is given. */
function shareBar(score, baseline = null) {
  return element("span", { class: "ex-share", "aria-hidden": "true" }, element("span", { style: `width:${100 * score}%` }),
    baseline === null ? null : element("i", { style: `left:${100 * baseline}%` }));
}

/** The table of all patterns for one head. */
function patternTable(marks, number_, words) {
  const rows = Object.entries(marks).map(([pattern, { scores, baselines }]) => {
    const [score, baseline] = [scores[number_], baselines[number_]];
    return Number.isNaN(score) ? [pattern, "–", "–", ""] : [pattern, score.toFixed(2), baseline.toFixed(2), shareBar(score, baseline)];
  });
  return numberTable(words.patterns_caption, words.patterns_headings, rows);
}

/** What the heads that are off change (the trait `effect`), as nodes; `row` is the token under the cursor. */
function effectNodes(effect, row, words) {
  if (effect.fixed) row = effect.position; // the cursor is in another text
  const nodes = [element("p", { class: "ex-effect-head" }, say(words.off_one, { names: effect.names }), " ", words.off_note)];
  if (effect.top) {
    const [before, after] = effect.top;
    const rows = before.map(([token, p], i) => [tokenLabel(token), weightText(p), tokenLabel(after[i][0]), weightText(after[i][1])]);
    nodes.push(element("p", {}, sayNodes(words.top_title, { token: tokenLabel(effect.token) })), numberTable(words.top_caption, words.top_headings, rows));
  } else {
    const most = effect.moved.reduce((best, now) => (now[1] > best[1] ? now : best));
    const [token, part] = effect.moved[Math.min(row, effect.moved.length - 1)];
    nodes.push(element("p", {}, sayNodes(words.moved_token, { token: tokenLabel(token), part: part.toFixed(3), most: tokenLabel(most[0]),
      most_part: most[1].toFixed(3) })));
    const rows = effect.moved.map(([name, moved]) => [tokenLabel(name), moved.toFixed(3), shareBar(moved / (most[1] || 1))]);
    nodes.push(numberTable(words.moved_title, words.moved_headings, rows));
  }
  if (effect.near) {
    const [before, after] = effect.near;
    const cells = ([sentence, cosine]) => [element("span", { dir: "auto" }, shorten(sentence, 60)), cosine.toFixed(3)];
    const rows = before.map((one, i) => [...cells(one), ...cells(after[i])]);
    nodes.push(element("p", {}, words.near_title), numberTable(words.near_title, words.near_headings, rows));
  }
  return nodes;
}
