import '../../support/environment.ts';
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

const missing = condition('BootstrapSecretError,HubKubeConfigSecretMissing', 'x: Unauthorized');
const noSecret = condition('BootstrapSecretMissing,HubKubeConfigSecretMissing');
const otherAddress = condition(
  'BootstrapSecretError,HubKubeConfigSecretMissing',
  'Failed to create x: Post "https://hub:1/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": dial tcp 1.2.3.4:1: connect: connection refused\nmore',
);
const [outdated, believed] = ['pass', 'fail'];
const cases: [what: string, expected: string | undefined, ...Parameters<typeof judged>][] = [
  [
    'outdated if the certificate that it reports missing was written since',
    outdated,
    missing,
    { hubSecret: secret(60, certificate) },
  ],
  [
    'believed if that certificate was written before',
    believed,
    missing,
    { hubSecret: secret(900, certificate) },
  ],
  [
    'believed if only the id of the agent was written since',
    believed,
    missing,
    { hubSecret: secret(60) },
  ],
  [
    'outdated if the bootstrap secret that it reports missing was written since',
    outdated,
    noSecret,
    { bootstrapSecret: secret(60) },
  ],
  [
    'believed if the bootstrap secret is missing',
    believed,
    noSecret,
    { bootstrapSecret: undefined },
  ],
  [
    'outdated if another address than the one that it tried was written since',
    outdated,
    otherAddress,
    { bootstrapSecret: secret(60) },
  ],
  [
    'believed if another address was written before',
    believed,
    otherAddress,
    { bootstrapSecret: secret(900) },
  ],
  [
    'believed if the address that it tried was written since',
    believed,
    otherAddress,
    { bootstrapSecret: secret(60, {}, 'https://hub:1') },
  ],
  [
    'believed if only a secret is newer: the time of the condition changes only with its status',
    believed,
    missing,
    { bootstrapSecret: secret(60) },
  ],
  [
    'ignored while the ITS reports its agent as available',
    outdated,
    missing,
    { hubSecret: secret(60, certificate) },
    joinedCluster(),
  ],
];

describe("an operator's condition on the connection is", () => {
  for (const [what, expected, ...given] of cases)
    test(what, async () => assert.equal(await judged(...given), expected));
});
