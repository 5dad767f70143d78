import '../../support/environment.ts';
import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { mock, test } from 'node:test';
import { textOf } from '../../../../src/lib/core/next-step.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { judgeNames, kubectlOn } from '../../../../src/lib/spaces/install/entrance-checks.ts';

const hosting = (data: Record<string, string> | undefined) =>
  ({
    cluster: { context: 'host1', server: '' },
    get: async () =>
      data && { metadata: {}, data: { externalPort: '9443', hostContainer: 'h', ...data } },
  }) as unknown as Kube;
const asked: string[] = [];
const lookup = mock.method(dns, 'lookup');
const known = async (host: string) => {
  asked.push(host);
  return { address: '127.0.0.1', family: 4 };
};
const unknown = () => Promise.reject(new Error('ENOTFOUND'));
/** What this machine resolves. */
const resolving = (resolve: () => Promise<unknown>) =>
  lookup.mock.mockImplementation(resolve as typeof dns.lookup);

test('resolvable names of spaces pass', async () => {
  resolving(known as typeof unknown);
  const outcome = await judgeNames(hosting({ domain: 'localtest.me' }));
  assert.deepEqual(outcome, { status: 'pass', found: 'its1.localtest.me is 127.0.0.1' });
  assert.deepEqual(asked, ['its1.localtest.me']);
});

test('unresolvable names are a warning, because stellarctl does not need them', async () => {
  resolving(unknown);
  const outcome = await judgeNames(hosting({ domain: 'example.test' }));
  assert.equal(outcome.status, 'warn');
  assert.match(JSON.stringify(outcome), /kubectl needs it.*127\.0\.0\.1 its1\.example\.test/);
});

test('without KubeFlex, or with OpenShift routes, they do not matter', async () => {
  for (const data of [undefined, { domain: 'd', isOpenShift: 'true' }])
    assert.equal((await judgeNames(hosting(data))).status, 'skipped');
});

test('a command of kubectl works where the name of a local space is not resolved', async () => {
  const step = async (host: string, resolve: unknown) => {
    resolving(resolve as typeof unknown);
    const server = `https://${host}:9443`;
    return textOf(await kubectlOn({ context: 'its1', server }, ['get', 'namespaces']));
  };
  const plain = 'kubectl --context its1 get namespaces';
  assert.equal(await step('its1.localtest.me', known), plain);
  assert.equal(await step('its1.example.test', unknown), plain);
  const address = '--server https://127.0.0.1:9443 --tls-server-name its1.localtest.me';
  assert.equal(
    await step('its1.localtest.me', unknown),
    `This machine does not resolve its1.localtest.me: kubectl --context its1 ${address} get namespaces`,
  );
});
