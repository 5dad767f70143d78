import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentProgress } from '../../../../src/lib/core/run.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { checkSpaceName, findOrClear } from '../../../../src/lib/spaces/space-requirements.ts';
import {
  controlPlane,
  its,
  MemoryCluster,
  soon,
  waitForNothing,
  wds,
} from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

describe('the name of a space is validated: it can be', () => {
  test('a valid name of a namespace and a host', () => {
    for (const name of ['its1', 'a', 'my-its', 'a'.repeat(56)]) checkSpaceName(name);
  });
  test('but not', () => {
    for (const name of [
      '',
      '1its',
      'Its',
      'its_1',
      'its-',
      '-its',
      'its.1',
      'a'.repeat(57),
      'its\n',
    ])
      assert.throws(() => checkSpaceName(name), { code: 'usage' }, name);
  });
});

const namespace = (metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  kind: 'Namespace',
  metadata: { name: 'its1-system', ...metadata },
});
const owned = {
  ownerReferences: [{ apiVersion: '', kind: 'ControlPlane', name: 'its1', uid: 'u' }],
};
const clear = (objects: readonly KubeObject[], timeoutMs = 0, dryRun = false) => {
  const cluster = new MemoryCluster(objects, { dryRun });
  return findOrClear(cluster.kube, 'its1', { role: 'its', type: 'host' }, soon(timeoutMs));
};

describe('the name of a space', () => {
  test('belongs to a space of another type, which is named, with the command that uses it', () =>
    assert.rejects(
      clear([its('its1', { type: 'vcluster' })]),
      failsWith({
        code: 'name-taken',
        message: /its1 already exists: ITS of type vcluster/,
        steps: /--type vcluster/,
      }),
    ));
  test('belongs to a WDS, or something else', async () => {
    await assert.rejects(
      clear([wds('its1')]),
      failsWith({ code: 'name-taken', message: /WDS of type host/, steps: /another name/ }),
    );
    await assert.rejects(clear([controlPlane('its1')]), {
      code: 'name-taken',
      message: /control plane of type host/,
    });
  });
  test("belongs to another user's namespace", () =>
    assert.rejects(clear([namespace()]), {
      code: 'name-taken',
      message: /its1-system.*belongs to no control plane/,
    }));
});

describe('an earlier space of that name', () => {
  const deleting = its('its1', { deleting: true });
  test('is waited for until its namespace is deleted as well', async () => {
    const objects = [its('its1', { deleting: true }), namespace({ deletionTimestamp: 'now' })];
    const cluster = new MemoryCluster(objects);
    let waits = 0;
    const waiting = () => {
      waits += 1;
      // First the control plane is deleted, then its namespace.
      cluster.objects.shift();
    };
    const goOnWaiting = waitForNothing();
    const run = { ...soon(), progress: { ...silentProgress, waiting } };
    const found = await findOrClear(
      cluster.kube,
      'its1',
      { role: 'its', type: 'host' },
      run,
    ).finally(goOnWaiting);
    assert.deepEqual([found, waits], [undefined, 2]);
  });
  test('is waited for while only its namespace is left', () =>
    assert.rejects(clear([namespace(owned)]), { code: 'timeout' }));
  test('that is not deleted in time is reported, with the object to check', () =>
    assert.rejects(
      clear([deleting]),
      failsWith({
        code: 'timeout',
        steps: /kubectl --context kind-kubeflex get controlplanes its1 -o yaml/,
      }),
    ));
  test('is not waited for in a dry run', async () =>
    assert.equal(await clear([deleting], 60_000, true), undefined));
});
