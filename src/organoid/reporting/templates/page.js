"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const remember = (value) => { try { localStorage.setItem("organoid-theme", value); } catch { /* private window */ } };
  try {
    const theme = localStorage.getItem("organoid-theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch { /* private window */ }
  const button = document.querySelector("#theme");
  button?.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember(root.dataset.theme);
  });
  const selects = [...document.querySelectorAll("#filters select")];
  const samples = [...document.querySelectorAll(".sample")];
  const count = document.querySelector("#shown");
  const apply = () => {
    let shown = 0;
    for (const sample of samples) {
      sample.hidden = !selects.every((select) => select.value === "" || sample.dataset[select.name] === select.value);
      shown += sample.hidden ? 0 : 1;
    }
    if (count) count.textContent = String(shown);
  };
  for (const select of selects) select.addEventListener("change", apply);
  document.querySelector("#filters")?.addEventListener("reset", () => setTimeout(apply));
})();
