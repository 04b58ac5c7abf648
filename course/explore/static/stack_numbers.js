// The stack explorer, first part: what is shown of one token, from what Python measured.  No DOM in here.

const MEASURED = ["length", "added", "withEnd", "withBefore", "p", "rank"]; // as in Python

/** Every place of one token's walk.
 *  numbers: (6, places, T) as Python has it; places, tokens: how many; parts: how many of the places are parts (the others are
 *  the final norm); at: the token; isSum: is the end the sum of what the parts gave?
 *  Gives [{length, added, share, cosine, p, rank}], NaN for what there is not. */
function ladderOf(numbers, { places, tokens, parts, at, isSum }) {
  const read = (row, place) => numbers[(row * places + place) * tokens + at];
  const end = read(0, parts - 1);
  return Array.from({ length: places }, (_, place) => {
    const [length, added, withEnd, withBefore, p, rank] = MEASURED.map((_, row) => read(row, place));
    const before = place ? read(0, place - 1) : NaN;
    const share = isSum && place < parts ? withEnd / (end * end) : NaN;
    return { length, added, share, cosine: withBefore / (length * before), p, rank };
  });
}

/** [{id, p}] of the `count` most probable tokens that were read at one place for one token, out of (places, T, kept). */
function readAt(ids, probs, { place, tokens, at, kept, count }) {
  const first = (place * tokens + at) * kept;
  return Array.from({ length: Math.min(count, kept) }, (_, i) => ({ id: ids[first + i], p: probs[first + i] }));
}

/** `parts` in their order, without or with the one named. */
function switched(parts, off, name, isOn) { return parts.filter((part) => (part === name ? !isOn : off.includes(part))); }
