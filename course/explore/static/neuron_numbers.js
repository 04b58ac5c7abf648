// The neuron explorer, first part: the four bends in double precision, and what follows from the numbers before them.

/** The error function: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)), a series without differences of large terms. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x); // nearer to ±1 than doubles tell apart
  let term = x;
  let sum = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const BENDS = {
  relu: (z) => Math.max(z, 0),
  gelu: (z) => (z * (1 + erf(z / Math.SQRT2))) / 2,
  gelu_tanh: (z) => (z / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))),
  silu: (z) => (z * (1 + Math.tanh(z / 2))) / 2,
};

/** Column `place` of a table of `width` columns, row by row in `table`. */
function column(table, width, place) {
  return Float64Array.from({ length: Math.floor(table.length / width) }, (_, row) => table[row * width + place]);
}

/** All columns, the one with the largest entry first, of equals the first: the order of the activations too, since all four
 *  bends rise where z > 0 and are at most 0 elsewhere. */
function byLargest(table, width) {
  const largest = new Float64Array(width).fill(-Infinity);
  for (let i = 0; i < table.length; i++) if (table[i] > largest[i % width]) largest[i % width] = table[i];
  return Array.from({ length: width }, (_, i) => i).sort((a, b) => largest[b] - largest[a] || a - b);
}

/** A round number near a third of `size`: what the marks of an axis are apart. */
function markStep(size) {
  const rough = size / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
}

/** Bytes as text; those that belong to no whole character are spelled <0xE8>. */
function spelledOut(all) {
  let text = "";
  for (let i = 0; i < all.length;) {
    const size = all[i] < 0x80 ? 1 : all[i] < 0xe0 ? 2 : all[i] < 0xf0 ? 3 : 4;
    const found = spelledBy(all.subarray(i, i + size));
    text += found === null ? `<0x${hexadecimal([all[i]])}>` : found;
    i += found === null ? 1 : size;
  }
  return text;
}

/** Names of tokens [text, kind, bytes in hexadecimal or ""] as one text, in which halves of a character that stand beside
 *  each other are whole again. */
function joined(names) {
  const parts = names.map(([text, , halves]) => (halves ? halves.match(/../g).map((two) => parseInt(two, 16)) : Array.from(new TextEncoder().encode(text))));
  return spelledOut(Uint8Array.from(parts.flat()));
}

/** The window of a text that is shown: [first, end) around `place`. */
function around(place, start, end, size) { return [Math.max(place - size, start), Math.min(place + size + 1, end)]; }
