/** What ends by itself is seen before it ends, and the printed command cures it: a year, by moved clocks. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { until } from '../../../testbed/index.ts';
import { type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;

before(async () => {
  all = await startHosting();
  ({ cli } = all);
  await cli.type('its create its1');
});

after(() => all?.stop());

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
  async function afterDays(days: number) {
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
