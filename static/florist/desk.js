/* Comfort on top of plain pages: live refresh, a queue for bad connections, small helpers. Nothing here is needed. */
"use strict";
(() => {
  const body = document.body, root = document.documentElement;
  root.classList.add("scripted");
  const words = body.dataset;
  const all = (selector, where) => Array.from((where || document).querySelectorAll(selector));

  // ── Live: any frame of the shop's socket asks the lists of this page to look again ─────────────────────────────
  const live = { tries: 0, timer: 0 };
  const changed = () => {
    clearTimeout(live.timer);
    live.timer = setTimeout(() => body.dispatchEvent(new Event("florist:changed")), 300);
  };
  async function connect() {
    if (!words.live || !navigator.onLine) return;
    let token;
    try {
      const answer = await fetch(words.live, { redirect: "manual", headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      token = (await answer.json()).token;
    } catch { return later(); }
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(`${scheme}${location.host}${words.socket}`, ["bearer", token]);
    socket.onmessage = (message) => {
      let frame = {};
      try { frame = JSON.parse(message.data); } catch { return; }
      if (frame.type === "ping") socket.send('{"type":"pong"}');
      else if (frame.type === "connection") { body.dataset.listening = "yes"; if (live.tries) changed(); live.tries = 0; }
      else if (frame.type !== "pong") changed();
    };
    socket.onclose = () => { delete body.dataset.listening; later(); };
  }
  const later = () => {
    live.tries += 1;
    setTimeout(connect, Math.min(60000, 3000 * 1.5 ** Math.min(live.tries, 8)));
  };
  connect();

  // ── The queue: what a courier does without a connection waits in the phone and is sent once ────────────────────
  const store = () => new Promise((resolve, reject) => {
    const asked = indexedDB.open("florist", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("actions", { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const within = async (mode, work) => {
    const db = await store();
    try {
      return await new Promise((resolve, reject) => {
        const deal = db.transaction("actions", mode), asked = work(deal.objectStore("actions"));
        deal.oncomplete = () => resolve(asked && asked.result);
        deal.onerror = () => reject(deal.error);
      });
    } finally { db.close(); }
  };
  const waiting = async () => (await within("readonly", (rows) => rows.getAll())).filter((row) => row.who === words.who);
  const csrf = () => (document.querySelector("input[name=csrfmiddlewaretoken]") || {}).value || "";
  const fresh = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`);

  async function keep(form, button) {
    const fields = Array.from(new FormData(form, button).entries()).filter(([name]) => name !== "csrfmiddlewaretoken");
    fields.push(["done_at", new Date().toISOString()]);
    const what = (button && button.textContent.trim()) || form.dataset.queue;
    await within("readwrite", (rows) => rows.add({ who: words.who, url: form.action, what, fields, refused: "" }));
    const key = form.querySelector("input[name=key]");
    if (key) key.value = fresh();
  }

  async function send(row) {
    const data = new FormData();
    for (const [name, value] of row.fields) data.append(name, value);
    const answer = await fetch(row.url, {
      method: "POST", body: data, redirect: "manual",
      headers: { "X-Queued": "1", "X-CSRFToken": csrf(), Accept: "application/json" },
    });
    if (answer.ok) return "";
    const type = answer.headers.get("Content-Type") || "";
    if (answer.type !== "opaqueredirect" && answer.status < 500 && answer.status !== 403 && type.includes("json")) {
      return (await answer.json()).words || String(answer.status);
    }
    throw new Error("later");
  }

  async function flush() {
    if (!navigator.onLine || !words.who || !csrf()) return;
    const rows = (await waiting()).filter((row) => !row.refused);
    let sent = 0;
    for (const row of rows) {
      try {
        const refused = await send(row);
        if (refused) await within("readwrite", (kept) => kept.put({ ...row, refused }));
        else { await within("readwrite", (kept) => kept.delete(row.id)); sent += 1; }
      } catch { break; }
    }
    await tell();
    if (sent) changed();
  }
  const once = (work) => (navigator.locks ? navigator.locks.request("florist-queue", work) : work());
  const flushed = () => once(flush).catch(() => undefined);

  const notice = document.getElementById("connection");
  async function tell() {
    if (!notice) return;
    const rows = words.who && window.indexedDB ? await waiting().catch(() => []) : [];
    const isAway = !navigator.onLine;
    notice.classList.toggle("shown", isAway || rows.length > 0);
    notice.replaceChildren();
    const line = document.createElement("strong");
    line.textContent = isAway ? words.offline : rows.some((row) => !row.refused) ? words.sending : words.refused;
    notice.append(line);
    if (rows.length) notice.append(listed(rows));
    notice.dataset.waiting = String(rows.filter((row) => !row.refused).length);
  }
  const listed = (rows) => {
    const list = document.createElement("ul");
    for (const row of rows) {
      const item = document.createElement("li");
      item.textContent = row.refused ? `${row.what}: ${row.refused} ` : row.what;
      if (row.refused) item.append(dismissing(row));
      list.append(item);
    }
    return list;
  };
  const dismissing = (row) => {
    const button = document.createElement("button");
    button.type = "button"; button.className = "button quiet"; button.textContent = words.dismiss;
    button.addEventListener("click", async () => { await within("readwrite", (kept) => kept.delete(row.id)); tell(); });
    return button;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
    if (form.dataset.queue === undefined || !window.indexedDB) return undefined;
    event.preventDefault();
    const button = event.submitter;
    await keep(form, button);
    if (navigator.onLine) await flushed();
    await tell();
    const left = await waiting();
    if (!left.length) location.assign(form.dataset.then || location.href);
    else if (notice) { notice.scrollIntoView({ block: "start" }); form.closest("details")?.removeAttribute("open"); }
    return undefined;
  });
  window.addEventListener("online", () => { flushed(); connect(); });
  window.addEventListener("offline", tell);
  if (words.who && window.indexedDB) { tell(); flushed(); setInterval(flushed, 30000); }

  // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────
  document.addEventListener("click", async (event) => {
    const copied = event.target.closest("[data-copy]");
    if (copied) {
      await navigator.clipboard.writeText(copied.dataset.copy);
      copied.textContent = words.copied;
    }
    if (event.target.closest("[data-print]")) window.print();
    const leaving = event.target.closest("[data-leave]");
    if (leaving && navigator.serviceWorker && navigator.serviceWorker.controller) {
      navigator.serviceWorker.controller.postMessage({ type: "forget" });
    }
  });
  document.addEventListener("focusin", (event) => {
    const form = event.target.closest("form[data-place]");
    if (!form || form.dataset.asked || !navigator.geolocation) return;
    form.dataset.asked = "yes";
    navigator.geolocation.getCurrentPosition((found) => {
      form.elements.latitude.value = found.coords.latitude.toFixed(6);
      form.elements.longitude.value = found.coords.longitude.toFixed(6);
    }, () => undefined, { timeout: 8000, maximumAge: 60000 });
  });

  // Another person on the same phone does not see the pages of the one before.
  if (words.who && window.caches && localStorage.getItem("florist-who") !== words.who) {
    caches.delete("florist-pages");
    localStorage.setItem("florist-who", words.who);
  }

  // ── Service worker: the courier's pages open without a connection ─────────────────────────────────────────────────
  if ("serviceWorker" in navigator && words.worker) {
    navigator.serviceWorker.register(words.worker, { scope: "/desk/" }).then(() => navigator.serviceWorker.ready).then((ready) => {
      const urls = all("a[data-keep]").map((link) => link.href);
      if (urls.length && ready.active) ready.active.postMessage({ type: "keep", urls: [location.href, ...urls] });
      body.dataset.worker = "ready";
    }).catch(() => undefined);
  }
})();
