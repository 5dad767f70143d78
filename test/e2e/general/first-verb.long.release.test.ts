/**
 * The walk of CONTRIBUTING.md, "A first verb, in ten minutes", in copies of the repository: with all of its blocks the gates are green,
 * and without any one of them a gate is red. No cluster takes part. The release tests also run all unit tests.
 */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { execa } from 'execa';
import { copyOf } from '../../../scripts/mutants/checkout.ts';
import { type Block, blocksOf, root, typedIn } from '../../pages.ts';
import { inRelease, isRelease } from '../support/in-release.ts';

/** The last block of the page has the gates. */
const blocks = blocksOf('CONTRIBUTING.md');
const steps = blocks.slice(0, -1);
const gates = blocks.slice(-1).flatMap((block) => typedIn(block).map(({ text }) => text));

/** The unit tests that judge any new verb, as `npm test` runs them, but for dist, which they do not need. */
const judges = [
  'contract',
  'documents',
  'docs',
  'pages',
  'architecture',
  'house',
  'program',
].reduce(
  (line, name) => `${line} test/unit/${name}.test.ts`,
  'node scripts/dev.cjs scripts/test.ts',
);

/** Types a line in a copy, as outside of a test run. @returns what it has printed, if it fails */
async function failureOf(line: string, copy: string): Promise<string | undefined> {
  const { failed, all } = await execa('sh', ['-c', line], {
    ...{ cwd: copy, reject: false, all: true, stdin: 'ignore', timeout: 600_000 },
    env: { NODE_TEST_CONTEXT: undefined, TEST_RELEASE: undefined },
  });
  return failed ? `${line}\n${all}` : undefined;
}

/** Does in a copy what a block says. @returns what has failed */
async function follow(block: Block, copy: string): Promise<string | undefined> {
  const text = `${block.lines.join('\n')}\n`;
  const [, file] = /^\/\/ (\S+)\n/.exec(text) ?? [];
  if (block.language === 'diff') {
    // A folder of temporary files may be in a repository, whose files git would look for.
    const env = { GIT_CEILING_DIRECTORIES: path.dirname(copy) };
    await execa('git', ['apply'], { cwd: copy, input: text, env });
    return undefined;
  }
  if (file === undefined)
    return firstFailure(typedIn(block), ({ text: line }) => failureOf(line, copy));
  await mkdir(path.dirname(path.join(copy, file)), { recursive: true });
  await writeFile(path.join(copy, file), text);
  return undefined;
}

async function firstFailure<Each>(
  all: readonly Each[],
  run: (each: Each) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (const each of all) {
    const failure = await run(each);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Follows the walk in a copy of its own. @returns the first failure of a step or of a gate */
async function walk(some: readonly Block[], lines: readonly string[]) {
  const copy = await copyOf(root);
  try {
    return (
      (await firstFailure(some, (block) => follow(block, copy))) ??
      (await firstFailure(lines, (line) => failureOf(line, copy)))
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

describe('the walk of CONTRIBUTING.md', () => {
  it(`is green${isRelease ? '' : ', with the unit tests that judge a verb'}`, async () => {
    assert.match(gates.at(-1) ?? '', /unit$/, 'the last gate is that of all unit tests');
    const lines = isRelease ? gates : [...gates.slice(0, -1), judges];
    assert.equal(await walk(steps, lines), undefined);
  });

  for (const left of steps)
    it(`is red without ${left.lines[0]}`, inRelease, async () => {
      const quickestFirst = [judges, ...gates.slice(0, -1).reverse()];
      const others = steps.filter((step) => step !== left);
      assert.notEqual(await walk(others, quickestFirst), undefined);
    });
});
