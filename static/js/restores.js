/* Comforts of the pages about restores. Every page works without this file. */
"use strict";

/* What was typed into a request survives a lost session: it is kept in this tab until the request is filed. */
const asking = document.querySelector("form[data-draft]");
if (asking) {
  const key = asking.dataset.draft;
  for (const typed of asking.querySelectorAll("textarea, input[type=text]")) {
    const kept = `${key}-${typed.name}`;
    if (!typed.value) typed.value = sessionStorage.getItem(kept) ?? "";
    typed.addEventListener("input", () => sessionStorage.setItem(kept, typed.value));
  }
} else if (location.pathname.match(/^\/requests\/\d+\/$/)) {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("ask-")) sessionStorage.removeItem(key);
}

/* A file that is too large is said to be so before it is sent. */
document.addEventListener("change", (event) => {
  const most = Number(event.target.dataset?.mostBytes);
  if (!most) return;
  const large = [...event.target.files].find((file) => file.size > most);
  event.target.setCustomValidity(large ? `${large.name} is larger than ${Math.floor(most / 1e6)} MB.` : "");
  event.target.reportValidity();
});

/* The page never changes under a dialog in which somebody types. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.querySelector("dialog:modal, dialog:popover-open")) event.detail.shouldSwap = false;
});

/* What was said when the page was opened no longer holds once the request has moved on. */
document.addEventListener("htmx:afterSwap", (event) => {
  if (["request", "incident"].includes(event.detail.target?.id)) document.querySelector(".messages")?.remove();
});

/* Charges by keyboard: j and k walk the cards; c and w go to the reason, or decide once there is one. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const cards = [...document.querySelectorAll("[data-card]")];
  const here = cards.findIndex((card) => card.contains(document.activeElement));
  if (event.key === "j" || event.key === "k") {
    cards[Math.min(cards.length - 1, Math.max(0, here + (event.key === "j" ? 1 : -1)))]?.focus();
    return;
  }
  const button = (cards[here] ?? cards[0])?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  const reason = button.form.querySelector("textarea");
  if (reason.value.trim()) button.click();
  else reason.focus();
});
