{% load static %}"use strict";
/* Courier's pages: from the network, else the last copy. Everything else of the desk: from the network, else a notice. */
const SHELF = "florist-{{ version }}", PAGES = "florist-pages";
const SHELL = ["{{ offline }}", "{% static 'css/house.css' %}", "{% static 'florist/desk.css' %}", "{% static 'florist/desk.js' %}", "{% static 'htmx/htmx.min.js' %}", "{% static 'icons/mahalla.svg' %}", "{% static 'florist/icon-192.png' %}"];
const isKept = (url) => url.pathname.startsWith("{{ courier }}");
const isOurs = (url) => {{ ours|safe }}.some((start) => url.pathname.startsWith(start));

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELF).then((shelf) => shelf.addAll(SHELL)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("florist-") && name !== SHELF && name !== PAGES;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});
async function keep(request, answer) {
  if (answer.ok && !answer.redirected) await (await caches.open(PAGES)).put(request.url, answer.clone());
  return answer;
}
async function page(request) {
  try {
    const answer = await fetch(request);
    return isKept(new URL(request.url)) && request.method === "GET" ? await keep(request, answer) : answer;
  } catch (problem) {
    const known = await caches.match(request.url, { ignoreVary: true });
    return known || (await caches.match("{{ offline }}")) || Response.error();
  }
}
self.addEventListener("fetch", (event) => {
  const request = event.request, url = new URL(request.url);
  if (url.origin !== location.origin || request.method !== "GET") return;
  if (request.mode === "navigate" && isOurs(url)) event.respondWith(page(request));
  else if (SHELL.includes(url.pathname)) event.respondWith(fetch(request).catch(() => caches.match(url.pathname)));
});
self.addEventListener("message", (event) => {
  if (event.data.type === "forget") event.waitUntil(caches.delete(PAGES));
  if (event.data.type !== "keep") return;
  const fetched = event.data.urls.slice(0, 60).map((url) => fetch(url).then((answer) => keep({ url }, answer)).catch(() => undefined));
  event.waitUntil(Promise.all(fetched));
});
