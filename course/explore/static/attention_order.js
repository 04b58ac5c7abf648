// Attention explorer: rows and columns of the large head sorted by weight, and back.

/** The indices of `weights` from the largest down, of equals the earlier first. */
function downwards(weights) {
  return Array.from(weights.keys()).sort((a, b) => (weights[a] === weights[b] ? a - b : weights[b] - weights[a]));
}

class Sorting {
  /** `view` is the AttentionView whose large head is sorted; the traits columns_by and rows_by say by which query and key. */
  constructor(view) {
    Object.assign(this, { view, key: "" });
    const { words, share, model } = view;
    this.columns = button({ label: "", onClick: () => share("columns_by", model.get("row")) });
    this.rows = button({ label: "", onClick: () => share("rows_by", model.get("column")) });
    this.back = button({ label: words.sort_back, onClick: () => this.textOrder() });
    this.fold = disclosure({ label: words.sort_fold });
    this.fold.body.append(element("div", { class: "ex-controls" }, this.columns.element, this.rows.element));
    this.said = element("span", {});
    this.line = element("p", { class: "ex-sorted", role: "status", hidden: true }, this.said, " ", this.back.element);
  }

  textOrder() {
    const { share, heat } = this.view;
    share("columns_by", -1);
    share("rows_by", -1);
    heat.grid.element.focus({ preventScroll: true }); // the button is about to go
  }

  /** Sorts what is shown (`key` names it), and names in the buttons what is under the cursor. */
  apply(key, [row, column]) {
    const { model, words, data, shown, heat } = this.view;
    const drawn = model.get("mask_mode") === "draw"; // a mask is drawn on the text as it stands
    const by = drawn ? [-1, -1] : [model.get("columns_by"), model.get("rows_by")];
    const wanted = [key, ...by].join("|");
    for (const control of [this.columns, this.rows]) control.disable(drawn ? words.sort_drawing : null);
    const name = (token) => shorten(visible(token), 16);
    this.columns.set(say(words.sort_columns, { query: name(data.tokens[row]) }));
    this.rows.set(say(words.sort_rows, { key: name(data.keyTokens[column]) }));
    if (wanted === this.key) return;
    this.key = wanted;
    const { T, S } = data;
    const [query, key_] = [by[0] < T ? by[0] : -1, by[1] < S ? by[1] : -1];
    const columns = query < 0 ? null : downwards(shown.weights.subarray(query * S, (query + 1) * S));
    const rows = key_ < 0 ? null : downwards(Float64Array.from({ length: T }, (_, i) => shown.weights[i * S + key_]));
    if (rows || columns || heat.rows || heat.columns) heat.sort(rows, columns);
    this.line.hidden = !rows && !columns;
    const parts = [columns ? say(words.sorted_columns, { query: name(data.tokens[query]) }) : "",
      rows ? say(words.sorted_rows, { key: name(data.keyTokens[key_]) }) : ""];
    this.said.textContent = parts.filter(Boolean).join(" ");
    this.view.root.dataset.order = JSON.stringify([rows, columns]);
  }
}
