// Runs before the page is drawn, so that it never flashes in the other theme.
(() => {
  let kept = null;
  try { kept = localStorage.getItem("rig-theme"); } catch { /* storage is off */ }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
