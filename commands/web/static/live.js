// Says when the log has grown: parts of a page that are marked as live are then asked for again, by htmx.
// A page that nobody looks at holds no connection.
(() => {
  const marked = document.querySelector("[data-live]");
  if (!marked || !window.EventSource || !window.htmx) return;
  let position = Number(marked.dataset.live), source = null;
  const listen = () => {
    if (document.hidden) { source?.close(); source = null; return; }
    if (source) return;
    source = new EventSource(`/live?after=${position}`);
    source.onmessage = (said) => {
      position = Number(said.data);
      window.htmx.trigger(document.body, "grown");
    };
  };
  document.addEventListener("visibilitychange", listen);
  listen();
})();
