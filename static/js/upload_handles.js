// Handles of the chosen files, which browsers such as Chromium can keep: an upload then goes on after a reload without
// choosing them again. They are kept beside the key of the upload for as long as the portal keeps its parts.
const DAYS = 7;
const MOST = 200;
const asPromise = (asked) => new Promise((done, fail) => {
  asked.onsuccess = () => done(asked.result);
  asked.onerror = () => fail(asked.error);
});
const store = async (mode) => {
  const opening = indexedDB.open("uploads", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("handles", { keyPath: "key" });
  return (await asPromise(opening)).transaction("handles", mode).objectStore("handles");
};

// A browser that keeps nothing, as in private windows, lets people choose again.
export const keepHandles = async (key, handles) => {
  if (!handles?.length || handles.length > MOST) return;
  try {
    const rows = await store("readwrite");
    for (const row of await asPromise(rows.getAll())) if (Date.now() - row.at > DAYS * 86400e3) rows.delete(row.key);
    await asPromise(rows.put({ key, handles, at: Date.now() }));
  } catch { /* as said above */ }
};
export const forgetHandles = async (key) => {
  try { await asPromise((await store("readwrite")).delete(key)); } catch { /* nothing was kept */ }
};
// Returns the handles of an upload that the reader lets the page read again; none where there are none.
export const handlesOf = async (key) => {
  try {
    const { handles = [] } = await asPromise((await store("readonly")).get(key)) ?? {};
    for (const one of handles) if (await one.requestPermission({ mode: "read" }) !== "granted") return [];
    return handles;
  } catch { return []; }
};
