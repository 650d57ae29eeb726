/**
 * Results as one HTML file that needs nothing else: no network, no script. Every chart has its
 * numbers beside it, every table its headings, and the page works by keyboard and on a phone.
 */
import { assertNever } from '../../arch/assert.ts';
import type { ResultFile } from '../../result/read.ts';
import { resultTitle } from '../verdict-texts.ts';
import { exploreSection } from './explore-section.ts';
import { Html, html } from './html.ts';
import { badge, opening } from './opening.ts';
import { benchSection, litmusSection } from './other-sections.ts';
import { checkTraceSection } from './trace-section.ts';
import { selftestSection } from './selftest-section.ts';
import { stressSection } from './stress-section.ts';
import { STYLE } from './style.ts';

/** At least one result. Pure: the same results are the same page. */
export function htmlReport(results: readonly ResultFile[]): string {
  const titles = results.map(resultTitle);
  const links = results.map(
    (result, i) =>
      html`<li><a href="#result-${i + 1}">${titles[i] ?? ''}</a> ${badge(result.verdict)}</li>`,
  );
  const sections = results.map(
    (result, i) =>
      html`<section id="result-${i + 1}" aria-labelledby="title-${i + 1}">
        <h2 id="title-${i + 1}">${titles[i] ?? ''}</h2>
        ${opening(result)} ${content(result)}
      </section>`,
  );
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
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
              ${links}
            </ul>
          </nav>
        </header>
        <main id="content">${sections}</main>
        <footer>
          <p>
            Made by stage2-stress from result files; the numbers are those of the machines named
            above.
          </p>
        </footer>
      </body>
    </html> `;
  return page.text;
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
