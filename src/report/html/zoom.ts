/**
 * Timelines and charts grow and shrink: with + - 0 and the arrows when they have the focus, with buttons, and
 * with Ctrl and the wheel where the pointer is. The factor is one CSS variable of the frame, which scrolls;
 * without the script, and on paper, everything is as it was made.
 *
 * The buttons are no stops of the Tab key: whoever types has the keys, on the frame itself.
 */

/** Goes into the page's script, whose `say` it uses. */
export const ZOOM_SCRIPT = `
  function addZoom(frame, step, least, most) {
    var level = 0;
    var shown = document.createElement('span');
    function show() { shown.textContent = Math.round(100 * Math.pow(step, level)) + ' %'; }
    /* What is at x, from the left of the frame, stays there. */
    function zoom(to, x) {
      var next = Math.min(most, Math.max(least, to));
      if (next === level) return;
      level = next;
      var at = x === undefined ? frame.clientWidth / 2 : x;
      var share = (frame.scrollLeft + at) / frame.scrollWidth;
      frame.style.setProperty('--zoom', Math.pow(step, level));
      frame.classList.toggle('zoomed', level !== 0);
      frame.scrollLeft = share * frame.scrollWidth - at;
      show();
      say('zoom ' + shown.textContent);
    }
    var controls = document.createElement('div');
    controls.className = 'zoom';
    controls.setAttribute('role', 'group');
    controls.setAttribute('aria-label', 'Zoom of ' + frame.getAttribute('aria-label'));
    function button(text, name, to) {
      var made = document.createElement('button');
      made.type = 'button';
      made.tabIndex = -1;
      made.textContent = text;
      made.setAttribute('aria-label', name);
      made.title = name;
      made.addEventListener('click', function () { zoom(to()); });
      controls.appendChild(made);
    }
    button('\\u2212', 'smaller (key -)', function () { return level - 1; });
    controls.appendChild(shown);
    button('+', 'larger (key +)', function () { return level + 1; });
    button('0', 'as it was (key 0)', function () { return 0; });
    var keys = document.createElement('span');
    keys.className = 'keys';
    keys.textContent = 'keys: + \\u2212 0, arrows';
    controls.appendChild(keys);
    show();
    frame.before(controls);
    frame.setAttribute('aria-keyshortcuts', '+ - 0');
    frame.addEventListener('keydown', function (event) {
      if (event.target !== frame || event.ctrlKey || event.metaKey || event.altKey) return;
      var to = { '+': level + 1, '=': level + 1, '-': level - 1, '\\u2212': level - 1, '0': 0 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      zoom(to);
    });
    frame.addEventListener('wheel', function (event) {
      if (!event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      zoom(level + (event.deltaY < 0 ? 1 : -1), event.clientX - frame.getBoundingClientRect().left);
    }, { passive: false });
  }
  document.querySelectorAll('.scroll > .lanes').forEach(function (table) {
    addZoom(table.parentNode, 1.25, -3, 4);
  });
  document.querySelectorAll('figure > .scroll').forEach(function (frame) {
    /* Nothing scrolls without the script: only now it is worth a stop. */
    frame.tabIndex = 0;
    frame.setAttribute('role', 'region');
    frame.setAttribute('aria-label', frame.querySelector('svg').getAttribute('aria-label'));
    addZoom(frame, 1.5, 0, 5);
  });
`;

export const ZOOM_STYLE = `
.zoom {
  display: flex; align-items: center; gap: 0.25rem; margin-top: 0.5rem; color: var(--soft);
  font-size: 0.8125rem;
}
.zoom button {
  font: inherit; color: var(--accent); background: none; border: 1px solid var(--line); cursor: pointer;
  border-radius: 4px; min-width: 1.75rem; min-height: 1.75rem; padding: 0;
}
.zoom button:hover { background: var(--raised); }
.zoom span { min-width: 3.25rem; text-align: center; font-variant-numeric: tabular-nums; }
.zoom .keys { margin-left: 0.5rem; }
.zoomed { max-height: 80vh; overflow: auto; box-shadow: 0 0 0 1px var(--line); }
@media (hover: none) { .zoom .keys { display: none; } }
@media print {
  .zoom { display: none; }
  .zoomed { --zoom: 1 !important; max-height: none; overflow: visible; box-shadow: none; }
}
`;
