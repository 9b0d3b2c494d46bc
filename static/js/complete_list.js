// <input data-complete="languages"> takes several words with commas between; each is completed by itself, from the
// choices of <datalist id="known-languages">, or for “model”, “dataset” and “tag” by names that the portal finds.
const KINDS = ["model", "dataset", "tag"];
let asked;

document.querySelectorAll("input[data-complete]").forEach((input) => {
  const list = document.createElement("datalist");
  list.id = `complete-${input.id}`;
  input.after(list);
  input.setAttribute("list", list.id);
  input.addEventListener("input", () => complete(input, list));
  input.addEventListener("focus", () => complete(input, list));
});

async function complete(input, list) {
  const cut = Math.max(input.value.lastIndexOf(","), input.value.lastIndexOf("，")) + 1;
  const before = input.value.slice(0, cut) + (cut ? " " : "");
  const word = input.value.slice(cut).trim();
  const found = KINDS.includes(input.dataset.complete)
    ? await names(input.dataset.complete, word)
    : known(input.dataset.complete, word.toLowerCase());
  if (found) list.replaceChildren(...found.map(([value, label]) => option(before + value, label)));
}

function known(name, word) {
  const options = [...(document.getElementById(`known-${name}`)?.options ?? [])];
  const rows = options.map((each) => [each.value, each.label]);
  return rows.filter(([value, label]) => `${value} ${label}`.toLowerCase().includes(word)).slice(0, 20);
}

async function names(kind, word) {
  asked?.abort();
  if (word.length < 2) return [];
  asked = new AbortController();
  try {
    const answer = await fetch(`/fragments/names/${kind}?search=${encodeURIComponent(word)}`, { signal: asked.signal });
    const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
    return [...page.querySelectorAll("option")].map((each) => [each.value, ""]);
  } catch {
    return null;
  }
}

function option(value, label) {
  const made = document.createElement("option");
  made.value = value;
  if (label) made.label = label;
  return made;
}
