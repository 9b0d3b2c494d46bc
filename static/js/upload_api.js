// What the worker of an upload asks of the portal. A lost connection is waited for; a refusal is an error with a code.
export class Refused extends Error {
  constructor(message, code, status) { super(message); Object.assign(this, { code, status }); }
}

const WAIT_MS = [500, 1000, 2000, 4000, 8000, 15000];
// The portal restarts, is too busy, or checks this very file: the same request will do later.
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);
const pause = (ms) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  self.addEventListener("online", () => { clearTimeout(timer); done(); }, { once: true });
});

export const makeApi = ({ token, language, onWait, signal }) => async (method, address, body) => {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    let answer = null;
    try {
      const type = body instanceof Blob ? "application/octet-stream" : "application/json";
      const headers = { "X-CSRFToken": token, "Accept-Language": language, ...(body && { "Content-Type": type }) };
      const sent = body && !(body instanceof Blob) ? JSON.stringify(body) : body;
      answer = await fetch(address, { method, headers, body: sent, signal });
      const value = answer.status === 204 ? null : await answer.json().catch(() => null);
      if (answer.ok) { onWait(false); return value; }
      const isBusy = value?.code === "upload_busy";
      if (!isBusy && !LATER.has(answer.status)) throw new Refused(value?.error ?? answer.statusText, value?.code, answer.status);
    } catch (error) {
      if (error instanceof Refused || signal.aborted) throw error;
    }
    onWait(answer === null);
    await pause(WAIT_MS[Math.min(attempt, WAIT_MS.length - 1)]);
  }
};
