// Whoever has not chosen a time zone yet finds that of the device chosen; it counts once the form is saved.
document.addEventListener("DOMContentLoaded", () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const list of document.querySelectorAll("select[data-device-zone]")) {
    if (!list.value && [...list.options].some((one) => one.value === zone)) list.value = zone;
  }
});
