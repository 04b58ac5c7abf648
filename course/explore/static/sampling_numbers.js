// The sampling explorer, first part: the arithmetic, in double precision and in the order of course/predict/sampling.py:
// temperature, top-k, renormalise, top-p, renormalise.

const SHIFT = 2 ** 20; // more ids than a vocabulary has; 32 bits of a logit and 20 of an id fit a double's 53

/** The ids by rank: that of the largest logit first, of equals the smaller. */
function ranked(logits) {
  const size = logits.length;
  const plain = new Float32Array(size);
  for (let i = 0; i < size; i++) plain[i] = logits[i] + 0; // −0 + 0 is 0: equals must look equal
  const bits = new Uint32Array(plain.buffer);
  const keys = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const rising = bits[i] >>> 31 ? ~bits[i] >>> 0 : (bits[i] | 0x80000000) >>> 0; // grows with the number it stands for
    keys[i] = (0xffffffff - rising) * SHIFT + i;
  }
  keys.sort(); // numbers without a comparing function: many times faster than comparing logits
  const order = new Int32Array(size); // a loop: `from` with a function takes fifty times as long
  for (let rank = 0; rank < size; rank++) order[rank] = keys[rank] % SHIFT;
  return order;
}

function sumOf(numbers, end) {
  let sum = 0;
  for (let i = 0; i < end; i++) sum += numbers[i];
  return sum;
}

/** The sum of numbers[from] … as NumPy adds them, pairs of halves: to the last bit, since top-p may stop at one of two tokens
 *  where a sum of equal probabilities meets p exactly. */
function pairwiseSum(numbers, from = 0, size = numbers.length) {
  if (size < 8) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += numbers[from + i];
    return sum;
  }
  if (size > 128) {
    const half = size / 2 - ((size / 2) % 8);
    return pairwiseSum(numbers, from, half) + pairwiseSum(numbers, from + half, size - half);
  }
  const r = numbers.slice(from, from + 8);
  const whole = size - (size % 8);
  for (let i = 8; i < whole; i++) r[i % 8] += numbers[from + i];
  let sum = r[0] + r[1] + (r[2] + r[3]) + (r[4] + r[5] + (r[6] + r[7]));
  for (let i = whole; i < size; i++) sum += numbers[from + i];
  return sum;
}

/** −Σ p ln p of probabilities. */
function entropyNats(probabilities) {
  let nats = 0;
  for (const p of probabilities) if (p > 0) nats -= p * Math.log(p);
  return nats;
}

/** Divides each number by their sum, in place, and returns the sum. */
function normalise(numbers) {
  const sum = pairwiseSum(numbers);
  for (let i = 0; i < numbers.length; i++) numbers[i] /= sum;
  return sum;
}

/** The ranks' ids for probabilities by id: as `order`, except that where rounding made unequal logits equally likely, the smaller
 *  id comes first.  (Without any probability they stay in the order of their logits.) */
function settled(order, probabilities) {
  const fixed = order.slice();
  for (let start = 0; start < fixed.length;) {
    const p = probabilities[fixed[start]];
    if (p === 0) break;
    let end = start + 1;
    while (end < fixed.length && probabilities[fixed[end]] === p) end++;
    if (end > start + 1) fixed.subarray(start, end).sort();
    start = end;
  }
  return fixed;
}

/** Everything that is shown of `logits`, of which `byLogit` has the ids by rank.  topK null and topP 1: nothing is cut.
 *  order: ids by rank; before, probs: probabilities by rank, after the temperature, and after the cuts; byId: the latter by id;
 *  upTo: the cumulative mass that top-p goes by; keptK, kept: how many tokens top-k leaves, and how many of these top-p;
 *  mass: what the kept ones held before the cuts; entropyBefore, entropy: in nats. */
function chances(logits, byLogit, { temperature, topK, topP }) {
  const size = logits.length;
  const first = byLogit[0];
  const tempered = new Float64Array(size);
  if (temperature === 0) tempered[first] = 1;
  else {
    for (let id = 0; id < size; id++) tempered[id] = Math.exp((logits[id] - logits[first]) / temperature);
    normalise(tempered);
  }
  const order = settled(byLogit, tempered);
  const byId = tempered.slice();
  const keptK = topK === null ? size : Math.min(topK, size);
  if (topK !== null) {
    for (let rank = keptK; rank < size; rank++) byId[order[rank]] = 0;
    normalise(byId);
  }
  const upTo = new Float64Array(keptK);
  let kept = keptK;
  for (let rank = 0, sum = 0; rank < keptK; rank++) {
    upTo[rank] = sum += byId[order[rank]];
    if (topP < 1 && kept === keptK && sum >= topP) kept = rank + 1;
  }
  if (kept < keptK) {
    for (let rank = kept; rank < keptK; rank++) byId[order[rank]] = 0;
    normalise(byId);
  }
  const [before, probs] = [new Float64Array(size), new Float64Array(size)];
  for (let rank = 0; rank < size; rank++) {
    before[rank] = tempered[order[rank]];
    probs[rank] = byId[order[rank]];
  }
  return { order, before, probs, byId, upTo, keptK, kept, size, cut: kept < size, mass: kept < size ? sumOf(before, kept) : 1,
    entropyBefore: entropyNats(tempered), entropy: entropyNats(byId) };
}

/** The id that a uniform number u in [0, 1) draws: the first, in the order of ids, whose part of the line ends beyond u. */
function drawn(byId, u) {
  const total = sumOf(byId, byId.length);
  for (let id = 0, sum = 0; id < byId.length; id++) {
    sum += byId[id];
    if (sum / total > u) return id;
  }
  return byId.length - 1; // never reached: the last part ends at 1
}

/** The end of a scale for bars: the smallest of 1, 0.5, 0.2, 0.1, 0.05 … that holds the largest probability. */
function scaleFor(largest) {
  let scale = 1;
  for (let power = 1; power > 1e-9; power /= 10) {
    for (const digit of [5, 2, 1]) {
      const next = Number(((digit * power) / 10).toPrecision(1));
      if (next < largest) return scale;
      scale = next;
    }
  }
  return scale;
}

/** Where sliders stop: temperatures 0, then 0.04 … 5 by equal ratios, with 1 among them. */
const TEMPERATURES = [0, ...Array.from({ length: 151 }, (_, i) => Number((0.04 * 125 ** (i / 150)).toPrecision(3)))];
/** top-p: every hundredth. */
const MASSES = Array.from({ length: 100 }, (_, i) => (i + 1) / 100);
/** top-k of a vocabulary: 1 … 10, then steps of about a tenth; the last stands for all. */
function counts(size) {
  const stops = [];
  for (let k = 1; k < size; k += Math.max(1, Math.round(k / 10))) stops.push(k);
  return [...stops, size];
}
/** The place of the stop that is nearest to x. */
function nearestStop(stops, x) {
  let best = 0;
  stops.forEach((stop, place) => { if (Math.abs(stop - x) < Math.abs(stops[best] - x)) best = place; });
  return best;
}
