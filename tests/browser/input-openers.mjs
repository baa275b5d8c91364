// Code to open file pickers in all the ways that pages use, for the tests of the extension in both browsers.

/** Maps the text of a button to the code that opens a file picker when the button is clicked. */
export const PICKERS = {
  "put in, clicked, taken out": "const input = make(); document.body.append(input); input.click(); input.remove();",
  "never in the document": "make().click();",
  "a listener as early as can be": `const input = make(true); input.click();`,
  "put in after a while": "const input = make(); input.click(); setTimeout(() => document.body.append(input), 50);",
  "in a fragment":
    "const input = make(); const fragment = new DocumentFragment(); fragment.append(input); input.click();",
  "in an element without a document":
    "const input = make(); const div = document.createElement('div'); div.append(input); input.click();",
  "in closed trees within each other": `const [outer, inner] = [document.createElement("x-outer"), document.createElement("x-inner")];
    const input = make(); document.body.append(outer); outer.attachShadow({ mode: "closed" }).append(inner);
    inner.attachShadow({ mode: "closed" }).append(input); input.click();`,
  "in a closed tree without a document": `const host = document.createElement("div"); const input = make();
    host.attachShadow({ mode: "closed" }).append(input); input.click();`,
  "by its label":
    "const input = make(); const label = document.createElement('label'); label.append(input); label.click();",
  "by its label, put in and taken out": `const input = make(); const label = document.createElement("label"); label.append(input);
    document.body.append(label); label.click(); label.remove();`,
  "by a click that is dispatched": "make().dispatchEvent(new MouseEvent('click'));",
  "by showPicker": "make().showPicker();",
  "by showPicker in a closed tree": `const host = document.createElement("div"); const input = make(); document.body.append(host);
    host.attachShadow({ mode: "closed" }).append(input); input.showPicker();`,
};

/** Returns a page script that defines the function of each button in `PICKERS`. */
export const pickersScript = () => `{
  const note = ({ target }) => { for (const { name } of target.files) seen.push("picked " + name); };
  const make = (early) => {
    const input = document.createElement("input");
    input.type = "file";
    window.made = input;
    if (early) input.addEventListener("change", note, true);
    else input.onchange = note;
    return input;
  };
  const ways = { ${Object.entries(PICKERS)
    .map(([name, code]) => `${JSON.stringify(name)}: () => { ${code} }`)
    .join(",")} };
  for (const button of document.querySelectorAll("button[name]")) button.addEventListener("click", () => ways[button.name]?.()); }`;
