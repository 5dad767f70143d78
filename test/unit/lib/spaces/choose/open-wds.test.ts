import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { commandOf, flagsOf } from '../../../../../src/lib/core/next-step.ts';
import { type Access, hiddenBy, seen } from '../../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import { inWds, openWds, type WdsSources } from '../../../../../src/lib/spaces/choose/open-wds.ts';
import type { SpaceTools } from '../../../../../src/lib/spaces/hosting/hosting.ts';
import { readControllers } from '../../../../../src/lib/spaces/space/controllers-run.ts';
import { fakeKube } from '../../../support/builders.ts';
import {
  type controlPlane,
  inSpace,
  its,
  kubeconfigOf,
  kubeconfigSecret,
  MemoryCluster,
  pod,
  wds,
  wdsDeployments,
} from '../../../support/space-builders.ts';
import { failsWith, matches } from '../../../support/steps.ts';

/** Its kube-system may not be read. */
const kubeAt = (server: string): Kube =>
  fakeKube({ cluster: { context: 'c', server }, get: async () => undefined });
const connect = ({ server }: { server: string }) => kubeAt(server);
const uids: Record<string, string> = {
  hub: 'uid-of-hub',
  admin: 'uid-of-hub',
  elsewhere: 'uid-of-elsewhere',
  its1: 'uid-of-its1',
  alias: 'uid-of-its1',
  its2: 'uid-of-its2',
};
/** The UID of kube-system depends on the host of the server. */
const byUid = ({ server: at }: { server: string }) => {
  const uid = uids[new URL(at).hostname.split('.')[0] ?? ''];
  const get = async () => ({ metadata: { name: 'kube-system', uid } }) as never;
  return fakeKube({ cluster: { context: at, server: at }, get });
};
const host = { name: 'hub', server: 'https://hub.example.com:6443', cluster: {}, user: {} };
const place = (name: string, of?: string) => ({
  cluster: name,
  user: name,
  ...(of === undefined ? {} : { of, hosting: 'hub' }),
});
const chosen = (open: () => Promise<{ name: string; kube: Kube }>) => ({ open, isGiven: true });
const unreachable: Access<SpaceTools> = hiddenBy(
  new StellarError('unreachable', 'Cannot reach hub.'),
);

/** Control planes of type host are the hosting cluster itself, and need no Secret. */
function sources(
  spaces: ReturnType<typeof controlPlane>[],
  {
    contexts = {},
    current,
    ...changes
  }: Partial<WdsSources> & { contexts?: Parameters<typeof kubeconfigOf>[0]; current?: string } = {},
): WdsSources {
  const kubeconfig = kubeconfigOf({ hub: place('hub'), ...contexts }, current);
  const hosting = new MemoryCluster(spaces).kube;
  const tools = {
    hosting,
    hostingContext: host,
    hostingSource: 'kubeconfig',
    kubeconfig,
    target: {},
    connect,
  } as unknown as SpaceTools;
  return {
    given: undefined,
    its: undefined,
    hosting: seen(tools),
    kubeconfig,
    connect,
    ...changes,
  };
}

const opened = async (from: WdsSources) => {
  const { name, isGiven, type, context, kube, its: through } = await openWds(from);
  return {
    name,
    isGiven,
    type,
    context,
    server: kube.cluster.server,
    its: through.state === 'seen' ? through.value.name : through.why,
  };
};
const server = 'https://hub.example.com:6443';

test('credentials that the hosting cluster rejects are the error, whatever the command', () => {
  const hosting: Access<SpaceTools> = hiddenBy(
    new StellarError('unauthorized', 'hub does not accept the credentials.'),
  );
  return assert.rejects(openWds(sources([], { hosting })), { code: 'unauthorized', exitCode: 4 });
});

