// What players say under the vote that is shown, and what staff reply. Nothing is fetched until somebody looks.

import * as api from "./api.js";
import { $, complain, copy, on, part, show } from "./dom.js";
import { called } from "./friends.js";
import { state, update, watch } from "./state.js";
import { instant, say } from "./words.js";

let asked = 0;

/** The newest ones, if somebody looks. */
export async function fetch() {
  asked += 1;
  const mine = asked;
  const id = state.proposal?.id;
  if (!id || !$("talk").open) return;
  const { items, next } = await page(`proposals/${id}/comments?limit=10`);
  // An answer that was overtaken by a later question says nothing any more.
  if (mine === asked) update({ comments: items, older: next });
}

/** Staff have replied to a comment, hidden one, or show it again. */
export async function heard({ proposal }) {
  if (proposal === state.proposal?.id) await fetch();
}

const page = (path) => api.get(path, { anonymous: state.player === null });

async function fetchOlder() {
  const mine = asked;
  const { items, next } = await page(api.pathOf(state.older));
  if (mine === asked) update({ comments: [...state.comments, ...items], older: next });
}

async function write() {
  const field = $("comment-text");
  const text = field.value.trim();
  const { id } = state.proposal;
  await api.intend(`comment:${id}:${text}`, (key) => api.post(`proposals/${id}/comments`, { text }, { key }));
  field.value = "";
  await fetch();
}

function row({ id, author, staff, text, answers, at, own, hidden }) {
  const name = staff ? say("comment.organiser") : called(author);
  const element = copy("a-comment", { author: name, text, when: instant(at) });
  element.classList.toggle("pinned", staff);
  show(part(element, "quoted"), answers !== null);
  if (answers) part(element, "quoted").textContent = `${called(answers.author)}: ${answers.text}`;
  show(part(element, "hidden"), hidden);
  show(part(element, "delete"), own);
  on(part(element, "delete"), "click", async () => {
    await api.call("DELETE", `comments/${id}`);
    await fetch();
  });
  return element;
}

function draw() {
  $("comment-list").replaceChildren(...state.comments.map(row));
  show($("no-comments"), state.comments.length === 0);
  show($("older-comments"), state.older !== null);
}

export function start() {
  watch(["comments", "older"], draw);
  watch(["player"], () => show($("comment"), state.player !== null));
  $("talk").addEventListener("toggle", () => fetch().catch(complain));
  on($("comment"), "submit", write);
  on($("older-comments"), "click", fetchOlder);
}
