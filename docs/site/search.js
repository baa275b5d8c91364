// The search of the documentation: loads the index when the field is first used, and lists what it finds.
import MiniSearch from "minisearch";

const field = document.querySelector("#search");
const list = document.querySelector("#found");
const { base } = document.documentElement.dataset;
let index;

// A script instead of a fetch, because browsers fetch nothing from a disk.
window.hashgateSearch = (json) => {
  const options = { fields: ["title", "page", "text"], storeFields: ["title", "page", "url"], idField: "url" };
  index = MiniSearch.loadJSON(json, options);
  show();
};

field.addEventListener("focus", load, { once: true });
field.addEventListener("input", show);
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  if (event.key === "Enter") list.querySelector("a")?.click();
  if (event.key === "ArrowDown") move(event, list.querySelector("a"));
});
list.addEventListener("keydown", (event) => {
  const { parentElement: item } = document.activeElement;
  if (event.key === "Escape") hide();
  if (event.key === "ArrowDown") move(event, item.nextElementSibling?.querySelector("a"));
  if (event.key === "ArrowUp") move(event, item.previousElementSibling?.querySelector("a") ?? field);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea)$/i.test(document.activeElement.tagName)) move(event, field);
});

function load() {
  const script = document.createElement("script");
  script.src = `${base}assets/search-index.js`;
  document.head.append(script);
}

function show() {
  const words = field.value.trim();
  // What a word means comes before the many pages that use it.
  const boostDocument = (url) => (url.includes("glossary") ? 4 : 1);
  const options = { prefix: true, fuzzy: 0.2, boost: { title: 4, page: 2 }, boostDocument };
  const found = index && words ? index.search(words, options) : [];
  list.replaceChildren(
    ...found.slice(0, 15).map(({ title, page, url }) => {
      const link = document.createElement("a");
      link.href = base + url;
      link.append(title);
      if (page !== title) link.append(Object.assign(document.createElement("small"), { textContent: page }));
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
  if (index && words && found.length === 0)
    list.append(Object.assign(document.createElement("li"), { textContent: "Nothing found." }));
  list.hidden = list.childElementCount === 0;
}

function move(event, element) {
  event.preventDefault();
  element?.focus();
}

function hide() {
  list.hidden = true;
  field.focus();
}
