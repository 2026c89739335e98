// Suggestions under the search box, as the combobox pattern of ARIA 1.2 has them. Without this file the box works as well.
"use strict";
for (const form of document.querySelectorAll("form[data-suggest]")) {
  const box = form.querySelector("input[name=q]"), list = document.createElement("ul"), said = document.createElement("p");
  const WAIT = 150, kept = new Map();  // milliseconds after a key; answers of this page
  let timer, asking, at = -1, composing = false;
  list.id = "suggestions"; list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.querySelector("label").textContent);
  said.className = "unseen"; said.setAttribute("role", "status");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) box.setAttribute(name, value);
  box.parentElement.classList.add("suggests");
  box.parentElement.append(list, said);

  const close = () => { list.hidden = true; at = -1; box.setAttribute("aria-expanded", "false"); box.removeAttribute("aria-activedescendant"); };
  const mark = (to) => {
    at = to;
    [...list.children].forEach((it, number) => it.setAttribute("aria-selected", String(number === at)));
    if (at < 0) box.removeAttribute("aria-activedescendant"); else { box.setAttribute("aria-activedescendant", list.children[at].id); list.children[at].scrollIntoView({ block: "nearest" }); }
  };
  const take = (it) => { if (it.dataset.url) location.assign(it.dataset.url); else { box.value = it.dataset.text; form.requestSubmit(); } };
  const show = (found) => {
    list.replaceChildren(...found.map((each, number) => {
      const it = document.createElement("li"), region = document.createElement("span");
      it.id = "suggestion-" + number; it.setAttribute("role", "option"); it.setAttribute("aria-selected", "false");
      it.dataset.text = each.text; if (each.url) it.dataset.url = each.url;
      it.textContent = each.text;
      region.textContent = [each.name === each.text ? null : each.name, each.region].filter(Boolean).join(" · ");
      it.append(region);
      return it;
    }));
    at = -1; list.hidden = !found.length;
    box.setAttribute("aria-expanded", String(!list.hidden)); box.removeAttribute("aria-activedescendant");
    said.textContent = found.length ? form.dataset.said.replace("#", found.length) : form.dataset.none;
  };
  const ask = async () => {
    const query = box.value.trim();
    asking?.abort();
    if (!query) return close();
    if (kept.has(query)) return show(kept.get(query));
    const mine = asking = new AbortController();
    try {
      const answer = await fetch(form.dataset.suggest + "?" + new URLSearchParams({ q: query }), { signal: mine.signal });
      const found = answer.ok ? (await answer.json()).suggestions : [];
      if (mine !== asking || document.activeElement !== box) return;
      kept.set(query, found); show(found);
    } catch { if (mine === asking) close(); }  // the box still works
  };
  const soon = () => { clearTimeout(timer); if (!composing) timer = setTimeout(ask, WAIT); };

  box.addEventListener("input", soon);
  box.addEventListener("compositionstart", () => { composing = true; });  // pinyin that is being typed is no text yet
  box.addEventListener("compositionend", () => { composing = false; soon(); });
  box.addEventListener("blur", () => { clearTimeout(timer); asking?.abort(); close(); });
  box.addEventListener("keydown", (event) => {
    const last = list.children.length - 1;
    if (event.isComposing) return;
    if (event.key === "Escape" && !list.hidden) { event.preventDefault(); close(); }
    else if (event.key === "ArrowDown" && list.hidden) { event.preventDefault(); ask(); }
    else if (list.hidden) return;
    else if (event.key === "ArrowDown") { event.preventDefault(); mark(at < last ? at + 1 : -1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(at < 0 ? last : at - 1); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); take(list.children[at]); }
  });
  form.addEventListener("submit", () => { clearTimeout(timer); asking?.abort(); });
  list.addEventListener("mousedown", (event) => { event.preventDefault(); });  // the box keeps the focus
  list.addEventListener("click", (event) => { const it = event.target.closest("li"); if (it) take(it); });
}
