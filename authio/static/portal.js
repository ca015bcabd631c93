// What the pages do beyond what they can without script: copy, search, tick off steps, check at once.
"use strict";

(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // -- saying things to screen readers ---------------------------------------------------------

  const voice = document.createElement("p");
  voice.className = "unseen";
  voice.setAttribute("role", "status");
  document.querySelector("main").append(voice);
  const say = (text) => { voice.textContent = ""; requestAnimationFrame(() => { voice.textContent = text; }); };

  // -- copy buttons ----------------------------------------------------------------------------

  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      // No permission, or plain http: the old way works on what is selected.
      select(element);
      return document.execCommand("copy");
    }
  };

  for (const button of all("[data-copy]")) {
    button.hidden = false;
    const label = button.getAttribute("aria-label").replace(/^Copy /, "");
    let timer = 0;
    button.addEventListener("click", async () => {
      const done = await copy(document.getElementById(button.dataset.copy));
      button.textContent = done ? "Copied" : "Selected";
      say(done ? `${label} copied` : `${label} selected: press Ctrl+C to copy it`);
      clearTimeout(timer);
      timer = setTimeout(() => { button.textContent = "Copy"; }, 2500);
    });
  }

  // -- the chooser's search --------------------------------------------------------------------

  for (const search of all("[data-search]")) {
    const tiles = all("[data-words]", document.getElementById(search.dataset.search));
    const none = document.querySelector("[data-search-empty]");
    const input = search.querySelector("input");
    search.hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const tile of tiles) {
        // The catch-alls stay: whoever finds nothing needs them.
        tile.hidden = !words.every((word) => tile.dataset.words.includes(word));
        left += tile.hidden ? 0 : 1;
      }
      none.hidden = left > 0;
      if (none.hidden) say(`${left} ${left === 1 ? "provider" : "providers"}`);
      else for (const tile of tiles) tile.hidden = !("any" in tile.dataset);
    });
    // Enter in the search picks nothing by accident.
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  }

  // -- ticking steps off -----------------------------------------------------------------------

  for (const progress of all("[data-progress]")) {
    const place = `authio.steps.${progress.dataset.progress}`;
    const total = Number(progress.dataset.total);
    const remembered = () => {
      try { return new Set(JSON.parse(localStorage.getItem(place) || "[]")); } catch { return new Set(); }
    };
    const done = remembered();
    const show = () => {
      progress.hidden = done.size === 0;
      progress.querySelector("progress").value = done.size;
      progress.querySelector("span").textContent = `${done.size} of ${total} steps done`;
      for (const button of all("[data-tick]")) {
        const ticked = done.has(button.dataset.tick);
        button.setAttribute("aria-pressed", String(ticked));
        button.closest(".step").classList.toggle("is-done", ticked);
      }
    };
    for (const button of all("[data-tick]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const step = button.dataset.tick;
        if (!done.delete(step)) done.add(step);
        try { localStorage.setItem(place, JSON.stringify([...done])); } catch { /* private windows may refuse */ }
        show();
      });
    }
    show();
  }

  // -- instant checks: hints, never in the way ---------------------------------------------------

  const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  const doubts = (input) => {
    const text = input.value.trim();
    if (!text) return "";
    if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(text)) return "This looks like a private key. Keep it to yourself; it does not belong here.";
    if (/(_url|^issuer)$/.test(input.name)) {
      if (/^http:\/\//i.test(text) && !/^http:\/\/(localhost|127\.0\.0\.1)[:/]/i.test(text)) return "Addresses here usually begin with https://.";
      if (/\s/.test(text)) return "There is a blank in this address.";
    }
    if (input.name === "metadata_xml" && !text.startsWith("<") && input.id !== "paste") return "XML begins with <. Copy the whole document.";
    if (guid.test(input.placeholder) && !guid.test(text) && !text.includes(".")) return `This usually looks like ${input.placeholder}.`;
    return "";
  };

  for (const input of all("form[data-form='answers'] :is(input, textarea), #paste")) {
    if (input.type === "hidden" || input.type === "file" || input.type === "checkbox") continue;
    const hint = document.createElement("p");
    hint.className = "finding finding-warning";
    hint.id = `${input.id}-hint`;
    hint.hidden = true;
    hint.setAttribute("role", "status");
    input.after(hint);
    const check = () => {
      const text = doubts(input);
      hint.textContent = text;
      hint.hidden = !text;
      const described = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== hint.id);
      if (text) described.push(hint.id);
      if (described.length) input.setAttribute("aria-describedby", described.join(" "));
      else input.removeAttribute("aria-describedby");
    };
    input.addEventListener("change", check);
    input.addEventListener("input", () => { if (!hint.hidden) check(); });
  }

  // -- one press is enough -----------------------------------------------------------------------

  for (const form of all("form[method='post']")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      const button = event.submitter;
      if (button) {
        button.setAttribute("aria-disabled", "true");
        if (form.dataset.form === "answers" || form.dataset.form === "paste") say("Checking. This can take a few seconds.");
      }
    });
  }
  // A page that comes back out of the browser's memory can be sent again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of all("form")) delete form.dataset.sent;
    for (const button of all("[aria-disabled]")) button.removeAttribute("aria-disabled");
  });

  // -- the first error gets the focus ------------------------------------------------------------

  const wrong = document.querySelector("[aria-invalid='true']");
  if (wrong) wrong.focus();

  // A link to a field inside something folded unfolds it.
  for (const link of all("a[href^='#field-']")) {
    link.addEventListener("click", () => {
      const details = document.getElementById(link.hash.slice(1))?.closest("details");
      if (details) details.open = true;
    });
  }
  for (const link of all("a.jump")) {
    link.addEventListener("click", () => {
      const first = document.querySelector("#answers form[data-form='answers'] :is(input, textarea, select):not([type='hidden'])");
      if (first) { setTimeout(() => first.focus({ preventScroll: false })); }
    });
  }
})();
