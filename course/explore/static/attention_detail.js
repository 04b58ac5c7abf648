// Attention explorer: the numbers behind one cell, element by element.

/** A bar from the middle: signed `share` in [−1, 1]. */
function signedBar(share) {
  const colour = css(diverging(share >= 0 ? 0.7 : -0.7));
  const width = `${Math.min(Math.abs(share), 1) * 50}%`;
  const side = share >= 0 ? "left:50%" : "right:50%";
  return element("span", { class: "ex-signed", "aria-hidden": "true" }, element("span", { style: `${side};width:${width};background:${colour}` }));
}

function numberTable(caption, headings, rows) {
  const head = element("tr", {}, headings.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, cells.map((cell) => element("td", {}, cell))));
  return element("div", { class: "ex-table", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {}, element("caption", { class: "ex-unseen" }, caption), element("thead", {}, head), element("tbody", {}, body)));
}

/** q·k of one cell: element, q, k, their product as number and bar, running sum. */
function productTable(data, head, row, column, words) {
  const { T, S, D, q, k } = data;
  const [a, b] = [(head * T + row) * D, (head * S + column) * D];
  const products = Array.from({ length: D }, (_, d) => q[a + d] * k[b + d]);
  const most = Math.max(...products.map(Math.abs)) || 1;
  let sum = 0;
  const rows = products.map((product, d) => {
    sum += product;
    return [String(d), number(q[a + d]), number(k[b + d]), number(product), signedBar(product / most), number(sum)];
  });
  return numberTable(words.product_caption, words.product_headings, rows);
}

/** What the row takes home: the output, element by element. */
function outputTable(output, words) {
  const most = Math.max(...output.map(Math.abs)) || 1;
  const rows = Array.from(output, (value, d) => [String(d), number(value), signedBar(value / most)]);
  return numberTable(words.output_caption, words.output_headings, rows);
}

/** The small table of entropy and mean distance, one line for the row and one for the head: {element, rowCells, headCells,
 *  distance}, filled in at each repaint. */
function factsTable(words) {
  const distance = element("th", { scope: "col" });
  const line = () => [element("th", { scope: "row" }), element("td"), element("td")];
  const [rowCells, headCells] = [line(), line()];
  const table = element("table", { class: "ex-facts" },
    element("tr", {}, element("td"), element("th", { scope: "col" }, words.entropy), distance), element("tr", {}, rowCells), element("tr", {}, headCells));
  return { element: table, rowCells, headCells, distance };
}
