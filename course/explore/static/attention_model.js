// Attention explorer: the arithmetic.  Nothing here touches the page.

const KEPT_PRODUCTS = 8e6; // numbers of q·k kept for heads looked at before (64 MB)

/** One recording as the page holds it, read from the traits at one moment:
 *  q (H, T, D), k (H, S, D), v (H, S, Dv) or only weights (H, T, S); mask (1 or H, T, S), 1 = may look. */
class AttentionData {
  constructor(model) {
    const shape = model.get("shape");
    const { heads: H, rows: T, columns: S, width: D, value_width: Dv } = shape;
    Object.assign(this, { H, T, S, D, Dv, hasScores: shape.has_scores, maskHeads: shape.mask_heads });
    this.tokens = model.get("tokens");
    this.keyTokens = model.get("key_tokens");
    this.square = T === S && this.tokens.every((token, i) => token === this.keyTokens[i]);
    const numbers = floats(model, "tensors");
    let start = 0;
    const take = (size) => numbers.subarray(start, (start += size));
    if (this.hasScores) {
      this.q = take(H * T * D);
      this.k = take(H * S * D);
      this.v = Dv ? take(H * S * Dv) : null;
    } else this.given = take(H * T * S);
    this.bias = shape.bias ? take(H * T * S) : null;
    this.ownScale = shape.scale; // undefined for 1/√D
    this.mask = this.maskHeads ? bytes(model, "mask_bits") : null;
    this.causal = null;
    this.drawn = null; // Uint8Array (T, S): a mask drawn by hand, for the mode "draw"
    this.products = new Map(); // head → Float64Array (T, S), the one asked for last at the end
  }

  /** q·k of one head for all pairs, (T, S), in double precision. */
  headProducts(head) {
    const { T, S, D, q, k, products } = this;
    let found = products.get(head);
    if (!found) {
      found = new Float64Array(T * S);
      for (let i = 0, cell = 0; i < T; i++) {
        for (let j = 0; j < S; j++) found[cell++] = dot(q, k, (head * T + i) * D, (head * S + j) * D, D);
      }
      const room = Math.max(1, Math.floor(KEPT_PRODUCTS / (T * S)));
      while (products.size >= room) products.delete(products.keys().next().value);
    }
    products.delete(head);
    products.set(head, found);
    return found;
  }

  /** The mask in force for one head as Uint8Array (T, S), 1 = may look, or null where all may. */
  maskOf(head, mode) {
    const { T, S } = this;
    if (mode === "draw") return this.drawn;
    if (mode === "given" && this.mask) return this.maskHeads === 1 ? this.mask : this.mask.subarray(head * T * S, (head + 1) * T * S);
    if (mode !== "causal") return null;
    if (!this.causal) this.causal = Uint8Array.from({ length: T * S }, (_, cell) => (cell % S <= Math.floor(cell / S) ? 1 : 0));
    return this.causal;
  }

  /** What products are multiplied by: the layer's own scale, 1/√D unless it says otherwise, or 1. */
  scale(state) { return state.scaleOn ? this.ownScale || 1 / Math.sqrt(this.D) : 1; }

  /** What the layer adds to a cell's score, 0 for most. */
  biasAt(head, cell) { return this.bias ? this.bias[head * this.T * this.S + cell] : 0; }

  /** One head under a state {temperature, scaleOn, mask}: {weights (T, S), mask, nothing (T), top}. `nothing[i]` = 1 where
   *  row i has nothing to look at; `top` is the largest weight.  `theirs` (H, T, S) replaces the weights if given. */
  head(head, state, theirs = null) {
    const { T, S } = this;
    const mask = this.maskOf(head, state.mask);
    const nothing = new Uint8Array(T);
    let weights = theirs || this.given;
    if (weights) {
      weights = Float64Array.from(weights.subarray(head * T * S, (head + 1) * T * S));
      for (let i = 0; i < T; i++) {
        let sum = 0;
        for (let j = 0; j < S; j++) sum += Math.abs(weights[i * S + j]);
        nothing[i] = sum === 0 ? 1 : 0;
      }
    } else {
      const products = this.headProducts(head);
      const scale = this.scale(state);
      const scores = new Float64Array(S);
      weights = new Float64Array(T * S);
      for (let i = 0; i < T; i++) {
        for (let j = 0; j < S; j++) scores[j] = products[i * S + j] * scale;
        if (this.bias) for (let j = 0; j < S; j++) scores[j] += this.biasAt(head, i * S + j);
        const row = weights.subarray(i * S, (i + 1) * S);
        const some = softmaxRow(scores, mask && mask.subarray(i * S, (i + 1) * S), state.temperature, row);
        nothing[i] = some ? 0 : 1;
      }
    }
    let top = 0;
    for (let cell = 0; cell < weights.length; cell++) if (weights[cell] > top) top = weights[cell];
    return { weights, mask, nothing, top };
  }

  /** Entropy in bits and mean distance |i − j| (null where queries and keys are different texts) of one row. */
  rowFacts(shown, row) {
    const { S } = this;
    const weights = shown.weights.subarray(row * S, (row + 1) * S);
    let distance = 0;
    for (let j = 0; j < S; j++) distance += weights[j] * Math.abs(row - j);
    return { bits: entropyBits(weights), distance: this.square ? distance : null };
  }

  /** The same as the mean over the rows that have something to look at; null where none has. */
  headFacts(shown) {
    let [bits, distance, count] = [0, 0, 0];
    for (let i = 0; i < this.T; i++) {
      if (shown.nothing[i]) continue;
      const facts = this.rowFacts(shown, i);
      bits += facts.bits;
      distance += facts.distance || 0;
      count++;
    }
    return count ? { bits: bits / count, distance: this.square ? distance / count : null } : null;
  }

  /** The blend that a row takes home: Σ_j weight · v_j, Float64Array (Dv). */
  output(head, shown, row) {
    const { S, Dv, v } = this;
    const output = new Float64Array(Dv);
    for (let j = 0; j < S; j++) {
      const weight = shown.weights[row * S + j];
      if (weight) for (let d = 0; d < Dv; d++) output[d] += weight * v[(head * S + j) * Dv + d];
    }
    return output;
  }

  /** A small picture of a head, at most `size` cells a side, each the largest weight it covers: {rows, columns, cells, masked}. */
  overview(shown, size) {
    const { T, S } = this;
    const [rows, columns] = [Math.min(T, size), Math.min(S, size)];
    const cells = new Float64Array(rows * columns);
    const open = new Uint8Array(rows * columns); // 1 where at least one cell may be looked at
    for (let i = 0; i < T; i++) {
      const line = Math.floor((i * rows) / T) * columns;
      for (let j = 0; j < S; j++) {
        const cell = line + Math.floor((j * columns) / S);
        const weight = shown.weights[i * S + j];
        if (weight > cells[cell]) cells[cell] = weight;
        if (!shown.mask || shown.mask[i * S + j]) open[cell] = 1;
      }
    }
    return { rows, columns, cells, open };
  }
}

/** The value of the brightest colour: the next of 1, 0.5, 0.2, 0.1, 0.05 … that no weight exceeds. */
function niceTop(top) {
  if (!(top > 0)) return 1;
  let power = 10 ** Math.ceil(Math.log10(top) - 1e-9);
  for (const part of [0.2, 0.5]) if (top <= power * part * (1 + 1e-9)) return power * part;
  return power;
}
