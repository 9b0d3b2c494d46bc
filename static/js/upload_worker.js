// Sends the files of one upload, beside the page: reads them part by part, hashes, packs small ones together, and keeps
// few parts in memory. What the portal has already is read again for the digest of the whole, and not sent.
import { makeApi, Refused } from "./upload_api.js";
import { digestOf, wholeHash } from "./upload_hashing.js";

const AT_ONCE = 3;
const MOST_PARTS = 200;
let goOn = null; // while paused: the promise that pause() made
let resume = () => {};
const tell = (kind, values = {}) => self.postMessage({ kind, ...values });

class Sending {
  constructor({ upload, files, address, token, language }) {
    Object.assign(this, { upload, files, address: `${address}/${upload.key}`, waiting: [], bytes: 0, flying: new Set(), failure: null });
    this.stopping = new AbortController();
    this.api = makeApi({ token, language, signal: this.stopping.signal, onWait: (is) => tell("waiting", { is }) });
  }

  async run() {
    for (const row of this.upload.files) await this.sendFile(row, this.files[row.chosen ?? row.number]);
    await this.flush();
    await Promise.all(this.flying);
    if (this.failure) throw this.failure;
  }

  async sendFile(row, file, isAgain = false) {
    if (row.sha256) return tell("progress", { number: row.number, bytes: row.size, isKnown: true });
    if (row.may_be_here && await this.claim(row, file)) return;
    const size = this.upload.part_bytes;
    const count = Math.ceil(row.size / size);
    const whole = count > 1 ? wholeHash() : null;
    for (let number = 0; number < count; number += 1) {
      await goOn;
      if (this.failure) throw this.failure;
      const buffer = await file.slice(number * size, Math.min((number + 1) * size, row.size)).arrayBuffer();
      whole?.add(buffer);
      const isThere = row.received.some(([first, end]) => first <= number && number < end);
      if (number === 0 && isThere && row.first_sha256 !== await digestOf(buffer)) {
        await this.api("DELETE", `${this.address}/files/${row.number}/parts`);
        row.received = [];
      } else if (isThere) {
        tell("progress", { number: row.number, bytes: buffer.byteLength, isKnown: true });
        continue;
      }
      await this.pack([row.number, number, buffer.byteLength, await digestOf(buffer)], buffer);
    }
    if (whole) await this.verify(row, file, whole.end(), isAgain);
  }

  async verify(row, file, sha256, isAgain) {
    await this.flush();
    await Promise.all(this.flying);
    if (this.failure) throw this.failure;
    tell("checking", { number: row.number });
    try {
      await this.api("PUT", `${this.address}/files/${row.number}/digest`, { sha256 });
    } catch (error) {
      if (isAgain || error.code !== "content_mismatch") throw error;
      tell("again", { number: row.number });
      await this.sendFile({ ...row, received: [], may_be_here: false }, file, true);
    }
    tell("checked", { number: row.number });
  }

  async claim(row, file) { // the repository may have it: then its digest is enough
    const whole = wholeHash();
    for (let start = 0; start < row.size; start += this.upload.part_bytes) {
      await goOn;
      whole.add(await file.slice(start, start + this.upload.part_bytes).arrayBuffer());
    }
    try {
      await this.api("PUT", `${this.address}/files/${row.number}/digest`, { sha256: whole.end() });
    } catch (error) {
      if (error instanceof Refused && (error.status === 409 || error.code === "content_mismatch")) return false;
      throw error;
    }
    tell("progress", { number: row.number, bytes: row.size, isKnown: true });
    return true;
  }

  async pack(head, buffer) {
    if (this.bytes + buffer.byteLength > this.upload.part_bytes || this.waiting.length >= MOST_PARTS) await this.flush();
    this.waiting.push({ head, buffer });
    this.bytes += buffer.byteLength;
  }

  async flush() {
    if (!this.waiting.length) return;
    const parts = this.waiting;
    this.waiting = [];
    this.bytes = 0;
    while (this.flying.size >= AT_ONCE) await Promise.race(this.flying);
    const body = new Blob([`${JSON.stringify(parts.map(({ head }) => head))}\n`, ...parts.map(({ buffer }) => buffer)]);
    const sent = this.api("PUT", `${this.address}/parts`, body)
      .then(() => { for (const { head } of parts) tell("progress", { number: head[0], bytes: head[2] }); })
      .catch((error) => { this.failure ??= error; })
      .finally(() => this.flying.delete(sent));
    this.flying.add(sent);
  }
}

let sending = null;
self.addEventListener("message", async ({ data }) => {
  if (data.kind === "pause") goOn ??= new Promise((done) => { resume = done; });
  if (data.kind === "resume") { resume(); goOn = null; }
  if (data.kind === "stop") sending?.stopping.abort();
  if (data.kind !== "start") return;
  sending = new Sending(data);
  try {
    await sending.run();
    tell("sent");
  } catch (error) {
    if (!sending.stopping.signal.aborted) tell("failed", { message: error.message, name: error.name, code: error.code });
  }
});
