/** Output without any cluster: help, usage errors, unusable kubeconfigs, servers that do not run. */
import assert from 'node:assert/strict';
import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { replay } from '../support/golden/transcript.ts';
import { runTyped } from '../support/golden/typed.ts';
import { Cli } from '../support/harness.ts';

const folder = path.resolve(import.meta.dirname, '..', '..', 'golden', 'alone');
const transcripts = (await readdir(folder)).filter((file) => file.endsWith('.txt'));

const { version } = JSON.parse(
  await readFile(path.resolve(folder, '../../../package.json'), 'utf8'),
);
const known = [{ text: version, as: '<version>' }];

describe('without a cluster, output matches the recording', { concurrency: 3 }, () => {
  for (const file of transcripts)
    it(path.basename(file, '.txt'), async () => {
      const cli = await Cli.create('');
      try {
        await cp(path.join(folder, 'files'), cli.home, { recursive: true });
        const kubeconfig = path.join(cli.home, 'kubeconfig');
        await replay(path.join(folder, file), ({ line }) =>
          runTyped(cli, line, known, { kubeconfig }),
        );
      } finally {
        await cli.remove();
      }
    });
});

describe('help and version are the same however they are asked for', { concurrency: 3 }, () => {
  const forms: [form: string, same: string][] = [
    ['-h', '--help'],
    ['help', '--help'],
    ['-V', '--version'],
    ['help wec join', 'wec join --help'],
    ['help its ls', 'its list --help'],
    ['wec help', 'wec --help'],
  ];
  for (const [form, same] of forms)
    it(form, async () => {
      const cli = await Cli.create('');
      try {
        const [one, other] = await Promise.all([
          cli.succeed(form.split(' ')),
          cli.succeed(same.split(' ')),
        ]);
        assert.equal(one.stdout, other.stdout);
      } finally {
        await cli.remove();
      }
    });

  it('without a command, as an error', async () => {
    const cli = await Cli.create('');
    const [none, help] = await Promise.all([cli.run([]), cli.succeed(['--help'])]);
    assert.deepEqual([none.exitCode, none.stdout, none.stderr], [2, '', help.stdout]);
    await cli.remove();
  });
});
