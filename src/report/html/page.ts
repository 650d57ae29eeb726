/**
 * Results as one HTML file that needs nothing else and asks nobody. Every chart has its numbers beside
 * it, every table its headings, and the page works by keyboard and on a phone. A script of its own sorts
 * and filters tables and copies commands; without it nothing is missing.
 */
import { createHash } from 'node:crypto';
import { assertNever } from '../../arch/assert.ts';
import type { ResultFile } from '../../result/read.ts';
import { resultTitle } from '../verdict-texts.ts';
import { ERRATA_TITLE, errataOfAll } from './errata-section.ts';
import { exploreSection } from './explore-section.ts';
import { ANCHOR, Html, html, NOTHING } from './html.ts';
import { badge, machinePart, opening } from './opening.ts';
import { benchSection, litmusSection } from './other-sections.ts';
import { checkTraceSection } from './trace-section.ts';
import { selftestSection } from './selftest-section.ts';
import { stressSection } from './stress-section.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** What ids of a result begin with. */
const prefixOf = (result: number): string => `r${result + 1}-`;

/** At least one result. Pure: the same results are the same page. */
export function htmlReport(results: readonly ResultFile[]): string {
  const titles = results.map(resultTitle);
  const bodies = results.map((result, i) =>
    withParts(html`${opening(result)} ${content(result)} ${machinePart(result)}`, prefixOf(i)),
  );
  const errata = errataOfAll(results, prefixOf);
  const links = results.map(
    (result, i) =>
      html`<li>
        <a href="#result-${i + 1}">${titles[i] ?? ''}</a> ${badge(result.verdict)}
        <ul>
          ${bodies[i]?.parts ?? NOTHING}
        </ul>
      </li>`,
  );
  const sections = bodies.map(
    ({ body }, i) =>
      html`<section id="result-${i + 1}" aria-labelledby="title-${i + 1}">
        <h2 id="title-${i + 1}">${titles[i] ?? ''}</h2>
        ${body}
      </section>`,
  );
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; script-src '${SCRIPT_HASH}'; img-src data:"
        />
        <link rel="icon" href="data:," />
        <title>stage2-stress: ${titles.join('; ')}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the results</a>
        <header>
          <h1>stage2-stress report</h1>
          <nav aria-label="Results">
            <ul>
              ${errata === null ? NOTHING : html`<li><a href="#errata">${ERRATA_TITLE}</a></li>`}
              ${links}
            </ul>
          </nav>
        </header>
        <main id="content">
          ${
            errata === null
              ? NOTHING
              : html`<section id="errata" aria-labelledby="title-errata">
                  <h2 id="title-errata">${ERRATA_TITLE}</h2>
                  ${errata}
                </section>`
          }
          ${sections}
        </main>
        <p class="hidden" role="status" id="said"></p>
        <footer>
          <p>
            Made by stage2-stress from result files; the numbers are those of the machines named
            above.
          </p>
        </footer>
        ${new Html(`<script>${SCRIPT}</script>`)}
      </body>
    </html> `;
  return page.text;
}

/** Only this script runs, whatever stands in a result. */
const SCRIPT_HASH = `sha256-${createHash('sha256').update(SCRIPT).digest('base64')}`;

/** The parts of a result have ids, for the index; what is linked in it is within this result. */
function withParts(section: Html, prefix: string): { body: Html; parts: readonly Html[] } {
  const parts: Html[] = [];
  const text = section.text
    .replaceAll(`id="${ANCHOR}`, `id="${prefix}`)
    .replaceAll(`href="#${ANCHOR}`, `href="#${prefix}`)
    // Headings are escaped text that stands alone in its element.
    .replaceAll(/<h3>([^<]*)<\/h3>/g, (_, title: string) => {
      const id = `${prefix}part-${parts.length + 1}`;
      parts.push(html`<li><a href="#${id}">${new Html(title)}</a></li>`);
      return `<h3 id="${id}">${title}</h3>`;
    });
  return { body: new Html(text), parts };
}

function content(result: ResultFile): Html {
  switch (result.command) {
    case 'stress':
      return stressSection(result);
    case 'explore':
      return exploreSection(result);
    case 'litmus':
      return litmusSection(result);
    case 'selftest':
      return selftestSection(result);
    case 'bench':
      return benchSection(result);
    case 'check-trace':
      return checkTraceSection(result);
    default:
      return assertNever(result);
  }
}
