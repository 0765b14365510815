// What a browser can do better with a script: a link to a line puts the cursor there, and a file that is dropped on the
// text is opened. Without it the link leads to the number of the line, and the file is chosen.
"use strict";
(() => {
  const text = document.getElementById("text");
  const open = document.getElementById("open");
  if (!text || !open) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    const lines = text.value.split("\n");
    const line = Math.min(Number(link.dataset.line), lines.length);
    const start = lines.slice(0, line - 1).reduce((length, each) => length + each.length + 1, 0);
    text.focus({ preventScroll: true });
    text.setSelectionRange(start, start + lines[line - 1].length);
  });
  text.addEventListener("drop", (event) => {
    const files = event.dataTransfer.files;
    if (!files.length) return;
    event.preventDefault();
    open.querySelector("input[type=file]").files = files;
    open.requestSubmit();
  });
})();
