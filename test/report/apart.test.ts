import { expect, test } from 'vitest';
import { apart } from '../../src/report/apart.ts';

test('what headings have in common is said once', () => {
  expect(apart(['level 2, 1 vCPU, bbm=1 nt=fault', 'level 2, 2 vCPUs, bbm=2 nt=fault'])).toEqual({
    common: 'level 2, nt=fault',
    usual: '',
    titles: ['1 vCPU bbm=1', '2 vCPUs bbm=2'],
  });
  expect(apart(['level 2, 1 vCPU, bbm=1 nt=translate'])).toEqual({
    common: 'level 2, 1 vCPU, bbm=1, nt=translate',
    usual: '',
    titles: ['verdict'],
  });
});

test('what most headings have they need not say', () => {
  const heads = [
    'level 2, 1 vCPU, bbm=1 nt=translate',
    'level 2, 1 vCPU, bbm=1 nt=fault',
    'level 2, 1 vCPU, bbm=2 nt=translate multihit=old',
    'level 2, 2 vCPUs, bbm=2/1 nt=translate',
  ];
  expect(apart(heads)).toEqual({
    common: 'level 2',
    usual: '1 vCPU, nt=translate',
    titles: ['bbm=1', 'bbm=1 nt=fault', 'bbm=2 multihit=old', '2 vCPUs bbm=2/1'],
  });
  // Of these the first would say nothing.
  const empty = ['level 2, 1 vCPU, x', 'level 2, 2 vCPUs, x', 'level 1, 1 vCPU, x'];
  expect(apart(empty).titles).toEqual(['level 2 1 vCPU', 'level 2 2 vCPUs', 'level 1 1 vCPU']);
});
