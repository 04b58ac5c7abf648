// Explorer of a whole model: what is said beside the tiles and under the large head.

/** The numbers of all heads for all patterns: for each pattern {scores, baselines, best}, arrays over heads, layer after
 *  layer; `best` is the head furthest above its baseline, −1 where the pattern is nowhere in the text. */
function patternMarks(model) {
  const numbers = floats(model, "pattern_numbers");
  const names = model.get("patterns");
  const count = numbers.length / (2 * names.length);
  return Object.fromEntries(names.map((name, p) => {
    const [scores, baselines] = [0, 1].map((part) => numbers.subarray((2 * p + part) * count, (2 * p + part + 1) * count));
    let best = -1;
    for (let h = 0; h < count; h++) {
      if (!Number.isNaN(scores[h]) && (best < 0 || scores[h] - baselines[h] > scores[best] - baselines[best])) best = h;
    }
    return [name, { scores, baselines, best }];
  }));
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
