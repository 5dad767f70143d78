import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../../../src/lib/core/run.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import { untilGone } from '../../../../src/lib/kube/until-gone.ts';
import { readWec } from '../../../../src/lib/ocm/agent/wec-evidence.ts';
import { hasRemains, type PolicyToDelete } from '../../../../src/lib/policies/delete-policy.ts';
import {
  type ControlPlaneToDelete,
  deleteControlPlane,
} from '../../../../src/lib/spaces/delete-control-plane.ts';
import { hasGuard } from '../../../../src/lib/spaces/guard.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/hosting/hosting.ts';
import { type FoundAccess, revokeAccess } from '../../../../src/lib/spaces/roles/access.ts';
import { type CleanupRecord, cleanUpWec } from '../../../../src/lib/wecs/deregister/clean-up.ts';
import { deleteCluster } from '../../../../src/lib/wecs/deregister/delete-cluster.ts';
import { hasNoRegistration } from '../../../../src/lib/wecs/deregister/inspect-wec.ts';
import { type HubState, isGone } from '../../../../src/lib/wecs/deregister/leftovers.ts';
import { revoke, type WecToRevoke } from '../../../../src/lib/wecs/registration/grant.ts';
import type { Registration } from '../../../../src/lib/wecs/registration/registration-checks.ts';
import { fakeKube, foreseenKube, run } from '../../support/builders.ts';

/** Compiled, never called: a line that compiles without an error is an error of the compiler. */
export async function refusedByTheCompiler(
  kube: Kube,
  state: HubState,
  space: ControlPlaneToDelete,
  policy: PolicyToDelete,
  access: FoundAccess,
  wec: WecToRevoke,
  record: CleanupRecord,
  tools: SpaceTools,
  during: Run,
): Promise<Registration | undefined> {
  const missing = await kube.get(resources.configMaps, 'any');
  const object = { metadata: { name: 'any' } };
  // @ts-expect-error the end of a deletion
  await untilGone(kube, resources.configMaps, object, during, { read: async () => missing });
  // @ts-expect-error "deregistered", "is not registered; nothing to do"
  isGone({ ...state, managedCluster: missing });
  // @ts-expect-error the end of a deregistration
  await deleteCluster(foreseenKube(kube), { ...state, managedCluster: missing }, undefined, during);
  // @ts-expect-error "cleaned up", "has no klusterlet; nothing to do"
  await cleanUpWec(kube, record, true, during);
  // @ts-expect-error the same
  hasNoRegistration(await readWec(kube));
  // @ts-expect-error a space that is "not found; nothing to do"
  await deleteControlPlane({ ...space, controlPlane: missing }, tools, during);
  // @ts-expect-error a policy that is "not found; nothing to do"
  hasRemains({ ...policy, policy: missing });
  // @ts-expect-error "has no guard; nothing to do"
  hasGuard({ objects: [missing], isOn: false });
  // @ts-expect-error an access that is "revoked"
  await revokeAccess({ ...access, account: missing });
  // @ts-expect-error rights that are revoked
  await revoke({ ...wec, role: missing }, during);
  // @ts-expect-error what nobody has proven
  const forged: ControlPlaneToDelete['controlPlane'] = { object: undefined };
  const registration = { name: forged.object?.metadata.name ?? '', hub: undefined, wec: undefined };
  // @ts-expect-error "wec wait --for delete"
  const gone: Registration = { ...registration, now: 0, left: missing };
  return gone;
}

test('a deletion has ended when a list shows it, not when a read by name finds nothing', async () => {
  const object = { metadata: { name: 'any', uid: 'u1' } };
  const lists = [[object], [object], []];
  const kube = fakeKube({ get: async () => undefined, list: async () => lists.shift() });
  await untilGone(kube, resources.configMaps, object, run(10_000));
  assert.deepEqual(lists, []);
});
