import { expect, test } from 'vitest';
import { apart } from '../../src/report/html/explore-section.ts';

test('what headings have in common is said once', () => {
  expect(apart(['level 2, 1 vCPU, bbm=1 nt=fault', 'level 2, 2 vCPUs, bbm=2 nt=fault'])).toEqual({
    common: 'level 2, nt=fault',
    titles: ['1 vCPU bbm=1', '2 vCPUs bbm=2'],
  });
  expect(apart(['level 2, 1 vCPU, bbm=1 nt=translate'])).toEqual({
    common: 'level 2, 1 vCPU, bbm=1, nt=translate',
    titles: ['verdict'],
  });
});
