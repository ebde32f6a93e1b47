// Who is signed in, kept in localStorage so that all tabs of a player share one session.
//
// A refresh token is good once, and its second use ends the session. So of all tabs only one may refresh, and the others
// take what it got: a lock around "read what is kept, refresh if it is still the old one, keep the new". What is read
// under the lock comes from store.js, since localStorage may be behind.

import * as store from "./store.js";
import { options } from "./words.js";

// For a demo with two players in one browser: /?as=bob has a session of its own.
const as = options.demo ? new URLSearchParams(location.search).get("as") || "" : "";
const KEY = `fortunes.session${as && `:${as}`}`;
const GUEST = `fortunes.guest${as && `:${as}`}`;
// Longer than a request is waited for.
const LOCK_MS = 20_000;

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

/** As this tab knows it, which may be a moment old. */
export const current = () => read(KEY);

/** As it is: what whoever held the lock before has kept. Null once it was ended, in whatever tab. */
export async function newest() {
  const known = current();
  return known && ((await store.read(KEY)) ?? known);
}

export async function keep(session) {
  await store.write(KEY, session);
  localStorage.setItem(KEY, JSON.stringify(session));
}

/** Everywhere: where the server can't be told, the refresh token would be good for weeks. */
export async function forget() {
  localStorage.removeItem(KEY);
  await store.write(KEY, null);
}

/** The credentials of this browser's guest, made up by the page. */
export const guest = () => read(GUEST);

export function keepGuest(credentials) {
  localStorage.setItem(GUEST, JSON.stringify(credentials));
}

export function forgetGuest() {
  localStorage.removeItem(GUEST);
}

/** Called when another tab has signed in, signed out or refreshed. */
export function onChange(callback) {
  addEventListener("storage", (event) => event.key === KEY && callback());
}

/** Run one at a time among all tabs. */
export function exclusively(work) {
  // Browsers have Web Locks on HTTPS and on this machine's own address only.
  return navigator.locks ? navigator.locks.request(KEY, work) : withNote(work);
}

/** Without Web Locks: a note that one tab at a time can leave, and that expires with a tab that was closed. */
async function withNote(work) {
  const key = `${KEY}.lock`;
  const mine = random(8);
  const free = (note) => (!note || note.until < Date.now() ? { mine, until: Date.now() + LOCK_MS } : undefined);
  while (!(await store.swap(key, free))) {
    await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 60));
  }
  try {
    return await work();
  } finally {
    await store.swap(key, (note) => (note?.mine === mine ? null : undefined));
  }
}

/** So many random bytes as hex: nobody can guess them. */
export function random(bytes) {
  const chosen = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(chosen, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
