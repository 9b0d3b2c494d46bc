// sha256 of parts and of whole files. The browser's own is faster, but there only in a secure context and not in pieces.
import { sha256 } from "../vendor/hashes/sha2.js";

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const digestOf = async (buffer) =>
  hex(self.crypto.subtle ? new Uint8Array(await self.crypto.subtle.digest("SHA-256", buffer)) : sha256(new Uint8Array(buffer)));

export const wholeHash = () => {
  const hasher = sha256.create();
  return { add: (buffer) => hasher.update(new Uint8Array(buffer)), end: () => hex(hasher.digest()) };
};
