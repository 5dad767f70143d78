/** Wrong usage of every command, as recorded. test/e2e/general/golden.long.test.ts has a sample of it by the program as shipped. */
import './support/environment.ts';
import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { knownVersion } from '../e2e/support/golden/known-version.ts';
import { replay } from '../e2e/support/golden/transcript.ts';
import { runTyped } from '../e2e/support/golden/typed.ts';
import { Cli } from '../e2e/support/harness.ts';
import { CliInProcess } from './support/cli-in-process.ts';

const folder = path.resolve(import.meta.dirname, '..', 'golden');

describe('wrong usage', { concurrency: 1 }, () => {
  for (const file of readdirSync(path.join(folder, 'usage')).filter((name) =>
    name.endsWith('.txt'),
  ))
    it(path.basename(file, '.txt'), async () => {
      const cli = new CliInProcess((await Cli.create('')).home, '');
      try {
        cpSync(path.join(folder, 'alone', 'files'), cli.home, { recursive: true });
        const kubeconfig = path.join(cli.home, 'kubeconfig');
        await replay(path.join(folder, 'usage', file), ({ line }) =>
          runTyped(cli, line, knownVersion, { kubeconfig }),
        );
      } finally {
        await cli.remove();
      }
    });
});
