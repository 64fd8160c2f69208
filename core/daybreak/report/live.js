// A page that is read again keeps what its reader had opened and chosen; the final page has no script.
(() => {
  const key = "daybreak-report";
  const name = (one) => `${one.closest("section")?.id}/${one.querySelector("summary")?.textContent}`;
  const folded = [...document.querySelectorAll("details")];
  const schemes = [...document.querySelectorAll(".scheme input")];
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    for (const one of folded) one.open = (kept.open ?? []).includes(name(one));
    for (const one of schemes) one.checked = one.id === (kept.scheme ?? "scheme-system");
  } catch {
    // storage is forbidden: then the page begins anew each time
  }
  addEventListener("pagehide", () => {
    const open = folded.filter((one) => one.open).map(name);
    const scheme = schemes.find((one) => one.checked)?.id;
    try {
      sessionStorage.setItem(key, JSON.stringify({ open, scheme }));
    } catch {
      // as above
    }
  });
})();
