import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { Node, Pod } from '../../../../../src/lib/kube/client/objects.ts';
import { requireRoom, roomCheck } from '../../../../../src/lib/spaces/space/hosting-fit.ts';
import { fakeKube, recordingProgress } from '../../../support/builders.ts';
import { hostingCluster, soon } from '../../../support/space-builders.ts';
import { failsWith } from '../../../support/steps.ts';

const node = (name: string, cpu: string, spec: Node['spec'] = {}): Node => ({
  metadata: { name },
  spec,
  status: { allocatable: { cpu } },
});
const asks = (cpu: string) => ({ name: 'c', resources: { requests: { cpu } } });
const pod = (nodeName: string, cpu: string, more: Pod['spec'] = {}, phase = 'Running'): Pod => ({
  metadata: { name: 'p' },
  spec: { nodeName, containers: [asks(cpu)], ...more },
  status: { phase },
});
const hostingOf = (nodes: readonly Node[], pods: readonly Pod[] | undefined): Kube =>
  fakeKube({
    cluster: hostingCluster,
    list: async ({ plural }) => {
      if (plural === 'nodes') return nodes;
      if (pods === undefined)
        throw apiError(hostingCluster, 403, '{"message":"pods is forbidden"}');
      return pods;
    },
  });

describe('the CPU that the nodes of a hosting cluster have left', () => {
  const taint = (effect: string) => ({ taints: [{ key: 'k', effect }] });
  for (const [what, nodes, pods, expected] of [
    ['two cores of kind', [node('a', '2')], [pod('a', '850m')], 'pass'],
    // What review saw on two cores: with an ITS and a WDS there is none for another WDS.
    [
      'the same with its1 and wds1',
      [node('a', '2')],
      [pod('a', '850m'), pod('a', '220m'), pod('a', '706m')],
      '224m',
    ],
    [
      'pods that have ended',
      [node('a', '2')],
      [pod('a', '2', {}, 'Succeeded'), pod('a', '2', {}, 'Failed')],
      'pass',
    ],
    ['pods of other nodes', [node('a', '2')], [pod('b', '2'), pod('', '2')], 'pass'],
    ['placeholders of an autoscaler', [node('a', '2')], [pod('a', '2', { priority: -10 })], 'pass'],
    [
      'sidecars',
      [node('a', '1')],
      [pod('a', '100m', { initContainers: [{ ...asks('500m'), restartPolicy: 'Always' }] })],
      '400m',
    ],
    [
      'init containers',
      [node('a', '1')],
      [pod('a', '0', { initContainers: [asks('500m')] })],
      'pass',
    ],
    [
      'small pieces on several nodes',
      [node('a', '500m'), node('b', '500m'), node('c', '500m')],
      [],
      '500m',
    ],
    ['two nodes that fit only together', [node('a', '510m'), node('b', '430m')], [], 'pass'],
    ['a node for the API server alone', [node('a', '510m'), node('b', '210m')], [], '10m'],
    [
      'nodes that take no pods',
      [node('a', '4', { unschedulable: true }), node('b', '4', taint('NoSchedule'))],
      [],
      '0m',
    ],
    ['a node that is avoided', [node('a', '4', taint('PreferNoSchedule'))], [], 'pass'],
    ['pods that may not be read', [node('a', '4')], undefined, 'skipped'],
    ['no node that is visible', [], [], 'skipped'],
  ] as const)
    test(`${what}: ${expected}`, async () => {
      const outcome = await roomCheck.run({ kube: hostingOf(nodes, pods) });
      if (outcome.status !== 'warn') assert.equal(outcome.status, expected);
      else assert.match(outcome.problem.message, new RegExp(` at most ${expected} left$`));
    });

  const full = hostingOf([node('a', '2')], [pod('a', '1900m')]);

  test('is an error for a type whose pods remove those of others', () =>
    assert.rejects(
      requireRoom(full, 'k8s', soon()),
      failsWith({
        code: 'no-room',
        message:
          /kind-kubeflex: a pod of a space of type k8s asks for 506m CPU, .* at most 100m left\. Other pods, /,
        steps: /--type host/,
      }),
    ));

  test('is a note for a type that waits, and nothing for one without pods', async () => {
    const noted = async (type: string) => {
      const progress = recordingProgress();
      await requireRoom(full, type, { ...soon(), progress });
      return progress.lines;
    };
    assert.match(
      (await noted('vcluster')).join(),
      /asks for 220m CPU, .* at most 100m left: it waits for room\./,
    );
    assert.deepEqual(await noted('host'), []);
  });
});
