// The city on a map without tiles of strangers: district outlines, then markers or hexagons for what is in view.
(() => {
  "use strict";
  const box = document.getElementById("map");
  if (!box || !window.L) return;
  const form = document.getElementById("filter");
  const map = L.map(box, { attributionControl: false, minZoom: 8, maxZoom: 18 }).setView([41.02, 28.98], 11);
  L.control.scale({ imperial: false }).addTo(map);
  const layer = L.layerGroup().addTo(map);

  const get = (url) => fetch(url, { headers: { Accept: "application/json" } }).then((answer) => {
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  });

  function showNames() {
    box.classList.toggle("with-names", map.getZoom() >= 11);
  }

  // Tooltips take HTML, names come from people.
  function escaped(words) {
    const box = document.createElement("span");
    box.textContent = words;
    return box;
  }

  function drawAreas(areas) {
    L.geoJSON(areas, {
      style: () => ({ className: "map-area", weight: 1 }),
      onEachFeature: (feature, shape) => shape.bindTooltip(escaped(feature.properties.name), {
        permanent: true, direction: "center", className: "map-name",
      }),
      interactive: false,
    }).addTo(map).bringToBack();
    showNames();
  }

  function question() {
    const bounds = map.getBounds();
    const sides = { south: bounds.getSouth(), north: bounds.getNorth(), west: bounds.getWest(), east: bounds.getEast() };
    const asked = new URLSearchParams(form ? new FormData(form) : undefined);
    for (const [name, degrees] of Object.entries(sides)) asked.set(name, degrees.toFixed(5));
    asked.set("zoom", map.getZoom());
    return asked;
  }

  function label(ticket) {
    const link = document.createElement("a");
    link.href = box.dataset.ticket + ticket.id + (box.dataset.after || "");
    link.textContent = ticket.title;
    const about = document.createElement("p");
    about.textContent = ticket.category_name;
    const whole = document.createElement("div");
    whole.append(link, about);
    return whole;
  }

  function drawMarkers({ items }) {
    layer.clearLayers();
    for (const ticket of items) {
      L.circleMarker([ticket.latitude, ticket.longitude], { radius: 9, className: `map-dot ${ticket.status}` })
        .bindPopup(label(ticket)).addTo(layer);
    }
  }

  function drawHexagons(found) {
    layer.clearLayers();
    L.geoJSON(found, {
      style: (feature) => ({
        className: "map-heat", weight: 1, fillOpacity: 0.25 + 0.65 * Math.sqrt(feature.properties.intensity),
      }),
      onEachFeature: (feature, shape) => shape.bindTooltip(String(feature.properties.count)),
    }).addTo(layer);
  }

  let asked = 0;
  function refresh() {
    const url = box.dataset.markers || box.dataset.hexagons;
    if (!url) return;
    const mine = ++asked;
    get(`${url}?${question()}`).then((found) => {
      if (mine === asked) (box.dataset.markers ? drawMarkers : drawHexagons)(found);
    }).catch(() => {});
  }

  function drawRows() {
    layer.clearLayers();
    for (const row of document.querySelectorAll("[data-lat]")) {
      const dot = L.circleMarker([row.dataset.lat, row.dataset.lon], { radius: 9, className: `map-dot ${row.dataset.status}` });
      dot.on("click", () => row.scrollIntoView({ block: "center" })).addTo(layer);
    }
  }

  if (box.dataset.areas) get(box.dataset.areas).then(drawAreas).catch(() => {});
  if (box.dataset.lat) {
    const point = [box.dataset.lat, box.dataset.lon];
    map.setView(point, 12);
    L.circleMarker(point, { radius: 11, className: `map-dot ${box.dataset.status}` }).addTo(map);
  }
  if (box.dataset.rows !== undefined) {
    drawRows();
    document.body.addEventListener("htmx:afterSwap", drawRows);
  }
  map.on("moveend", refresh);
  map.on("zoomend", showNames);
  if (form) form.addEventListener("change", refresh);
  refresh();
})();
