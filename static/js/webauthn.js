// Asks the browser for a security key, and sends the form with what it answers. Buttons appear where there is a way.
(() => {
  if (!window.PublicKeyCredential) return;
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const decoded = (key) => {
    const known = (one) => ({ ...one, id: toBytes(one.id) });
    const options = { ...key, challenge: toBytes(key.challenge) };
    if (key.user) options.user = { ...key.user, id: toBytes(key.user.id) };
    if (key.excludeCredentials) options.excludeCredentials = key.excludeCredentials.map(known);
    if (key.allowCredentials) options.allowCredentials = key.allowCredentials.map(known);
    return options;
  };
  const encoded = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    const id = toText(credential.rawId);
    return JSON.stringify({ id, rawId: id, type: credential.type, response, clientExtensionResults: credential.getClientExtensionResults() });
  };
  const asked = async (form) => {
    if (!form.dataset.webauthnFetch) return JSON.parse(document.getElementById(form.dataset.webauthnOptions).textContent);
    const answer = await fetch(form.dataset.webauthnFetch, { headers: { Accept: "application/json" } });
    return answer.json();
  };
  const use = async (form) => {
    const data = await asked(form);
    const publicKey = decoded((data.creation_options || data.request_options).publicKey);
    const passwordless = form.elements.passwordless;
    if (passwordless) {
      const kept = passwordless.checked ? { residentKey: "required", requireResidentKey: true, userVerification: "required" } : { residentKey: "discouraged", requireResidentKey: false };
      publicKey.authenticatorSelection = { ...publicKey.authenticatorSelection, ...kept };
    }
    form.elements.credential.value = encoded(await navigator.credentials[form.dataset.webauthn]({ publicKey }));
    form.submit();
  };
  for (const form of document.querySelectorAll("[data-webauthn]")) {
    const button = form.querySelector("button[hidden]"), error = form.querySelector("[data-webauthn-error]");
    button.hidden = false;
    button.addEventListener("click", () => {
      error.textContent = "";
      use(form).catch(() => { error.textContent = error.dataset.webauthnError; });
    });
  }
})();
