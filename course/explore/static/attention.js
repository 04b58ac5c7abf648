// Attention explorer of one layer: what anywidget calls.

function render({ model, el }) {
  const view = new AttentionView(model, el);
  return () => view.close();
}

export default { render };
