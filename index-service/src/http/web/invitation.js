// The page behind an invitation's link: shows what it offers, and takes it.
"use strict";

const at = (id) => document.getElementById(id);
const word = (key) => document.querySelector(`[data-say="${key}"]`).textContent;
const invitation = location.hash.slice(1).trim();

// Says something in the page's language.
function say(key, detail = "") {
  at("status").textContent = word(key).replace("{detail}", () => detail);
}

// A request of the API. Nothing but what is given here goes along, so the browser asks for no password of its own.
async function ask(path, body, headers = {}) {
  const response = await fetch(`/api/v1${path}`, {
    method: "POST",
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  return { status: response.status, wait: response.headers.get("Retry-After"), answer };
}

// What every refusal has in common.
function refused({ status, wait, answer }) {
  if (status === 404) return say("gone");
  if (status === 429 || status === 503) return say("wait", wait || "60");
  return say("refused", answer.detail || String(status));
}

function row(key, value) {
  const line = document.querySelector(`[data-row="${key}"]`);
  line.hidden = !value;
  line.lastElementChild.textContent = value || "";
}

function time(text) {
  return text && new Date(text).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
}

async function look() {
  if (!invitation) return say("missing");
  say("looking");
  const asked = await ask("/invitations/look", { invitation });
  if (asked.status !== 200) return refused(asked);
  const offer = asked.answer;
  const shown = offer.organisation_display_name;
  const named = shown && shown !== offer.organisation ? `${shown} (${offer.organisation})` : offer.organisation;
  row("inviter", offer.inviter);
  row("organisation", named);
  row("role", offer.role && word(offer.role));
  row("team", offer.team);
  row("guest_until", time(offer.guest_until));
  row("expires_at", time(offer.expires_at));
  at("offer").hidden = false;
  at("join").hidden = !offer.organisation;
  at("sign-up").hidden = !offer.makes_account;
  say(offer.organisation || offer.makes_account ? "open" : "closed");
}

// The link is used: it need not stay in the browser's history.
function done(key, name) {
  for (const id of ["offer", "join", "sign-up"]) at(id).hidden = true;
  at("next").hidden = false;
  history.replaceState(null, "", location.pathname);
  say(key, name);
}

async function join(fields) {
  const bytes = new TextEncoder().encode(`${fields.get("name")}:${fields.get("password")}`);
  const asked = await ask("/invitations/accept", { invitation }, {
    Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}`,
  });
  if (asked.status === 200) return done("joined", asked.answer.organisation);
  if (asked.status === 401) return say("wrong");
  if (asked.status === 409) return say("already");
  return refused(asked);
}

// A repeated request is the same one, so that an account is made once though an answer was lost.
const sent = { body: "", key: "" };

async function signUp(fields) {
  const body = {
    name: fields.get("name"),
    full_name: fields.get("full_name"),
    password: fields.get("password"),
    email: fields.get("email") || undefined,
    invitation,
  };
  if (sent.body !== JSON.stringify(body)) {
    sent.body = JSON.stringify(body);
    sent.key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const asked = await ask("/accounts", body, { "Idempotency-Key": sent.key });
  if (asked.status === 201) return done("made", asked.answer.name);
  if (asked.status === 409) return say("taken");
  return refused(asked);
}

// Carries a form out, once at a time.
function on(id, act) {
  at(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    say("working");
    try {
      await act(new FormData(form));
    } catch {
      say("away");
    }
    button.disabled = false;
    at("status").focus();
  });
}

on("join-form", join);
on("sign-up-form", signUp);
// Another link in the same window is another invitation.
addEventListener("hashchange", () => location.reload());
look().catch(() => say("away"));
