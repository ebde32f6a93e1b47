// Signing in: by one tap as a guest where the server is a demo, otherwise by phone or by username.

import * as api from "./api.js";
import * as session from "./session.js";
import { $, on, show, toast } from "./dom.js";
import { options, say } from "./words.js";

const STALE_INVITATION = "invitation-not-found";

let invitation = null;
let entered = () => {};

/** Who signs up comes by this invitation, if by any. */
export function bring(code) {
  invitation = code;
}

async function enter(answer) {
  await api.begin(answer.player, answer.tokens);
  await entered(answer.player);
}

/** An invitation that is good no more keeps nobody out. */
async function signUp(path, body) {
  try {
    return await api.post(path, invitation ? { ...body, invitation } : body, { anonymous: true });
  } catch (error) {
    if (error.code !== STALE_INVITATION || !invitation) throw error;
    toast(error.title, "trouble");
    invitation = null;
    return api.post(path, body, { anonymous: true });
  }
}

/** The guest of this browser, made up the first time. The password is random and kept here alone. */
async function playAsGuest() {
  const known = session.guest();
  if (known) {
    try {
      await enter(await api.post("sessions", known, { anonymous: true }));
      return;
    } catch (error) {
      // The demo has been reset since.
      if (error.status !== 401) throw error;
      session.forgetGuest();
    }
  }
  const fresh = { username: `guest-${session.random(6)}`, password: session.random(16) };
  const nickname = say("guest", { number: 1000 + Math.floor(Math.random() * 9000) });
  const answer = await signUp("players", { ...fresh, nickname });
  session.keepGuest(fresh);
  await enter(answer);
}

async function byPassword(happened) {
  const [username, password] = [$("username").value, $("password").value];
  const isNew = happened.submitter?.value === "sign-up";
  const answer = isNew
    ? await signUp("players", { username, password })
    : await api.post("sessions", { username, password }, { anonymous: true });
  $("password").value = "";
  await enter(answer);
}

async function askForCode() {
  const phone = $("phone").value;
  await api.post("phone-codes", { phone }, { anonymous: true });
  show($("with-code"), true);
  toast(say("code.sent"));
  $("otp").focus();
}

async function byPhone() {
  const answer = await signUp("sessions/phone", { phone: $("phone").value, code: $("otp").value });
  $("otp").value = "";
  show($("with-code"), false);
  await enter(answer);
}

async function signOut() {
  // The session ends at the server too, if that can be reached; here it ends in any case.
  await api.call("DELETE", "sessions/current").catch(() => {});
  await session.forget();
  location.reload();
}

/** `onEntered` is called with the player. */
export function start(onEntered) {
  entered = onEntered;
  show($("as-guest"), options.demo);
  show($("ask-for-code"), options.phone);
  $("other-ways").open = !options.demo;
  on($("as-guest"), "click", playAsGuest);
  on($("by-password"), "submit", byPassword);
  on($("ask-for-code"), "submit", askForCode);
  on($("by-phone"), "submit", byPhone);
  on($("sign-out"), "click", signOut);
}
