// Asks the browser to take messages and sends the form with its address; marks which device of the list this one is.
document.addEventListener("DOMContentLoaded", async () => {
  const form = document.querySelector("[data-push-key]");
  if (!form || !window.isSecureContext || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  const { pushKey, pushScript, pushScope } = form.dataset;
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const digest = async (text) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))].map((one) => one.toString(16).padStart(2, "0")).join("");
  const button = form.querySelector("button"), error = form.querySelector("[data-push-failed]");
  const registration = await navigator.serviceWorker.getRegistration(pushScope);
  const known = await registration?.pushManager.getSubscription();
  const row = known && document.querySelector(`[data-device="${await digest(known.endpoint)}"]`);
  form.querySelector("[data-push-absent]").hidden = true;
  button.hidden = Boolean(row);
  if (row) {
    row.querySelector("[data-device-here]").hidden = false;
    row.querySelector("[data-device-removal]").addEventListener("submit", () => { known.unsubscribe(); });
  }
  const subscribe = async () => {
    await navigator.serviceWorker.register(pushScript, { scope: pushScope });
    const { pushManager } = await navigator.serviceWorker.ready;
    await (await pushManager.getSubscription())?.unsubscribe();
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: toBytes(pushKey) });
    form.elements.endpoint.value = made.endpoint;
    form.elements.public_key.value = toText(made.getKey("p256dh"));
    form.elements.auth.value = toText(made.getKey("auth"));
    form.submit();
  };
  button.addEventListener("click", async () => {
    error.textContent = "";
    button.disabled = true;
    try {
      if (await Notification.requestPermission() === "granted") await subscribe();
      else error.textContent = error.dataset.pushRefused;
    } catch {
      error.textContent = error.dataset.pushFailed;
    }
    button.disabled = false;
  });
});
