// ReDoc on the document that the page names; fonts of the system instead of a CDN's.
(function () {
  const place = document.getElementById("redoc");
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
  window.Redoc.init(
    place.dataset.document,
    {
      hideDownloadButton: false,
      expandResponses: "200,201",
      theme: {
        colors: { primary: { main: "#0f766e" } },
        typography: { fontFamily: font, headings: { fontFamily: font }, code: { fontFamily: "ui-monospace, monospace" } },
      },
    },
    place
  );
})();
