// A row of tabs that is wider than a phone begins at the tab that is open, so that the reader sees where they are.
for (const tabs of document.querySelectorAll(".nav, .settings-nav")) {
  const open = tabs.querySelector(".nav-link.active, [aria-current]");
  if (open && tabs.scrollWidth > tabs.clientWidth) {
    const beyond = open.getBoundingClientRect().right - tabs.getBoundingClientRect().right;
    if (beyond > 0) tabs.scrollLeft += beyond + 24;
  }
}
