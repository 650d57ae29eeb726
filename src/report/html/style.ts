/**
 * The report's only style sheet: no font or image from anywhere. Light and dark follow the
 * reader's system; colours of both keep a contrast of at least 4.5 to 1 for text.
 */
import { ZOOM_STYLE } from './zoom.ts';

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --line: #d5d9e0; --ink: #1a1d23; --soft: #555c68;
  --accent: #1f5fbf; --accent-weak: #a9c4ee; --mark: #b3470a;
  --good: #1a6b34; --bad: #b3261e; --unsure: #805400;
  --good-ground: #e3f4e8; --bad-ground: #fbe6e4; --unsure-ground: #fbf0d9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --raised: #1d2026; --line: #363b45; --ink: #e6e8ec; --soft: #a3aab6;
    --accent: #7fb0ff; --accent-weak: #35507a; --mark: #ffa268;
    --good: #7fd99a; --bad: #ff9a92; --unsure: #f0c060;
    --good-ground: #16301e; --bad-ground: #3a1b19; --unsure-ground: #35290f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem clamp(0.75rem, 3vw, 2.5rem) 4rem; max-width: 82rem;
  background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
h4 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
p, ul, dl { margin: 0.5rem 0; max-width: 75ch; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code, .lanes td, pre {
  font-family: ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace; font-size: 0.875em;
}
pre { background: var(--raised); padding: 0.6rem 0.8rem; border-radius: 6px; overflow-x: auto; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
nav a { display: inline-block; padding: 0.25rem 0; }
nav ul ul { display: flex; font-size: 0.875rem; gap: 0 1rem; }
.badge {
  display: inline-block; padding: 0.1rem 0.6rem; border-radius: 999px; font-weight: 700;
  border: 1px solid currentColor; white-space: nowrap;
}
.badge.good { color: var(--good); background: var(--good-ground); }
.badge.bad { color: var(--bad); background: var(--bad-ground); }
.badge.unsure { color: var(--unsure); background: var(--unsure-ground); }
.green { color: var(--good); font-weight: 600; }
.red { color: var(--bad); font-weight: 700; }
.yellow { color: var(--unsure); font-weight: 700; }
.dim, .soft { color: var(--soft); }
dl { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: 0.2rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
.scroll { overflow-x: auto; margin: 0.5rem 0; max-width: 100%; }
/* Collapsed borders would not stick to a cell that does. */
table {
  border-collapse: separate; border-spacing: 0; overflow-wrap: normal; font-size: 0.875rem;
  font-variant-numeric: tabular-nums;
}
/* Whole pixels: the line below a cell that sticks would not meet its neighbours'. */
th, td {
  padding: 0.3125rem 0.7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line);
}
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
thead th.group { text-align: center; border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody th { font-weight: 600; max-width: 20rem; overflow-wrap: anywhere; }
tbody th[scope='row'] { position: sticky; left: 0; background: var(--ground); }
tbody tr:hover th[scope='row'] { background: var(--raised); }
:target { scroll-margin-top: 1rem; outline: 2px solid var(--accent); outline-offset: 6px; }
th button, .copy {
  font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-align: inherit; white-space: nowrap;
}
th.left button { white-space: normal; }
th button::after { content: '\\a0\\2195'; color: var(--soft); }
th[aria-sort='ascending'] button::after { content: ' \\2191'; }
th[aria-sort='descending'] button::after { content: ' \\2193'; }
.copy {
  margin-left: 0.5rem; padding: 0 0.5rem; border: 1px solid var(--line); border-radius: 4px;
  color: var(--accent); font-size: 0.8rem; white-space: nowrap;
}
.filter { display: block; margin: 0.5rem 0; color: var(--soft); font-size: 0.875rem; }
.filter input {
  font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line);
  border-radius: 4px; padding: 0.2rem 0.5rem; margin-left: 0.5rem; max-width: 100%;
}
td > code { display: inline-block; min-width: 14rem; overflow-wrap: anywhere; }
td > code + .copy { margin-left: 0; }
.short { white-space: nowrap; }
.rules { display: inline-block; min-width: 11rem; }
.long { min-width: 18rem; }
th.right, td.right { text-align: right; white-space: nowrap; }
tbody tr:hover { background: var(--raised); }
/* In em throughout: its zoom is the size of its letters. */
.lanes { font-size: calc(0.875rem * var(--zoom, 1)); }
.lanes th, .lanes td { padding: 0.35em 0.8em; }
.lanes td { border-left: 2px solid var(--line); border-bottom: 0; min-width: 14.4em; }
.lanes th[scope='row'] {
  font-weight: 400; color: var(--soft); white-space: nowrap; border-bottom: 0; min-width: 0;
}
.lanes .why { font-family: inherit; color: var(--soft); min-width: 23.5em; max-width: 52em; }
.lanes .event span {
  display: block; padding: 0.15em 0.6em; background: var(--raised); border-left: 3px solid var(--accent);
  border-radius: 3px; overflow-wrap: anywhere;
}
.charts {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr));
  gap: 1.5rem;
}
figure { margin: 0; min-width: 0; padding: 0.8rem; border: 1px solid var(--line); border-radius: 8px; }
figcaption { font-size: 0.9rem; margin-bottom: 0.5rem; }
figcaption strong { display: block; }
figure svg {
  display: block; width: calc(min(100%, 30rem) * var(--zoom, 1)); max-width: none; height: auto;
  --plot-background: transparent;
}
figure > .scroll { margin: 0.5rem 0 0; }
figure svg text { font-family: inherit; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.2rem 0; color: var(--accent); }
.violation { border-left: 4px solid var(--bad); padding-left: 1rem; margin: 1.5rem 0; }
.violation h4 { margin-top: 0; }
.exhibit { border-left-color: var(--soft); }
footer { margin-top: 3rem; color: var(--soft); font-size: 0.875rem; }
@media (max-width: 40rem) {
  tbody th { max-width: 9.25rem; overflow-wrap: break-word; }
  tbody th.short { white-space: normal; }
  .lanes th, .lanes td { padding: 0.35em 0.5em; }
  .lanes td { min-width: 11em; }
  th, td { padding: 0.3125rem 0.45rem; }
  dl { grid-template-columns: 1fr; }
}
@media print {
  .copy, .filter { display: none; }
  /* Paper does not scroll. */
  .scroll { overflow: visible; }
  table, .lanes { font-size: 0.6875rem; }
  th, td, .lanes th, .lanes td { padding: 0.2rem 0.3rem; }
  .lanes td, .lanes .why, .long, .rules, td > code { min-width: 0; }
  .short, th.right, td.right, th.left button, th.right button { white-space: normal; }
  th button::after { content: none; }
  details:not([open]) > *:not(summary) { display: block; }
  .charts { display: block; }
  figure { break-inside: avoid; margin-bottom: 1rem; }
}
${ZOOM_STYLE}`;
