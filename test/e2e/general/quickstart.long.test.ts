/** The quickstart with this machine's docker, kind and helm, as far as it gets without them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { execa } from 'execa';

const main = path.resolve(import.meta.dirname, '../../quickstart/main.ts');

/** The only folder on PATH. */
let bin: string;

beforeEach(async () => {
  bin = await mkdtemp(path.join(tmpdir(), 'stellarctl-quickstart-test-'));
});
afterEach(() => rm(bin, { recursive: true, force: true }));

const program = (name: string, lines: string) =>
  writeFile(path.join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${bin}/calls\n${lines}\n`, {
    mode: 0o755,
  });

/** docker, a helm of a supported version that reaches no chart, and a kind that has these clusters. */
async function installPrograms(clusters: string) {
  await program(
    'docker',
    'case "$*" in *Server*) echo 29.1.3 ;; *) echo "Docker version 29.1.3, build f52814d" ;; esac',
  );
  await program(
    'helm',
    'case "$1" in version) echo v3.19.0 ;; *) echo "Error: no network" >&2; exit 1 ;; esac',
  );
  const listed = `"get clusters") echo ${clusters} ;;`;
  await program(
    'kind',
    `case "$1 $2" in ${listed} *) echo "kind v0.31.0 go1.25.5 linux/amd64" ;; esac`,
  );
}

const quickstart = () =>
  execa(process.execPath, [main, '--kind'], {
    env: { PATH: bin },
    extendEnv: false,
    reject: false,
    timeout: 120_000,
  });

const calls = async () => (await readFile(path.join(bin, 'calls'), 'utf8')).split('\n');

it('names the missing programs', async () => {
  const { exitCode, stderr } = await quickstart();
  assert.equal(exitCode, 1);
  for (const name of ['docker', 'kind', 'helm'])
    assert.match(stderr, new RegExp(`^ {2}${name}: it is not on PATH`, 'm'));
});

it('does not touch existing clusters with the names that it uses', async () => {
  await installPrograms('cluster1');
  const { exitCode, stderr } = await quickstart();
  assert.equal(exitCode, 1);
  assert.match(stderr, /There are clusters of kind .*: cluster1$/m);
  assert.deepEqual(
    (await calls()).filter((call) => /^kind (?:create|delete)/.test(call)),
    [],
  );
});

it('runs the first command with the charts of KubeStellar, and keeps the clusters for inspection after a failure', async () => {
  await installPrograms('other');
  const { exitCode, stdout, stderr } = await quickstart();
  assert.equal(exitCode, 1);
  assert.match(stdout, /^\$ stellarctl init --provider kind --name kubeflex$/m);
  assert.match(stderr, /no network/);
  assert.match(stderr, /^ {2}To delete them: kind delete clusters kubeflex cluster1 cluster2$/m);
  assert.ok((await calls()).some((call) => /^helm pull oci:.*core-chart/.test(call)));
  await rm(/KUBECONFIG=(\S+)\/home\/kubeconfig/.exec(stderr)?.[1] ?? '', { recursive: true });
});
