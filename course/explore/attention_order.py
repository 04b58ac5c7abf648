"""The order in which an attention explorer shows a head's rows and columns: as in the text, or by weight."""

import numpy as np
import traitlets

from course.explore.base import Explorer


class SortedCells(Explorer):
    """The part of an AttentionExplorer that sorts the large head.

    Sorting moves rows and columns together with their names; `row` and `column` go on counting tokens in text order, so
    that the cursor stays on its pair of tokens.  Of equal weights the earlier token comes first.
    """

    columns_by = traitlets.Int(-1).tag(sync=True)  # the query whose largest weights come first, −1: as in the text
    rows_by = traitlets.Int(-1).tag(sync=True)  # the key: queries that look at it most come first, −1: as in the text

    def order(self) -> tuple[np.ndarray, np.ndarray]:
        """(rows (T,), columns (S,)): which query and which key stands at each place of the large head."""
        weights = self.weights()[self.head]  # (T, S)
        rows, columns = map(np.arange, weights.shape)
        if self.mask_mode == "draw":  # a mask is drawn on the text as it stands
            return rows, columns
        if self.rows_by >= 0:
            rows = np.argsort(-weights[:, self.rows_by], kind="stable")
        if self.columns_by >= 0:
            columns = np.argsort(-weights[self.columns_by], kind="stable")
        return rows, columns

    @traitlets.observe("tokens", "key_tokens")
    def _back_to_text_order(self, _change):
        self.rows_by = self.columns_by = -1  # what they were sorted by has gone

    @traitlets.validate("columns_by", "rows_by")
    def _valid_order(self, proposal):
        """A token that has gone meanwhile sorts nothing."""
        count = len(self.tokens if proposal["trait"].name == "columns_by" else self.key_tokens)
        return proposal["value"] if 0 <= proposal["value"] < count else -1
