// Uses the package as a server would, in a runtime that has Node's modules. Prints the results as JSON.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { HeldError, openGate } from "hashgate";

const samples = process.env.SAMPLES;
const gate = await openGate({ filters: [join(samples, "demo.hgf")] });
const said = [];
for (const name of ["listed/listed-0.jpg", "edited/listed-2-mirrored.jpg", "clean/clean-1.jpg"]) {
  const bytes = await readFile(join(samples, name));
  const verdicts = [await gate.check(bytes), await gate.check(new File([bytes], "picture.jpg"))];
  const admitted = await gate.admit(new Blob([bytes])).then(
    ({ file }) => file.size === bytes.length,
    (error) => error instanceof HeldError && "held",
  );
  said.push([...verdicts.map(({ outcome }) => outcome), admitted]);
}
gate.close();
console.log(JSON.stringify(said));
