// The REST API: who asks, again if it is worth it, and what was refused.

import * as clock from "./clock.js";
import * as session from "./session.js";

const TRIES = 4;
const SOON_MS = 30_000;
const PATIENCE_MS = 15_000;

/** The server said no. `code` is stable; `title` is in the reader's language. */
export class Refusal extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.code);
    Object.assign(this, { status, retryAfter, code: problem.code, title: problem.title, facts: problem });
    this.detail = problem.errors?.[0]?.detail;
    this.temporary = status === 429 || status === 503 || status === 425 || problem.code === "still-in-progress";
  }
}

/** There was no answer. Whether it was done can't be known: ask again with the same key. */
export class NoAnswer extends Error {
  offline = true;
}

const listeners = new Set();
/** Called with false when nobody answers, and with true when somebody does again. */
export const onReach = (callback) => listeners.add(callback);
const reached = (whether) => listeners.forEach((callback) => callback(whether));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What an operation answers. `key` is the Idempotency-Key of a write, which makes it safe to repeat; reads always are.
 * Throws Refusal or NoAnswer.
 */
export async function call(method, path, { body, key, anonymous = false } = {}) {
  const repeatable = method === "GET" || key !== undefined;
  let renewed = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const access = anonymous ? null : await token();
      return await once(method, path, body, key, access);
    } catch (error) {
      if (error.status === 401 && !anonymous && !renewed && error.code.startsWith("token-")) {
        // By the server's clock, it was older than this page believed.
        renewed = true;
        await renew(error.access);
        continue;
      }
      const worth = repeatable && attempt < TRIES && (error.offline || (error.temporary && error.retryAfter <= 5));
      if (!worth) throw error;
      await pause((error.retryAfter || 0) * 1000 + Math.random() * 300 * 2 ** attempt);
    }
  }
}

/** The path of a page's `next`, which names the host too. */
export function pathOf(next) {
  const { pathname, search } = new URL(next, location.href);
  return pathname + search;
}

export const get = (path, given) => call("GET", path, given);
export const post = (path, body, given) => call("POST", path, { body, ...given });

async function once(method, path, body, key, access) {
  const asked = performance.now();
  const response = await send(method, path, body, key, access);
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  const serverTime = answer?.server_time ?? answer?.items?.[0]?.server_time;
  if (serverTime) clock.learn(serverTime, asked);
  if (response.ok) return answer;
  const refusal = new Refusal(response.status, answer ?? {}, Number(response.headers.get("Retry-After")) || 0);
  throw Object.assign(refusal, { access });
}

async function send(method, path, body, key, access) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (access) headers.Authorization = `Bearer ${access}`;
  try {
    const response = await fetch(path.startsWith("/") ? path : `/api/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    reached(true);
    return response;
  } catch {
    reached(false);
    throw new NoAnswer();
  }
}

/** An access token that is good for a while. Throws Refusal with `not-signed-in`. */
export async function token() {
  const signedIn = session.current();
  if (!signedIn) throw new Refusal(401, { code: "not-signed-in" }, 0);
  return Date.parse(signedIn.expiresAt) - clock.now() < SOON_MS ? renew(signedIn.access) : signedIn.access;
}

let renewing = null;

/** A newer access token than `stale`: one request, however many ask for it, in however many tabs. */
export function renew(stale) {
  renewing ??= session.exclusively(() => exchange(stale)).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchange(stale) {
  const kept = await session.newest();
  if (!kept) throw new Refusal(401, { code: "not-signed-in" }, 0);
  if (kept.access !== stale) {
    // Another tab was here first. It may have been closed before it told the others.
    await session.keep(kept);
    return kept.access;
  }
  try {
    const { tokens } = await once("POST", "sessions/refresh", { refresh: kept.refresh });
    await begin(kept.player, tokens);
    return tokens.access;
  } catch (error) {
    if (error.status === 401) {
      // Spent, expired or revoked: a refresh token can't be tried twice.
      await session.forget();
      signedOut(error);
    }
    throw error;
  }
}

/** From now on this player is signed in, in all tabs. */
export async function begin(player, tokens) {
  await session.keep({ player, access: tokens.access, expiresAt: tokens.access_expires_at, refresh: tokens.refresh });
}

let signedOut = () => {};
/** Called when the session has ended without the player's wish. */
export function onSignedOut(callback) {
  signedOut = callback;
}

/**
 * Do something that changes cards or money, once: `work` gets the key of this intent. The key is kept until the server
 * has said yes or no, so trying again after a lost answer can't do it twice, not even after a reload.
 */
export async function intend(intent, work) {
  const name = keyOf(intent);
  const key = sessionStorage.getItem(name) ?? session.random(16);
  sessionStorage.setItem(name, key);
  try {
    const answer = await work(key);
    sessionStorage.removeItem(name);
    return answer;
  } catch (error) {
    if (error instanceof Refusal && !error.temporary) sessionStorage.removeItem(name);
    throw error;
  }
}

/** Something else was decided meanwhile: the same wish is a new one from now on. */
export const forget = (intent) => sessionStorage.removeItem(keyOf(intent));

const keyOf = (intent) => `fortunes.key:${intent}`;
