// What every project below does: opens a gate as the README says, checks three pictures, and shows the verdicts.
export async function check(openGate) {
  const verdicts = {};
  try {
    const gate = await openGate({ filters: ["/samples/demo.hgf"] });
    for (const name of ["listed/listed-0.jpg", "edited/listed-2-mirrored.jpg", "clean/clean-1.jpg"]) {
      const picture = await (await fetch(`/samples/${name}`)).blob();
      verdicts[name] = (await gate.check(picture)).outcome;
    }
  } catch (error) {
    verdicts.error = `${error.code}: ${error.message}`;
  }
  document.querySelector("output").textContent = JSON.stringify(verdicts);
}
