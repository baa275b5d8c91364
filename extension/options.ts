// The options page: the list, and whether files that could not be checked pass.
import { send } from "./messages.js";
import { type List, readSettings, type Settings, writeSettings } from "./settings.js";

const say = (name: string, ...values: string[]) => chrome.i18n.getMessage(name, values);
const form = document.querySelector<HTMLFormElement>("#form") as HTMLFormElement;
const status = document.querySelector("#status") as HTMLElement;
const kept = document.querySelector("#kept") as HTMLElement;
const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;

document.documentElement.lang = say("language");
for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
  element.textContent = say(element.dataset.text as string);
}
for (const element of document.querySelectorAll<HTMLElement>("[data-label]")) {
  element.setAttribute("aria-label", say(element.dataset.label as string));
}

async function showStatus(): Promise<void> {
  status.classList.remove("failed");
  status.textContent = say("statusLoading");
  await send("background", "prepare", undefined);
  const answer = await send("checker", "status", undefined);
  const failed = "error" in answer;
  status.classList.toggle("failed", failed);
  status.textContent = failed
    ? say("statusFailed", answer.error)
    : answer.filters
        .map(({ name, category, release, pdqCount, sha256Count, md5Count }) =>
          say("statusReady", name, category, String(release), String(pdqCount + sha256Count + md5Count)),
        )
        .join(" ");
}

function show({ list, unchecked, override }: Settings): void {
  field("from").value = list.from;
  field("url").value = list.from === "url" ? list.url : "";
  field("manifest").value = list.from === "source" ? list.url : "";
  field("keys").value = list.from === "source" ? list.keys.join("\n") : "";
  kept.textContent = list.from === "file" ? say("fileKept", list.name) : "";
  field("unchecked").value = unchecked;
  field("override").checked = override;
}

function addressIn(name: string): string {
  const typed = field(name).value;
  if (!/^https?:/.test(typed) || !URL.canParse(typed)) throw new Error(say("urlNeeded"));
  return typed;
}

async function chosenList(before: List): Promise<List> {
  const from = field("from").value;
  if (from === "url") return { from, url: addressIn("url") };
  if (from === "source") {
    const keys = field("keys")
      .value.split("\n")
      .map((key) => key.trim())
      .filter(Boolean);
    if (keys.length === 0) throw new Error(say("keyNeeded"));
    return { from, url: addressIn("manifest"), keys };
  }
  if (from === "file") {
    const [file] = field("file").files ?? [];
    if (file) return { from, name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
    if (before.from === "file") return before;
    throw new Error(say("fileNeeded"));
  }
  return { from: "demo" };
}

function showError(error: unknown): void {
  status.classList.add("failed");
  status.textContent = error instanceof Error ? error.message : String(error);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const save = async () => {
    const settings: Settings = {
      list: await chosenList((await readSettings()).list),
      unchecked: field("unchecked").value === "allow" ? "allow" : "hold",
      override: field("override").checked,
    };
    await writeSettings(settings);
    await send("background", "changed", undefined);
    show(settings);
    await showStatus();
  };
  save().catch(showError);
});

readSettings().then(show).then(showStatus).catch(showError);
