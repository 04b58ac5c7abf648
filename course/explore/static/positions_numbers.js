// The positions explorer, first part: the arithmetic.  Matrices are Float64Arrays, row by row: one row a position.

/** Radians that pair i turns from one position to the next: base^(−2i/d_model), for each of the d_model/2 pairs. */
function frequencies(d_model, base) { return Float64Array.from({ length: d_model / 2 }, (_, i) => base ** ((-2 * i) / d_model)); }

/** (T, d_model): sin(p · frequency) in the even columns, cos in the odd ones. */
function sinusoidal(T, d_model, base) {
  const out = new Float64Array(T * d_model);
  frequencies(d_model, base).forEach((frequency, i) => {
    for (let p = 0; p < T; p++) {
      out[p * d_model + 2 * i] = Math.sin(p * frequency);
      out[p * d_model + 2 * i + 1] = Math.cos(p * frequency);
    }
  });
  return out;
}

/** (T, d_model): `vector` turned to each position, pair (2i, 2i+1) by p · frequency. */
function rotated(vector, T, d_model, base) {
  const out = new Float64Array(T * d_model);
  frequencies(d_model, base).forEach((frequency, i) => {
    const [x, y] = [vector[2 * i], vector[2 * i + 1]];
    for (let p = 0; p < T; p++) {
      const [c, s] = [Math.cos(p * frequency), Math.sin(p * frequency)];
      out[p * d_model + 2 * i] = x * c - y * s;
      out[p * d_model + 2 * i + 1] = x * s + y * c;
    }
  });
  return out;
}

/** The vector whose hands all point to angle 0: (1, 0, 1, 0, …). */
function uprightVector(d_model) { return Float64Array.from({ length: d_model }, (_, j) => 1 - (j % 2)); }

/** The first T rows and d_model columns of a table with `columns` columns. */
function excerpt(table, columns, T, d_model) {
  const out = new Float64Array(T * d_model);
  for (let p = 0; p < T; p++) out.set(table.subarray(p * columns, p * columns + d_model), p * d_model);
  return out;
}

/** Row `reference` of `left` times each row of `right`: (T,). */
function similarity({ left, right }, reference, T, width) {
  return Float64Array.from({ length: T }, (_, p) => dot(left, right, reference * width, p * width, width));
}

/** Over all references: the lowest and highest dot product at each offset from 1 − T to T − 1, at index offset + T − 1; the
 *  widest gap between the two, its offset, and the largest size of all. */
function spread({ left, right }, T, width) {
  const low = new Float64Array(2 * T - 1).fill(Infinity);
  const high = new Float64Array(2 * T - 1).fill(-Infinity);
  let largest = 0;
  const note = (at, product) => {
    if (product < low[at]) low[at] = product;
    if (product > high[at]) high[at] = product;
    if (Math.abs(product) > largest) largest = Math.abs(product);
  };
  const mirrored = left === right;
  for (let r = 0; r < T; r++) {
    for (let p = mirrored ? r : 0; p < T; p++) {
      const product = dot(left, right, r * width, p * width, width);
      note(p - r + T - 1, product);
      if (mirrored) note(r - p + T - 1, product);
    }
  }
  let worst = T - 1;
  for (let at = 0; at < low.length; at++) if (high[at] - low[at] > high[worst] - low[worst]) worst = at;
  return { low, high, largest, gap: high[worst] - low[worst], offset: worst - (T - 1), lowest: low[worst], highest: high[worst] };
}

/** What is drawn for a state {kind, T, d_model, base}: {values (T, width), T, width, frequencies | null, limit, series}.
 *  `sources` = {table, columns, q, k, theirs: {values, T, width} | null}; a series is {name, left, right}. */
function encode({ kind, T, d_model, base }, sources) {
  if (kind === "learned") {
    const values = excerpt(sources.table, sources.columns, T, d_model);
    const limit = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    return { values, T, width: d_model, frequencies: null, limit, series: [{ name: "learned", left: values, right: values }] };
  }
  if (kind === "rotary") {
    const values = rotated(uprightVector(d_model), T, d_model, base);
    const [left, right] = [sources.q, sources.k].map((vector) => rotated(vector, T, d_model, base));
    const series = [{ name: "same", left: values, right: values }, { name: "random", left, right }];
    return { values, T, width: d_model, frequencies: frequencies(d_model, base), limit: 1, series };
  }
  const { values, T: rows, width } = sources.theirs || { values: sinusoidal(T, d_model, base), T, width: d_model };
  const limit = sources.theirs ? values.reduce((most, value) => Math.max(most, Math.abs(value)), 1) : 1;
  return { values, T: rows, width, frequencies: frequencies(width, base), limit, series: [{ name: "sinusoidal", left: values, right: values }] };
}

/** The hand of pair i at position p as [across, up].  Sinusoidal pairs hold (sin, cos), so that the first is the height. */
function hand(shown, kind, p, i) {
  const [first, second] = [shown.values[p * shown.width + 2 * i], shown.values[p * shown.width + 2 * i + 1]];
  return kind === "sinusoidal" ? [second, first] : [first, second];
}

/** Radians from −π to π by which the first hand must turn, anticlockwise, to lie on the second; NaN where one has no length. */
function angleBetween([x1, y1], [x2, y2]) {
  return (x1 || y1) && (x2 || y2) ? Math.atan2(x1 * y2 - y1 * x2, x1 * x2 + y1 * y2) : NaN;
}

// ------------------------------------------------------------------------------------------------ numbers for reading

/** Three significant digits without zeros at their end and without an exponent where it can be: 62.8, 0.1, −0.00133. */
function short(x) {
  if (!Number.isFinite(x)) return number(x);
  return String(Number(x.toPrecision(3))).replace(/-/g, "−");
}

/** Three decimals, a true minus sign, never −0.000. */
function fixed(x) {
  const text = x.toFixed(3);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
