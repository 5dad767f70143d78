import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  effectiveProperties,
  ignoredKeys,
  parsePropertyChanges,
} from '../../../../../src/lib/ocm/model/customization.ts';
import { managedCluster } from '../../../support/builders.ts';

const refused = (message: RegExp) => ({ code: 'usage', message });
const configMap = (data: Record<string, string>) => ({ metadata: { name: 'cluster1' }, data });

describe('changes of properties', () => {
  test('accept any text as value', () => {
    assert.deepEqual(parsePropertyChanges(['clusterURL=https://x?a=b c', '_a1=', 'Z=ä\n']), {
      clusterURL: 'https://x?a=b c',
      _a1: '',
      Z: 'ä\n',
    });
  });
  for (const key of ['max-pods', 'a.b', '1a', 'type', 'default', 'range']) {
    test(`reject setting ${key}, which KubeStellar ignores, but allow its removal`, () => {
      assert.throws(() => parsePropertyChanges([`${key}=x`]), refused(/KubeStellar would ignore/));
      assert.deepEqual(parsePropertyChanges([`${key}-`]), { [key]: null });
    });
  }
  for (const argument of ['=x', '-', 'a/b=x', 'ä=x'])
    test(`reject ${argument.slice(0, 8)}`, () =>
      assert.throws(() => parsePropertyChanges([argument]), refused(/is not a property change/)));
});

describe('effective properties', () => {
  const cluster = managedCluster({
    labels: { region: 'east', tier: 'a', 'location-group': 'edge' },
  });
  cluster.metadata.annotations = { region: 'west', 'agent.open-cluster-management.io/x': 'y' };
  test('come from the ConfigMap before annotations, labels, and built-in ones', () => {
    assert.deepEqual(
      effectiveProperties('cluster1', cluster, configMap({ region: 'north', 'max-pods': '1' })),
      [
        { key: 'clusterName', value: 'cluster1', source: 'built-in', shadows: [] },
        {
          key: 'region',
          value: 'north',
          source: 'ConfigMap',
          shadows: [
            { source: 'annotation', value: 'west' },
            { source: 'label', value: 'east' },
          ],
        },
        { key: 'tier', value: 'a', source: 'label', shadows: [] },
      ],
    );
  });
  test('may hide even the name of the cluster', () => {
    const [name] = effectiveProperties(
      'cluster1',
      managedCluster({ labels: { clusterName: 'other' } }),
      undefined,
    );
    assert.deepEqual(name, {
      key: 'clusterName',
      value: 'other',
      source: 'label',
      shadows: [{ source: 'built-in', value: 'cluster1' }],
    });
  });
  test('exclude invalid identifiers', () =>
    assert.deepEqual(ignoredKeys(configMap({ a: '1', 'b-c': '2', var: '3' })), ['b-c', 'var']));
});
