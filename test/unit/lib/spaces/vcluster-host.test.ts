import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  requireVclusterHost,
  vclusterCheck,
} from '../../../../src/lib/spaces/space/hosting-fit.ts';
import { fakeKube } from '../../support/builders.ts';
import { failsWith } from '../../support/steps.ts';

const space = (type: string, ready: 'True' | 'False') => ({
  metadata: { name: 'its0' },
  spec: { type },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});

const hosting = (gitVersion: string | undefined, spaces: object[] = []) =>
  fakeKube({ read: async () => ({ gitVersion }), list: async () => spaces });

describe('the version of a hosting cluster for spaces of type vcluster', () => {
  for (const [gitVersion, spaces, expected] of [
    ['v1.32.13+k3s1', [], 'pass 1.32'],
    ['v1.31.4', [], 'pass 1.31'],
    ['v1.33.1', [], 'pass 1.33'],
    ['v1.35.0', [], 'pass 1.35'],
    ['v1.34.9+k3s1', [], 'pass 1.34'],
    ['v1.35.5+k3s1', [], 'fail kubernetes-unsupported'],
    ['v1.100.0+k3s1', [], 'fail kubernetes-unsupported'],
    // What runs there says more than its version.
    ['v1.36.3+k3s1', [space('vcluster', 'True')], 'pass its0 runs on 1.36'],
    ['v1.36.3+k3s1', [space('vcluster', 'False')], 'fail kubernetes-unsupported'],
    ['v1.36.3+k3s1', [space('k8s', 'True')], 'fail kubernetes-unsupported'],
    [undefined, [], 'skipped skipped'],
  ] as const)
    test(`${gitVersion} with ${spaces.length} spaces: ${expected}`, async () => {
      const outcome = await vclusterCheck.run({ kube: hosting(gitVersion, [...spaces]) });
      const what = outcome.status === 'pass' ? outcome.found : outcome.problem.code;
      assert.equal(`${outcome.status} ${what}`, expected);
    });

  test('that is known to fail is refused, with the source and other types', async () => {
    await assert.rejects(
      requireVclusterHost(hosting('v1.35.5+k3s1')),
      failsWith({
        code: 'kubernetes-unsupported',
        message: /v1\.35\.5\+k3s1 \(kubestellar\/kubestellar#3832: /,
        steps: /--type host/,
      }),
    );
  });
});
