// The administration's pages under a policy without eval: what unfold writes into attributes as functions, by name.
document.addEventListener("alpine:init", () => {
  const alpine = window.Alpine;
  for (const name of ["theme", "searchForm", "searchDropdown", "searchCommand"]) {
    alpine.data(name, (...given) => window[name](...given));
  }
  alpine.data("page", (tab) => ({
    activeTab: tab,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    // Expressions may not reach the window; the address is all that they want of it.
    window: { location: { pathname: location.pathname, search: location.search } },
    init() {
      this.activeTab = window.getCurrentTab() || this.activeTab;
      this.$watch("sidebarDesktopOpen", (is) => localStorage.setItem("sidebarDesktopOpen", is ? "1" : "0"));
    },
  }));
});
