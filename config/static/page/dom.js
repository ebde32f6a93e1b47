// Small helpers around the DOM. Text is only ever set as text.

import { explain } from "./words.js";

export const $ = (id) => document.getElementById(id);

/** A copy of a <template>'s only element; `fill` maps data-part names to texts. */
export function copy(template, fill = {}) {
  const element = $(template).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(fill)) part(element, name).textContent = text;
  return element;
}

export function part(element, name) {
  const selector = `[data-part="${name}"]`;
  return element.matches(selector) ? element : element.querySelector(selector);
}

export const show = (element, whether) => {
  element.hidden = !whether;
};

/** A short message that a screen reader says too. */
export function toast(text, kind = "news") {
  const element = copy("a-toast", { text });
  element.dataset.kind = kind;
  $("toasts").append(element);
  setTimeout(() => element.classList.add("leaving"), 6000);
  setTimeout(() => element.remove(), 6500);
}

export const complain = (error) => toast(explain(error), "trouble");

/** Run `work` on a click or a submit, with the button out of use meanwhile; what goes wrong is said. */
export function on(element, event, work) {
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    const button = event === "submit" ? happened.submitter : happened.currentTarget;
    if (button?.getAttribute("aria-busy") === "true") return;
    button?.setAttribute("aria-busy", "true");
    try {
      await work(happened);
    } catch (error) {
      complain(error);
      if (error.code === undefined && !error.offline) throw error;
    } finally {
      button?.removeAttribute("aria-busy");
    }
  });
}

export const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
