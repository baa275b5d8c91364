// PDQ in JavaScript, as other browser hashers compute it: a plain port of the reference (facebook/threatexchange, pdq),
// used only for the benchmark. Takes RGBA pixels, returns 16 words of 16 bits.
const SIDE = 64;
const TERMS = 16;
const DCT = Array.from({ length: TERMS }, (_, i) =>
  Float32Array.from(
    { length: SIDE },
    (_, j) => Math.sqrt(2 / SIDE) * Math.cos((Math.PI / 2 / SIDE) * (i + 1) * (2 * j + 1)),
  ),
);

export function pdq(rgba, width, height) {
  let luma = new Float32Array(width * height);
  for (let at = 0; at < luma.length; at += 1) {
    luma[at] = 0.299 * rgba[4 * at] + 0.587 * rgba[4 * at + 1] + 0.114 * rgba[4 * at + 2];
  }
  const [across, down] = [width, height].map((side) => Math.ceil(side / (2 * SIDE)));
  let other = new Float32Array(luma.length);
  for (let pass = 0; pass < 2; pass += 1) {
    for (let y = 0; y < height; y += 1) box(luma, other, y * width, 1, width, across);
    for (let x = 0; x < width; x += 1) box(other, luma, x, width, height, down);
  }
  const small = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const [row, column] = [Math.floor(((y + 0.5) * height) / SIDE), Math.floor(((x + 0.5) * width) / SIDE)];
      small[y * SIDE + x] = luma[row * width + column];
    }
  }
  luma = other = undefined;
  const half = new Float32Array(TERMS * SIDE);
  for (let i = 0; i < TERMS; i += 1) {
    for (let j = 0; j < SIDE; j += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) sum += DCT[i][k] * small[k * SIDE + j];
      half[i * SIDE + j] = sum;
    }
  }
  const terms = new Float32Array(TERMS * TERMS);
  for (let i = 0; i < TERMS; i += 1) {
    for (let j = 0; j < TERMS; j += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) sum += half[i * SIDE + k] * DCT[j][k];
      terms[i * TERMS + j] = sum;
    }
  }
  const median = terms.slice().sort()[127];
  const words = new Uint16Array(16);
  terms.forEach((term, at) => {
    if (term > median) words[at >> 4] |= 1 << (at & 15);
  });
  return words;
}

/** Applies a box filter of `window` samples to one line. */
function box(from, to, start, step, length, window) {
  const before = (window + 2) >> 1;
  const first = before - 1;
  let [sum, count, read, drop, write] = [0, 0, start, start, start];
  const emit = () => {
    to[write] = sum / count;
    write += step;
  };
  const take = () => {
    sum += from[read];
    read += step;
    count += 1;
  };
  const lose = () => {
    sum -= from[drop];
    drop += step;
    count -= 1;
  };
  const half = window - first;
  for (let i = 0; i < first; i += 1) take();
  for (let i = 0; i < half; i += 1) {
    take();
    emit();
  }
  for (let i = 0; i < length - window; i += 1) {
    take();
    lose();
    emit();
  }
  for (let i = 0; i < first; i += 1) {
    lose();
    emit();
  }
}