describe('the WDS', () => {
  const two = [its('its1'), wds('wds1', 'its1'), wds('wds2', 'its1')];

  test('is the given one, with the ITS that it names', async () =>
    assert.deepEqual(await opened(sources(two, { given: 'wds2' })), {
      name: 'wds2',
      isGiven: true,
      type: 'host',
      context: 'hub',
      server,
      its: 'its1',
    }));
  test('without a context in the kubeconfig gets one before kubectl is used in it', async () => {
    const line = 'kubectl --context wds2 get pods';
    const k8s = [its('its1'), wds('wds2', 'its1', { type: 'k8s' })];
    const secret = kubeconfigSecret('wds2', { server: 'https://wds2.example.com' }, { token: 't' });
    const from = async (contexts: Parameters<typeof kubeconfigOf>[0]) => {
      const all = sources([...k8s, secret as never], { given: 'wds2', contexts });
      assert.ok(all.hosting.state === 'seen');
      all.hosting.value.connect = ({ name: context, server: at, writing }) =>
        fakeKube({ cluster: { context, server: at, writing } });
      const open = await openWds(all);
      const refusal = apiError(open.kube.cluster, 403, '');
      return [inWds(open, line), commandOf(refusal.next)];
    };
    const rights = 'kubectl --context wds2 auth can-i --list';
    assert.deepEqual(await from({ wds2: place('wds2', 'wds2') }), [line, rights]);
    const write = 'stellarctl wds context wds2 --hosting-context hub && ';
    assert.deepEqual(await from({}), [write + line, write + rights]);
  });
  test('shows which of its controllers does not run', async () => {
    const hub = new MemoryCluster(two);
    const from = sources(two, { given: 'wds2' });
    assert.ok(from.hosting.state === 'seen');
    from.hosting.value.hosting = hub.kube;
    const open = await openWds(from);
    const [transport, manager] = wdsDeployments('its1').map((each) =>
      inSpace('Deployment', 'wds2', each),
    );
    assert.ok(transport !== undefined && manager !== undefined);
    hub.objects.push(transport, manager);
    assert.deepEqual(await readControllers(open), {});
    transport.status = {};
    const crashing = pod('transport-controller-x', {
      waiting: { reason: 'CrashLoopBackOff' },
      restarts: 4,
    });
    hub.objects.push(inSpace('Pod', 'wds2', crashing));
    const problems = await readControllers(open);
    assert.equal(problems.manager, undefined);
    matches(problems.transport?.why, /pod transport-controller-x, .* keeps crashing/);
    Object.assign(manager, { status: {} });
    assert.equal((await readControllers(open)).manager?.state, 'waiting');
  });
  test('is given by a context that is recorded as its own', async () => {
    const contexts = { mine: place('mine', 'wds2') };
    assert.equal((await opened(sources(two, { given: 'mine', contexts }))).name, 'wds2');
  });
  test('is opened with the contexts of the kubeconfig, for steps on WECs', async () => {
    const { contexts } = await openWds(
      sources(two, { given: 'wds2', contexts: { cluster1: place('cluster1') } }),
    );
    assert.deepEqual([contexts?.has('cluster1'), contexts?.has('cluster2')], [true, false]);
  });
  test('is that of the current context', async () => {
    const contexts = { mine: place('mine', 'wds2') };
    const { name, isGiven } = await opened(sources(two, { contexts, current: 'mine' }));
    assert.deepEqual([name, isGiven], ['wds2', false]);
  });
  test('is the only one', async () => {
    const { name, isGiven } = await opened(sources([its('its1'), wds('wds1')]));
    assert.deepEqual([name, isGiven], ['wds1', false]);
  });
  test('is none of several if none is named', () =>
    assert.rejects(openWds(sources(two)), {
      code: 'usage',
      message: 'There are several WDSes, and none was given.',
    }));
  test('is none if its name is unknown', () =>
    assert.rejects(openWds(sources(two, { given: 'wds3' })), { code: 'not-found' }));

  describe('given by a context of another name', () => {
    const kinds = {
      'admin@wds1': place('admin'),
      'wds-of-another': { ...place('elsewhere', 'wds1'), hosting: 'admin@wds1' },
    };
    const at = (given: string) => {
      const from = sources([its('its1'), wds('wds1', 'its1')], {
        given,
        contexts: kinds,
        connect: byUid,
      });
      if (from.hosting.state === 'seen') from.hosting.value.connect = byUid;
      return openWds(from);
    };
    test('is recognized by its kube-system', async () => {
      const { name, type, isContext, context } = await at('admin@wds1');
      assert.deepEqual([name, type, isContext, context], ['wds1', 'host', undefined, 'hub']);
    });
    test('is another one if that differs', async () => {
      const { name, type, isContext, kube } = await at('wds-of-another');
      assert.deepEqual(
        [name, type, isContext, kube.cluster.server],
        ['wds-of-another', undefined, true, 'https://elsewhere.example.com:6443'],
      );
    });
  });

  describe('whose ITS the hosting cluster names', () => {
    const k8s = { type: 'k8s' };
    const spaces = [
      its('its1', k8s),
      its('its2', k8s),
      ...['its1', 'its2'].map((space) =>
        kubeconfigSecret(space, { server: `https://${space}.example.com:6443` }, { token: 't' }),
      ),
    ];
    const through = async (
      given: string | undefined,
      names = 'its1',
      objects: object[] = spaces,
    ) => {
      const itsGiven =
        given &&
        chosen(async () => ({
          name: given,
          kube: byUid({ server: `https://${given}.example.com:6443` }),
        }));
      const wds1 = wds('wds1', names);
      const from = sources([...objects, wds1] as never, {
        given: 'wds1',
        its: itsGiven || undefined,
      });
      if (from.hosting.state === 'seen') from.hosting.value.connect = byUid;
      const { its: found, isItsAssumed } = await openWds(from);
      return found.state === 'seen' ? [found.value.name, isItsAssumed ?? false] : found.why;
    };

    test('sends through that one', async () =>
      assert.deepEqual(await through(undefined), ['its1', false]));
    test('is not used with another one, whatever selects that', () =>
      assert.rejects(
        through('its2'),
        failsWith({
          code: 'usage',
          message:
            'WDS wds1 sends through its1 of kind-kubeflex, and its2 is another cluster: their kube-system UIDs differ.',
          steps: /without --its and STELLARCTL_ITS/,
        }),
      ));
    test('is used with the same one under another name', async () =>
      assert.deepEqual(await through('alias'), ['alias', false]));
    test('is used with one that cannot be compared, which is then only assumed', async () => {
      assert.deepEqual(await through('unknown'), ['unknown', true]);
      assert.deepEqual(await through('its2', 'its1', spaces.slice(0, 2)), ['its2', true]);
    });
    test('is used with a given one if it names none', async () => {
      assert.deepEqual(await through('its2', ''), ['its2', true]);
      assert.match(String(await through(undefined, '')), /is unknown: name it by --its/);
    });
  });

  const contexts = { wds9: place('wds9') };
  test('is a context that no hosting cluster shows, with the given ITS', async () => {
    const given = { given: 'wds9', contexts, hosting: unreachable };
    const without = await opened(sources([], given));
    assert.deepEqual(
      [without.name, without.type, without.server],
      ['wds9', undefined, 'https://wds9.example.com:6443'],
    );
    assert.match(without.its, /name it by --its/);
    const itsGiven = chosen(async () => ({ name: 'its9', kube: kubeAt('https://its9') }));
    for (const its of [itsGiven, { ...itsGiven, isGiven: false }])
      assert.equal((await opened(sources([], { ...given, its }))).its, 'its9');
  });
  test('is named, with the given options, in suggested commands', async () => {
    const flags = async (from: WdsSources) => flagsOf(await openWds(from)).join(' ');
    const itsGiven = chosen(async () => ({ name: 'its9', kube: kubeAt('https://its9') }));
    assert.equal(await flags(sources(two, { given: 'wds2' })), '--wds wds2');
    assert.equal(
      await flags(sources(two, { given: 'wds2', its: itsGiven })),
      '--wds wds2 --its its9',
    );
    assert.equal(
      await flags(sources(two, { given: 'wds2', its: { ...itsGiven, isGiven: false } })),
      '--wds wds2',
    );
    const byContext = { given: 'wds9', contexts, hosting: unreachable, its: itsGiven };
    assert.equal(await flags(sources([], byContext)), '--wds wds9 --its its9');
    const from = sources(two, { given: 'wds2' });
    if (from.hosting.state === 'seen') from.hosting.value.hostingSource = '--hosting-context';
    assert.equal(await flags(from), '--wds wds2 --hosting-context hub');
  });
  test('is reported as unseen if the hosting cluster is unseen', async () => {
    const failure = await openWds(sources([], { given: 'x', hosting: unreachable })).catch(
      (error: StellarError) => error,
    );
    assert.ok(failure instanceof StellarError);
    assert.deepEqual(failure.details, ['The hosting cluster does not show any: Cannot reach hub']);
  });
});
