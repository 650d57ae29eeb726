/**
 * What the page can do beside being read: sort a table by a column, show the rows that hold a word, copy a
 * command, zoom a timeline (zoom.ts). Plain JavaScript for any browser; it adds controls to what is there and
 * changes no text.
 */

import { ZOOM_SCRIPT } from './zoom.ts';

/** Fewer rows need no looking for. */
const FILTERED_MIN = 8;

export const SCRIPT = `
'use strict';
(function () {
  var said = document.getElementById('said');
  function say(text) { said.textContent = text; }

  function valueOf(row, at) {
    var cell = row.cells[at];
    return cell ? cell.textContent.trim() : '';
  }
  var UNITS = { ns: 1, 'µs': 1e3, ms: 1e6, s: 1e9 };
  function numberOf(text) {
    var found = /^[^\\d-]{0,2}(-?[\\d,]*\\.?\\d+(?:e-?\\d+)?)\\s*(ns|µs|ms|s)?/.exec(text);
    return found ? Number(found[1].replaceAll(',', '')) * (UNITS[found[2]] || 1) : NaN;
  }
  function compare(a, b) {
    var x = numberOf(a), y = numberOf(b);
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return a.localeCompare(b, 'en');
  }
  function sortBy(table, heads, at) {
    var up = heads[at].getAttribute('aria-sort') !== 'ascending';
    heads.forEach(function (head) { head.removeAttribute('aria-sort'); });
    heads[at].setAttribute('aria-sort', up ? 'ascending' : 'descending');
    var body = table.tBodies[0];
    Array.from(body.rows)
      .sort(function (a, b) { return (up ? 1 : -1) * compare(valueOf(a, at), valueOf(b, at)); })
      .forEach(function (row) { body.appendChild(row); });
    say('sorted by ' + heads[at].textContent);
  }
  function addSorting(table) {
    var rows = table.tHead.rows;
    var heads = Array.from(rows[rows.length - 1].cells);
    heads.forEach(function (head, at) {
      if (head.textContent.trim() === '') return;
      var button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent.trim();
      button.addEventListener('click', function () { sortBy(table, heads, at); });
      head.replaceChildren(button);
    });
  }
  function addFilter(frame, table) {
    var label = document.createElement('label');
    label.className = 'filter';
    label.textContent = 'Only rows with';
    var input = document.createElement('input');
    input.type = 'search';
    input.setAttribute('aria-label', 'Only rows with, in ' + frame.getAttribute('aria-label'));
    input.addEventListener('input', function () {
      var words = input.value.toLowerCase().split(/\\s+/);
      var shown = 0;
      Array.from(table.tBodies[0].rows).forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.includes(word); });
        if (!row.hidden) shown += 1;
      });
      say(shown + (shown === 1 ? ' row shown' : ' rows shown'));
    });
    label.appendChild(input);
    frame.before(label);
  }
  document.querySelectorAll('.scroll').forEach(function (frame) {
    var table = frame.querySelector('table:not(.lanes)');
    if (!table || !table.tHead || !table.tBodies[0] || table.tBodies[0].rows.length < 2) return;
    addSorting(table);
    if (table.tBodies[0].rows.length >= ${FILTERED_MIN}) addFilter(frame, table);
  });

  function copied(text, done) {
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text).then(done, function () { say('copying is not allowed here'); });
      return;
    }
    var area = document.createElement('textarea');
    area.value = text;
    document.body.appendChild(area);
    area.select();
    if (document.execCommand('copy')) done();
    area.remove();
  }
  document.querySelectorAll('dd > code, td > code').forEach(function (code) {
    if (!/^(npm|npx) /.test(code.textContent)) return;
    var button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy the command: ' + code.textContent);
    button.addEventListener('click', function () {
      copied(code.textContent, function () {
        button.textContent = 'Copied';
        say('copied');
      });
    });
    code.after(button);
  });
${ZOOM_SCRIPT}
})();
`;
