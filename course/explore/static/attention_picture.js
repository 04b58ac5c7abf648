// Attention explorer: the picture that "Save picture" writes, put together from what is seen.  A block is {width, height,
// draw(pen, x, y)} in CSS pixels; its `caption`, if it has one, stands above it.

const PICTURE_MARGIN = 16;
const CAPTION_LINE = 20;
const TEXT_LINE = 18;
const NARROWEST = 420; // CSS pixels that sentences have at least

/** A canvas as a block. */
function canvasBlock(canvas, width, height, caption = "") {
  return { width, height, caption, draw: (pen, x, y) => pen.drawImage(canvas, x, y, width, height) };
}

/** `text` in lines of at most `room` pixels, broken at spaces. */
function wrapped(pen, text, room) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** One canvas: `title`, then `rows` of blocks side by side, the sentences `lines`, and the scale of colours from 0 to `top`. */
function composePicture({ colours, title, rows, lines, scale, top }) {
  const canvas = document.createElement("canvas");
  const measure = canvas.getContext("2d");
  const across = (row) => row.reduce((sum, block) => sum + block.width, GAP * (row.length - 1));
  const inner = Math.max(NARROWEST, ...rows.map(across));
  setFont(measure, colours, 13);
  const broken = lines.flatMap((line) => wrapped(measure, line, inner));
  const captioned = (row) => (row.some((block) => block.caption) ? CAPTION_LINE : 0);
  const tall = (row) => captioned(row) + Math.max(...row.map((block) => block.height));
  const height = 26 + rows.reduce((sum, row) => sum + tall(row) + 12, 0) + broken.length * TEXT_LINE + 44;
  const pen = surface(canvas, inner + 2 * PICTURE_MARGIN, height + 2 * PICTURE_MARGIN);
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, inner + 2 * PICTURE_MARGIN, height + 2 * PICTURE_MARGIN);
  let y = PICTURE_MARGIN + 12;
  const write = (text, x, at, size, colour, bold = false, room = inner) => {
    setFont(pen, colours, size, bold);
    pen.fillStyle = colour;
    pen.textAlign = "left";
    pen.textBaseline = "alphabetic";
    pen.fillText(text, x, at, room);
  };
  write(title, PICTURE_MARGIN, y, 14, colours.ink, true);
  y += 14;
  for (const row of rows) {
    let x = PICTURE_MARGIN;
    for (const block of row) {
      if (block.caption) write(block.caption, x, y + 13, 12, colours.ink, true, block.width);
      block.draw(pen, x, y + captioned(row));
      x += block.width + GAP;
    }
    y += tall(row) + 12;
  }
  for (const sentence of broken) write(sentence, PICTURE_MARGIN, (y += TEXT_LINE) - 6, 13, colours.ink);
  drawScale(pen, PICTURE_MARGIN, y + 12, { colours, scale, top });
  return canvas;
}

/** The scale of colours with its name and three numbers. */
function drawScale(pen, x, y, { colours, scale, top }) {
  setFont(pen, colours, 11);
  pen.fillStyle = colours.soft;
  pen.textAlign = "left";
  pen.fillText(scale, x, y + 9);
  const [bar, left] = [150, x + pen.measureText(scale).width + 14];
  pen.textAlign = "center";
  [0, top / 2, top].forEach((value, i) => pen.fillText(String(value), left + (i * bar) / 2, y + 24));
  for (let step = 0; step < bar; step++) {
    pen.fillStyle = css(viridis(step / (bar - 1)));
    pen.fillRect(left + step, y, 1.2, 10);
  }
}
