// What pages do besides: every page works without it. Each part is bound by a data-… attribute; nothing is made of text
// that a page holds, and nothing is asked from anywhere else.
"use strict";

const every = (selector, act) => document.querySelectorAll(selector).forEach(act);

// Copies a text: the button says so for a moment. Its place is kept, so that nothing moves when it appears.
every("[data-copy]", (button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.classList.add("works");
  const label = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return;
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 1600);
  });
});

// Exact times are those of the reader's own clock.
every("time[datetime][title]", (time) => {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.valueOf())) {
    time.title = at.toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "medium" });
  }
});

// What stands behind # in a link goes into the field, and out of the address; some forms are sent at once.
every("[data-fragment]", (field) => {
  const take = () => {
    const text = location.hash.slice(1).trim();
    if (!text) return;
    field.value = text;
    history.replaceState(null, "", location.pathname + location.search);
    if (field.dataset.fragment === "submit") field.form.requestSubmit();
  };
  take();
  addEventListener("hashchange", take);
});

// A form whose choices take effect as they are made.
every("form[data-submit-on-change]", (form) => {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
  });
});

// A form that shows what it would do while it is filled in: the part of the page that the attribute names is asked for again.
every("form[data-rehearse]", (form) => {
  let waiting;
  let request;
  const ask = () => {
    request?.abort();
    request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("POST", form.getAttribute("action"));
    request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.onload = () => {
      const found = request.response?.querySelector(form.dataset.rehearse);
      if (found) document.querySelector(form.dataset.rehearse)?.replaceWith(document.adoptNode(found));
    };
    const fields = new URLSearchParams(new FormData(form));
    fields.set("do", "simulate");
    fields.delete("behind");
    request.send(fields.toString());
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 500);
  });
});

// What cannot be undone waits until the name is typed.
every("input[data-typed]", (field) => {
  const button = field.form.querySelector("button[type=submit]");
  const look = () => { button.disabled = field.value.trim() !== field.dataset.typed; };
  field.addEventListener("input", look);
  look();
});

// What the server tells while a page is open: numbers are shown as they come; in another state the page is another one. Where
// somebody has typed something already it stays, with the last that was told.
let isTouched = false;
addEventListener("input", () => { isTouched = true; });
every("[data-live]", (place) => {
  if (!window.EventSource) return;
  const source = new EventSource(place.dataset.live);
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.state !== place.dataset.state) {
      source.close();
      if (!isTouched) {
        location.reload();
        return;
      }
    }
    const fill = (selector, name, act) => place.querySelectorAll(selector).forEach((part) => {
      const key = part.dataset[name];
      if (key in told) act(part, told[key]);
    });
    fill("[data-live-text]", "liveText", (part, text) => { part.textContent = text; });
    fill("[data-live-max]", "liveMax", (bar, most) => { bar.max = most; });
    fill("[data-live-value]", "liveValue", (bar, value) => { bar.value = value; });
  };
});

// A square of a calendar says what it stands for once it is pointed at: a title for each would be half of the page.
every("svg[data-told]", (calendar) => {
  const language = document.documentElement.lang;
  const count = (number) => Number(number).toLocaleString(language);
  calendar.addEventListener("pointerover", ({ target: square }) => {
    const week = square.parentNode;
    if (!week.dataset?.n || square.firstChild) return;
    const [pulls, pushes = 0] = week.dataset.n.split(",")[[...week.children].indexOf(square)].split(":");
    // A day is a square high, a week a square wide.
    const days = (week.transform.baseVal[0].matrix.e * 7 + square.y.baseVal.value) / 12;
    const day = new Date(Number(calendar.dataset.from) + days * 86400000);
    const values = { day: day.toLocaleDateString(language, { dateStyle: "medium", timeZone: "UTC" }), pulls: count(pulls), pushes: count(pushes) };
    const title = document.createElementNS(calendar.namespaceURI, "title");
    title.textContent = calendar.dataset.told.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    square.append(title);
  });
});

// Menus close when one goes on elsewhere.
every("details[data-menu]", (menu) => {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// A form is sent once, however often its button is pressed.
every("form[method=post]", (form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
});
addEventListener("pageshow", () => every("form[data-sent]", (form) => { delete form.dataset.sent; }));

// "/" goes to the search box.
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("input[type=search]");
  if (box) {
    event.preventDefault();
    box.focus();
  }
});
