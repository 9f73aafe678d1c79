/* Small comforts. Every page works without this file. */
"use strict";

/* A form is sent once: a second click or Enter does nothing until the page comes back. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method === "get" || event.defaultPrevented || form.method === "dialog") return;
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-busy", "true");
});
const letSendAgain = () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
};
window.addEventListener("pageshow", letSendAgain);
document.addEventListener("htmx:afterRequest", letSendAgain);

/* Dialogs are popovers without JavaScript; with it they are modal. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[popovertarget]");
  const dialog = opener && document.getElementById(opener.getAttribute("popovertarget"));
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  dialog.removeAttribute("popover");
  if (dialog.open) dialog.close();
  else dialog.showModal();
});
for (const dialog of document.querySelectorAll("dialog[open]")) {
  dialog.removeAttribute("popover");
  dialog.close();
  dialog.showModal();
}

/* A menu closes when the person goes elsewhere. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

/* Lists by keyboard: j and k walk the rows, Enter opens. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const rows = [...document.querySelectorAll("[data-keys] > tr")];
  if (!rows.length || !["j", "k"].includes(event.key)) return;
  const now = rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now + (event.key === "j" ? 1 : -1)))];
  for (const row of rows) row.removeAttribute("aria-current");
  next.setAttribute("aria-current", "true");
  next.querySelector("[data-row]")?.focus();
});
