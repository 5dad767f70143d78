/** What ends by itself is seen before it ends, and the printed command cures it: a token of ten minutes, and a year by moved clocks. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { until } from '../../../testbed/index.ts';
import { type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;
let file: string;
let begun: number;

before(async () => {
  all = await startHosting();
  ({ cli } = all);
  await cli.type('its create its1');
  file = path.join(cli.home, 'viewer');
  begun = Date.now();
  await cli.type(`its context its1 --role viewer --for anna --duration 10m --export ${file}`);
});

after(() => all?.stop());

const atSeconds = (seconds: number) => sleep(Math.max(0, begun + seconds * 1000 - Date.now()));
const asAnna = (line: string) => cli.run(line.split(' '), { env: { KUBECONFIG: file } });
const findings = async () => {
  const run = await asAnna('doctor -o json');
  const items = run.json().items as {
    code: string | null;
    status: string;
    next: string | null;
    steps: string[];
  }[];
  return { exitCode: run.exitCode, found: items.filter(({ code }) => code === 'validity-ending') };
};

it('a token ends with a warning, then a failure, then an error, each with what renews it', async () => {
  assert.deepEqual(await findings(), { exitCode: 0, found: [] });

  await atSeconds(420);
  const soon = await findings();
  assert.deepEqual([soon.exitCode, soon.found.map(({ status }) => status)], [0, ['warn']]);
  assert.match(
    soon.found[0]?.steps[0] ?? '',
    /Ask an administrator for access again: the access its1-anna-viewer /,
  );

  await atSeconds(548);
  const urgent = await findings();
  assert.deepEqual([urgent.exitCode, urgent.found.map(({ status }) => status)], [1, ['fail']]);

  // API servers allow a minute for clocks that differ (go-jose, DefaultLeeway).
  await atSeconds(690);
  const late = await asAnna('wec list');
  assert.equal(late.exitCode, 4);
  assert.match(late.stderr, /its token expired at .*\n.*Ask an administrator for access again/);

  await cli.type(`its context its1 --role viewer --for anna --export ${file}`);
  assert.equal((await asAnna('wec list')).exitCode, 0);
  assert.deepEqual(await findings(), { exitCode: 0, found: [] });
});

it('a context of the kubeconfig that ends is renewed by its renew', async () => {
  const kubeconfig = all.bed.kubeconfig;
  const text = parse(await readFile(kubeconfig, 'utf8'));
  const { user } = text.users.find(({ name }: { name: string }) => name === 'its1-admin');
  const seconds = Math.floor(Date.now() / 1000);
  const claims = Buffer.from(
    JSON.stringify({ iat: seconds - 30 * 86_400, exp: seconds + 86_400 }),
  ).toString('base64url');
  user.token = `e30.${claims}.x`;
  await writeFile(kubeconfig, stringify(text));
  const doctor = await cli.run(['its', 'get', 'its1']);
  assert.match(doctor.stdout + doctor.stderr, /stellarctl its (?:context|renew) its1/);
  await cli.type('its renew its1');
  assert.equal((await cli.run(['its', 'get', 'its1', '-o', 'json'])).json().diagnosis, null);
});

describe('a year, by the clocks of a WDS and of stellarctl', { concurrency: 1 }, () => {
  const files = { deployer: '', clock: '' };
  const line = () =>
    `wds context wds1 --role deployer --for anna --duration 8760h --export ${files.deployer}`;
  let mend = async () => {};

  before(async () => {
    await cli.type('wds create wds1');
    for (const name of ['deployer', 'clock'] as const) files[name] = path.join(cli.home, name);
    await cli.type(line());
    await writeFile(files.clock, '');
  });

  /** Restarts the API server of wds1 with a clock that is ahead, and moves that of stellarctl. */
  async function afterDays(days: number): Promise<void> {
    const seconds = days * 86_400;
    await mend();
    mend = await all.bed.fault({
      kind: 'clock-off',
      plane: 'hosting',
      pod: 'wds1-system/kube-apiserver',
      seconds,
    });
    await writeFile(
      files.clock,
      `const { now } = Date; Date.now = () => now() + ${seconds * 1000};`,
    );
    const ready = async () => (await cli.run(['wds', 'use', 'wds1'])).exitCode === 0;
    await until(ready, 'an API server with another clock');
  }
  const asDeployer = (words: string) =>
    cli.run(words.split(' '), {
      env: { KUBECONFIG: files.deployer, NODE_OPTIONS: `--require ${files.clock}` },
    });
  const judged = async () => {
    const { exitCode, stdout } = await asDeployer('doctor');
    return [exitCode, /The token of .* ends in \d+d/.exec(stdout)?.[0]];
  };

  it('ends with a warning, a failure, an error, and a new token', async () => {
    assert.deepEqual(await judged(), [0, undefined]);
    await afterDays(340);
    assert.deepEqual(await judged(), [0, 'The token of wds1-anna-deployer ends in 24d']);
    await afterDays(360);
    assert.deepEqual(await judged(), [1, 'The token of wds1-anna-deployer ends in 4d']);
    await afterDays(366);
    const { exitCode, stderr } = await asDeployer('policy list');
    assert.equal(exitCode, 4);
    assert.match(stderr, /its token expired at .*\n.*Ask an administrator for access again/);
    await cli.type(line());
    assert.deepEqual(await judged(), [0, undefined]);
    await mend();
  });
});
