/** Shares of searches come in any order, and of several searches at once. */
import { expect, test } from 'vitest';
import { ShareBook } from '../../src/exploration/share-book.ts';
import {
  concludeSearch,
  type SearchDone,
  type ShareDone,
} from '../../src/exploration/search-task.ts';
import type { Found } from '../../src/explore/protocol/index.ts';
import { explorePlan } from '../../src/request/explore.ts';
import { ThreadWords } from '../../src/exploration/thread-words.ts';

const share = (states: number, parties: number | null): ShareDone => ({
  is: 'share',
  found: { states } as Found,
  elapsedMs: 0,
  fingerprint: '',
  parties,
});
const failure: SearchDone = { is: 'failure', why: 'it threw', isEndless: false };

test('a search is concluded with its last share, who has taken it first or last', () => {
  const concluded: [number, number[]][] = [];
  const book = new ShareBook((number, shares) => {
    concluded.push([number, shares.map(({ found }) => found.states)]);
    return failure;
  });
  expect([
    book.add(4, share(1, 3)),
    book.add(5, share(2, null)),
    book.add(4, share(3, null)),
  ]).toEqual([null, null, null]);
  expect([book.add(4, share(4, null)), book.add(5, share(5, 2))]).toEqual([failure, failure]);
  expect(concluded).toEqual([
    [4, [1, 3, 4]],
    [5, [2, 5]],
  ]);
});

test('what is whole, or has failed, is passed on', () => {
  const book = new ShareBook(() => expect.unreachable());
  expect([book.add(4, share(1, null)), book.add(4, failure)]).toEqual([null, failure]);
});

test('after an abort the shares that came are concluded as cut short; those of a search that is over are not', () => {
  const concluded: [number, unknown[]][] = [];
  const book = new ShareBook((number, shares) => {
    concluded.push([number, shares.map(({ found }) => [found.states, found.stoppedBy])]);
    return failure;
  });
  book.add(4, share(1, 3));
  book.add(4, share(2, null));
  book.add(5, share(3, null));
  book.add(6, share(4, 2));
  book.drop(5);
  expect(book.add(6, share(5, null))).toBe(failure);
  expect(book.cut()).toEqual([[4, failure]]);
  expect(concluded).toEqual([
    [
      6,
      [
        [4, undefined],
        [5, undefined],
      ],
    ],
    [
      4,
      [
        [1, 'interrupt'],
        [2, 'interrupt'],
      ],
    ],
  ]);
  expect(book.cut()).toEqual([]);
});

test('a task is joined between its opening and its closing, and while something is left', () => {
  const words = ThreadWords.make(3, 2);
  words.take(0, [1]);
  expect([words.mayBeJoined(), words.join(1, 1)]).toEqual([[1], false]);
  words.open(1, 2);
  expect([words.join(1, 1), words.taskAt(1), words.openSearches()]).toEqual([true, 1, 2]);
  expect([words.takeSearch(1), words.partDone(0), words.takeSearch(1)]).toEqual([0, 0.5, 1]);
  expect([words.takeSearch(1), words.mayBeJoined(), words.join(2, 1)]).toEqual([null, [], false]);
  expect([words.close(1), words.close(0)]).toEqual([2, 0]);

  words.open(0, 9);
  words.close(0);
  expect(words.join(2, 0)).toBe(false);
});

test('shares of what is not the same on each thread come to no verdict', async () => {
  const { searches, limits } = await explorePlan({ protocols: ['bbml3-direct'] });
  const [search] = searches;
  expect(concludeSearch(search as (typeof searches)[number], limits, [share(1, 1)])).toEqual({
    is: 'failure',
    why: 'protocol bbml3-direct cannot be explored: it does not do the same on every thread',
    isEndless: false,
  });
});
