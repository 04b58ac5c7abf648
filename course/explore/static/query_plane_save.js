// The query plane as a PNG, made on the page: no kernel, no network.

const LOOKS = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order",
  "font-family", "font-size", "font-weight", "opacity", "visibility"];

/** An image of a plane without its handles, as it looks now: a promise of an <img>. */
function imageOf(plane) {
  const copy = plane.svg.cloneNode(true);
  const originals = plane.svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((node, i) => { // the style sheet does not travel, so each part takes its looks along
    const style = getComputedStyle(originals[i]);
    for (const name of LOOKS) node.setAttribute(name, style.getPropertyValue(name));
  });
  copy.querySelector(".qp-handles").remove();
  const text = new XMLSerializer().serializeToString(copy).replace(/[\ufffe\uffff]/g, "\ufffd"); // XML knows no such characters
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  return image.decode().then(() => image);
}

/** Both planes with their titles, the weights between them and the sentence below, downloaded as `name`. */
async function savePlanes({ root, planes, titles, rows, sentence, name }) {
  const images = await Promise.all(planes.map(imageOf));
  const colours = themeColours(root);
  const [margin, middle, line] = [16, 230, 20];
  const sides = planes.map((plane) => plane.side);
  const width = sides[0] + middle + sides[1] + 2 * margin;
  const height = Math.max(...sides, rows.length * line + line) + 2 * margin + 3 * line;
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  const write = (text, x, y, { bold = false, align = "left", most = 1e4 } = {}) => {
    pen.font = `${bold ? "600 " : ""}13px ${colours.font}`;
    pen.textAlign = align;
    pen.fillStyle = colours.ink;
    pen.fillText(text, x, y, most);
  };
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, width, height);
  const lefts = [margin, margin + sides[0] + middle];
  const top = margin + line;
  images.forEach((image, i) => {
    write(titles[i], lefts[i], margin + 8, { bold: true });
    pen.drawImage(image, lefts[i], top, sides[i], sides[i]);
  });
  rows.forEach(({ label, weight, text }, j) => {
    const [x, y] = [margin + sides[0] + 16, top + line * (j + 1)];
    write(label, x, y, { most: 74 });
    pen.fillStyle = colours.line;
    pen.fillRect(x + 80, y - 9, 70, 9);
    pen.fillStyle = getComputedStyle(root).getPropertyValue("--qp-key");
    pen.fillRect(x + 80, y - 9, 70 * weight, 9);
    write(text, x + 198, y, { align: "right" });
  });
  write(sentence, margin, height - margin, { most: width - 2 * margin });
  const blob = await new Promise((done) => canvas.toBlob(done));
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
