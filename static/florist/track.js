/* A frame of the order's socket makes the page look again; without it the page asks once a minute. */
"use strict";
(() => {
  const body = document.body, address = body.dataset.socket;
  if (!address) return;
  let tries = 0, timer = 0;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => body.dispatchEvent(new Event("florist:changed")), 300);
  };
  function connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss://" : "ws://"}${location.host}${address}`);
    socket.onmessage = (message) => {
      let frame = {};
      try { frame = JSON.parse(message.data); } catch { return; }
      if (frame.type === "ping") socket.send('{"type":"pong"}');
      else if (frame.type === "ready" || frame.type === "connection") { body.dataset.listening = "yes"; if (tries) changed(); tries = 0; }
      else if (frame.type !== "pong") changed();
    };
    socket.onclose = () => {
      delete body.dataset.listening;
      tries += 1;
      if (tries < 8) setTimeout(connect, Math.min(60000, 3000 * 1.5 ** tries));
    };
  }
  connect();
})();
