/** The processes that benchmarks are measured in. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { startVariants } from '../../bench/variant.ts';

const FIXTURE = new URL('fixtures/stripped.ts', import.meta.url);

test('they strip no types, which would cost every access to a typed array', async () => {
  const { started, close } = await startVariants(FIXTURE.href, ['one', 'two']);
  const samples = await Promise.all(started.map((variant) => variant.sample(1)));
  await close();
  expect(samples).toEqual([0, 0]);
});

test('a process that does strip would be seen', () => {
  const script = `import(${JSON.stringify(FIXTURE.href)})
    .then(({ question }) => question.open().sample())
    .then((sample) => console.log(sample))`;
  const env = { ...process.env };
  delete env['NODE_COMPILE_CACHE'];
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  });
  expect(printed.trim()).toBe('1');
});
