import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition, Secret } from '../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import type { WecEvidence } from '../../../../src/lib/ocm/agent/wec-evidence.ts';
import { wecChecks } from '../../../../src/lib/wecs/diagnose/wec-checks.ts';
import {
  hubEvidence,
  joinedCluster,
  managedCluster,
  secondsAgo,
  wecEvidence,
} from '../../support/builders.ts';
import { wecFindings } from '../../support/wec-findings.ts';

const condition = (reason: string, message = ''): Condition => ({
  type: 'HubConnectionDegraded',
  status: 'True',
  reason,
  message,
  lastTransitionTime: secondsAgo(600),
});

/** @param ago its last write, in seconds */
function secret(
  ago: number,
  data: Record<string, string> = {},
  server = 'https://hub:6443',
): Secret {
  const made = bootstrapSecret(
    { server, certificateAuthority: 'CA', proxyUrl: undefined },
    'token',
  ) as Secret;
  return {
    metadata: {
      ...made.metadata,
      creationTimestamp: secondsAgo(3600),
      managedFields: [{ manager: 'kubectl', time: secondsAgo(ago) }, { manager: 'other' }],
    },
    data: { ...made.data, ...data },
  };
}
const certificate = { 'tls.crt': 'Yw==' };

/** The status of the check of its connection. */
async function judged(said: Condition, evidence: Partial<WecEvidence>, cluster = managedCluster()) {
  const wec = wecEvidence([said], { bootstrapSecret: secret(3000), ...evidence });
  const findings = wecFindings({ hub: hubEvidence({ managedCluster: cluster }), wec });
  return (await wecChecks.find(({ id }) => id === 'wec-hub-connection')?.run(findings))?.status;
}

const outdated = 'pass';
const believed = 'fail';

describe("an operator's condition on the connection is outdated", () => {
  const missing = condition('BootstrapSecretError,HubKubeConfigSecretMissing', 'x: Unauthorized');
  test('if the certificate that it reports missing was written since', async () => {
    assert.deepEqual(await judged(missing, { hubSecret: secret(60, certificate) }), outdated);
    assert.deepEqual(await judged(missing, { hubSecret: secret(900, certificate) }), believed);
    assert.deepEqual(
      await judged(missing, { hubSecret: secret(60) }),
      believed,
      'the agent writes its id before',
    );
  });
  test('if the bootstrap secret that it reports missing was written since', async () => {
    const said = condition('BootstrapSecretMissing,HubKubeConfigSecretMissing');
    assert.deepEqual(await judged(said, { bootstrapSecret: secret(60) }), outdated);
    assert.deepEqual(await judged(said, { bootstrapSecret: undefined }), believed);
  });
  test('if another address than the one that it tried was written since', async () => {
    const said = condition(
      'BootstrapSecretError,HubKubeConfigSecretMissing',
      'Failed to create x: Post "https://hub:1/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": dial tcp 1.2.3.4:1: connect: connection refused\nmore',
    );
    assert.deepEqual(await judged(said, { bootstrapSecret: secret(60) }), outdated);
    assert.deepEqual(await judged(said, { bootstrapSecret: secret(900) }), believed);
    assert.deepEqual(
      await judged(said, { bootstrapSecret: secret(60, {}, 'https://hub:1') }),
      believed,
    );
  });
  test('but not by a newer secret alone: the time of the condition changes only with its status', async () =>
    assert.deepEqual(await judged(missing, { bootstrapSecret: secret(60) }), believed));
  test('and is ignored while the ITS reports its agent as available', async () =>
    assert.deepEqual(
      await judged(missing, { hubSecret: secret(60, certificate) }, joinedCluster()),
      outdated,
    ));
});
