/** `doctor --fix` renews the credentials by which the pods of the hosting cluster reach an external ITS. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  mintToken,
  type Plane,
  type Pod,
  requestToken,
  resources,
  until,
} from '../../../testbed/index.ts';
import type { Fixes } from '../support/findings.ts';
import { type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

const day = 86_400;
const account = 'kube-system/kubeflex';
const secretKey = 'its7-system/admin-kubeconfig';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let ext: Plane;

before(async () => {
  all = await startHosting([{ name: 'ext' }]);
  ({ cli, hosting } = all);
  ext = all.bed.plane('ext');
  await cli.type('its create its7 --type external --bootstrap-context ext');
  await cli.type('wds create wds7 --type host --its its7');
});

after(() => all?.stop());

async function doctor(options: string): Promise<Fixes & { stderr: string }> {
  const run = await cli.run(`doctor --timeout 3m -o json ${options}`.trim().split(' '));
  return { ...(run.json() as Fixes), stderr: run.stderr };
}

const codesOf = ({ items }: Fixes) =>
  items.flatMap(({ id, code }) => (/its-token|credentials/.test(id) && code) || []);

const secret = () =>
  hosting.admin.get<AnyObject & { data: Record<string, string> }>(resources.secrets, secretKey);
const textOf = ({ data }: { data: Record<string, string> }) =>
  Buffer.from(data['kubeconfig-incluster'] ?? '', 'base64').toString();
const tokenIn = (text: string) => /eyJ[\w.-]+/.exec(text)?.[0] ?? '';
const claimsOf = (token: string): { exp: number } =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** A token as if it had been issued 30 days ago: no server accepts it. */
function aged(token: string) {
  const claims = { ...claimsOf(token), iat: Math.floor(Date.now() / 1000) - 30 * 86_400 };
  return token
    .split('.')
    .with(1, Buffer.from(JSON.stringify(claims)).toString('base64url'))
    .join('.');
}

async function replaceToken(token: string) {
  const text = textOf(await secret());
  const changed = Buffer.from(text.replace(tokenIn(text), token)).toString('base64');
  await hosting.admin.patch(resources.secrets, secretKey, {
    data: { 'kubeconfig-incluster': changed },
  });
}

/** The cluster's answer about the owner of a token. */
async function userOf(token: string) {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const { status } = await ext.admin.send<{ status: { user?: { username?: string } } }>(
    ...(['POST', '/apis/authentication.k8s.io/v1/tokenreviews', review] as const),
  );
  return status.user?.username ?? '';
}

const controllers = async () => {
  const { items } = await hosting.admin.list<Pod>(resources.pods, { namespace: 'wds7-system' });
  return items
    .filter(({ metadata }) => /controller/.test(metadata.name))
    .map(({ metadata }) => metadata.uid ?? '');
};

describe('doctor --fix', { concurrency: 1 }, () => {
  it('renews the token of an external ITS, and changes nothing else', async () => {
    const before = textOf(await secret());
    await replaceToken(aged(await mintToken(ext, account, 3 * day)));
    const earlier = tokenIn(textOf(await secret()));
    const pods = await controllers();
    const planned = await doctor('--fix --dry-run');
    const command = 'stellarctl its renew its7 --hosting-context hosting';
    assert.deepEqual(
      planned.fixed.map(({ command, result }) => [command, result]),
      [[command, 'planned']],
      planned.stderr,
    );
    assert.equal(tokenIn(textOf(await secret())), earlier, 'a dry run changes nothing');

    const done = await doctor('--fix --yes');
    assert.deepEqual(
      done.fixed.map(({ command, result }) => [command, result]),
      [[command, 'fixed']],
      done.stderr,
    );
    const text = textOf(await secret());
    const token = tokenIn(text);
    assert.equal(
      text.replace(token, ''),
      before.replace(tokenIn(before), ''),
      'only the token is another one',
    );
    assert.ok(claimsOf(token).exp > Date.now() / 1000 + 300 * day);
    const kubeflex = 'system:serviceaccount:kube-system:kubeflex';
    assert.equal(await userOf(token), kubeflex);
    await until(async () => codesOf(await doctor('')).length === 0, 'all is well');
    await until(
      async () => !(await controllers()).some((uid) => pods.includes(uid)),
      'end of the earlier pods',
    );
  });

  it('does nothing on the second run', async () => {
    const [before, pods] = [await secret(), await controllers()];
    const { fixed, stderr } = await doctor('--fix --yes');
    assert.deepEqual(fixed, []);
    assert.match(stderr, /^Nothing (?:to fix|can be fixed without you)/m);
    assert.equal((await secret()).metadata.resourceVersion, before.metadata.resourceVersion);
    assert.deepEqual((await controllers()).toSorted(), pods.toSorted());
  });

  it('restarts controllers that use an earlier token', async () => {
    await replaceToken(await requestToken(ext, account, 90 * day));
    const { fixed, stderr } = await doctor('--fix --yes');
    const command = 'stellarctl wds restart wds7 --hosting-context hosting';
    assert.deepEqual(
      fixed.map(({ command, result }) => [command, result]),
      [[command, 'fixed']],
      stderr,
    );
  });
});
