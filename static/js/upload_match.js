// Finds an unfinished upload of exactly the chosen files, known by path, size and time; the worker compares their first
// parts too. `chosen` of a file says which of the chosen ones it is.
export const findUnfinished = async (ask, { begin, uploads, revision }, rows, folder) => {
  const into = folder.trim().replace(/^\/+|\/+$/g, "");
  const place = (path) => into ? `${into}/${path}` : path;
  for (const one of await ask("GET", begin)) {
    if (one.revision !== revision || one.size !== rows.reduce((sum, { size }) => sum + size, 0)) continue;
    const whole = await ask("GET", `${uploads}/${one.key}`);
    const numbers = new Map(rows.map(({ path, size, modified }, number) => [`${place(path)}\n${size}\n${modified}`, number]));
    const found = whole.files.map(({ path, size, modified }) => numbers.get(`${path}\n${size}\n${modified}`));
    if (found.length !== rows.length || found.includes(undefined)) continue;
    return { ...whole, files: whole.files.map((row, index) => ({ ...row, chosen: found[index] })) };
  }
  return null;
};
