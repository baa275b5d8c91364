/** Draws a BMP of 64 x 64 pixels with columns of grey. */
export function drawnBmp() {
  const bytes = new Uint8Array(54 + 64 * 64 * 3);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, 64],
    [22, 64],
    [26, 1 | (24 << 16)],
  ])
    view.setUint32(at, value, true);
  for (let at = 54; at < bytes.length; at += 1) bytes[at] = (Math.floor((at - 54) / 3) % 64) * 4;
  return bytes;
}

// Opens a gate as the README says, checks four pictures, and shows the verdicts. The page of every test project runs
// this.
export async function check(openGate) {
  const verdicts = {};
  try {
    const gate = await openGate({ filters: ["/samples/demo.hgf"] });
    for (const name of ["listed/listed-0.jpg", "edited/listed-2-mirrored.jpg", "clean/clean-1.jpg"]) {
      const picture = await (await fetch(`/samples/${name}`)).blob();
      verdicts[name] = (await gate.check(picture)).outcome;
    }
    verdicts["drawn.bmp"] = (await gate.check(new Blob([drawnBmp()]))).outcome;
  } catch (error) {
    verdicts.error = `${error.code}: ${error.message}`;
  }
  document.querySelector("output").textContent = JSON.stringify(verdicts);
}
