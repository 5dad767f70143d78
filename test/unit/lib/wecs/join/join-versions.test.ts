import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WecEvidence } from '../../../../../src/lib/ocm/agent/wec-evidence.ts';
import type { Klusterlet } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import type { JoinOptions } from '../../../../../src/lib/wecs/join/join-options.ts';
import { planVersions } from '../../../../../src/lib/wecs/join/join-plan.ts';
import { klusterlet, wecEvidence, wecPod } from '../../../support/builders.ts';
import { matches } from '../../../support/steps.ts';

const settings = {
  clusterName: 'cluster1',
  mode: 'Singleton',
  imageRegistry: 'quay.io/open-cluster-management',
  tag: 'v1.3.1',
} as const;
const labels = { 'app.kubernetes.io/managed-by': 'stellarctl' };
const of = (tag: string, registry: string = settings.imageRegistry) =>
  `${registry}/registration-operator:${tag}`;

/** A WEC whose operator and Klusterlet have these images. */
function running(
  operator: string,
  agent = of('v1.3.1'),
  rest: Partial<WecEvidence> = {},
): WecEvidence {
  const own: Klusterlet = klusterlet();
  own.metadata.labels = labels;
  own.spec = { ...own.spec, imagePullSpec: agent };
  const spec = {
    replicas: 1,
    template: { spec: { containers: [{ name: 'klusterlet', image: operator }] } },
  };
  return wecEvidence('join-singleton', {
    klusterlet: own,
    operator: { metadata: { name: 'klusterlet', labels }, spec } as never,
    ...rest,
  });
}
const plan = (wec: WecEvidence, options: Partial<JoinOptions> = {}) =>
  planVersions(wec, settings, { accept: true, labels: {}, ...options });

describe('the version of an existing operator', () => {
  test('is that of the hub: no message', () =>
    assert.deepEqual(plan(running(of('v1.3.1'))), {
      installOperator: true,
      startOperator: undefined,
      writeKlusterlet: true,
      kept: [],
      replaced: [],
    }));
  test('is another one: kept, and reported', () => {
    const { installOperator, writeKlusterlet, kept } = plan(running(of('v1.4.0')));
    assert.deepEqual([installOperator, writeKlusterlet], [false, true]);
    assert.deepEqual(kept, ['operator 1.4.0 kept: wec upgrade changes it']);
    assert.deepEqual(plan(running(of('v1.2.0'), of('v1.2.0'))).writeKlusterlet, false);
    matches(plan(running(of('v1.3.1', 'mirror.example/ocm'))).kept[0], /^operator 1\.3\.1 kept/);
  });
  test('is replaced on request, or if its image cannot be pulled', () => {
    assert.deepEqual(plan(running(of('v1.4.0')), { ocmVersion: '1.3.1' }).replaced, [
      'operator 1.4.0 replaced by 1.3.1: as asked for',
    ]);
    const pulling = [{ name: 'klusterlet', state: { waiting: { reason: 'ImagePullBackOff' } } }];
    const stuck = running(of('v9.9.9'), of('v1.3.1'), { pods: [wecPod('klusterlet', pulling)] });
    assert.deepEqual(plan(stuck).replaced, [
      'operator 9.9.9 replaced by 1.3.1: its image cannot be pulled',
    ]);
  });
  test('that is kept is started if it is scaled to zero; that of another owner is not', () => {
    const scaled = running(of('v1.4.0'));
    if (scaled.operator?.spec) scaled.operator.spec.replicas = 0;
    assert.equal(plan(scaled).startOperator, scaled.operator);
    if (scaled.operator) scaled.operator.metadata.labels = {};
    assert.deepEqual(
      [plan(scaled).startOperator, plan(scaled).installOperator],
      [undefined, false],
    );
  });
});
