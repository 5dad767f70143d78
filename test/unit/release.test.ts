import './support/environment.ts';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { officialNode } from '../../scripts/official-node.ts';
import { root } from '../pages.ts';
import { temporaryFolder, writtenApart } from './support/folder.ts';
import { read } from './support/sources.ts';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, string | number | boolean>;
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { permissions?: Record<string, string>; steps: Step[] }>;
}
const workflows = new Map<string, Workflow>(
  readdirSync(path.join(root, '.github', 'workflows')).map((file) => [
    path.basename(file, '.yml'),
    parse(read(`.github/workflows/${file}`)),
  ]),
);
/** The steps of all workflows, by the names of those. */
const steps = [...workflows].flatMap(([name, { jobs }]) =>
  Object.values(jobs).flatMap((job) => job.steps.map((step) => ({ name, step }))),
);

test('what builds a release may write nothing, and what publishes it builds nothing', () => {
  const { permissions, jobs = {} } = workflows.get('release') ?? {};
  assert.deepEqual(permissions, { contents: 'read' });
  const publishing = Object.entries(jobs).filter(([, job]) => job.permissions !== undefined);
  assert.deepEqual(publishing.map(([name]) => name).sort(), ['image', 'npm', 'release']);
  for (const [name, { steps }] of publishing)
    for (const { uses = '', run = '' } of steps) {
      assert.doesNotMatch(uses, /^actions\/checkout@/, name);
      assert.doesNotMatch(run, /\bnp[mx] (?!publish\b)|\bnode\b|\bscripts\//, name);
      if (run.includes('npm publish')) assert.match(run, /--ignore-scripts/);
    }
});

test('what a release is made of is named by its digest', () => {
  for (const { step } of steps)
    if (step.uses !== undefined) assert.match(step.uses, /^[\w/-]+@[0-9a-f]{40}$/);
  assert.match(read('Dockerfile'), /^FROM \S+@sha256:[0-9a-f]{64}$/m);
});

/** What steps make before others use it. */
const made =
  /^(?:\.\.\/)?(?:release|image|notes\.md|image\.json|SHA256SUMS|stellar\.yaml|stellarctl\S*|built-\S*)(?:\/|$)/;

/** The words of a step that are files of this repository: those with a slash, or of an extension. */
function filesOf({ run = '', with: inputs = {} }: Step) {
  const words = [run, ...Object.values(inputs)].join('\n').split(/[\s'"<>=,;()|]+/);
  return words
    .filter(
      (word) =>
        /^[\w.*][\w.*/-]*$/.test(word) &&
        /\/|\.(?:json|md|mod|sh|ts|cjs|ya?ml)$|^Dockerfile$/.test(word),
    )
    .filter((word) => !made.test(word) && !/^(?:linux\/a|ghcr\.io)/.test(word))
    .map((word) => word.replace(/^\.\.\//, ''));
}

test('what workflows name exists: files of the repository, and scripts of package.json', () => {
  const named = new Set<string>();
  for (const { name, step } of steps) {
    for (const file of filesOf(step)) {
      named.add(file);
      assert.ok(globSync(file, { cwd: root }).length > 0, `${name}.yml names ${file}`);
    }
    for (const [, script = ''] of (step.run ?? '').matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g))
      if (!['publish', 'pkg'].includes(script))
        assert.ok(script in manifest.scripts, `${name}.yml runs npm ${script}`);
  }
  assert.deepEqual([...named].sort(), [
    '.ci/run',
    '.github/homebrew.sh',
    '.github/krew.sh',
    '.github/notes.sh',
    'Dockerfile',
    'testbed/**/go.sum',
    'testbed/programs/go.mod',
  ]);
});

/** Runs a script of a release in a folder with the checksums of all platforms but one. */
async function released(script: string, tag: string, without = '') {
  const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'windows-x64'];
  const sums = platforms
    .filter((platform) => platform !== without)
    .map((platform, index) => `${String(index).repeat(64)}  stellarctl-${platform}.tar.gz\n`);
  const cwd = path.dirname(writtenApart('SHA256SUMS', sums.join('')));
  const env = { GITHUB_REPOSITORY: 'example/stellarctl' };
  return (await execa(path.join(root, '.github', script), [tag], { cwd, env })).stdout;
}

test('the manifests of krew and Homebrew name each archive with its checksum', async () => {
  const base = 'https://github.com/example/stellarctl/releases/download/v1.2.3/stellarctl';
  const { spec } = parse(await released('krew.sh', 'v1.2.3'));
  const uris = spec.platforms.map(({ uri, sha256, bin }: Record<string, string>) => [
    uri,
    sha256?.[0],
    bin,
  ]);
  assert.deepEqual(uris, [
    [`${base}-linux-x64.tar.gz`, '0', 'stellarctl'],
    [`${base}-linux-arm64.tar.gz`, '1', 'stellarctl'],
    [`${base}-darwin-x64.tar.gz`, '2', 'stellarctl'],
    [`${base}-darwin-arm64.tar.gz`, '3', 'stellarctl'],
    [`${base}-windows-x64.tar.gz`, '4', 'stellarctl.exe'],
  ]);
  const formula = await released('homebrew.sh', 'v1.2.3');
  assert.match(formula, /^ {2}version "1\.2\.3"$/m);
  const pairs = [...formula.matchAll(/^ +url "(.+)"\n +sha256 "(.)/gm)].map(([, url, sum]) => [
    url,
    sum,
  ]);
  assert.deepEqual(pairs, [
    [`${base}-darwin-arm64.tar.gz`, '3'],
    [`${base}-darwin-x64.tar.gz`, '2'],
    [`${base}-linux-arm64.tar.gz`, '1'],
    [`${base}-linux-x64.tar.gz`, '0'],
  ]);
  for (const script of ['krew.sh', 'homebrew.sh'])
    await assert.rejects(
      released(script, 'v1.2.3', 'linux-x64'),
      /SHA256SUMS has no stellarctl-linux-x64/,
    );
});

test('the notes of a release are of its version alone', async () => {
  const changelog = read('CHANGELOG.md');
  assert.ok(changelog.includes(`\n## ${manifest.version}\n`), 'CHANGELOG.md has this version');
  const notes = await released('notes.sh', `v${manifest.version}`);
  assert.ok(notes.length > 100 && changelog.includes(notes));
  assert.doesNotMatch(notes, /^## /m);
  await assert.rejects(released('notes.sh', 'v9.9.9'), /CHANGELOG\.md has no "## 9\.9\.9"/);
});

test('the Node of an executable is used only with its published checksum', async (t) => {
  const place = temporaryFolder();
  const name = `node-v1.2.3-${process.platform}-${process.arch}`;
  mkdirSync(path.join(place, name, 'bin'), { recursive: true });
  writeFileSync(path.join(place, name, 'bin', 'node'), 'the program');
  writeFileSync(path.join(place, name, 'LICENSE'), 'its licence');
  await execa('tar', ['-czf', `${name}.tar.gz`, name], { cwd: place });
  const archive = readFileSync(path.join(place, `${name}.tar.gz`));
  const sum = createHash('sha256').update(archive).digest('hex');
  let sums = '';
  let served = archive;
  const server = createServer(({ url }, response) => {
    if (url === '/v1.2.3/SHASUMS256.txt') return response.end(sums);
    if (url === `/v1.2.3/${name}.tar.gz`) return response.end(served);
    return response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bring = (version = '1.2.3') => officialNode(path.join(place, 'brought'), version, source);
  const other = '0'.repeat(64);
  sums = `${other}  node-v1.2.3.tar.gz\n${sum}  ${name}.tar.gz\n${other}  ${name}.tar.xz\n`;
  const { node, license } = await bring();
  assert.equal(readFileSync(node, 'utf8'), 'the program');
  assert.equal(readFileSync(license, 'utf8'), 'its licence');

  served = Buffer.concat([archive, Buffer.from('x')]);
  await assert.rejects(bring(), /has the checksum .*; [0-9a-f]{64} was published/);
  served = archive;
  for (const without of [
    '',
    `${sum}  ${name}.tar.xz\n`,
    `${sum.slice(1)}  ${name}.tar.gz\n`,
    `${sums}${sums}`,
  ]) {
    sums = without;
    await assert.rejects(bring(), /SHASUMS256\.txt has [02] checksums/);
  }
  await assert.rejects(bring('9.9.9'), /404/);
});
